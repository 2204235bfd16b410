// Simulates what happens in CI, in its services and in Slack; starts scenes and replays.
import { useState } from "react";
import { GitHubEvents, GitHubRuns } from "./GitHubRuns";
import { Panel } from "./Panel";
import { usePage } from "./page";
import type { Build } from "./wire-types";

/** event text, button label, name of the fault */
type Fault = [string, string, string];

const OF_CODESHIP: Fault[] = [
  ["is fine", "Healthy", "fine"],
  ["is slow", "Slow", "slow"],
  ["is down", "Down", "down"],
  ["is over its limit", "Rate limited", "over the limit"],
  ["refuses the key", "Rejects the key", "wrong key"],
];

const OF_GITHUB: Fault[] = [
  ["is fine", "Healthy", "fine"],
  ["is slow", "Slow", "slow"],
  ["is down", "Down", "down"],
  ["is over its limit", "Rate limited", "over the limit"],
  ["asks to slow down", "Secondary rate limit", "secondary limit"],
  ["refuses the token", "Rejects the token", "wrong token"],
];

const SIGNS: { [status: string]: string } = {
  success: "✅",
  error: "❌",
  testing: "⏳",
  initiated: "⌛",
  waiting: "⌛",
  stopped: "🛑",
  blocked: "⛔",
  ignored: "🚫",
  infrastructure_failure: "⚠️",
};

export function SimulatePanel({ onClose }: { onClose: () => void }) {
  const { known, run } = usePage();
  const { codeship, github, scenes, can_deliver_again } = known.parts;
  const trigger = (words: string) => void run("wave", { words });
  async function play(name: string, form: object) {
    // On a narrow page the panel covers the conversation, so close it.
    if ((await run(name, form)) && window.matchMedia("(max-width: 1100px)").matches) onClose();
  }
  return (
    <Panel title="Simulate" about="Change what happens around the bot." onClose={onClose}>
      <div className="panel-body" tabIndex={0} role="group" aria-label="Simulated events">
        {scenes.length > 0 && (
          <section aria-labelledby="scenes">
            <h3 id="scenes">Scenes</h3>
            <p className="quiet">Each one starts in a new sandbox and plays automatically.</p>
            {scenes.map((it) => (
              <button key={it.name} type="button" className="scene" onClick={() => void play("scene", { name: it.name })}>
                <strong>{it.name}</strong>
                <span>{it.title}</span>
              </button>
            ))}
          </section>
        )}
        {codeship && <Faults service="CodeShip" active={codeship.mood} faults={OF_CODESHIP} trigger={trigger} />}
        {github && <Faults service="GitHub" active={github.mood} faults={OF_GITHUB} trigger={trigger} />}
        {codeship && <Builds builds={codeship.builds} trigger={trigger} />}
        {github && <GitHubRuns runs={github.runs} trigger={trigger} />}
        {github && <GitHubEvents events={github.events} trigger={trigger} />}
        {codeship && <Push repos={[...new Set([...codeship.repos, ...(github?.repos ?? [])])]} trigger={trigger} />}
        <section aria-labelledby="slack">
          <h3 id="slack">Slack and time</h3>
          <div className="chips">
            <button type="button" disabled={!can_deliver_again} onClick={() => trigger("Slack delivers again")}>
              Redeliver the last request
            </button>
            {codeship && (
              <button type="button" onClick={() => void run("later", { seconds: 60 })}>
                Skip one minute
              </button>
            )}
            {codeship && (
              <button type="button" onClick={() => trigger("the bot is restarted")}>
                Restart the bot
              </button>
            )}
          </div>
        </section>
        <Replay onReplay={(name) => void play("replay", { name })} />
        <section aria-labelledby="reset">
          <h3 id="reset">Start over</h3>
          <button type="button" className="slack-button" onClick={() => void run("start_over")}>
            New sandbox
          </button>
        </section>
      </div>
    </Panel>
  );
}

