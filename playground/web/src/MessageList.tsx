import { useEffect, useLayoutEffect, useRef } from "react";
import { MessageItem, TypedItem } from "./MessageItem";
import type { Line } from "./seeing";

type Props = {
  lines: Line[];
  /** The conversation on the screen. Another one is shown from its end. */
  place: string;
  label: string;
  onThread: ((ts: string) => void) | null;
  children?: React.ReactNode;
};

const NEAR = 80;

export function MessageList({ lines, place, label, onThread, children }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const newest = lines.reduce((most, line) => Math.max(most, line.kind === "message" ? line.message.number : 0), 0);
  useLayoutEffect(() => {
    isAtEnd.current = true;
  }, [place]);
  useLayoutEffect(() => {
    if (isAtEnd.current && list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [place, newest, lines.length]);
  useEffect(() => {
    // If a keyboard or a panel changes the size, the end stays in sight.
    const it = list.current;
    if (!it) return;
    const observer = new ResizeObserver(() => {
      if (isAtEnd.current) it.scrollTop = it.scrollHeight;
    });
    observer.observe(it);
    return () => observer.disconnect();
  }, []);
  return (
    <div
      className="messages"
      role="log"
      aria-label={label}
      aria-live="polite"
      tabIndex={0}
      ref={list}
      onScroll={({ currentTarget: it }) => {
        isAtEnd.current = it.scrollHeight - it.scrollTop - it.clientHeight < NEAR;
      }}
    >
      <div className="messages-inside">
        {children}
        {lines.map((line) =>
          line.kind === "typed" ? (
            <TypedItem key={`typed ${line.typed.first} ${line.typed.at}`} typed={line.typed} />
          ) : (
            <MessageItem key={line.message.ts} message={line.message} replies={line.replies} root={line.root} onThread={onThread} />
          ),
        )}
      </div>
    </div>
  );
}
