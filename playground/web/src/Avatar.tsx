import type { Parts } from "./wire-types";

/** A picture of whoever it is: the bot's ship, or the first letter on a colour of their own. Says nothing aloud. */
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
