// Numbers, times and durations as people read them.

const LOCALE = "en-GB";
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

export const NO_VALUE = "idle";

function fixed(value: number, decimals: number): string {
  return new Intl.NumberFormat(LOCALE, {
    minimumFractionDigits: 0,
    maximumFractionDigits: decimals,
  }).format(value);
}

/** Write a number with about three digits that mean something. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${fixed(value / 1e9, 2)} G`;
  if (size >= 1e6) return `${fixed(value / 1e6, 2)} M`;
  if (size >= 1e5) return `${fixed(value / 1e3, 1)} k`;
  if (size >= 100 || value === 0) return fixed(value, size >= 1e3 ? 0 : 1);
  if (size >= 1) return fixed(value, 2);
  return new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 2 }).format(value);
}

/** Write a duration in the largest unit that keeps it above 1. */
export function milliseconds(value: number): string {
  const size = Math.abs(value);
  if (size >= DAY_MS) return `${fixed(value / DAY_MS, 1)} d`;
  if (size >= HOUR_MS) return `${fixed(value / HOUR_MS, 1)} h`;
  if (size >= MINUTE_MS) return `${fixed(value / MINUTE_MS, 1)} min`;
  if (size >= SECOND_MS) return `${fixed(value / SECOND_MS, 2)} s`;
  if (size >= 100 || value === 0) return `${fixed(value, 0)} ms`;
  return `${short(value)} ms`;
}

function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 1_024 && unit < units.length - 1) {
    size /= 1_024;
    unit += 1;
  }
  return `${fixed(size, size < 10 && unit > 0 ? 2 : 1)} ${units[unit]}`;
}

/** Write a value of a panel with its unit; what has no value reads "idle". */
export function quantity(
  value: number | null | undefined,
  measure: string,
  decimals: number | null = null,
): string {
  if (value === null || value === undefined) return NO_VALUE;
  switch (measure) {
    case "percent":
      return `${fixed(value, decimals ?? 2)} %`;
    case "milliseconds":
      return milliseconds(value);
    case "seconds":
      return milliseconds(value * SECOND_MS);
    case "per second":
      return `${short(value)}/s`;
    case "bytes":
      return bytes(value);
    case "bytes per second":
      return `${bytes(value)}/s`;
    default:
      return decimals === null ? short(value) : fixed(value, decimals);
  }
}

/** Split a written quantity into its number and its unit, so that the unit can stand small. */
export function parts(text: string): [string, string] {
  const match = /^(\S+?)\s?(%|\/s|[A-Za-z/]+)?$/.exec(text);
  if (match === null || text === NO_VALUE) return [text, ""];
  return [match[1] ?? text, match[2] ?? ""];
}

export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString(LOCALE);
}

/** Write a moment: the time alone if it is of the day of `nowMs`, else with its date. */
export function moment(ms: number, nowMs: number): string {
  const at = new Date(ms);
  const isToday = at.toDateString() === new Date(nowMs).toDateString();
  const time = at.toLocaleTimeString(LOCALE);
  return isToday
    ? time
    : `${at.toLocaleDateString(LOCALE, { day: "numeric", month: "short" })} ${time}`;
}

/** Write a moment below a chart: the day alone where days are what one sees. */
export function tick(ms: number, spanS: number): string {
  const at = new Date(ms);
  if (spanS > 2 * 86_400) return at.toLocaleDateString(LOCALE, { day: "numeric", month: "short" });
  return at.toLocaleTimeString(LOCALE, { hour: "2-digit", minute: "2-digit" });
}

/** Write how long ago something was; clocks that differ do not make it the future. */
export function ago(ms: number, nowMs: number): string {
  const age = Math.max(0, nowMs - ms);
  if (age < 2 * SECOND_MS) return "just now";
  if (age < 2 * MINUTE_MS) return `${Math.floor(age / SECOND_MS)} s ago`;
  if (age < 2 * HOUR_MS) return `${Math.floor(age / MINUTE_MS)} min ago`;
  if (age < 2 * DAY_MS) return `${Math.floor(age / HOUR_MS)} h ago`;
  return `${Math.floor(age / DAY_MS)} d ago`;
}

/** Write the distance between two moments of one journey. */
export function apart(fromMs: number, toMs: number): string {
  return `+${milliseconds(Math.max(0, toMs - fromMs))}`;
}

/** Write a span of time as a choice: 15 minutes, 6 hours, 30 days. */
export function span(seconds: number): string {
  const units: [number, string][] = [
    [86_400, "day"],
    [3_600, "hour"],
    [60, "minute"],
  ];
  for (const [size, name] of units) {
    if (seconds >= size && seconds % size === 0) {
      const count = seconds / size;
      return `${count} ${name}${count === 1 ? "" : "s"}`;
    }
  }
  return `${seconds} seconds`;
}
