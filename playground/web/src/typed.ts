// What a person typed, as Slack keeps it (escaped, with references in <>), made into the rich text that Slack shows: pure.
import type { Dict } from "./wire-types";

const PIECE = /<([@#!]?)([^<>|]+)(?:\|([^<>]*))?>|```([\s\S]+?)```|`([^`\n]+)`/g;

const unescaped = (text: string) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const code = (text: string): Dict => ({ type: "text", text: unescaped(text), style: { code: true } });

function reference(sign: string, target: string, label: string | undefined): Dict {
  if (sign === "@") return { type: "user", user_id: target };
  if (sign === "#") return { type: "channel", channel_id: target };
  if (sign === "!") return { type: "broadcast", range: target };
  return { type: "link", url: unescaped(target), text: unescaped(label ?? target) };
}

export function richText(text: string): Dict[] {
  const elements: Dict[] = [];
  let done = 0;
  const upTo = (end: number) => {
    if (end > done) elements.push({ type: "text", text: unescaped(text.slice(done, end)) });
  };
  for (const found of text.matchAll(PIECE)) {
    upTo(found.index);
    const [whole, sign = "", target, label, block, span] = found;
    elements.push(target ? reference(sign, target, label) : code(block ?? span ?? ""));
    done = found.index + whole.length;
  }
  upTo(text.length);
  return [{ type: "rich_text", elements: [{ type: "rich_text_section", elements }] }];
}
