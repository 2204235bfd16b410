// A view that the app opened: any blocks, inputs of every common kind, errors under the inputs they are about.
import { useId, useState } from "react";
import { Blocks } from "./Blocks";
import { Dialog } from "./Dialog";
import { plain } from "./Drawn";
import { Field, initialOf, type FieldState } from "./Field";
import { useActing } from "./HomeView";
import { usePage } from "./page";
import type { Dict, Modal } from "./wire-types";

type Values = { [block: string]: { [action: string]: FieldState } };

const inputsOf = (view: Dict): Dict[] => (view.blocks as Dict[]).filter((block) => block.type === "input");
const actionOf = (block: Dict) => String(block.element.action_id ?? "input");

export function ModalView({ modal }: { modal: Modal }) {
  const { run, viewer, place } = usePage();
  const view = modal.view;
  const [typed, setTyped] = useState<Values>({});
  // As in Slack: what was filled in stays as long as its block does, also if the app changes the view.
  const values: Values = Object.fromEntries(
    inputsOf(view).map((block) => [
      block.block_id,
      typed[block.block_id] ?? { [actionOf(block)]: initialOf(block.element, place) },
    ]),
  );
  const acting = useActing(view.id, values);
  const [isBusy, setBusy] = useState(false);
  const close = () => void run("close", { who: viewer, view_id: view.id });
  async function submit(event: React.FormEvent) {
    event.preventDefault();
    setBusy(true);
    await run("submit", { who: viewer, view_id: view.id, values });
    setBusy(false);
  }
  function put(block: Dict, state: FieldState) {
    const filled = { ...values, [block.block_id]: { [actionOf(block)]: state } };
    setTyped((before) => ({ ...before, [block.block_id]: { [actionOf(block)]: state } }));
    if (!block.dispatch_action) return;
    const action = { ...block.element, ...state, block_id: block.block_id };
    void run("act_in_view", { who: viewer, view_id: view.id, action, values: filled });
  }
  return (
    <Dialog title={plain(view.title)} className="dialog" onClose={close}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <div className="dialog-body" tabIndex={0} role="group" aria-label={plain(view.title)}>
          {modal.trouble && (
            <p className="fault" role="alert">
              {modal.trouble}
            </p>
          )}
          <Blocks
            blocks={view.blocks}
            acting={acting}
            input={(block) => (
              <Input
                block={block}
                view={view.id}
                error={modal.errors[block.block_id]}
                state={values[block.block_id]?.[actionOf(block)]}
                onChange={(state) => put(block, state)}
              />
            )}
          />
        </div>
        <footer className="dialog-foot">
          <button type="button" className="slack-button" onClick={close}>
            {plain(view.close) || "Cancel"}
          </button>
          {view.submit && (
            <button type="submit" className="slack-button primary" disabled={isBusy} aria-busy={isBusy}>
              {plain(view.submit)}
            </button>
          )}
        </footer>
      </form>
    </Dialog>
  );
}

type InputProps = {
  block: Dict;
  view: string;
  error: string | undefined;
  state: FieldState | undefined;
  onChange: (state: FieldState) => void;
};

function Input({ block, view, error, state, onChange }: InputProps) {
  const id = useId();
  const about = [block.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={error ? "field faulty" : "field"}>
      <label id={`${id}-label`} htmlFor={id}>
        {plain(block.label)}
        {block.optional && <span className="quiet"> (optional)</span>}
      </label>
      <Field
        element={block.element}
        view={view}
        id={id}
        state={state}
        describedBy={about || undefined}
        isFaulty={Boolean(error)}
        onChange={onChange}
      />
      {error && (
        <p className="fault" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
      {block.hint && (
        <p className="quiet" id={`${id}-hint`}>
          {plain(block.hint)}
        </p>
      )}
    </div>
  );
}
