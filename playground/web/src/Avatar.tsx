import type { Parts } from "./wire-types";

/** A user's picture: the bot's ship, or a coloured first letter. Hidden from screen readers. */
export function Avatar({ user, parts, size }: { user: string; parts: Parts; size: "small" | "large" }) {
  if (user === parts.bot.id) {
    return <img className={`avatar ${size}`} src="/assets/icon.svg" alt="" />;
  }
  const place = parts.people.findIndex((person) => person.id === user);
  const name = parts.names[user] ?? user;
  return (
    <span className={`avatar ${size} tone-${place < 0 ? "other" : place % 3}`} aria-hidden="true">
      {name.charAt(0).toUpperCase()}
    </span>
  );
}
