// While a scene or transcript plays, the page switches to the channel of each step.
import { useEffect } from "react";
import type { Known } from "./store";

const SAYS = /^([a-z]+)(?: in (#\S+|thread)| with (@\S+))?> (.+)/;

export function useFollowing({ parts }: Known, go: (viewer: string, channel: string | null) => void) {
  const done = parts.playing?.steps.filter((it) => it.seen !== null).length ?? 0;
  const name = parts.playing?.name ?? "";
  useEffect(() => {
    const said = SAYS.exec(parts.playing?.steps[done - 1]?.line ?? "");
    if (!said) return;
    const [, who, where, direct, what = ""] = said;
    const person = parts.people.find((it) => it.name === who);
    if (!person) return;
    const isPress = what.startsWith("[");
    const channel = parts.channels.find((it) =>
      direct
        ? it.kind === "im" && it.members.includes(person.id) && it.members.some((id) => `@${parts.names[id]}` === direct)
        : it.kind !== "im" && `#${it.name}` === (where ?? "#builds"),
    );
    go(person.id, isPress || where === "thread" ? null : (channel?.id ?? null));
  }, [done, name]);
}
