// Slack's date tokens, in the viewer's own time zone.
// https://docs.slack.dev/messaging/formatting-message-text#date-formatting

const day = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

function pretty(date: Date, now: Date): string | null {
  const days = Math.round((day(date) - day(now)) / 86_400_000);
  return { 0: "today", [-1]: "yesterday", 1: "tomorrow" }[days] ?? null;
}

const written = (options: Intl.DateTimeFormatOptions) => (date: Date) =>
  new Intl.DateTimeFormat("en", options).format(date);

export const timeOf = written({ hour: "2-digit", minute: "2-digit", hour12: false });
const long = written({ weekday: "long", month: "long", day: "numeric", year: "numeric" });
const medium = written({ month: "long", day: "numeric", year: "numeric" });
const short = written({ month: "short", day: "numeric", year: "numeric" });

export function ago(date: Date, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - date.getTime()) / 1000));
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86_400);
  return days === 1 ? "1 day ago" : `${days} days ago`;
}

export function formatted(format: string, date: Date, now: Date): string {
  const near = pretty(date, now);
  const said: { [token: string]: string } = {
    date_num: date.toISOString().slice(0, 10),
    date_slash: written({ month: "2-digit", day: "2-digit", year: "numeric" })(date),
    date: medium(date),
    date_pretty: near ?? medium(date),
    date_short: short(date),
    date_short_pretty: near ?? short(date),
    date_long: long(date),
    date_long_pretty: near ?? long(date),
    date_long_full: long(date),
    day_divider_pretty: near ?? long(date),
    time: timeOf(date),
    time_secs: written({ hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false })(date),
    ago: ago(date, now),
  };
  return format.replace(/\{(\w+)\}/g, (whole, token: string) => said[token] ?? whole);
}
