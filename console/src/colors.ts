// Which colour a series has: by what it means where its name says so, else by its place.

const MEANINGS: [RegExp, readonly string[]][] = [
  [/\b(failed|error|errors|DLQ|critical|down)\b/i, ["#d92d3a", "#b42364", "#e2574c", "#a61b3f"]],
  [/\b(rejected|warning)\b/i, ["#d98300", "#b8860b", "#e0a030", "#c56a10"]],
  [/\b(retry|processing)\b/i, ["#7c5cdb", "#9b6ee0", "#6a4fc4"]],
];
// None of these looks like a warning: red, orange and yellow are kept for what is one.
const PALETTE = [
  "#2f6fed",
  "#0f9d76",
  "#8a4fd0",
  "#0e9bb5",
  "#6b8e23",
  "#c43d8e",
  "#4f5bd5",
  "#3aa0d8",
  "#9a6bd8",
  "#2e8b57",
] as const;

/** Colour the series of one panel: the same names get the same colours at every refresh. */
export function colorsOf(legends: readonly string[]): Map<string, string> {
  const colors = new Map<string, string>();
  const used = new Map<readonly string[], number>();
  for (const legend of [...new Set(legends)].sort()) {
    const family = MEANINGS.find(([pattern]) => pattern.test(legend))?.[1] ?? PALETTE;
    const index = used.get(family) ?? 0;
    used.set(family, index + 1);
    colors.set(legend, family[index % family.length] ?? PALETTE[0]);
  }
  return colors;
}
