// Light, dark, or what the system says. The choice is kept; it is no secret.

import { byId, fill } from "./dom";

const KEY = "gx-theme";
const ORDER = ["system", "light", "dark"] as const;
type Theme = (typeof ORDER)[number];

const SIGNS: Record<Theme, string> = { system: "◐", light: "☀", dark: "☾" };

function chosen(): Theme {
  const kept = localStorage.getItem(KEY);
  return ORDER.find((theme) => theme === kept) ?? "system";
}

function apply(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Set up the button; `changed` is told whenever the colours are others. */
export function setUpTheme(changed: () => void): void {
  const button = byId<HTMLButtonElement>("theme");
  const write = (theme: Theme): void => {
    fill(button, SIGNS[theme]);
    button.setAttribute("aria-label", `Colours: ${theme}. Change`);
    button.title = `Colours: ${theme}`;
  };
  button.hidden = false;
  write(chosen());
  button.addEventListener("click", () => {
    const next = ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length] ?? "system";
    localStorage.setItem(KEY, next);
    apply(next);
    write(next);
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}

/** Before anything is drawn, so that no page flashes in the other colours. */
export function applyTheme(): void {
  apply(chosen());
}
