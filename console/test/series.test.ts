import { expect, test } from "vitest";
import { colorsOf } from "../src/colors";
import { momentsWithData, namesOf, stackOf, summarize } from "../src/series";
import type { Series } from "../src/types";

function series(legend: string, namespace: string): Series {
  return { legend, labels: { namespace }, values: [] };
}

test("a series that has ended has no value now, but had a largest", () => {
  expect(summarize([1, 5, null])).toEqual({ last: null, most: 5 });
  expect(summarize([null, null])).toEqual({ last: null, most: null });
  expect(summarize([3, -2])).toEqual({ last: -2, most: 3 });
});

test("a pile is empty only where no layer has a value", () => {
  const layer = (...values: (number | null)[]) => ({ ...series("a", "n"), values });
  expect(momentsWithData([layer(null, 1, null), layer(null, null, 0)])).toEqual([
    false,
    true,
    true,
  ]);
  expect(momentsWithData([])).toEqual([]);
});

test("environments stack apart from each other", () => {
  expect(stackOf("success backend-devnet", ["devnet", "testnet"])).toBe("devnet");
  expect(stackOf("success", [])).toBe("all");
});

test("a namespace that all series share is left out of their names", () => {
  const one = [series("pending backend-devnet", "backend-devnet")];
  expect(namesOf(one).get("pending backend-devnet")).toBe("pending");
  const two = [...one, series("pending backend-mainnet", "backend-mainnet")];
  expect(namesOf(two).get("pending backend-devnet")).toBe("pending backend-devnet");
  const bare = [series("backend-devnet", "backend-devnet")];
  expect(namesOf(bare).get("backend-devnet")).toBe("backend-devnet");
});

test("what failed looks like a failure, and nothing else does", () => {
  const colors = colorsOf(["success A", "failed A", "rejected A", "failed B", "success B"]);
  expect(colors.get("failed A")).not.toBe(colors.get("failed B"));
  expect(colors.get("failed A")).toBe("#d92d3a");
  expect(new Set(colors.values()).size).toBe(5);
});

test("a series keeps its colour when the order changes", () => {
  const one = colorsOf(["alpha", "beta"]);
  const other = colorsOf(["beta", "alpha"]);
  expect(one.get("alpha")).toBe(other.get("alpha"));
});
