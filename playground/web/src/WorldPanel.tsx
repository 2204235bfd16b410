// The world's hand: what happens in CI, to its services and to Slack; and what the playground can show by itself.
import { useState } from "react";
import { GitHubRuns } from "./GitHubRuns";
import { Panel } from "./Panel";
import { usePage } from "./page";
import type { Build } from "./wire-types";

/** the hand's words, what the button says, the mood's name */
type Mood = [string, string, string];

const OF_CODESHIP: Mood[] = [
  ["is fine", "Fine", "fine"],
  ["is slow", "Slow", "slow"],
  ["is down", "Down", "down"],
  ["is over its limit", "Over its limit", "over the limit"],
  ["refuses the key", "Wrong key", "wrong key"],
];

const OF_GITHUB: Mood[] = [
  ["is fine", "Fine", "fine"],
  ["is slow", "Slow", "slow"],
  ["is down", "Down", "down"],
  ["is over its limit", "Over its limit", "over the limit"],
  ["asks to slow down", "Asks to slow down", "secondary limit"],
  ["refuses the token", "Wrong token", "wrong token"],
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

export function WorldPanel({ onClose }: { onClose: () => void }) {
  const { known, run } = usePage();
  const { codeship, github, scenes, can_deliver_again } = known.parts;
  const wave = (words: string) => void run("wave", { words });
  async function play(name: string, form: object) {
    // Where the panel covers the conversation, it makes way for what is played there.
    if ((await run(name, form)) && window.matchMedia("(max-width: 1100px)").matches) onClose();
  }
  return (
    <Panel title="World" about="What happens around the bot is in your hand." onClose={onClose}>
      <div className="panel-body" tabIndex={0} role="group" aria-label="The world's hand">
        {scenes.length > 0 && (
          <section aria-labelledby="scenes">
            <h3 id="scenes">Scenes</h3>
            <p className="quiet">Each begins with a new sandbox and plays by itself.</p>
            {scenes.map((it) => (
              <button key={it.name} type="button" className="scene" onClick={() => void play("scene", { name: it.name })}>
                <strong>{it.name}</strong>
                <span>{it.title}</span>
              </button>
            ))}
          </section>
        )}
        {codeship && <Moods service="CodeShip" mood={codeship.mood} moods={OF_CODESHIP} wave={wave} />}
        {github && <Moods service="GitHub" mood={github.mood} moods={OF_GITHUB} wave={wave} />}
        {codeship && <Builds builds={codeship.builds} wave={wave} />}
        {github && <GitHubRuns runs={github.runs} wave={wave} />}
        {codeship && <Push repos={[...new Set([...codeship.repos, ...(github?.repos ?? [])])]} wave={wave} />}
        <section aria-labelledby="slack">
          <h3 id="slack">Slack and time</h3>
          <div className="chips">
            <button type="button" disabled={!can_deliver_again} onClick={() => wave("Slack delivers again")}>
              Deliver the last once more
            </button>
            {codeship && (
              <button type="button" onClick={() => void run("later", { seconds: 60 })}>
                Let a minute pass
              </button>
            )}
            {codeship && (
              <button type="button" onClick={() => wave("the bot is restarted")}>
                Restart the bot’s process
              </button>
            )}
          </div>
        </section>
        <Replay onReplay={(name) => void play("replay", { name })} />
        <section aria-labelledby="anew">
          <h3 id="anew">Start over</h3>
          <button type="button" className="slack-button" onClick={() => void run("start_over")}>
            A new sandbox
          </button>
        </section>
      </div>
    </Panel>
  );
}

type MoodsProps = { service: string; mood: string; moods: Mood[]; wave: (words: string) => void };

function Moods({ service, mood, moods, wave }: MoodsProps) {
  const id = `mood-of-${service}`;
  return (
    <section aria-labelledby={id}>
      <h3 id={id}>{service} is …</h3>
      <div className="chips" role="group" aria-labelledby={id}>
        {moods.map(([words, label, name]) => (
          <button key={name} type="button" aria-pressed={mood === name} onClick={() => wave(`${service} ${words}`)}>
            {label}
          </button>
        ))}
      </div>
    </section>
  );
}

function Builds({ builds, wave }: { builds: Build[]; wave: (words: string) => void }) {
  return (
    <section aria-labelledby="builds">
      <h3 id="builds">Builds at CodeShip</h3>
      <p className="quiet">The newest of each branch. They also move on by themselves.</p>
      <ul className="builds">
        {builds.map((build) => {
          const which = `${build.repo} ${build.branch}`;
          return (
            <li key={which}>
              <span aria-hidden="true">{SIGNS[build.status] ?? "❔"}</span>
              <span className="build">
                <strong>{build.repo}</strong> {build.branch}
                <span className="quiet">{build.status}</span>
              </span>
              {build.is_running && (
                <span className="build-hand">
                  {build.status !== "testing" && (
                    <button type="button" className="small-button" aria-label={`Start ${which}`} onClick={() => wave(`${which} starts`)}>
                      Start
                    </button>
                  )}
                  <button type="button" className="small-button" aria-label={`Pass ${which}`} onClick={() => wave(`${which} passes`)}>
                    Pass
                  </button>
                  <button type="button" className="small-button" aria-label={`Fail ${which}`} onClick={() => wave(`${which} fails`)}>
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

function Push({ repos, wave }: { repos: string[]; wave: (words: string) => void }) {
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
          if (isWhole) wave(`bob pushes ${repo} ${branch.trim().replace(/\s+/g, "-")} “${words.replace(/[“”]/g, '"')}”`);
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
      <h3 id="replay">A conversation of the tests, step by step</h3>
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
        Replay it
      </button>
    </section>
  );
}
