// The top of a conversation: its name, and commands to try.
import { titleOf } from "./seeing";
import { usePage } from "./page";
import type { Channel } from "./wire-types";

function tries(channel: Channel, command: string, bot: string, hasGitHub: boolean): string[] {
  const other = hasGitHub ? "acme/shop main" : "acme/api";
  if (channel.kind === "im") {
    return channel.has_bot ? ["status acme/web main", "builds acme/web", "help"] : [`${command} status acme/web main`];
  }
  if (!channel.has_bot) return [`${command} status acme/web main`, `@${bot} status acme/web main`];
  return [`${command} status acme/web main`, `${command} status ${other}`, `@${bot} builds acme/web`, `${command} help`];
}

export function Welcome({ channel, onTry }: { channel: Channel; onTry: (text: string) => void }) {
  const { known, viewer } = usePage();
  const { bot } = known.parts;
  const isReal = known.parts.real_codeship !== null;
  const offered = isReal ? [`${bot.command} projects`, `${bot.command} help`] : tries(channel, bot.command, bot.name, known.parts.github !== null);
  const title = titleOf(channel, known.parts, viewer);
  return (
    <header className="welcome">
      <h2>{channel.kind === "im" ? title : `#${title}`}</h2>
      <p>
        {channel.has_bot
          ? `${bot.name} checks and restarts CI builds.`
          : `${bot.name} is not a member of this conversation, but answers anyway.`}{" "}
        Try:
      </p>
      <div className="tries">
        {offered.map((it) => (
          <button key={it} type="button" onClick={() => onTry(it)}>
            <code>{it}</code>
          </button>
        ))}
      </div>
    </header>
  );
}
