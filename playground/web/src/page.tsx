// What every component may need: the state, the viewer, and how to report an error.
import { createContext, useContext } from "react";
import type { Known } from "./store";
import type { Dict } from "./wire-types";

export type Theme = "light" | "dark";

export type Page = {
  known: Known;
  /** The id of the acting person. */
  viewer: string;
  theme: Theme;
  /** The id of the conversation on the screen; null in the Home. */
  place: string | null;
  now: () => Date;
  /** Sends an action and reports a failure. True if it succeeded. */
  run: (name: string, form?: object) => Promise<boolean>;
  /** The same for an action that answers something. Null if it failed. */
  ask: (name: string, form: object) => Promise<Dict | null>;
  say: (words: string) => void;
};

const PageContext = createContext<Page | null>(null);
export const PageProvider = PageContext.Provider;

export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === null) throw new Error("outside of the page");
  return page;
}
