// Judging a value by a panel's bands and states: what colour, and where on a gauge.

import type { Band, Color, Panel, State } from "./types";

export interface Segment {
  from: number;
  to: number;
  color: Color;
}

/** Return the band that a value is in: from its start on, up to the next one's. */
export function colorOf(value: number, bands: readonly Band[]): Color | null {
  let found: Color | null = null;
  for (const band of bands) {
    if (band.start === null || value >= band.start) found = band.color;
  }
  return found;
}

export function stateOf(value: number, states: readonly State[]): State | null {
  return states.find((state) => state.value === value) ?? null;
}

/** Judge a value: an exact state counts before a band. */
export function judge(value: number | null, panel: Pick<Panel, "bands" | "states">): Color | null {
  if (value === null) return null;
  return stateOf(value, panel.states)?.color ?? colorOf(value, panel.bands);
}

/** Where a value stands between least and most, from 0 to 1; beyond them it is held at the end. */
export function share(value: number, least: number, most: number): number {
  if (most <= least) return 0;
  return Math.min(1, Math.max(0, (value - least) / (most - least)));
}

/** Cut a gauge's scale into its bands, as shares of the scale; what lies outside is left out. */
export function segments(bands: readonly Band[], least: number, most: number): Segment[] {
  const cut: Segment[] = [];
  bands.forEach((band, index) => {
    const next = bands[index + 1];
    const from = band.start === null ? 0 : share(band.start, least, most);
    const to = next === undefined || next.start === null ? 1 : share(next.start, least, most);
    if (to > from) cut.push({ from, to, color: band.color });
  });
  return cut;
}

/** How close, as a share of the scale, two written marks may stand. */
const APART = 0.1;

/**
 * The values at which a scale changes its colour, as many as can be written side by side; the
 * edges of the green band, where the objective is, come first.
 */
export function marks(bands: readonly Band[], least: number, most: number): number[] {
  const edges = bands.flatMap((band, index) => {
    if (band.start === null || band.start <= least || band.start >= most) return [];
    const isGreen = band.color === "green" || bands[index - 1]?.color === "green";
    return [{ at: band.start, isGreen }];
  });
  const kept: number[] = [];
  for (const edge of [...edges.filter((each) => each.isGreen), ...edges]) {
    const isFree = kept.every((at) => Math.abs(at - edge.at) / (most - least) >= APART);
    if (isFree) kept.push(edge.at);
  }
  return kept.sort((a, b) => a - b);
}
