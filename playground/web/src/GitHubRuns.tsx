// The workflow runs of the simulated GitHub, each with buttons to change it.
import { useState } from "react";
import type { Run, WorldEvent } from "./wire-types";

const SIGNS: { [state: string]: string } = {
  success: "✅",
  neutral: "✅",
  failure: "❌",
  timed_out: "❌",
  startup_failure: "❌",
  in_progress: "⏳",
  queued: "⌛",
  requested: "⌛",
  pending: "⌛",
  waiting: "✋",
  cancelled: "🛑",
  skipped: "⏩",
  action_required: "⛔",
};

type Trigger = (words: string) => void;

/** Other events on GitHub: each button triggers one by its text. */
export function GitHubEvents({ events, trigger }: { events: WorldEvent[]; trigger: Trigger }) {
  return (
    <section aria-labelledby="github-events">
      <h3 id="github-events">What else happens on GitHub</h3>
      <div className="chips">
        {events.map((it) => (
          <button key={it.words} type="button" title={it.words} onClick={() => trigger(it.words)}>
            {it.label}
          </button>
        ))}
      </div>
    </section>
  );
}

export function GitHubRuns({ runs, trigger }: { runs: Run[]; trigger: Trigger }) {
  return (
    <section aria-labelledby="runs">
      <h3 id="runs">GitHub workflow runs</h3>
      <p className="quiet">The latest run of each branch. Runs also progress on their own.</p>
      <ul className="builds">
        {runs.map((run) => (
          <li key={run.id}>
            <span aria-hidden="true">{SIGNS[run.state] ?? "❓"}</span>
            <span className="build">
              <strong>{run.repo}</strong> {run.branch}
              <span className="quiet">
                {run.workflow} · {run.state}
                {run.attempt > 1 && ` · attempt ${run.attempt}`}
              </span>
            </span>
            <Events run={run} trigger={trigger} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Events({ run, trigger }: { run: Run; trigger: Trigger }) {
  const which = `${run.workflow} of ${run.repo} ${run.branch}`;
  const happens = (what: string, where = "") => trigger(`the workflow ${run.workflow} of ${run.repo} ${what} on ${run.branch}${where}`);
  const again = () => trigger(`carol re-runs the workflow ${run.workflow} of ${run.repo} on ${run.branch}`);
  const reviewed = (how: string) =>
    trigger(`bob ${how} ${run.waits_for[0]} for the workflow ${run.workflow} of ${run.repo} on ${run.branch}`);
  if (run.waits_for.length > 0)
    return (
      <span className="build-hand">
        <Button does="Approve" to={which} onClick={() => reviewed("approves")} />
        <Button does="Reject" to={which} onClick={() => reviewed("rejects")} />
      </span>
    );
  if (run.is_over) return <Button does="Re-run" to={which} onClick={again} />;
  return (
    <>
      <span className="build-events">
        {run.state !== "in_progress" && <Button does="Start" to={which} onClick={() => happens("starts")} />}
        <Button does="Pass" to={which} onClick={() => happens("passes")} />
        <Button does="Cancel" to={which} onClick={() => happens("is cancelled")} />
      </span>
      <Breaking run={run} which={which} onBreak={(where) => happens("fails", ` at ${where}`)} />
    </>
  );
}

/** A choice of the job and step that fails. Default: the last one that runs tests. */
function Breaking({ run, which, onBreak }: { run: Run; which: string; onBreak: (where: string) => void }) {
  const [wanted, setWanted] = useState<string | null>(null);
  const likely = run.breaks_at.findLast((it) => it.startsWith("test")) ?? run.breaks_at.at(-1) ?? "";
  const where = wanted !== null && run.breaks_at.includes(wanted) ? wanted : likely;
  if (!where) return null;
  return (
    <span className="breaking">
      <select aria-label={`Where ${which} fails`} value={where} onChange={(event) => setWanted(event.target.value)}>
        {run.breaks_at.map((it) => (
          <option key={it}>{it}</option>
        ))}
      </select>
      <Button does="Fail" to={which} onClick={() => onBreak(where)} />
    </span>
  );
}

function Button({ does, to, onClick }: { does: string; to: string; onClick: () => void }) {
  return (
    <button type="button" className="small-button" aria-label={`${does} ${to}`} onClick={onClick}>
      {does}
    </button>
  );
}
