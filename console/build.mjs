// Builds the page into the Python package; with --check compares what is committed, byte by byte.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const INTO = new URL("../src/gx/console/static/", import.meta.url);
const BYTES_MAX = 800_000;
const LICENSES = ["echarts/LICENSE", "echarts/NOTICE", "zrender/LICENSE", "tslib/LICENSE.txt"];

async function bundle(entry, name, options = {}) {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    legalComments: "none",
    target: ["chrome109", "firefox115", "safari16"],
    logLevel: "warning",
    ...options,
  });
  return [name, Buffer.from(result.outputFiles[0].contents)];
}

function licences() {
  const texts = LICENSES.map((name) => {
    const text = readFileSync(new URL(`node_modules/${name}`, import.meta.url), "utf8");
    return `==== ${name}\n\n${text.trim()}\n`;
  });
  return Buffer.from(`The file app.js contains these works.\n\n${texts.join("\n")}`);
}

const files = new Map([
  await bundle("src/main.ts", "app.js", { format: "iife" }),
  await bundle("src/app.css", "app.css"),
  ["index.html", readFileSync(new URL("src/index.html", import.meta.url))],
  ["icon.svg", readFileSync(new URL("src/icon.svg", import.meta.url))],
  ["LICENSES.txt", licences()],
]);

const served = [...files].filter(([name]) => name !== "LICENSES.txt").map(([, bytes]) => bytes);
const total = served.reduce((sum, bytes) => sum + bytes.length, 0);
const gzipped = served.reduce((sum, bytes) => sum + gzipSync(bytes, { level: 9 }).length, 0);
console.log(`console: ${total} bytes, ${gzipped} gzipped, of at most ${BYTES_MAX}`);
if (total > BYTES_MAX) {
  console.error(`console: the page has ${total} bytes; it may have ${BYTES_MAX}`);
  process.exit(1);
}

if (process.argv.includes("--check")) {
  const stale = [...files.keys()].filter((name) => {
    const path = new URL(name, INTO);
    return !existsSync(path) || !readFileSync(path).equals(files.get(name));
  });
  if (stale.length > 0) {
    console.error(`console: not what the sources build: ${stale.join(", ")}`);
    console.error("console: run `make console` and commit src/gx/console/static");
    process.exit(1);
  }
} else {
  mkdirSync(INTO, { recursive: true });
  for (const [name, bytes] of files) {
    writeFileSync(new URL(name, INTO), bytes);
  }
}
