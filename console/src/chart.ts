// Lines and stacked areas over time, with their legend as a table of the newest and largest values.

import { LineChart, type LineSeriesOption } from "echarts/charts";
import { GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { type EChartsType, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { colorsOf } from "./colors";
import { fill, h, table } from "./dom";
import { moment, quantity, tick } from "./format";
import { momentsWithData, namesOf, stackOf, summarize } from "./series";
import type { Data, Panel, PanelData, Series } from "./types";

use([LineChart, GridComponent, MarkLineComponent, TooltipComponent, SVGRenderer]);

const TOOLTIP_ROWS_MAX = 12;

interface Hover {
  axisValue: number;
  seriesName: string;
  value: [number, number | null];
}

function ink(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export class Chart {
  readonly element = h("div", { class: "chart" });
  private readonly picture = h("div", { class: "picture", role: "img" });
  private readonly legend = h("div", { class: "legend", role: "region", tabindex: 0 });
  private readonly nothing = h("p", { class: "nothing" }, "idle");
  private readonly hidden = new Set<string>();
  private chart: EChartsType | null = null;
  private shown: { data: Data; panel: PanelData } | null = null;

  constructor(private readonly panel: Panel) {
    this.legend.setAttribute("aria-label", `Values of ${panel.title}`);
    this.element.append(this.picture, this.nothing, this.legend);
    new ResizeObserver(() => this.chart?.resize()).observe(this.picture);
  }

  /** Draw again with the colours of a theme that has changed. */
  restyle(): void {
    if (this.shown !== null) this.draw(this.shown.data, this.shown.panel);
  }

  show(data: Data, panel: PanelData): void {
    this.shown = { data, panel };
    this.draw(data, panel);
  }

  private draw(data: Data, panel: PanelData): void {
    const isEmpty = panel.series.every((each) => each.values.every((value) => value === null));
    this.element.classList.toggle("empty", isEmpty);
    this.picture.setAttribute("aria-label", this.describe(panel, isEmpty));
    const colors = colorsOf(panel.series.map((each) => each.legend));
    this.chart ??= init(this.picture, null, { renderer: "svg" });
    this.chart.setOption(this.option(data, panel, colors), { notMerge: true });
    this.list(panel.series, colors);
  }

  private describe(panel: PanelData, isEmpty: boolean): string {
    if (isEmpty) return `${this.panel.title}: idle`;
    return `${this.panel.title}: ${panel.series.length} series over time; the table below has their values`;
  }

  private option(data: Data, panel: PanelData, colors: Map<string, string>) {
    const visible = panel.series.filter((each) => !this.hidden.has(each.legend));
    const hasData = momentsWithData(panel.series);
    return {
      animation: false,
      grid: { left: 8, right: 12, top: 12, bottom: 4, containLabel: true },
      tooltip: this.tooltip(colors),
      xAxis: {
        type: "time" as const,
        min: data.startS * 1_000,
        max: (data.startS + (data.count - 1) * data.stepS) * 1_000,
        axisLine: { lineStyle: { color: ink("--line") } },
        axisTick: { show: false },
        axisLabel: {
          color: ink("--quiet"),
          hideOverlap: true,
          fontSize: 11,
          formatter: (ms: number) => tick(ms, data.count * data.stepS),
        },
        splitLine: { show: false },
        splitNumber: 5,
      },
      yAxis: {
        type: "value" as const,
        min: this.panel.least ?? undefined,
        max: this.panel.most ?? undefined,
        splitNumber: 4,
        ...this.ticks(),
        axisLabel: {
          color: ink("--quiet"),
          fontSize: 11,
          formatter: (value: number) => quantity(value, this.panel.measure),
        },
        splitLine: { lineStyle: { color: ink("--line") } },
      },
      series: visible.map((each, index) => this.line(each, data, colors, hasData, index === 0)),
    };
  }

  /** A scale with two fixed ends is cut into quarters. */
  private ticks(): { interval?: number } {
    const { least, most } = this.panel;
    return least !== null && most !== null ? { interval: (most - least) / 4 } : {};
  }

  private line(
    series: Series,
    data: Data,
    colors: Map<string, string>,
    hasData: readonly boolean[],
    isFirst: boolean,
  ): LineSeriesOption {
    const isStacked = this.panel.drawing === "stacked";
    const color = colors.get(series.legend) ?? "";
    return {
      type: "line",
      name: series.legend,
      data: series.values.map((value, index) => [
        (data.startS + index * data.stepS) * 1_000,
        isStacked && hasData[index] ? (value ?? 0) : value,
      ]),
      symbol: "circle",
      symbolSize: 4,
      showSymbol: isLonely(series.values),
      lineStyle: { width: 1.75, color },
      itemStyle: { color },
      emphasis: { disabled: true },
      ...(isStacked ? { stack: stackOf(series.legend, this.panel.stackGroups) } : {}),
      ...(isStacked ? { areaStyle: { opacity: 0.32, color } } : {}),
      ...(isFirst ? { markLine: this.thresholds() } : {}),
    };
  }

  private thresholds() {
    const lines = this.panel.bands.filter((band) => band.start !== null);
    return {
      symbol: "none",
      silent: true,
      label: { show: false },
      data: lines.map((band) => ({
        yAxis: band.start ?? 0,
        lineStyle: { color: ink(`--${band.color}`), type: "dashed" as const, width: 1.25 },
      })),
    };
  }

  private tooltip(colors: Map<string, string>) {
    return {
      trigger: "axis" as const,
      confine: true,
      className: "tooltip",
      backgroundColor: ink("--raised"),
      borderColor: ink("--line"),
      textStyle: { color: ink("--text"), fontSize: 12 },
      axisPointer: { lineStyle: { color: ink("--quiet") } },
      formatter: (hovered: unknown) => this.hover(hovered as Hover[], colors),
    };
  }

  private hover(hovered: Hover[], colors: Map<string, string>): HTMLElement {
    const at = hovered[0]?.axisValue ?? 0;
    const rows = hovered
      .filter((each) => each.value[1] !== null && each.value[1] !== 0)
      .sort((a, b) => (b.value[1] ?? 0) - (a.value[1] ?? 0));
    const left = rows.length - TOOLTIP_ROWS_MAX;
    return h(
      "div",
      {},
      h("strong", {}, moment(at, Date.now())),
      ...rows
        .slice(0, TOOLTIP_ROWS_MAX)
        .map((each) =>
          h(
            "div",
            { class: "hover" },
            swatch(colors.get(each.seriesName) ?? ""),
            h("span", {}, each.seriesName),
            h("b", {}, quantity(each.value[1], this.panel.measure, this.panel.decimals)),
          ),
        ),
      left > 0 && h("div", { class: "quiet" }, `and ${left} more`),
      rows.length === 0 && h("div", { class: "quiet" }, "idle"),
    );
  }

  /** Write the legend; a button that has the focus keeps it. */
  private list(series: readonly Series[], colors: Map<string, string>): void {
    const focused = document.activeElement?.getAttribute("data-legend");
    const isInside = this.legend.contains(document.activeElement);
    const names = namesOf(series);
    const rows = series.map((each) => {
      const { last, most } = summarize(each.values);
      const isShown = !this.hidden.has(each.legend);
      return [
        h(
          "button",
          {
            type: "button",
            class: "plain series",
            "aria-pressed": String(isShown),
            "data-legend": each.legend,
            title: `${isShown ? "Hide" : "Show"} ${each.legend}`,
            click: () => this.toggle(each.legend),
          },
          swatch(colors.get(each.legend) ?? ""),
          names.get(each.legend) || this.panel.title,
        ),
        h("span", { "data-value": last ?? "" }, this.write(last)),
        this.write(most),
      ];
    });
    const headings = ["Series", { text: "Now", numeric: true }, { text: "Most", numeric: true }];
    const caption = `${this.panel.title}: newest and largest value of each series`;
    fill(this.legend, rows.length > 0 && table(caption, headings, rows));
    if (isInside && focused) {
      this.legend.querySelector<HTMLElement>(`[data-legend=${CSS.escape(focused)}]`)?.focus();
    }
  }

  private write(value: number | null): string {
    return quantity(value, this.panel.measure, this.panel.decimals);
  }

  private toggle(legend: string): void {
    if (!this.hidden.delete(legend)) this.hidden.add(legend);
    this.restyle();
  }
}

/** A single value between gaps would be invisible as a line. */
function isLonely(values: readonly (number | null)[]): boolean {
  return values.filter((value) => value !== null).length < 3;
}

function swatch(color: string): HTMLElement {
  const element = h("i", { class: "swatch", "aria-hidden": "true" });
  element.style.backgroundColor = color;
  return element;
}
