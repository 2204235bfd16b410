import { useEffect, useMemo, useRef } from "react";
import { Avatar } from "./Avatar";
import { Blocks, type Acting } from "./Blocks";
import { timeOf } from "./dates";
import { Drawn, Text } from "./Drawn";
import { usePage } from "./page";
import { richText } from "./typed";
import type { Message, Typed } from "./wire-types";

/** `root`: the first message of the thread, if this is a reply that the channel shows, too. */
type Props = { message: Message; replies: Message[]; root?: Message | undefined; onThread: ((ts: string) => void) | null };

export function MessageItem({ message, replies, root, onThread }: Props) {
  const { known, viewer, run } = usePage();
  const { parts } = known;
  const name = parts.names[message.user] ?? message.user;
  const sentAt = new Date(Number(message.ts) * 1000);
  const acting = useMemo<Acting>(() => {
    const where = { who: viewer, channel: message.channel, ts: message.ts };
    return {
      press: (block, element, isConfirmed) =>
        run("press", { ...where, block_id: block, action_id: element.action_id, is_confirmed: isConfirmed }),
      choose: (block, element, value, isConfirmed) =>
        run("choose", { ...where, block_id: block, action_id: element.action_id, value, is_confirmed: isConfirmed }),
    };
  }, [viewer, message.channel, message.ts, run]);
  const typed = useMemo(() => richText(message.text), [message.text]);
  const whole = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    // Highlights a message that changed in place for a moment, since nothing else shows it.
    if (!isFirst.current) {
      whole.current?.classList.remove("changed");
      void whole.current?.offsetWidth;
      whole.current?.classList.add("changed");
    }
    isFirst.current = false;
  }, [message.versions]);
  return (
    <article ref={whole} className={message.ephemeral_to ? "message ephemeral" : "message"} data-ts={message.ts}>
      <Avatar user={message.user} parts={parts} size="large" />
      <div className="message-body">
        {message.ephemeral_to && <p className="only-you">👁 Only visible to you</p>}
        <p className="message-head">
          <strong>{name}</strong>
          {message.is_bot && <span className="app-badge">APP</span>}
          <time dateTime={sentAt.toISOString()}>{timeOf(sentAt)}</time>
        </p>
        {root && onThread && (
          <p className="replied">
            replied to a thread:{" "}
            <button type="button" onClick={() => onThread(root.ts)}>
              {headOf(root.text)}
            </button>
          </p>
        )}
        {message.blocks.length > 0 ? (
          <Blocks blocks={message.blocks} acting={acting} />
        ) : (
          <div className="block">
            {message.is_bot ? <Text of={message.text} /> : <Drawn blocks={typed} />}
          </div>
        )}
        {message.is_edited && <span className="quiet">(edited)</span>}
        {onThread && replies.length > 0 && (
          <button type="button" className="replies" onClick={() => onThread(message.ts)}>
            {replies.length === 1 ? "1 reply" : `${replies.length} replies`}
          </button>
        )}
      </div>
      {!message.ephemeral_to && (
        <div className="message-tools">
          {onThread && (
            <button
              type="button"
              aria-label={`Reply in thread to ${name}`}
              title="Reply in thread"
              onClick={() => onThread(root?.ts ?? message.ts)}
            >
              💬
            </button>
          )}
          {parts.shortcuts
            .filter((it) => it.kind === "message")
            .map((it) => (
              <button
                key={it.name}
                type="button"
                aria-label={it.name}
                title={it.name}
                onClick={() => void run("shortcut", { who: viewer, name: it.name, ts: message.ts })}
              >
                ⚡
              </button>
            ))}
        </div>
      )}
    </article>
  );
}

/** The first line of a message's text, as plain text. */
const headOf = (text: string) =>
  (text.split("\n")[0] ?? "")
    .replace(/:[a-z_]+:\s*|\*/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");

export function TypedItem({ typed }: { typed: Typed }) {
  const { known } = usePage();
  return (
    <p className="typed" title="Slack does not show a typed command; the playground does">
      <Avatar user={typed.user} parts={known.parts} size="small" />
      <span>
        {known.parts.names[typed.user]} typed <code>{typed.text}</code>
      </span>
    </p>
  );
}
