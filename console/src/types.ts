// The documents of the console's own server; `gx.console.wire` declares them.

export type Color = "green" | "yellow" | "orange" | "red";
export type Drawing = "gauge" | "stat" | "lines" | "stacked";

export interface Band {
  start: number | null;
  color: Color;
}

export interface State {
  value: number;
  word: string;
  color: Color;
}

export interface Query {
  expr: string;
  legend: string;
  needsTraffic: boolean;
}

export interface Panel {
  title: string;
  description: string;
  drawing: Drawing;
  measure: string;
  queries: Query[];
  runbooks: string[];
  bands: Band[];
  states: State[];
  least: number | null;
  most: number | null;
  decimals: number | null;
  stackGroups: string[];
  opens: string | null;
}

export interface Dashboard {
  uid: string;
  title: string;
  description: string;
  tags: string[];
  rows: { title: string; panels: Panel[] }[];
  hasNamespaces: boolean;
  refreshS: number;
  spanS: number;
}

export interface Series {
  legend: string;
  labels: Record<string, string>;
  values: (number | null)[];
}

export interface PanelData {
  series: Series[];
  problem: string | null;
}

export interface Data {
  problem: string | null;
  atMs: number;
  startS: number;
  stepS: number;
  count: number;
  panels: PanelData[];
}

export interface Alert {
  name: string;
  state: "firing" | "pending";
  severity: string;
  component: string;
  labels: Record<string, string>;
  summary: string;
  description: string;
  activeAt: string;
  value: string;
  runbook: string | null;
  dashboard: string | null;
  muted: string | null;
}

export interface Rule {
  name: string;
  group: string;
  severity: string;
  state: string;
  health: string;
  lastError: string;
  expr: string;
  forS: number;
  summary: string;
  runbook: string | null;
  dashboard: string | null;
}

export interface Alerts {
  problem: string | null;
  alertmanagerProblem: string | null;
  watchdog: boolean;
  alerts: Alert[];
  rules: Rule[];
}

export interface Target {
  job: string;
  instance: string;
  namespace: string;
  service: string;
  health: string;
  lastError: string;
  lastScrape: string;
  durationS: number;
  url: string;
}

export interface Targets {
  problem: string | null;
  targets: Target[];
  missing: { job: string; namespace: string; service: string }[];
}

export interface Status {
  atMs: number;
  environment: string;
  sources: { name: string; url: string; problem: string | null }[];
  namespaces: string[];
  critical: number | null;
  warning: number | null;
  pending: number | null;
  targetsUp: number | null;
  targetsDown: number | null;
}

// The documents of the API, handed through.

export interface Command {
  commandId: string;
  commandType: string;
  status: string;
  arguments: Record<string, string>;
  actor: string;
  subject: string;
  acceptedAtMs: number;
  attempts: number;
  preparedAtMs?: number;
  batchCommands?: number;
  settledAtMs?: number;
  projectedAtMs?: number;
  code?: string;
  detail?: string;
  transactionId?: string;
  blockNumber?: number;
}

export interface DeadLetter {
  commandId: string;
  commandType: string;
  arguments: Record<string, string>;
  actor: string;
  reason: string;
  buriedAtMs: number;
  state: string;
  history: { atMs?: number; attempts?: number; reason?: string }[];
}

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}
