import { expect, test } from "vitest";
import { readChoice, spansWith, writeChoice } from "../src/choices";
import { claimsOf, clean } from "../src/session";

function tokenOf(claims: object): string {
  const bytes = new TextEncoder().encode(JSON.stringify(claims));
  const base64 = btoa(String.fromCharCode(...bytes));
  return `e30.${base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}.signature`;
}

test("a pasted token loses its scheme and the terminal's line breaks", () => {
  expect(clean(" Bearer abc.\n def.ghi ")).toBe("abc.def.ghi");
});

test("a token says whose it is", () => {
  const claims = claimsOf(tokenOf({ sub: "jörg", role: "admin", exp: 1_795_300_675 }));
  expect(claims).toEqual({ subject: "jörg", role: "admin", expiresAtMs: 1_795_300_675_000 });
  expect(claimsOf(tokenOf({}))).toEqual({ subject: "unknown", role: "unknown", expiresAtMs: null });
});

test("what is no token says nothing", () => {
  expect(claimsOf("abc")).toBeNull();
  expect(claimsOf("a.!!!.c")).toBeNull();
});

test("a choice survives being an address", () => {
  const choice = { spanS: 21_600, namespaces: ["backend-devnet", "backend-mainnet"] };
  const address = writeChoice(choice, 3_600);
  expect(address).toBe("?span=21600&namespace=backend-devnet&namespace=backend-mainnet");
  expect(readChoice(address, 3_600)).toEqual(choice);
  expect(writeChoice({ spanS: 3_600, namespaces: [] }, 3_600)).toBe("");
});

test("nonsense in an address is as if it were not there", () => {
  const choice = readChoice('?span=-1&namespace=a"}&namespace=ok', 3_600);
  expect(choice).toEqual({ spanS: 3_600, namespaces: ["ok"] });
  expect(readChoice("?span=1e99", 900).spanS).toBe(900);
});

test("a page's own span is among those to choose from", () => {
  expect(spansWith(5_400)).toContain(5_400);
  expect(spansWith(900).filter((each) => each === 900)).toHaveLength(1);
});
