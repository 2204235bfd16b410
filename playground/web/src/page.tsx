// What every piece of the page may need: the state, who looks, and how to say that something went wrong.
import { createContext, useContext } from "react";
import type { Known } from "./store";

export type Theme = "light" | "dark";

export type Page = {
  known: Known;
  /** The id of the person who speaks. */
  viewer: string;
  theme: Theme;
  now: () => Date;
  /** Does something; where it cannot be done, says why. True where it was done. */
  run: (name: string, form?: object) => Promise<boolean>;
  say: (words: string) => void;
};

const PageContext = createContext<Page | null>(null);
export const PageProvider = PageContext.Provider;

export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === null) throw new Error("outside of the page");
  return page;
}
