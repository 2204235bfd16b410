// What the server sends, as playground/page/state.py writes it.

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Dict = { [name: string]: any };

export type Person = { id: string; name: string; is_ours: boolean };

export type Channel = {
  id: string;
  name: string;
  kind: "public" | "private" | "im";
  members: string[];
  has_bot: boolean;
  is_shared: boolean;
};

export type Message = {
  channel: string;
  ts: string;
  thread_ts: string | null;
  /** A reply that the channel shows, too. */
  is_broadcast: boolean;
  user: string;
  is_bot: boolean;
  ephemeral_to: string | null;
  text: string;
  blocks: Dict[];
  versions: number;
  is_edited: boolean;
  is_deleted: boolean;
  first: number;
  number: number;
};

/** A slash command as it was typed. Slack does not show it; the playground does. */
export type Typed = { user: string; channel: string; text: string; at: number; first: number };

export type Wire = {
  id: number;
  way: "slack to bot" | "bot to slack" | "bot to codeship" | "bot to github" | "github to bot";
  title: string;
  at: number;
  sent: Json;
  came_back: Json;
  status: string;
  took_ms: number | null;
};

export type Build = {
  id: number;
  repo: string;
  branch: string;
  status: string;
  is_running: boolean;
  message: string;
};

/** `breaks_at`: where it may fail, as job and step. */
export type Run = {
  id: number;
  repo: string;
  branch: string;
  workflow: string;
  state: string;
  attempt: number;
  is_over: boolean;
  breaks_at: string[];
  waits_for: string[];
};

/** A button for a simulated event, and the event's text. */
export type WorldEvent = { label: string; words: string };

export type Modal = { user: string; view: Dict; errors: { [block: string]: string }; trouble: string };
/** What people see in a menu: of a message, or of the message input. */
export type Shortcut = { name: string; kind: "global" | "message" };
export type Listed = { name: string; title: string };
export type Step = { line: string; expected: string[]; seen: string[] | null };
export type Playing = Listed & { kind: "scene" | "transcript"; steps: Step[]; fault: string };
export type Usage = { insert: string; usage: string; meaning: string };

export type Parts = {
  codeship: { mood: string; repos: string[]; builds: Build[] } | null;
  github: { mood: string; repos: string[]; events: WorldEvent[]; runs: Run[] } | null;
  real_codeship: string | null;
  held_at: number | null;
  bot: { id: string; name: string; command: string };
  people: Person[];
  names: { [id: string]: string };
  slackbot: string;
  team: string;
  channels: Channel[];
  modals: Modal[];
  homes: { [user: string]: Dict };
  shortcuts: Shortcut[];
  commands: Usage[];
  scenes: Listed[];
  transcripts: Listed[];
  playing: Playing | null;
  can_deliver_again: boolean;
  typed: Typed[];
};

export type News = { session: number; parts: Partial<Parts>; messages: Message[]; wires: Wire[] };
