import { describe, expect, test } from "vitest";
import { colorOf, judge, marks, segments, share } from "../src/bands";
import { arc, point } from "../src/gauge";
import type { Band } from "../src/types";

const SUCCESS: Band[] = [
  { start: null, color: "red" },
  { start: 95, color: "orange" },
  { start: 99, color: "yellow" },
  { start: 99.9, color: "green" },
];
const LAG: Band[] = [
  { start: null, color: "green" },
  { start: 3_000, color: "yellow" },
  { start: 5_000, color: "orange" },
  { start: 10_000, color: "red" },
];

describe("a value's colour", () => {
  test.each([
    [100, "green"],
    [99.9, "green"],
    [99.89, "yellow"],
    [99, "yellow"],
    [98.99, "orange"],
    [95, "orange"],
    [94.99, "red"],
    [0, "red"],
  ])("a success rate of %d %% is %s", (value, color) => {
    expect(colorOf(value, SUCCESS)).toBe(color);
  });

  test("is none without bands and without a value", () => {
    expect(colorOf(5, [])).toBeNull();
    expect(judge(null, { bands: LAG, states: [] })).toBeNull();
  });

  test("is that of an exact state, if there is one", () => {
    const states = [{ value: 1, word: "OPEN", color: "red" as const }];
    expect(judge(1, { bands: LAG, states })).toBe("red");
    expect(judge(2, { bands: LAG, states })).toBe("green");
  });
});

describe("a gauge's scale", () => {
  test("is covered by its bands without a gap", () => {
    const cut = segments(LAG, 0, 15_000);
    expect(cut.map((each) => each.color)).toEqual(["green", "yellow", "orange", "red"]);
    expect(cut[0]?.from).toBe(0);
    expect(cut.at(-1)?.to).toBe(1);
    expect(cut.slice(1).map((each) => each.from)).toEqual(cut.slice(0, -1).map((each) => each.to));
  });

  test("leaves out a band beyond its ends", () => {
    expect(segments(SUCCESS, 96, 100).map((each) => each.color)).toEqual([
      "orange",
      "yellow",
      "green",
    ]);
  });

  test("writes the objective first where marks are too close", () => {
    expect(marks(SUCCESS, 90, 100)).toEqual([95, 99.9]);
    expect(marks(LAG, 0, 15_000)).toEqual([3_000, 5_000, 10_000]);
    expect(marks([], 0, 100)).toEqual([]);
  });

  test("holds a value beyond its ends at the end", () => {
    expect(share(20_000, 0, 15_000)).toBe(1);
    expect(share(-1, 0, 15_000)).toBe(0);
    expect(share(5, 5, 5)).toBe(0);
  });
});

describe("an arc", () => {
  test("begins at the lower left and ends at the lower right", () => {
    const [left] = point(80, -210);
    const [right] = point(80, 30);
    expect(left).toBeLessThan(100);
    expect(right).toBeCloseTo(200 - left, 6);
    expect(arc(80, 0, 1)).toContain("A80 80 0 1 1");
    expect(arc(80, 0, 0.5)).toContain("A80 80 0 0 1");
  });
});
