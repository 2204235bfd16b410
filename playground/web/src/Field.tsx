// One input of a modal, and its state as Slack's payloads write it.
// https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
import { useRef, useState } from "react";
import { usePage, type Page } from "./page";
import { plain } from "./Drawn";
import { optionsOf, Select, type Option } from "./Select";
import type { Dict } from "./wire-types";

export type FieldState = Dict;

type Props = {
  element: Dict;
  /** The id of the view that it is in. */
  view: string;
  id: string;
  state: FieldState | undefined;
  describedBy: string | undefined;
  isFaulty: boolean;
  onChange: (state: FieldState) => void;
};

/** kind of element → the input's type and the field that holds its value */
const TYPED: { [kind: string]: [string, string] } = {
  plain_text_input: ["text", "value"],
  email_text_input: ["email", "value"],
  url_text_input: ["url", "value"],
  number_input: ["number", "value"],
  datepicker: ["date", "selected_date"],
  timepicker: ["time", "selected_time"],
};
/** kind of menu → the field that holds its value; the options of the last three are the workspace's */
const MENUS: { [kind: string]: string } = {
  static_select: "selected_option",
  users_select: "selected_user",
  channels_select: "selected_channel",
  conversations_select: "selected_conversation",
};
const INITIAL: { [field: string]: string } = {
  value: "initial_value",
  selected_date: "initial_date",
  selected_time: "initial_time",
  selected_option: "initial_option",
  selected_options: "initial_options",
  selected_user: "initial_user",
  selected_channel: "initial_channel",
  selected_conversation: "initial_conversation",
};

const fieldOf = (element: Dict): string => {
  if (element.type === "checkboxes" || element.type === "multi_static_select") return "selected_options";
  return TYPED[element.type]?.[1] ?? MENUS[element.type] ?? "selected_option";
};

/** `place` is the conversation on the screen. */
export function initialOf(element: Dict, place: string | null): FieldState {
  const field = fieldOf(element);
  const fallback = field === "selected_options" ? [] : element.default_to_current_conversation ? place : null;
  return { type: element.type, [field]: element[INITIAL[field] ?? ""] ?? fallback };
}

function workspaceOptions(kind: string, { known }: Page): Option[] {
  const { people, channels } = known.parts;
  if (kind === "users_select") return people.map((it) => ({ value: it.id, text: it.name, group: "" }));
  return channels
    .filter((it) => it.kind !== "im")
    .map((it) => ({ value: it.id, text: `#${it.name}`, group: "" }));
}

export function Field({ element, view, id, state, describedBy, isFaulty, onChange }: Props) {
  const page = usePage();
  const field = fieldOf(element);
  const put = (held: unknown) => onChange({ type: element.type, [field]: held });
  const common = { id, "aria-describedby": describedBy, "aria-invalid": isFaulty };
  const typed = TYPED[element.type];
  if (typed) {
    const props = {
      ...common,
      value: state?.[field] ?? "",
      placeholder: plain(element.placeholder),
      maxLength: element.max_length,
      autoFocus: Boolean(element.focus_on_load),
      onChange: (event: { target: { value: string } }) => put(event.target.value || null),
    };
    return element.multiline ? <textarea rows={4} {...props} /> : <input type={typed[0]} {...props} />;
  }
  if (element.type === "checkboxes" || element.type === "radio_buttons" || element.type === "multi_static_select") {
    return <Choices element={element} id={id} held={state?.[field]} onChange={put} />;
  }
  if (element.type === "external_select") {
    return <Typeahead {...{ element, view, id, describedBy, isFaulty }} held={state?.selected_option} onChoose={put} />;
  }
  const menu = MENUS[element.type];
  if (!menu) return <p className="quiet">(an input of a kind that the playground does not draw: {element.type})</p>;
  const isStatic = element.type === "static_select";
  const options = isStatic ? optionsOf(element) : workspaceOptions(element.type, page);
  return (
    <Select
      id={id}
      label={plain(element.placeholder) || "Choose an option"}
      labelledBy={`${id}-label`}
      describedBy={describedBy}
      isFaulty={isFaulty}
      options={options}
      chosen={(isStatic ? state?.[field]?.value : state?.[field]) ?? null}
      onChoose={(value) => put(isStatic ? allOptions(element).find((it) => String(it.value) === value) : value)}
    />
  );
}

type TypeaheadProps = {
  element: Dict;
  view: string;
  id: string;
  describedBy: string | undefined;
  isFaulty: boolean;
  held: Dict | null | undefined;
  onChoose: (option: Dict | undefined) => void;
};

/** A menu whose options the app sends for what is typed. */
function Typeahead({ element, view, id, describedBy, isFaulty, held, onChoose }: TypeaheadProps) {
  const { ask, viewer } = usePage();
  const [offered, setOffered] = useState<Dict[]>([]);
  const [isWaiting, setWaiting] = useState(false);
  const last = useRef(0);
  async function search(typed: string) {
    const number = ++last.current;
    setWaiting(true);
    const answer = await ask("suggest", { who: viewer, view_id: view, action_id: element.action_id, typed });
    if (number !== last.current) return; // the response to an older request
    setWaiting(false);
    setOffered((answer?.options as Dict[] | undefined) ?? []);
  }
  return (
    <Select
      id={id}
      label={plain(element.placeholder) || "Choose an option"}
      labelledBy={`${id}-label`}
      describedBy={describedBy}
      isFaulty={isFaulty}
      options={optionsOf({ options: offered })}
      chosen={held ? String(held.value) : null}
      chosenText={held ? plain(held.text) : undefined}
      onType={(typed) => void search(typed)}
      isWaiting={isWaiting}
      onChoose={(value) => onChoose(offered.find((it) => String(it.value) === value))}
    />
  );
}

const allOptions = (element: Dict): Dict[] =>
  element.options ?? (element.option_groups as Dict[]).flatMap((group) => group.options as Dict[]);

function Choices({ element, id, held, onChange }: { element: Dict; id: string; held: any; onChange: (held: unknown) => void }) {
  const isOne = element.type === "radio_buttons";
  const chosen: Dict[] = isOne ? (held ? [held] : []) : (held ?? []);
  return (
    <div role={isOne ? "radiogroup" : "group"} aria-labelledby={`${id}-label`} className="choices">
      {allOptions(element).map((option) => {
        const isIn = chosen.some((it) => it.value === option.value);
        return (
          <label key={option.value}>
            <input
              type={isOne ? "radio" : "checkbox"}
              name={id}
              checked={isIn}
              onChange={() =>
                onChange(isOne ? option : isIn ? chosen.filter((it) => it.value !== option.value) : [...chosen, option])
              }
            />
            {plain(option.text)}
          </label>
        );
      })}
    </div>
  );
}
