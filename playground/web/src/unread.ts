import { useEffect, useMemo, useRef, useState } from "react";
import { isSeen } from "./seeing";
import type { Known } from "./store";

/** Channels with new messages since this person last opened them, as far as this page knows. */
export function useUnread(known: Known, viewer: string, channel: string): Set<string> {
  const [seen, setSeen] = useState<{ [place: string]: number }>({});
  const session = useRef(known.session);
  const newest = useMemo(() => {
    const found: { [channel: string]: number } = {};
    for (const it of known.messages.values()) {
      if (isSeen(it, viewer) && it.user !== viewer) found[it.channel] = Math.max(found[it.channel] ?? 0, it.first);
    }
    return found;
  }, [known.messages, viewer]);
  const here = newest[channel] ?? 0;
  useEffect(() => {
    const isAnew = session.current !== known.session;
    session.current = known.session;
    setSeen((before) => ({ ...(isAnew ? {} : before), [`${viewer} ${channel}`]: here }));
  }, [known.session, viewer, channel, here]);
  return new Set(
    Object.keys(newest).filter((id) => id !== channel && (newest[id] ?? 0) > (seen[`${viewer} ${id}`] ?? 0)),
  );
}
