// A command's journey as steps with times: accepted, batched, on the ledger, visible.

import { apart } from "./format";
import type { Command } from "./types";

export type StepState = "done" | "now" | "waiting" | "failed";

export interface Step {
  title: string;
  state: StepState;
  atMs: number | null;
  after: string | null;
  detail: string;
}

const FAILED = new Set(["REJECTED", "DEAD", "DISCARDED"]);
const FINAL = new Set(["PROJECTED", ...FAILED]);

export function isFinal(status: string): boolean {
  return FINAL.has(status);
}

function batchDetail(command: Command): string {
  if (command.transactionId === undefined) return "it waits in the outbox for the next batch";
  const size = command.batchCommands;
  const mates =
    size === undefined
      ? ""
      : size === 1
        ? "alone in its batch; "
        : `with ${size - 1} others in its batch; `;
  return `${mates}ledger transaction ${command.transactionId.slice(0, 12)}…`;
}

function ledgerDetail(command: Command): string {
  switch (command.status) {
    case "REJECTED":
      return `the ledger refused it: ${command.code ?? "no code"}. ${command.detail ?? ""}`.trim();
    case "DEAD":
      return `given up after ${command.attempts} attempts: ${command.detail ?? ""}`.trim();
    case "DISCARDED":
      return `an operator discarded it: ${command.detail ?? ""}`.trim();
    default:
      return command.blockNumber === undefined ? "no block yet" : `block ${command.blockNumber}`;
  }
}

function states(status: string): [StepState, StepState, StepState] {
  if (FAILED.has(status)) return ["done", "failed", "waiting"];
  switch (status) {
    case "PENDING":
      return ["now", "waiting", "waiting"];
    case "PROCESSING":
      return ["done", "now", "waiting"];
    case "COMMITTED":
      return ["done", "done", "now"];
    default:
      return ["done", "done", "done"];
  }
}

/** Tell a command's journey; a step's time is None where nobody wrote it down. */
export function journeyOf(command: Command): Step[] {
  const [batch, ledger, visible] = states(command.status);
  const steps: Omit<Step, "after">[] = [
    {
      title: "Accepted",
      state: "done",
      atMs: command.acceptedAtMs,
      detail: `${command.commandType} of ${command.actor}`,
    },
    {
      title: "Batched and submitted",
      state: FAILED.has(command.status) && command.transactionId === undefined ? "failed" : batch,
      atMs: command.preparedAtMs ?? null,
      detail: batchDetail(command),
    },
    {
      title: command.status === "REJECTED" ? "Refused by the ledger" : "In a block of the ledger",
      state: ledger,
      atMs: command.settledAtMs ?? null,
      detail: ledgerDetail(command),
    },
    {
      title: "Visible in queries",
      state: visible,
      atMs: command.projectedAtMs ?? null,
      detail:
        visible === "done" ? "the read models have it" : visible === "now" ? "being projected" : "",
    },
  ];
  let before: number | null = null;
  return steps.map((step) => {
    const after = before !== null && step.atMs !== null ? apart(before, step.atMs) : null;
    before = step.atMs ?? before;
    return { ...step, after };
  });
}
