// Whom Prometheus asks, whether they answer, and who is missing.

import { get } from "../api";
import { byId, fill, h, table, time } from "../dom";
import { ago, milliseconds } from "../format";
import { poll } from "../poll";
import { tellProblem } from "../shell";
import type { Target, Targets } from "../types";

function row(target: Target) {
  const scraped = Date.parse(target.lastScrape);
  return [
    h("span", { class: `badge ${target.health === "up" ? "up" : "critical"}` }, target.health),
    target.service || target.job,
    target.job,
    h("span", { title: target.url }, target.instance),
    target.namespace || "–",
    Number.isNaN(scraped) || scraped <= 0 ? "never" : time(scraped, ago(scraped, Date.now())),
    milliseconds(target.durationS * 1_000),
    target.lastError ? h("span", { class: "fault" }, target.lastError) : "",
  ];
}

const HEADINGS = [
  "Health",
  "Service",
  "Job",
  "Instance",
  "Namespace",
  "Last scrape",
  { text: "Took", numeric: true },
  "Error",
];

export function showTargets(): void {
  const body = h("div", { class: "stack" }, h("p", { class: "quiet" }, "Loading …"));
  byId("main").append(h("div", { class: "heading" }, h("h1", {}, "Targets")), body);

  function draw(targets: Targets): void {
    const up = targets.targets.filter((each) => each.health === "up").length;
    fill(
      body,
      h(
        "p",
        { class: "quiet" },
        `${up} of ${targets.targets.length} targets answered their last scrape.`,
      ),
      targets.missing.length > 0 &&
        h(
          "div",
          { class: "problem" },
          h("p", {}, "Expected, but nobody asks them:"),
          h(
            "ul",
            {},
            ...targets.missing.map((each) =>
              h("li", {}, `${each.service} (${each.job}) in ${each.namespace}`),
            ),
          ),
        ),
      h(
        "div",
        { class: "card scroll", role: "region", tabindex: 0, "aria-label": "Targets" },
        table("Every target of Prometheus", HEADINGS, targets.targets.map(row), { class: "list" }),
      ),
    );
  }

  poll(async () => {
    try {
      const targets = await get<Targets>("/api/targets");
      tellProblem(targets.problem);
      if (targets.problem === null) draw(targets);
      else
        fill(body, h("p", { class: "card quiet" }, "Without Prometheus nobody knows its targets."));
    } catch (error) {
      tellProblem(error instanceof Error ? error.message : "The console is away");
    }
  });
}
