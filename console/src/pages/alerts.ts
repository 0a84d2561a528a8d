// What fires, what is about to, and whether alerting itself can be believed.

import { get } from "../api";
import { byId, fill, h, table, time } from "../dom";
import { ago, milliseconds, moment, short } from "../format";
import { poll } from "../poll";
import { tellProblem } from "../shell";
import type { Alert, Alerts, Rule } from "../types";

function badge(severity: string): HTMLElement {
  return h("span", { class: `badge ${severity}` }, severity || "none");
}

function links(each: {
  name: string;
  runbook: string | null;
  dashboard: string | null;
}): HTMLElement {
  return h(
    "p",
    { class: "links" },
    each.runbook && h("a", { href: each.runbook }, `Runbook: ${each.name}`),
    each.dashboard && h("a", { href: each.dashboard }, "Dashboard"),
  );
}

function numberOf(text: string): string {
  const value = Number(text);
  return Number.isFinite(value) ? short(value) : text;
}

function card(alert: Alert): HTMLElement {
  const since = Date.parse(alert.activeAt);
  const labels = Object.entries(alert.labels).filter(
    ([name]) => !["severity", "component", "family", "slo"].includes(name),
  );
  return h(
    "li",
    { class: `card alert ${alert.state} ${alert.severity}`, "data-alert": alert.name },
    h("header", {}, badge(alert.severity), h("h3", {}, alert.name)),
    h("p", {}, alert.summary),
    h("p", { class: "quiet" }, alert.description),
    h(
      "p",
      { class: "facts" },
      h(
        "span",
        {},
        `${alert.state} since `,
        time(since, moment(since, Date.now())),
        ` (${ago(since, Date.now())})`,
      ),
      h("span", {}, `value ${numberOf(alert.value)}`),
      ...labels.map(([name, value]) => h("span", {}, `${name} ${value}`)),
      alert.muted && h("span", { class: "badge muted" }, `${alert.muted}: nobody is notified`),
    ),
    links(alert),
  );
}

function section(title: string, alerts: readonly Alert[], nothing: string): HTMLElement {
  return h(
    "section",
    { class: "row" },
    h("h2", {}, title, " ", h("span", { class: "count" }, String(alerts.length))),
    alerts.length > 0
      ? h("ul", { class: "alerts" }, ...alerts.map(card))
      : h("p", { class: "card quiet" }, nothing),
  );
}

function ruleRow(rule: Rule) {
  return [
    rule.runbook ? h("a", { href: rule.runbook }, rule.name) : rule.name,
    badge(rule.severity),
    h("span", { class: `state ${rule.state}` }, rule.state),
    rule.forS === 0 ? "at once" : milliseconds(rule.forS * 1_000),
    rule.health === "ok"
      ? "ok"
      : h("span", { class: "fault" }, `${rule.health} ${rule.lastError}`.trim()),
    rule.summary,
  ];
}

function rules(all: readonly Rule[]): HTMLElement {
  const broken = all.filter((rule) => rule.health !== "ok");
  const verdict =
    broken.length === 0
      ? `${all.length} rules are loaded, and every one can be evaluated.`
      : `${broken.length} of ${all.length} rules are not evaluated: their alerts are blind.`;
  return h(
    "section",
    { class: "row" },
    h("h2", {}, "Every alert"),
    h("p", { class: broken.length === 0 ? "quiet" : "problem" }, verdict),
    h(
      "div",
      { class: "card scroll", role: "region", tabindex: 0, "aria-label": "Every alert" },
      table(
        "Every alerting rule that Prometheus has loaded",
        ["Alert", "Severity", "State", "Fires after", "Evaluation", "Means"],
        all.map(ruleRow),
        { class: "list" },
      ),
    ),
  );
}

function watchdog(isAlive: boolean): HTMLElement {
  return isAlive
    ? h("p", { class: "quiet" }, "The watchdog fires, as it always should: rules are evaluated.")
    : h(
        "p",
        { class: "problem" },
        "The watchdog, which should always fire, does not: an empty list below means nothing. " +
          "A Prometheus that has just started needs a few evaluations.",
      );
}

export function showAlerts(): void {
  const body = h("div", { class: "stack" }, h("p", { class: "quiet" }, "Loading …"));
  byId("main").append(h("div", { class: "heading" }, h("h1", {}, "Alerts")), body);
  let drawn = "";

  function draw(alerts: Alerts): void {
    // Ages alone do not change a page that somebody may be moving through by keyboard.
    const content = JSON.stringify(alerts);
    if (content === drawn) return;
    drawn = content;
    const focused =
      document.activeElement instanceof HTMLAnchorElement ? document.activeElement.href : null;
    fill(
      body,
      alerts.alertmanagerProblem &&
        h(
          "p",
          { class: "problem" },
          `${alerts.alertmanagerProblem}. Nobody is notified of what fires.`,
        ),
      watchdog(alerts.watchdog),
      section(
        "Firing",
        alerts.alerts.filter((each) => each.state === "firing"),
        "Nothing fires.",
      ),
      section(
        "Pending",
        alerts.alerts.filter((each) => each.state === "pending"),
        "Nothing is about to.",
      ),
      rules(alerts.rules),
    );
    if (focused !== null) {
      [...body.querySelectorAll("a")].find((link) => link.href === focused)?.focus();
    }
  }

  poll(async () => {
    try {
      const alerts = await get<Alerts>("/api/alerts");
      tellProblem(alerts.problem);
      if (alerts.problem === null) draw(alerts);
      else
        fill(body, h("p", { class: "card quiet" }, "Without Prometheus nobody knows what fires."));
      if (alerts.problem !== null) drawn = "";
    } catch (error) {
      tellProblem(error instanceof Error ? error.message : "The console is away");
    }
  });
}
