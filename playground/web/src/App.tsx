import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Composer } from "./Composer";
import { useFollowing } from "./following";
import { HomeView } from "./HomeView";
import { MessageList } from "./MessageList";
import { ModalView } from "./ModalView";
import { PageProvider, type Page } from "./page";
import { Panel } from "./Panel";
import { PlayingBar } from "./PlayingBar";
import { linesOf, threadOf, titleOf } from "./seeing";
import { Sidebar } from "./Sidebar";
import { SimulatePanel } from "./SimulatePanel";
import { act, useSnapshot, type Known } from "./store";
import { useTheme } from "./theme";
import { TrafficPanel } from "./TrafficPanel";
import { useUnread } from "./unread";
import { Welcome } from "./Welcome";
import type { Channel } from "./wire-types";

export function App() {
  const { known, isConnected } = useSnapshot();
  if (!known) return <main className="loading">{isConnected ? "Starting …" : "Connecting to the playground …"}</main>;
  return <Slack known={known} isConnected={isConnected} />;
}

type SidePanel = "simulate" | "traffic" | null;

function Slack({ known, isConnected }: { known: Known; isConnected: boolean }) {
  const { parts } = known;
  const [viewer, setViewer] = useState(parts.people[0]?.id ?? "");
  const [wanted, setChannel] = useState(parts.channels[0]?.id ?? "");
  const [thread, setThread] = useState<string | null>(null);
  const [sidePanel, setSidePanel] = useState<SidePanel>(null);
  const [isDrawerOpen, setDrawerOpen] = useState(false);
  const [wantsHome, setHome] = useState(false);
  const [draft, setDraft] = useState<{ text: string } | null>(null);
  const [theme, toggleTheme] = useTheme();
  const [words, say] = useToast();

  const mine = parts.channels.filter((it) => it.members.includes(viewer));
  const channel = (mine.find((it) => it.id === wanted) ?? mine[0]) as Channel;
  const unread = useUnread(known, viewer, channel.id);

  function go(id: string) {
    setChannel(id);
    setThread(null);
    setHome(false);
    setDrawerOpen(false);
  }
  function speakAs(id: string) {
    const samePlace = parts.channels.find((it) => it.id === channel.id)?.members.includes(id);
    setViewer(id);
    setHome(false);
    if (samePlace) return;
    // Stay in the same kind of conversation: the direct message with the bot, or else the first channel.
    const direct = channel.kind === "im" && channel.has_bot;
    go(parts.channels.find((it) => it.members.includes(id) && (!direct || (it.kind === "im" && it.has_bot)))?.id ?? "");
  }
  useEffect(() => setThread(null), [known.session]);
  useFollowing(known, (who, where) => {
    setViewer(who);
    if (where && where !== channel.id) go(where);
  });

  const run = useCallback(
    async (name: string, form?: object) => {
      const { why } = await act(name, form);
      if (why) say(why.charAt(0).toUpperCase() + why.slice(1));
      return why === null;
    },
    [say],
  );
  const ask = useCallback(
    async (name: string, form: object) => {
      const answer = await act(name, form);
      if (answer.why === null) return answer.body;
      say(answer.why.charAt(0).toUpperCase() + answer.why.slice(1));
      return null;
    },
    [say],
  );
  const hasHome = channel.kind === "im" && channel.has_bot;
  const isHome = hasHome && wantsHome;
  const place = isHome ? null : channel.id;
  function showHome() {
    setHome(true);
    setThread(null);
    void run("home", { who: viewer });
  }
  const page = useMemo<Page>(() => {
    const held = parts.held_at;
    return { known, viewer, theme, place, run, ask, say, now: () => (held === null ? new Date() : new Date(held * 1000)) };
  }, [known, viewer, theme, place, run, ask, say, parts.held_at]);

  const title = titleOf(channel, parts, viewer);
  const label = channel.kind === "im" ? title : `#${title}`;
  const modal = parts.modals.findLast((it) => it.user === viewer);
  const inThread = thread ? threadOf(known.messages.values(), channel.id, thread, viewer) : [];
  const post = (text: string, thread_ts: string | null) =>
    void run("say", { who: viewer, channel: channel.id, text, thread_ts });

  return (
    <PageProvider value={page}>
      <div className="app" data-theme={theme} data-drawer={isDrawerOpen}>
        <header className="top">
          <p className="sandbox">
            <strong>Sandbox</strong>
            <span>
              {parts.real_codeship
                ? `Slack is simulated on this machine. CodeShip is real: ${parts.real_codeship}.`
                : `The bot is real. Slack${parts.github ? ", CodeShip and GitHub" : " and CodeShip"} are simulated on this machine.`}
            </span>
          </p>
          {!isConnected && (
            <p className="lost" role="status">
              Connection lost. Reconnecting …
            </p>
          )}
          <button type="button" className="top-button" onClick={toggleTheme} aria-label={theme === "dark" ? "Light colours" : "Dark colours"}>
            {theme === "dark" ? "☀" : "☾"}
          </button>
        </header>
        <div className="frame">
        <Sidebar parts={parts} viewer={viewer} channel={channel.id} unread={unread} onChannel={go} onViewer={speakAs} />
        {isDrawerOpen && <button type="button" className="curtain" aria-label="Close the channel list" onClick={() => setDrawerOpen(false)} />}
        <main className="main">
          <header className="channel-head">
            <button
              type="button"
              className="icon-button only-narrow"
              aria-label="Channels"
              aria-expanded={isDrawerOpen}
              aria-controls="sidebar"
              onClick={() => setDrawerOpen(!isDrawerOpen)}
            >
              ☰
            </button>
            <div className="channel-title">
              <h1>{label}</h1>
              <p className="quiet">{about(channel, parts.bot.name)}</p>
            </div>
            <div className="channel-tools">
              {hasHome && (
                <button type="button" className="tool" aria-pressed={isHome} onClick={() => (isHome ? setHome(false) : showHome())}>
                  Home
                </button>
              )}
              {(["simulate", "traffic"] as const).map((it) => (
                <button key={it} type="button" className="tool" aria-pressed={sidePanel === it} onClick={() => setSidePanel(sidePanel === it ? null : it)}>
                  {it === "simulate" ? "Simulate" : "Traffic"}
                </button>
              ))}
            </div>
          </header>
          {parts.playing && <PlayingBar playing={parts.playing} />}
          {isHome ? (
            <HomeView view={parts.homes[viewer]} name={parts.bot.name} />
          ) : (
            <>
          <MessageList
            key={known.session}
            lines={linesOf(known.messages.values(), parts.typed, channel.id, viewer)}
            place={`${channel.id} ${viewer}`}
            label={`Messages in ${label}`}
            onThread={setThread}
          >
            <Welcome channel={channel} onTry={(text) => setDraft({ text })} />
          </MessageList>
          <Composer
            key={channel.id}
            label="Message"
            shortcuts
            placeholder={`Message ${label} as ${parts.names[viewer]}`}
            draft={draft}
            onSend={(text) => {
              setDraft(null);
              post(text, null);
            }}
          />
            </>
          )}
        </main>
        {thread && (
          <Panel title="Thread" about={label} onClose={() => setThread(null)}>
            <MessageList
              lines={inThread.map((message) => ({ kind: "message", message, replies: [], root: undefined }))}
              place={thread}
              label="Thread"
              onThread={null}
            />
            <Composer key={thread} label="Reply" placeholder={`Reply as ${parts.names[viewer]}`} onSend={(text) => post(text, thread)} />
          </Panel>
        )}
        {sidePanel === "traffic" && <TrafficPanel onClose={() => setSidePanel(null)} />}
        {sidePanel === "simulate" && <SimulatePanel onClose={() => setSidePanel(null)} />}
        </div>
        {modal && <ModalView key={`${modal.user} ${modal.view.id} ${modal.view.title?.text}`} modal={modal} />}
        <p className="toast" role="status" data-shown={words !== null}>
          {words}
        </p>
      </div>
    </PageProvider>
  );
}

function about(channel: Channel, bot: string): string {
  if (channel.kind === "im") return channel.has_bot ? "direct message with the bot" : "direct message, without the bot";
  const kind = channel.kind === "private" ? "private channel" : "public channel";
  const shared = channel.is_shared ? ", shared with another workspace" : "";
  return `${kind}${shared}${channel.has_bot ? "" : `, ${bot} is not a member`}`;
}

const TOAST_MS = 6000;

function useToast(): [string | null, (words: string) => void] {
  const [words, setWords] = useState<string | null>(null);
  const timer = useRef(0);
  const say = useCallback((next: string) => {
    setWords(next);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setWords(null), TOAST_MS);
  }, []);
  return [words, say];
}
