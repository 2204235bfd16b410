// Requests between Slack, the bot and the CI services, as the simulated servers logged them. They redact secrets, not this page.
import { useState } from "react";
import { Panel } from "./Panel";
import { usePage } from "./page";
import type { Json, Wire } from "./wire-types";

const WAYS: [Wire["way"] | "all", string][] = [
  ["all", "All"],
  ["slack to bot", "Slack → bot"],
  ["bot to codeship", "bot → CodeShip"],
  ["bot to slack", "bot → Slack"],
];

const OF_GITHUB: [Wire["way"], string][] = [
  ["bot to github", "bot → GitHub"],
  ["github to bot", "GitHub → bot"],
];

export function TrafficPanel({ onClose }: { onClose: () => void }) {
  const { known } = usePage();
  const [way, setWay] = useState<Wire["way"] | "all">("all");
  const wires = [...known.wires.values()].filter((it) => way === "all" || it.way === way).sort((a, b) => b.id - a.id);
  const isReal = known.parts.real_codeship !== null;
  return (
    <Panel title="Traffic" about="Newest first. Keys, tokens and response URLs are redacted." onClose={onClose}>
      <div className="ways" role="group" aria-label="Direction">
        {[...WAYS, ...(known.parts.github ? OF_GITHUB : [])].map(([value, words]) => (
          <button key={value} type="button" aria-pressed={way === value} onClick={() => setWay(value)}>
            {words}
          </button>
        ))}
      </div>
      <div className="panel-body" tabIndex={0} role="group" aria-label="Requests">
        {isReal && <p className="quiet">The bot calls {known.parts.real_codeship} directly. Those requests are not shown.</p>}
        {wires.length === 0 && <p className="quiet">No requests yet. Send the bot a message.</p>}
        {wires.map((wire) => (
          <WireItem key={wire.id} wire={wire} />
        ))}
      </div>
    </Panel>
  );
}

const SIGNS = Object.fromEntries([...WAYS, ...OF_GITHUB]);

function WireItem({ wire }: { wire: Wire }) {
  const [isOpen, setOpen] = useState(false);
  const isGood = /^(2..|304|acked)$/.test(wire.status);
  const at = new Date(wire.at * 1000);
  const took = wire.took_ms === null ? "waiting …" : `${wire.took_ms < 10 ? wire.took_ms.toFixed(1) : Math.round(wire.took_ms)} ms`;
  return (
    <details className="wire" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span className={`way ${wire.way.replaceAll(" ", "-")}`}>{SIGNS[wire.way]}</span>
        <span className="wire-title">{wire.title}</span>
        <span className="wire-facts">
          <span className={wire.took_ms === null ? "" : isGood ? "good" : "bad"}>{wire.status}</span> {took} ·{" "}
          <time dateTime={at.toISOString()}>{at.toISOString().slice(11, 19)} UTC</time>
        </span>
      </summary>
      {isOpen && (
        <>
          <Body title="Request" body={wire.sent} />
          <Body title="Response" body={wire.came_back} />
        </>
      )}
    </details>
  );
}

function Body({ title, body }: { title: string; body: Json }) {
  const { say } = usePage();
  const isEmpty = body === null || body === "";
  const text = typeof body === "string" ? body : JSON.stringify(body, null, 2);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      say("Copied.");
    } catch {
      say("The browser blocked copying.");
    }
  }
  return (
    <section className="wire-body" aria-label={title}>
      <header>
        <h3>{title}</h3>
        {!isEmpty && (
          <button type="button" className="small-button" onClick={() => void copy()}>
            Copy
          </button>
        )}
      </header>
      {isEmpty ? (
        <p className="quiet">empty</p>
      ) : (
        <pre tabIndex={0} aria-label={title}>
          {text}
        </pre>
      )}
    </section>
  );
}