type FaultsProps = { service: string; active: string; faults: Fault[]; trigger: (words: string) => void };

function Faults({ service, active, faults, trigger }: FaultsProps) {
  const id = `state-of-${service}`;
  return (
    <section aria-labelledby={id}>
      <h3 id={id}>{service} status</h3>
      <div className="chips" role="group" aria-labelledby={id}>
        {faults.map(([words, label, name]) => (
          <button key={name} type="button" aria-pressed={active === name} onClick={() => trigger(`${service} ${words}`)}>
            {label}
          </button>
        ))}
      </div>
    </section>
  );
}

function Builds({ builds, trigger }: { builds: Build[]; trigger: (words: string) => void }) {
  return (
    <section aria-labelledby="builds">
      <h3 id="builds">CodeShip builds</h3>
      <p className="quiet">The latest build of each branch. Builds also progress on their own.</p>
      <ul className="builds">
        {builds.map((build) => {
          const which = `${build.repo} ${build.branch}`;
          return (
            <li key={which}>
              <span aria-hidden="true">{SIGNS[build.status] ?? "❓"}</span>
              <span className="build">
                <strong>{build.repo}</strong> {build.branch}
                <span className="quiet">{build.status}</span>
              </span>
              {build.is_running && (
                <span className="build-events">
                  {build.status !== "testing" && (
                    <button type="button" className="small-button" aria-label={`Start ${which}`} onClick={() => trigger(`${which} starts`)}>
                      Start
                    </button>
                  )}
                  <button type="button" className="small-button" aria-label={`Pass ${which}`} onClick={() => trigger(`${which} passes`)}>
                    Pass
                  </button>
                  <button type="button" className="small-button" aria-label={`Fail ${which}`} onClick={() => trigger(`${which} fails`)}>
                    Fail
                  </button>
                </span>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Push({ repos, trigger }: { repos: string[]; trigger: (words: string) => void }) {
  const [repo, setRepo] = useState(repos[0] ?? "");
  const [branch, setBranch] = useState("main");
  const [words, setWords] = useState("Try again with feeling");
  const isWhole = branch.trim() !== "" && words.trim() !== "";
  return (
    <section aria-labelledby="push">
      <h3 id="push">Push a commit</h3>
      <form
        className="push"
        onSubmit={(event) => {
          event.preventDefault();
          if (isWhole) trigger(`bob pushes ${repo} ${branch.trim().replace(/\s+/g, "-")} “${words.replace(/[“”]/g, '"')}”`);
        }}
      >
        <label>
          Repository
          <select value={repo} onChange={(event) => setRepo(event.target.value)}>
            {repos.map((it) => (
              <option key={it}>{it}</option>
            ))}
          </select>
        </label>
        <label>
          Branch
          <input value={branch} onChange={(event) => setBranch(event.target.value)} />
        </label>
        <label className="wide">
          Commit
          <input value={words} onChange={(event) => setWords(event.target.value)} />
        </label>
        <button type="submit" className="slack-button" disabled={!isWhole}>
          Push
        </button>
      </form>
    </section>
  );
}

function Replay({ onReplay }: { onReplay: (name: string) => void }) {
  const { known } = usePage();
  const { transcripts } = known.parts;
  const [name, setName] = useState(transcripts[0]?.name ?? "");
  const chosen = transcripts.find((it) => it.name === name);
  if (transcripts.length === 0) return null;
  return (
    <section aria-labelledby="replay">
      <h3 id="replay">Test conversations</h3>
      <label className="wide">
        Conversation
        <select value={name} onChange={(event) => setName(event.target.value)}>
          {transcripts.map((it) => (
            <option key={it.name}>{it.name}</option>
          ))}
        </select>
      </label>
      <p className="quiet">{chosen?.title}</p>
      <button type="button" className="slack-button" onClick={() => onReplay(name)}>
        Replay
      </button>
    </section>
  );
}
