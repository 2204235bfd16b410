// The state received from the server, stored outside React. After a reconnect the server sends everything again.
import { useSyncExternalStore } from "react";
import type { Dict, Message, News, Parts, Wire } from "./wire-types";

export type Known = {
  session: number;
  parts: Parts;
  messages: Map<string, Message>;
  wires: Map<number, Wire>;
};

export type Snapshot = { known: Known | null; isConnected: boolean };

let snapshot: Snapshot = { known: null, isConnected: false };
const listeners = new Set<() => void>();

function put(next: Snapshot) {
  snapshot = next;
  listeners.forEach((tell) => tell());
}

export function useSnapshot(): Snapshot {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => snapshot,
  );
}

export const keyOf = (message: Message) => `${message.channel} ${message.ts}`;

function merged(known: Known | null, news: News): Known {
  const isNew = known === null || known.session !== news.session;
  const messages = new Map(isNew ? [] : known.messages);
  for (const message of news.messages) {
    if (message.is_deleted) messages.delete(keyOf(message));
    else messages.set(keyOf(message), message);
  }
  const wires = new Map(isNew ? [] : known.wires);
  for (const wire of news.wires) wires.set(wire.id, wire);
  const parts = { ...(isNew ? {} : known.parts), ...news.parts } as Parts;
  return { session: news.session, parts, messages, wires };
}

export function listen() {
  const source = new EventSource("/api/events");
  let isFirst = true;
  source.onopen = () => {
    isFirst = true;
    put({ ...snapshot, isConnected: true });
  };
  source.onerror = () => put({ ...snapshot, isConnected: false });
  source.onmessage = (event) => {
    const known = merged(isFirst ? null : snapshot.known, JSON.parse(event.data) as News);
    isFirst = false;
    put({ known, isConnected: true });
  };
  return () => source.close();
}

export type Answer = { why: string } | { why: null; body: Dict };

/** Sends an action to the server. Returns why it failed, or the answer. */
export async function act(name: string, form: object = {}): Promise<Answer> {
  try {
    const answer = await fetch(`/api/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(form),
    });
    const said = (await answer.json().catch(() => ({}))) as { ok?: boolean; error?: string } & Dict;
    return said.ok ? { why: null, body: said } : { why: said.error ?? `the playground returned ${answer.status}` };
  } catch {
    return { why: "the playground is not responding. Is it still running?" };
  }
}
