// What went over the wires, as the sandbox's servers wrote it down: secrets are blotted out there, not here.
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

export function WiresPanel({ onClose }: { onClose: () => void }) {
  const { known } = usePage();
  const [way, setWay] = useState<Wire["way"] | "all">("all");
  const wires = [...known.wires.values()].filter((it) => way === "all" || it.way === way).sort((a, b) => b.id - a.id);
  const isReal = known.parts.real_codeship !== null;
  return (
    <Panel title="Wires" about="Newest first. Keys, tokens and response URLs are blotted out." onClose={onClose}>
      <div className="ways" role="group" aria-label="Which wires">
        {[...WAYS, ...(known.parts.github ? OF_GITHUB : [])].map(([value, words]) => (
          <button key={value} type="button" aria-pressed={way === value} onClick={() => setWay(value)}>
            {words}
          </button>
        ))}
      </div>
      <div className="panel-body" tabIndex={0} role="group" aria-label="Exchanges">
        {isReal && <p className="quiet">The bot asks {known.parts.real_codeship} directly: those calls are not seen here.</p>}
        {wires.length === 0 && <p className="quiet">Nothing yet. Say something to the bot.</p>}
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
  const [sender] = wire.way.split(" ");
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
          <Body title={sender === "bot" ? "What the bot sent" : `What ${sender === "slack" ? "Slack" : "GitHub"} sent`} body={wire.sent} />
          <Body title={sender === "bot" ? "What came back" : "What the bot answered"} body={wire.came_back} />
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
      say("This browser does not let the page copy.");
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
        <p className="quiet">nothing</p>
      ) : (
        <pre tabIndex={0} aria-label={title}>
          {text}
        </pre>
      )}
    </section>
  );
}
