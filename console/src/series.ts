// What a legend says of a series, and with whom it stacks.

import type { Series } from "./types";

export interface Summary {
  last: number | null;
  most: number | null;
}

/** Take the value of now, and the largest of all; a series that has ended has no value now. */
export function summarize(values: readonly (number | null)[]): Summary {
  const known = values.filter((value): value is number => value !== null);
  return {
    last: values.at(-1) ?? null,
    most: known.length === 0 ? null : Math.max(...known),
  };
}

/** Name the pile that a series lies on: that of its group, else the common one. */
export function stackOf(legend: string, groups: readonly string[]): string {
  return groups.find((group) => legend.includes(group)) ?? "all";
}

/** Name each series; a namespace that all of them share is left out, since it tells nothing. */
export function namesOf(series: readonly Series[]): Map<string, string> {
  const namespaces = new Set(series.map((each) => each.labels.namespace ?? ""));
  const [only = ""] = namespaces;
  const isShared = namespaces.size === 1 && only !== "";
  return new Map(
    series.map(({ legend }) => {
      const words = legend.split(" ").filter((word) => !isShared || word !== only);
      return [legend, words.length > 0 ? words.join(" ") : legend];
    }),
  );
}

/**
 * Tell the moments at which at least one series has a value. A pile needs a height of each of its
 * layers then; at other moments there is nothing, which a line at 0 would hide.
 */
export function momentsWithData(series: readonly Series[]): boolean[] {
  const count = Math.max(0, ...series.map(({ values }) => values.length));
  return Array.from({ length: count }, (_, at) =>
    series.some(({ values }) => (values[at] ?? null) !== null),
  );
}
