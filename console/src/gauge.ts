// A gauge: the scale with the bands of the objective outside, the value as an arc inside.

import { judge, marks, segments, share } from "./bands";
import { s } from "./dom";
import { NO_VALUE, parts, quantity } from "./format";
import type { Panel } from "./types";

const START_DEGREES = -210;
const SWEEP_DEGREES = 240;
const GAP_DEGREES = 0.8;

/** A point on a circle around the middle of the picture; 0 degrees is to the right. */
export function point(radius: number, degrees: number): [number, number] {
  const angle = (degrees * Math.PI) / 180;
  return [100 + radius * Math.cos(angle), 96 + radius * Math.sin(angle)];
}

/** The path of an arc between two shares of the scale. */
export function arc(radius: number, from: number, to: number): string {
  const start = START_DEGREES + from * SWEEP_DEGREES;
  const end = START_DEGREES + to * SWEEP_DEGREES;
  const [x1, y1] = point(radius, start);
  const [x2, y2] = point(radius, end);
  const isLarge = end - start > 180 ? 1 : 0;
  return `M${x1.toFixed(2)} ${y1.toFixed(2)}A${radius} ${radius} 0 ${isLarge} 1 ${x2.toFixed(2)} ${y2.toFixed(2)}`;
}

function scale(panel: Panel, least: number, most: number): SVGElement[] {
  const gap = GAP_DEGREES / SWEEP_DEGREES / 2;
  const bands = segments(panel.bands, least, most).map((band) =>
    s("path", {
      d: arc(88, Math.max(0, band.from + gap), Math.min(1, band.to - gap)),
      class: `band ${band.color}`,
    }),
  );
  const labels = marks(panel.bands, least, most).map((mark) => label(mark, panel, least, most));
  return [...bands, ...labels];
}

function label(mark: number, panel: Panel, least: number, most: number): SVGElement {
  const [x, y] = point(100, START_DEGREES + share(mark, least, most) * SWEEP_DEGREES);
  const anchor = x < 90 ? "end" : x > 110 ? "start" : "middle";
  const [number, unit] = parts(quantity(mark, panel.measure));
  const text = panel.measure === "percent" ? number : `${number}${unit}`;
  return s("text", { x, y: y + 3, "text-anchor": anchor, class: "mark" }, text);
}

/** Draw one value; the picture's name says everything that can be seen in it. */
export function gauge(panel: Panel, name: string, value: number | null): SVGElement {
  const least = panel.least ?? 0;
  const most = panel.most ?? 100;
  const color = judge(value, panel);
  const text = quantity(value, panel.measure, panel.decimals);
  const [number, unit] = parts(text);
  const inner =
    value === null
      ? null
      : s("path", {
          d: arc(74, 0, Math.max(0.004, share(value, least, most))),
          class: `value ${color ?? ""}`,
        });
  return s(
    "svg",
    {
      viewBox: "-32 -14 264 176",
      class: `gauge ${value === null ? "idle" : ""}`,
      role: "img",
      "aria-label": `${panel.title}, ${name}: ${text}${color ? `, ${color}` : ""}`,
      "data-value": value ?? "",
    },
    s("path", { d: arc(74, 0, 1), class: "track" }),
    inner,
    ...scale(panel, least, most),
    s(
      "text",
      { x: 100, y: 104, "text-anchor": "middle", class: "number" },
      number === NO_VALUE ? NO_VALUE : number,
      unit ? s("tspan", { class: "unit", dx: 4 }, unit) : null,
    ),
    s("text", { x: 100, y: 150, "text-anchor": "middle", class: "name" }, name),
  );
}
