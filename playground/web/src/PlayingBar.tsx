// The scene or transcript that plays, its progress, and for a transcript whether the result matches.
import { useState } from "react";
import { usePage } from "./page";
import type { Playing, Step } from "./wire-types";

const matches = (step: Step) => JSON.stringify(step.expected) === JSON.stringify(step.seen);

export function PlayingBar({ playing }: { playing: Playing }) {
  const { run } = usePage();
  const [isBusy, setBusy] = useState(false);
  const done = playing.steps.filter((it) => it.seen !== null);
  const next = playing.steps[done.length];
  const last = done.at(-1);
  const isTranscript = playing.kind === "transcript";
  async function step() {
    setBusy(true);
    await run("step");
    setBusy(false);
  }
  return (
    <section className="playing" aria-label={isTranscript ? "Replay" : "Scene"}>
      <div className="playing-words">
        <p>
          <strong>{playing.name}</strong> · step {done.length} of {playing.steps.length}
          {isTranscript && last && (
            <span className={matches(last) ? "good" : "bad"}>
              {matches(last) ? " · ✓ matches" : " · ✗ differs"}
            </span>
          )}
        </p>
        {playing.fault && <p className="fault">Stopped: {playing.fault}</p>}
        {!playing.fault && (
          <p className="quiet">{next ? <>next: <code>{next.line}</code></> : "Finished. Continue by yourself, or leave."}</p>
        )}
      </div>
      {isTranscript && next && !playing.fault && (
        <button type="button" className="slack-button primary" disabled={isBusy} aria-busy={isBusy} onClick={() => void step()}>
          Next step
        </button>
      )}
      <button type="button" className="slack-button" onClick={() => void run("start_over")}>
        Leave
      </button>
    </section>
  );
}
