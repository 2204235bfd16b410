// Who sees what: pure.
import type { Channel, Message, Parts, Typed } from "./wire-types";

/** `root`: the first message of the thread, of a reply that the channel shows, too. */
export type Line =
  | { kind: "message"; message: Message; replies: Message[]; root: Message | undefined }
  | { kind: "typed"; typed: Typed };

export const isSeen = (message: Message, viewer: string) =>
  message.ephemeral_to === null || message.ephemeral_to === viewer;

export const isReply = (message: Message) => message.thread_ts !== null && message.thread_ts !== message.ts;

const inOrder = (one: Message, other: Message) => one.first - other.first;

export function linesOf(messages: Iterable<Message>, typed: Typed[], channel: string, viewer: string): Line[] {
  const seen = [...messages].filter((it) => it.channel === channel && isSeen(it, viewer)).sort(inOrder);
  const replies = new Map<string, Message[]>();
  for (const it of seen) if (it.thread_ts && isReply(it)) replies.set(it.thread_ts, [...(replies.get(it.thread_ts) ?? []), it]);
  const lines: [number, Line][] = seen
    .filter((it) => !isReply(it) || it.is_broadcast)
    .map((message) => {
      const root = isReply(message) ? seen.find((it) => it.ts === message.thread_ts) : undefined;
      return [message.first, { kind: "message", message, replies: replies.get(message.ts) ?? [], root }];
    });
  for (const it of typed) if (it.channel === channel) lines.push([it.first + 0.5, { kind: "typed", typed: it }]);
  return lines.sort(([one], [other]) => one - other).map(([, line]) => line);
}

export function threadOf(messages: Iterable<Message>, channel: string, ts: string, viewer: string): Message[] {
  return [...messages]
    .filter((it) => it.channel === channel && isSeen(it, viewer) && (it.ts === ts || it.thread_ts === ts))
    .sort(inOrder);
}

/** A channel's name as this person sees it. */
export function titleOf(channel: Channel, parts: Parts, viewer: string): string {
  if (channel.kind !== "im") return channel.name;
  const other = channel.members.find((id) => id !== viewer);
  return parts.names[other ?? ""] ?? channel.name;
}
