import { Dialog } from "./Dialog";
import { plain, Text } from "./Drawn";
import type { Dict } from "./wire-types";

/** The dialog that Slack shows before it sends a press. */
export function Confirm({ dialog, onYes, onNo }: { dialog: Dict; onYes: () => void; onNo: () => void }) {
  return (
    <Dialog title={plain(dialog.title)} className="dialog narrow" onClose={onNo}>
      <div className="dialog-body">
        <Text of={dialog.text ?? ""} />
      </div>
      <footer className="dialog-foot">
        <button type="button" className="slack-button" onClick={onNo}>
          {plain(dialog.deny) || "Cancel"}
        </button>
        <button
          type="button"
          autoFocus
          className={`slack-button ${dialog.style === "danger" ? "danger" : "primary"}`}
          onClick={onYes}
        >
          {plain(dialog.confirm) || "Yes"}
        </button>
      </footer>
    </Dialog>
  );
}
