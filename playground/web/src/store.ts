// What the server has told so far, kept outside of React; a page that was away is told everything anew.
import { useSyncExternalStore } from "react";
import type { Message, News, Parts, Wire } from "./wire-types";

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
  let isAnew = true;
  source.onopen = () => {
    isAnew = true;
    put({ ...snapshot, isConnected: true });
  };
  source.onerror = () => put({ ...snapshot, isConnected: false });
  source.onmessage = (event) => {
    const known = merged(isAnew ? null : snapshot.known, JSON.parse(event.data) as News);
    isAnew = false;
    put({ known, isConnected: true });
  };
  return () => source.close();
}

/** Asks the server for something; its words where it cannot be done. */
export async function act(name: string, form: object = {}): Promise<string | null> {
  try {
    const answer = await fetch(`/api/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(form),
    });
    const said = (await answer.json().catch(() => ({}))) as { ok?: boolean; error?: string };
    return said.ok ? null : (said.error ?? `the playground answered ${answer.status}`);
  } catch {
    return "the playground does not answer: is it still running?";
  }
}
