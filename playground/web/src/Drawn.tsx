// Blocks that only show something, drawn by slack-blocks-to-jsx as Slack draws them.
import { useMemo } from "react";
import { Message, type Block } from "slack-blocks-to-jsx";
import { formatted } from "./dates";
import { usePage } from "./page";
import type { Dict } from "./wire-types";

/** Links lead nowhere in a sandbox: the page says where they would lead. */
export function Link({ href, className, children }: { href: string; className?: string; children: React.ReactNode }) {
  const { known, say } = usePage();
  const isReal = known.parts.real_codeship !== null;
  return (
    <a
      href={href}
      className={className}
      target="_blank"
      rel="noopener noreferrer"
      title={href}
      onClick={(event) => {
        if (isReal) return;
        event.preventDefault();
        say(`In Slack this opens ${href}`);
      }}
    >
      {children}
    </a>
  );
}

function Mention({ id }: { id: string }) {
  const { known, viewer } = usePage();
  return <span className={id === viewer ? "mention of-me" : "mention"}>@{known.parts.names[id] ?? id}</span>;
}

function ChannelName({ id, name }: { id: string; name: string }) {
  const { known } = usePage();
  return <span className="mention">#{known.parts.channels.find((it) => it.id === id)?.name ?? name}</span>;
}

function When({ timestamp, format, fallback }: { timestamp: string; format: string; fallback: string }) {
  const { now } = usePage();
  const date = new Date(Number(timestamp) * 1000);
  if (Number.isNaN(date.getTime())) return <span>{fallback || format}</span>;
  return <time dateTime={date.toISOString()}>{formatted(format, date, now())}</time>;
}

function Emoji({ name, shown }: { name: string; shown: string }) {
  if (shown === name || shown === `:${name}:`) return <span>{`:${name}:`}</span>;
  return (
    <span className="emoji" role="img" aria-label={name.replaceAll("_", " ")} title={`:${name}:`}>
      {shown}
    </span>
  );
}

// The renderer keeps the first hooks that it gets. So they hold no state, and read what they need when they draw.
const hooks = {
  user: ({ id }: { id: string }) => <Mention id={id} />,
  channel: ({ id, name }: { id: string; name: string }) => <ChannelName id={id} name={name} />,
  usergroup: ({ name }: { name: string }) => <span className="mention">@{name}</span>,
  atChannel: () => <span className="mention of-me">@channel</span>,
  atHere: () => <span className="mention of-me">@here</span>,
  atEveryone: () => <span className="mention of-me">@everyone</span>,
  emoji: (data: { name: string }, parse: (data: { name: string }) => string) => (
    <Emoji name={data.name} shown={parse(data)} />
  ),
  date: (data: { timestamp: string; format: string; fallback: string }) => <When {...data} />,
  link: (input: { href: string; className: string; children: React.ReactNode }) => <Link {...input} />,
};

/** Ids are for payloads; as ids of elements they would not be unique. */
function anonymous(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(anonymous);
  if (node === null || typeof node !== "object") return node;
  const kept = Object.entries(node).filter(([name]) => name !== "block_id" && name !== "action_id");
  return Object.fromEntries(kept.map(([name, held]) => [name, anonymous(held)]));
}

export function Drawn({ blocks }: { blocks: Dict[] }) {
  const { theme } = usePage();
  const drawn = useMemo(() => anonymous(blocks) as Block[], [blocks]);
  return <Message blocks={drawn} logo="" name="" withoutWrapper theme={theme} hooks={hooks} />;
}

/** A text object of its own, or mrkdwn that a person typed. */
export function Text({ of }: { of: Dict | string }) {
  const text = typeof of === "string" ? { type: "mrkdwn", text: of } : of;
  const blocks = useMemo(() => [{ type: "section", text }], [text.type, text.text]);
  return <Drawn blocks={blocks} />;
}

export const plain = (of: Dict | undefined): string => String(of?.text ?? "");
