import { describe, expect, test } from "vitest";
import { ago, apart, milliseconds, parts, quantity, short, span, tick } from "../src/format";

describe("a quantity", () => {
  test("has its unit", () => {
    expect(quantity(99.954, "percent", 3)).toBe("99.954 %");
    expect(quantity(12.345, "per second")).toBe("12.35/s");
    expect(quantity(1_536, "bytes")).toBe("1.5 KiB");
    expect(quantity(3 * 1_024 ** 3, "bytes per second")).toBe("3 GiB/s");
    expect(quantity(0.25, "seconds")).toBe("250 ms");
    expect(quantity(7, "a measure of tomorrow")).toBe("7");
  });

  test("without a value is idle, and zero is a value", () => {
    expect(quantity(null, "percent")).toBe("idle");
    expect(quantity(undefined, "count")).toBe("idle");
    expect(quantity(0, "count")).toBe("0");
    expect(quantity(0, "milliseconds")).toBe("0 ms");
  });

  test("falls into number and unit", () => {
    expect(parts("99.9 %")).toEqual(["99.9", "%"]);
    expect(parts("245 ms")).toEqual(["245", "ms"]);
    expect(parts("12.3/s")).toEqual(["12.3", "/s"]);
    expect(parts("idle")).toEqual(["idle", ""]);
    expect(parts("42")).toEqual(["42", ""]);
  });
});

test.each([
  [0.00312, "0.0031"],
  [1.004, "1"],
  [45.678, "45.68"],
  [678.9, "678.9"],
  [12_345, "12,345"],
  [123_456, "123.5 k"],
  [-2_500_000, "-2.5 M"],
])("%d is written short as %s", (value, text) => {
  expect(short(value)).toBe(text);
});

test.each([
  [0.42, "0.42 ms"],
  [44.107, "44.11 ms"],
  [245.4, "245 ms"],
  [999, "999 ms"],
  [1_000, "1 s"],
  [59_990, "59.99 s"],
  [90_000, "1.5 min"],
  [5_400_000, "1.5 h"],
  [172_800_000, "2 d"],
])("%d ms is written as %s", (value, text) => {
  expect(milliseconds(value)).toBe(text);
});

test("ages grow coarser, and the future is now", () => {
  const now = 1_000_000_000;
  expect(ago(now + 5_000, now)).toBe("just now");
  expect(ago(now - 30_000, now)).toBe("30 s ago");
  expect(ago(now - 600_000, now)).toBe("10 min ago");
  expect(ago(now - 3 * 86_400_000, now)).toBe("3 d ago");
});

test("the distance of two moments is never negative", () => {
  expect(apart(100, 138)).toBe("+38 ms");
  expect(apart(138, 100)).toBe("+0 ms");
});

test.each([
  [900, "15 minutes"],
  [3_600, "1 hour"],
  [86_400, "1 day"],
  [2_592_000, "30 days"],
  [5_400, "90 minutes"],
  [61, "61 seconds"],
])("%d seconds are offered as %s", (seconds, text) => {
  expect(span(seconds)).toBe(text);
});

test("a chart of weeks has days below it, one of hours has times", () => {
  const noon = new Date(2026, 10, 21, 12, 30).getTime();
  expect(tick(noon, 3_600)).toBe("12:30");
  expect(tick(noon, 30 * 86_400)).toBe("21 Nov");
});
