// The app's Home: blocks that the app published for this person alone.
import { Blocks, type Acting } from "./Blocks";
import { usePage } from "./page";
import type { Dict } from "./wire-types";

export function HomeView({ view, name }: { view: Dict | undefined; name: string }) {
  const acting = useActing(view?.id ?? "", {});
  return (
    <section className="home" aria-label={`Home of ${name}`} tabIndex={0}>
      {view ? <Blocks blocks={view.blocks} acting={acting} /> : <p className="quiet">The app has published nothing yet.</p>}
    </section>
  );
}

/** Sends presses and choices in a view, with the view's id and the state of its fields. */
export function useActing(view: string, values: Dict): Acting {
  const { run, viewer } = usePage();
  const send = (block: string, element: Dict, more: Dict) =>
    run("act_in_view", { who: viewer, view_id: view, action: { ...element, ...more, block_id: block }, values });
  return {
    press: (block, element) => send(block, element, {}),
    choose: (block, element, value) =>
      send(block, element, { selected_option: (element.options as Dict[]).find((it) => it.value === value) }),
  };
}
