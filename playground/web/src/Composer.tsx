// The message input: Enter sends, Shift+Enter starts a new line, `/` and `@` are completed.
import { useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { completed, completions } from "./completion";
import { usePage } from "./page";
import { Select } from "./Select";

type Props = {
  label: string;
  placeholder: string;
  onSend: (text: string) => void;
  /** A text to start with. A new object inserts it again. */
  draft?: { text: string } | null;
  /** Whether it offers the global shortcuts. */
  shortcuts?: boolean;
};

export function Composer({ label, placeholder, onSend, draft = null, shortcuts = false }: Props) {
  const { known, run, viewer } = usePage();
  const [text, setText] = useState("");
  const [at, setAt] = useState<number | null>(null);
  const [isClosed, setClosed] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const offers = isClosed ? [] : completions(text, known.parts);
  const isOpen = offers.length > 0;

  useEffect(() => {
    if (!draft) return;
    write(draft.text);
    box.current?.focus();
  }, [draft]);
  useLayoutEffect(() => {
    const it = box.current;
    if (!it) return;
    it.style.height = "auto";
    it.style.height = `${Math.min(it.scrollHeight, 200)}px`;
  }, [text]);

  function write(next: string) {
    setText(next);
    setAt(null);
    setClosed(false);
  }
  function take(place: number) {
    const offer = offers[place];
    if (!offer) return;
    write(completed(text, offer));
    box.current?.focus();
  }
  function send() {
    if (!text.trim()) return;
    onSend(text);
    write("");
  }
  function onKeyDown(event: React.KeyboardEvent) {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (isOpen && step) {
      event.preventDefault();
      setAt(((at ?? (step === 1 ? -1 : 0)) + step + offers.length) % offers.length);
    } else if (isOpen && event.key === "Tab" && !event.shiftKey) {
      event.preventDefault();
      take(at ?? 0);
    } else if (isOpen && event.key === "Escape") {
      event.preventDefault();
      setClosed(true);
      setAt(null);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      // Enter sends the line unless an offer was selected.
      if (isOpen && at !== null) take(at);
      else send();
    }
  }

  return (
    <div className="composer">
      {isOpen && (
        <ul className="completions" role="listbox" id={`${id}-list`} aria-label="Completions">
          {offers.map((offer, place) => (
            <li
              key={offer.insert}
              id={`${id}-${place}`}
              role="option"
              aria-selected={place === at}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => take(place)}
            >
              <code>{offer.shown}</code>
              <span>{offer.meaning}</span>
            </li>
          ))}
        </ul>
      )}
      <div className="composer-box">
        <textarea
          ref={box}
          rows={1}
          aria-label={label}
          aria-autocomplete="list"
          aria-controls={isOpen ? `${id}-list` : undefined}
          aria-activedescendant={isOpen && at !== null ? `${id}-${at}` : undefined}
          placeholder={placeholder}
          value={text}
          spellCheck={false}
          autoCapitalize="off"
          autoCorrect="off"
          onChange={(event) => write(event.target.value)}
          onKeyDown={onKeyDown}
          onBlur={() => {
            setClosed(true);
            setAt(null);
          }}
        />
        {shortcuts && (
          <Select
            label="Shortcuts"
            isMenu
            sign="⚡"
            options={known.parts.shortcuts
              .filter((it) => it.kind === "global")
              .map((it) => ({ value: it.name, text: it.name, group: "" }))}
            chosen={null}
            onChoose={(name) => void run("shortcut", { who: viewer, name })}
          />
        )}
        <button type="button" className="send" aria-label="Send" disabled={!text.trim()} onClick={send}>
          ➤
        </button>
      </div>
    </div>
  );
}
