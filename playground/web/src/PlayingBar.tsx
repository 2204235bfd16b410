// What is played, how far it is, and for a transcript: whether it goes as it was written.
import { useState } from "react";
import { usePage } from "./page";
import type { Playing, Step } from "./wire-types";

const goesAsWritten = (step: Step) => JSON.stringify(step.expected) === JSON.stringify(step.seen);

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
            <span className={goesAsWritten(last) ? "good" : "bad"}>
              {goesAsWritten(last) ? " · ✓ as written" : " · ✗ not as written"}
            </span>
          )}
        </p>
        {playing.fault && <p className="fault">Cannot go on: {playing.fault}</p>}
        {!playing.fault && (
          <p className="quiet">{next ? <>next: <code>{next.line}</code></> : "That was all. Go on by hand, or leave."}</p>
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
