import { Avatar } from "./Avatar";
import { titleOf } from "./seeing";
import type { Channel, Parts } from "./wire-types";

type Props = {
  parts: Parts;
  viewer: string;
  channel: string;
  unread: Set<string>;
  onChannel: (id: string) => void;
  onViewer: (id: string) => void;
};

const SIGNS = { public: "#", private: "🔒", im: "" };

export function Sidebar({ parts, viewer, channel, unread, onChannel, onViewer }: Props) {
  const mine = parts.channels.filter((it) => it.members.includes(viewer));
  const item = (it: Channel) => (
    <li key={it.id}>
      <button
        type="button"
        className="channel"
        aria-current={it.id === channel ? "page" : undefined}
        data-unread={unread.has(it.id)}
        onClick={() => onChannel(it.id)}
      >
        {it.kind === "im" ? (
          <Avatar user={it.members.find((id) => id !== viewer) ?? ""} parts={parts} size="small" />
        ) : (
          <span className="sign" aria-hidden="true">
            {SIGNS[it.kind]}
          </span>
        )}
        <span>{titleOf(it, parts, viewer)}</span>
        {unread.has(it.id) && <span className="unread-dot" role="img" aria-label="unread" />}
      </button>
    </li>
  );
  return (
    <nav className="sidebar" id="sidebar" aria-label="Channels and people">
      <p className="team">{parts.team}</p>
      <div className="lists">
        <h2>Channels</h2>
        <ul>{mine.filter((it) => it.kind !== "im").map(item)}</ul>
        <h2>Direct messages</h2>
        <ul>{mine.filter((it) => it.kind === "im").map(item)}</ul>
      </div>
      <fieldset className="speakers">
        <legend>Acting as</legend>
        {parts.people.map((person) => (
          <label key={person.id} className={person.id === viewer ? "speaker chosen" : "speaker"}>
            <input
              type="radio"
              name="speaker"
              value={person.id}
              checked={person.id === viewer}
              onChange={() => onViewer(person.id)}
            />
            <Avatar user={person.id} parts={parts} size="small" />
            <span>{person.name}</span>
            {!person.is_ours && <span className="elsewhere">other workspace</span>}
          </label>
        ))}
      </fieldset>
    </nav>
  );
}
