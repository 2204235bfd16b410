import { useEffect, useState } from "react";
import type { Theme } from "./page";

const KEY = "playground-theme";
const prefersDark = () => window.matchMedia("(prefers-color-scheme: dark)");

function chosen(): Theme | null {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : null;
  } catch {
    return null; // the browser allows no storage
  }
}

/** The system's theme, until the person chooses one. */
export function useTheme(): [Theme, () => void] {
  const [choice, setChoice] = useState<Theme | null>(chosen);
  const [isSystemDark, setSystemDark] = useState(() => prefersDark().matches);
  useEffect(() => {
    const query = prefersDark();
    const listener = () => setSystemDark(query.matches);
    query.addEventListener("change", listener);
    return () => query.removeEventListener("change", listener);
  }, []);
  const theme = choice ?? (isSystemDark ? "dark" : "light");
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return [
    theme,
    () => {
      const next = theme === "dark" ? "light" : "dark";
      setChoice(next);
      try {
        localStorage.setItem(KEY, next);
      } catch {
        // without storage it applies until the page is reloaded
      }
    },
  ];
}
