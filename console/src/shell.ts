// What stands around every page: the strip of the system's state, the pages' list, the banner.

import { AwayError, get } from "./api";
import { byId, fill, h } from "./dom";
import { moment } from "./format";
import { poll } from "./poll";
import type { Dashboard, Status } from "./types";

const BRAND = /^GX Protocol - /;

type Listener = (status: Status) => void;
const listeners: Listener[] = [];
let newest: Status | null = null;

/** Be told the status now and at each change. */
export function onStatus(listener: Listener): void {
  listeners.push(listener);
  if (newest !== null) listener(newest);
}

/** Say what is away, since when, and that the page goes on; null takes it back. */
export function tellProblem(problem: string | null, shownAtMs: number | null = null): void {
  const banner = byId("banner");
  if (problem === null) {
    fill(banner);
    return;
  }
  const stand =
    shownAtMs === null ? "" : ` What is shown is from ${moment(shownAtMs, Date.now())}.`;
  const text = `${problem}.${stand} The page asks again every 10 seconds.`.replace("..", ".");
  if (banner.textContent !== text) fill(banner, h("p", { class: "problem" }, text));
}

function chip(kind: string, text: string, href?: string, title?: string): HTMLElement {
  const attributes = { class: `chip ${kind}`, title };
  return href ? h("a", { ...attributes, href }, text) : h("span", attributes, text);
}

function alertChip(status: Status): HTMLElement | null {
  if (status.critical === null || status.warning === null) return null;
  if (status.critical > 0) {
    return chip("red", `${status.critical} critical`, "/alerts", "Alerts that fire");
  }
  if (status.warning > 0) {
    return chip("yellow", `${status.warning} warning`, "/alerts", "Alerts that fire");
  }
  return chip("green", "No alert fires", "/alerts");
}

function targetChip(status: Status): HTMLElement | null {
  if (status.targetsUp === null || status.targetsDown === null) return null;
  const total = status.targetsUp + status.targetsDown;
  const kind = status.targetsDown > 0 ? "red" : "plain";
  return chip(kind, `${status.targetsUp}/${total} targets up`, "/targets");
}

function draw(status: Status): void {
  const sources = status.sources.map((source) =>
    chip(
      source.problem === null ? "ok" : "red",
      source.problem === null ? source.name : `${source.name} away`,
      undefined,
      source.problem ?? `${source.url} answers`,
    ),
  );
  fill(
    byId("strip"),
    chip("environment", status.environment),
    alertChip(status),
    targetChip(status),
    ...sources,
  );
}

async function refresh(): Promise<void> {
  try {
    newest = await get<Status>("/api/status");
    draw(newest);
    for (const listener of listeners) listener(newest);
  } catch (error) {
    const reason =
      error instanceof AwayError ? error.message : "The console answers with an error.";
    fill(byId("strip"), chip("red", "Console away", undefined, reason));
  }
}

function list(dashboards: readonly Dashboard[]): void {
  fill(
    byId("dashboards"),
    ...dashboards.map((each) => {
      const title = each.title.replace(BRAND, "").replace(/ \(.*\)$/, "");
      return h("li", {}, h("a", { href: `/dashboards/${each.uid}`, title: each.title }, title));
    }),
  );
}

function markCurrent(): void {
  const path = location.pathname;
  for (const link of document.querySelectorAll<HTMLAnchorElement>("#nav a")) {
    const target = new URL(link.href).pathname;
    if (target === path || path.startsWith(`${target}/`)) link.setAttribute("aria-current", "page");
  }
}

function setUpMenu(): void {
  const button = byId<HTMLButtonElement>("menu");
  button.addEventListener("click", () => {
    const isOpen = document.body.classList.toggle("menu-open");
    button.setAttribute("aria-expanded", String(isOpen));
  });
}

/** Draw the surroundings; return the dashboards, or null if the console is away. */
export async function setUpShell(): Promise<Dashboard[] | null> {
  setUpMenu();
  poll(refresh);
  try {
    const dashboards = await get<Dashboard[]>("/api/dashboards");
    list(dashboards);
    return dashboards;
  } catch (error) {
    tellProblem(error instanceof Error ? error.message : "The console is away");
    return null;
  } finally {
    markCurrent();
  }
}
