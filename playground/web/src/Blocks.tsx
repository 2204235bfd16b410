// A message's or a modal's blocks: this page draws what can be pressed or filled in, the renderer draws the rest.
import { Drawn } from "./Drawn";
import { Element, isLive } from "./Element";
import { usePage } from "./page";
import type { Dict } from "./wire-types";

export type Acting = {
  press: (block: string, element: Dict, isConfirmed: boolean) => Promise<unknown>;
  choose: (block: string, element: Dict, value: string, isConfirmed: boolean) => Promise<unknown>;
};

/** One block, cut into what the renderer draws and the elements that act. */
function cut(block: Dict): { drawn: Dict | null; live: Dict[]; isBeside: boolean } {
  const elements: Dict[] = Array.isArray(block.elements) ? block.elements : [];
  switch (block.type) {
    case "actions":
    case "context_actions":
      return { drawn: null, live: elements, isBeside: false };
    case "section": {
      if (!block.accessory || !isLive(block.accessory)) break;
      const { accessory, ...rest } = block;
      return { drawn: rest, live: [accessory], isBeside: true };
    }
    case "card": {
      const { actions, ...rest } = block;
      return { drawn: rest, live: actions ?? [], isBeside: false };
    }
  }
  return { drawn: block, live: [], isBeside: false };
}

export function Blocks({ blocks, acting, input }: { blocks: Dict[]; acting: Acting; input?: (block: Dict) => React.ReactNode }) {
  const { viewer } = usePage();
  return (
    <div className="blocks">
      {blocks.map((block, place) => {
        const id = String(block.block_id ?? place);
        if (block.type === "input" && input) return <div key={id}>{input(block)}</div>;
        const { drawn, live, isBeside } = cut(block);
        const seen = live.filter((it) => !it.visible_to_user_ids?.length || it.visible_to_user_ids.includes(viewer));
        return (
          <div key={id} className={isBeside ? "block beside" : "block"}>
            {drawn && <Drawn blocks={[drawn]} />}
            {seen.length > 0 && (
              <div className="elements">
                {seen.map((element, number) => (
                  <Element key={element.action_id ?? number} element={element} block={id} acting={acting} />
                ))}
              </div>
            )}
          </div>
        );
      })}
    </div>
  );
}
