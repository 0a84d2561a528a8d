// What a legend says of a series, and with whom it stacks.

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
