// A menu that one can type into: what is typed narrows it, arrows move, Enter takes, Escape closes.
import { useId, useRef, useState } from "react";
import { plain } from "./Drawn";
import type { Dict } from "./wire-types";

export type Option = { value: string; text: string; group: string; small?: string };

export function optionsOf(element: Dict): Option[] {
  const groups: Dict[] = element.option_groups ?? [{ options: element.options ?? [] }];
  return groups.flatMap((group) =>
    (group.options as Dict[]).map((it) => ({ value: String(it.value), text: plain(it.text), group: plain(group.label), small: plain(it.description) })),
  );
}

type Props = {
  label: string;
  options: Option[];
  chosen: string | null;
  onChoose: (value: string) => void;
  isMenu?: boolean;
  /** Called with what is typed. If given, `options` are the app's response and are not filtered here. */
  onType?: (typed: string) => void;
  isWaiting?: boolean;
  /** The text of what is chosen, if it may not be among the options. */
  chosenText?: string | undefined;
  isFaulty?: boolean;
  id?: string;
  /** What a menu shows when it is closed. */
  sign?: string;
  labelledBy?: string | undefined;
  describedBy?: string | undefined;
};

export function Select({ label, options, chosen, onChoose, isMenu = false, labelledBy, describedBy, ...more }: Props) {
  const { onType, isWaiting = false, isFaulty, chosenText } = more;
  const [isOpen, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const whole = useRef<HTMLDivElement>(null);
  const words = typed.trim().toLowerCase();
  const fitting = onType ? options : options.filter((it) => it.text.toLowerCase().includes(words));
  const current = chosenText ?? options.find((it) => it.value === chosen)?.text;

  function open() {
    if (isOpen) return;
    setOpen(true);
    onType?.("");
  }

  function close() {
    setOpen(false);
    setTyped("");
    setAt(0);
  }
  function take(option: Option | undefined) {
    if (!option) return;
    close();
    onChoose(option.value);
  }
  function onKeyDown(event: React.KeyboardEvent) {
    if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) open();
      else setAt((it) => (it + (event.key === "ArrowDown" ? 1 : fitting.length - 1)) % Math.max(1, fitting.length));
    } else if (event.key === "Enter" && isOpen) {
      event.preventDefault();
      take(fitting[at]);
    }
  }

  return (
    <div
      className={isMenu ? "select menu" : "select"}
      ref={whole}
      onKeyDown={onKeyDown}
      onBlur={(event) => !whole.current?.contains(event.relatedTarget) && close()}
    >
      <input
        id={more.id}
        type="text"
        role="combobox"
        autoComplete="off"
        aria-label={labelledBy ? undefined : label}
        aria-labelledby={labelledBy}
        aria-describedby={describedBy}
        aria-invalid={isFaulty}
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && fitting[at] ? `${id}-${at}` : undefined}
        placeholder={isMenu ? (more.sign ?? "⋯") : (current ?? label)}
        value={isOpen ? typed : (current ?? "")}
        onClick={open}
        onChange={(event) => {
          setOpen(true);
          setTyped(event.target.value);
          setAt(0);
          onType?.(event.target.value);
        }}
      />
      {isOpen && (
        <ul role="listbox" id={`${id}-list`} aria-label={label} className="options">
          {fitting.map((option, place) => (
            <li
              key={option.value}
              id={`${id}-${place}`}
              role="option"
              aria-selected={place === at}
              data-group={option.group && option.group !== fitting[place - 1]?.group ? option.group : undefined}
              onMouseDown={(event) => event.preventDefault()}
              onMouseEnter={() => setAt(place)}
              onClick={() => take(option)}
            >
              {option.text}
              {option.small && <span className="quiet"> {option.small}</span>}
            </li>
          ))}
          {fitting.length === 0 && (
            <li role="option" aria-selected={false} aria-disabled="true">
              {isWaiting ? "Searching …" : typed ? `Nothing fits “${typed}”` : "Nothing to choose yet"}
            </li>
          )}
        </ul>
      )}
    </div>
  );
}
