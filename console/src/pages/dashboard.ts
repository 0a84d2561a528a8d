// A dashboard: every panel of the catalogue as it is declared, with numbers that are seconds old.

import { get } from "../api";
import { judge, stateOf } from "../bands";
import { Chart } from "../chart";
import { type Choice, readChoice, spansWith, writeChoice } from "../choices";
import { byId, fill, h, time } from "../dom";
import { clock, quantity, span } from "../format";
import { gauge } from "../gauge";
import { poll } from "../poll";
import { onStatus, tellProblem } from "../shell";
import type { Dashboard, Data, Panel, PanelData } from "../types";

interface Drawn {
  panel: Panel;
  card: HTMLElement;
  body: HTMLElement;
  chart: Chart | null;
}

function about(panel: Panel): HTMLElement {
  return h(
    "details",
    { class: "about" },
    h("summary", { "aria-label": `About ${panel.title}`, title: "What is this?" }, "i"),
    h(
      "div",
      { class: "note" },
      h("p", {}, panel.description),
      h(
        "p",
        {},
        "Runbooks: ",
        ...panel.runbooks.flatMap((name, index) => [
          index > 0 ? ", " : null,
          h("a", { href: `/runbooks/${name}` }, name),
        ]),
      ),
      ...panel.queries.map((query) => h("pre", { tabindex: 0 }, h("code", {}, query.expr))),
    ),
  );
}

function build(panel: Panel, index: number): Drawn {
  const isChart = panel.drawing === "lines" || panel.drawing === "stacked";
  const chart = isChart ? new Chart(panel) : null;
  const body = chart?.element ?? h("div", { class: panel.drawing });
  const id = `panel-${index}`;
  const card = h(
    "section",
    {
      class: `card panel loading ${panel.drawing}-panel`,
      "aria-labelledby": id,
      "data-panel": panel.title,
    },
    h("header", {}, h("h3", { id }, heading(panel)), about(panel)),
    h("div", { class: "body" }, body),
  );
  return { panel, card, body, chart };
}

/** The title; of a figurehead it leads to the dashboard that says more. */
function heading(panel: Panel): Node {
  if (panel.opens === null) return document.createTextNode(panel.title);
  return h("a", { href: `/dashboards/${panel.opens}` }, panel.title);
}

function stat(panel: Panel, name: string, value: number | null): HTMLElement {
  const color = judge(value, panel);
  const word = value === null ? null : stateOf(value, panel.states)?.word;
  return h(
    "div",
    { class: `tile ${color ?? "none"}`, "data-value": value ?? "" },
    h("strong", {}, word ?? quantity(value, panel.measure, panel.decimals)),
    h("span", {}, name),
  );
}

function drawOne(drawn: Drawn, data: Data, values: PanelData): void {
  const { panel, body, chart, card } = drawn;
  card.classList.remove("loading", "old");
  card.querySelector(".fault")?.remove();
  if (values.problem !== null) card.append(h("p", { class: "fault" }, values.problem));
  if (chart !== null) {
    chart.show(data, values);
    return;
  }
  const make = panel.drawing === "gauge" ? gauge : stat;
  const shown = values.series.map((each) =>
    make(panel, each.legend || panel.title, each.values[0] ?? null),
  );
  fill(body, ...(shown.length > 0 ? shown : [make(panel, "all", null)]));
}

class DashboardPage {
  private readonly drawn: Drawn[];
  private readonly updated = h("span", { class: "updated quiet" }, "Loading …");
  private readonly namespace = h("select", { id: "namespace" });
  private readonly range = h("select", { id: "range" });
  private choice: Choice;
  private shownAtMs: number | null = null;

  constructor(private readonly dashboard: Dashboard) {
    this.choice = readChoice(location.search, dashboard.spanS);
    this.drawn = dashboard.rows
      .flatMap((row) => row.panels)
      .map((panel, index) => build(panel, index));
  }

  show(main: HTMLElement): void {
    const rows = this.dashboard.rows.map((row) => {
      const cards = row.panels.map(
        (panel) => this.drawn.find((each) => each.panel === panel)?.card ?? null,
      );
      return h(
        "section",
        { class: "row", "aria-label": row.title },
        h("h2", {}, row.title),
        h("div", { class: `cards n${Math.min(4, row.panels.length)}` }, ...cards),
      );
    });
    main.append(
      h(
        "div",
        { class: "heading" },
        h(
          "div",
          {},
          h("h1", {}, this.dashboard.title),
          h("p", { class: "quiet" }, this.dashboard.description),
        ),
        this.toolbar(),
      ),
      ...rows,
    );
    const refresh = poll(
      () => this.refresh(),
      () => this.dashboard.refreshS * 1_000,
    );
    const choose = (): void => {
      this.choice = {
        spanS: Number(this.range.value),
        namespaces: this.namespace.value === "" ? [] : this.namespace.value.split(" "),
      };
      const address = writeChoice(this.choice, this.dashboard.spanS);
      history.replaceState(null, "", `${location.pathname}${address}`);
      refresh();
    };
    this.range.addEventListener("change", choose);
    this.namespace.addEventListener("change", choose);
    onStatus((status) => this.offer(status.namespaces));
  }

  restyle(): void {
    for (const each of this.drawn) each.chart?.restyle();
  }

  private toolbar(): HTMLElement {
    fill(
      this.range,
      ...spansWith(this.choice.spanS).map((each) =>
        h("option", { value: each, selected: each === this.choice.spanS }, `Last ${span(each)}`),
      ),
    );
    return h(
      "div",
      { class: "toolbar" },
      this.dashboard.hasNamespaces &&
        h("label", { for: "namespace" }, h("span", {}, "Namespace"), this.namespace),
      h("label", { for: "range" }, h("span", {}, "Time range"), this.range),
      this.updated,
    );
  }

  /** Offer the namespaces that are there, and what was chosen even if it is not. */
  private offer(namespaces: readonly string[]): void {
    const chosen = this.choice.namespaces.join(" ");
    const values = [...new Set(["", ...namespaces, chosen])];
    const texts = [...this.namespace.options].map((option) => option.value);
    if (texts.join() === values.join()) return;
    fill(
      this.namespace,
      ...values.map((value) =>
        h(
          "option",
          { value, selected: value === chosen },
          value === "" ? "All" : value.replaceAll(" ", ", "),
        ),
      ),
    );
  }

  private async refresh(): Promise<void> {
    const query = new URLSearchParams({ span: String(this.choice.spanS) });
    for (const name of this.choice.namespaces) query.append("namespace", name);
    try {
      this.draw(await get<Data>(`/api/dashboards/${this.dashboard.uid}/data?${query}`));
    } catch (error) {
      this.tell(error instanceof Error ? error.message : "The console is away");
    }
  }

  private draw(data: Data): void {
    if (data.problem !== null) {
      this.tell(data.problem);
      return;
    }
    this.shownAtMs = data.atMs;
    tellProblem(null);
    fill(this.updated, "Updated ", time(data.atMs, clock(data.atMs)));
    this.drawn.forEach((each, index) => {
      const values = data.panels[index];
      if (values !== undefined) drawOne(each, data, values);
    });
  }

  private tell(problem: string): void {
    tellProblem(problem, this.shownAtMs);
    for (const each of this.drawn) each.card.classList.add("old");
  }
}

export function showDashboard(dashboards: readonly Dashboard[], uid: string): () => void {
  const dashboard = dashboards.find((each) => each.uid === uid);
  if (dashboard === undefined) return () => {};
  const page = new DashboardPage(dashboard);
  page.show(byId("main"));
  return () => page.restyle();
}
