// What can be pressed or chosen in a message, with the dialog that Slack shows first if the app wants it.
import { useState } from "react";
import type { Acting } from "./Blocks";
import { Drawn, plain } from "./Drawn";
import { Confirm } from "./Confirm";
import { usePage } from "./page";
import { Select, optionsOf } from "./Select";
import type { Dict } from "./wire-types";

const LIVE = new Set(["button", "icon_button", "workflow_button", "static_select", "overflow"]);
export const isLive = (element: Dict) => LIVE.has(element.type);

type Props = { element: Dict; block: string; acting: Acting };

export function Element({ element, block, acting }: Props) {
  switch (element.type) {
    case "button":
    case "icon_button":
    case "workflow_button":
      return <Button element={element} block={block} acting={acting} />;
    case "static_select":
    case "overflow":
      return <Menu element={element} block={block} acting={acting} />;
    default:
      return <Drawn blocks={[{ type: "actions", elements: [element] }]} />;
  }
}

function Button({ element, block, acting }: Props) {
  const { known, say } = usePage();
  const [isAsking, setAsking] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const label = plain(element.text);
  async function press(isConfirmed: boolean) {
    setAsking(false);
    if (element.url) {
      if (known.parts.real_codeship) window.open(element.url, "_blank", "noopener,noreferrer");
      else say(`In Slack this opens ${element.url}`);
    }
    setBusy(true);
    await acting.press(block, element, isConfirmed);
    setBusy(false);
  }
  return (
    <>
      <button
        type="button"
        className={`slack-button ${element.style ?? ""}`}
        aria-label={element.accessibility_label}
        aria-busy={isBusy}
        disabled={isBusy}
        onClick={() => (element.confirm ? setAsking(true) : void press(false))}
      >
        {label}
      </button>
      {isAsking && <Confirm dialog={element.confirm} onYes={() => void press(true)} onNo={() => setAsking(false)} />}
    </>
  );
}

function Menu({ element, block, acting }: Props) {
  const [asked, setAsked] = useState<string | null>(null);
  const choose = (value: string) =>
    element.confirm ? setAsked(value) : void acting.choose(block, element, value, false);
  const isOverflow = element.type === "overflow";
  return (
    <>
      <Select
        label={isOverflow ? "More actions" : plain(element.placeholder) || "Choose an option"}
        isMenu={isOverflow}
        options={optionsOf(element)}
        chosen={element.initial_option?.value ?? null}
        onChoose={choose}
      />
      {asked !== null && (
        <Confirm
          dialog={element.confirm}
          onNo={() => setAsked(null)}
          onYes={() => {
            setAsked(null);
            void acting.choose(block, element, asked, true);
          }}
        />
      )}
    </>
  );
}
