// The completions that the composer offers. Pure.
import type { Parts } from "./wire-types";

/** `from` is where in the text it goes. */
export type Offer = { insert: string; shown: string; meaning: string; from: number };

export function completions(text: string, parts: Parts): Offer[] {
  if (text.startsWith("/") && !text.includes("\n")) {
    return parts.commands
      .filter((it) => it.insert.startsWith(text) && it.insert !== text)
      .map((it) => ({ insert: it.insert, shown: it.usage, meaning: it.meaning, from: 0 }));
  }
  const mention = /(?:^|\s)(@\w*)$/.exec(text);
  if (!mention) return [];
  const begun = mention[1] ?? "";
  const from = text.length - begun.length;
  const whose = (name: string) => (name === parts.bot.name ? "asks the bot, like the command does" : "a person");
  return [parts.bot.name, ...parts.people.map((it) => it.name)]
    .map((name) => ({ insert: `@${name} `, shown: `@${name}`, meaning: whose(name), from }))
    .filter((it) => it.shown.startsWith(begun) && it.shown !== begun);
}

export const completed = (text: string, offer: Offer) => text.slice(0, offer.from) + offer.insert;
