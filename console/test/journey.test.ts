import { expect, test } from "vitest";
import { isFinal, journeyOf } from "../src/journey";
import type { Command } from "../src/types";

function command(changes: Partial<Command>): Command {
  return {
    commandId: "01a1ffc4-cb28-71b0-8d4f-d69b6113b2d2",
    commandType: "MINT_COINS",
    status: "PENDING",
    arguments: {},
    actor: "root",
    subject: "root",
    acceptedAtMs: 1_000,
    attempts: 0,
    ...changes,
  };
}

function states(changes: Partial<Command>): string {
  return journeyOf(command(changes))
    .map((step) => step.state)
    .join(" ");
}

test("each status is one step further", () => {
  expect(states({ status: "PENDING" })).toBe("done now waiting waiting");
  expect(states({ status: "PROCESSING", transactionId: "ab" })).toBe("done done now waiting");
  expect(states({ status: "COMMITTED" })).toBe("done done done now");
  expect(states({ status: "PROJECTED" })).toBe("done done done done");
});

test("a refusal ends the journey on the ledger, with its code", () => {
  const refused = { status: "REJECTED", code: "INSUFFICIENT_FUNDS", transactionId: "ab" };
  expect(states(refused)).toBe("done done failed waiting");
  expect(journeyOf(command(refused))[2]?.detail).toContain("INSUFFICIENT_FUNDS");
});

test("a dead letter never got beyond its batch", () => {
  expect(states({ status: "DEAD", attempts: 5 })).toBe("done failed failed waiting");
});

test("times are told with their distance from the one before that is known", () => {
  const steps = journeyOf(
    command({
      status: "PROJECTED",
      preparedAtMs: 1_012,
      settledAtMs: 1_050,
      projectedAtMs: 1_061,
    }),
  );
  expect(steps.map((step) => step.after)).toEqual([null, "+12 ms", "+38 ms", "+11 ms"]);
  const gap = journeyOf(command({ status: "COMMITTED", settledAtMs: 1_050 }));
  expect(gap.map((step) => step.after)).toEqual([null, null, "+50 ms", null]);
});

test("a batch says how many rode in it", () => {
  const ride = (batchCommands: number): string =>
    journeyOf(command({ status: "COMMITTED", transactionId: "ab".repeat(32), batchCommands }))[1]
      ?.detail ?? "";
  expect(ride(1)).toContain("alone in its batch");
  expect(ride(40)).toContain("with 39 others");
});

test("what is final is not asked for every second", () => {
  expect(["PROJECTED", "REJECTED", "DEAD", "DISCARDED"].every(isFinal)).toBe(true);
  expect(["PENDING", "PROCESSING", "COMMITTED", ""].some(isFinal)).toBe(false);
});
