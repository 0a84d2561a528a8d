// What somebody chose to look at: kept in the address, so that a link shows the same.

export const SPANS_S = [900, 3_600, 10_800, 21_600, 86_400, 604_800, 2_592_000] as const;

export interface Choice {
  spanS: number;
  namespaces: string[];
}

/** Read a choice from an address; what makes no sense there is as if it were not. */
export function readChoice(search: string, spanS: number): Choice {
  const query = new URLSearchParams(search);
  const asked = Number(query.get("span"));
  return {
    spanS: Number.isInteger(asked) && asked >= 60 && asked <= 3_888_000 ? asked : spanS,
    namespaces: query.getAll("namespace").filter((name) => /^[\w.-]{1,63}$/.test(name)),
  };
}

/** Write a choice as an address; what every page has by itself is left out. */
export function writeChoice(choice: Choice, defaultSpanS: number): string {
  const query = new URLSearchParams();
  if (choice.spanS !== defaultSpanS) query.set("span", String(choice.spanS));
  for (const name of choice.namespaces) query.append("namespace", name);
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

/** The spans to choose from: the usual ones and the page's own. */
export function spansWith(spanS: number): number[] {
  return [...new Set([...SPANS_S, spanS])].sort((a, b) => a - b);
}
