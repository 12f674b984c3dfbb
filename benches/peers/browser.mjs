// The browser's half of `cargo xtask bench`: `node browser.mjs INPUTS [--quick]`. Writes one JSON object
// to standard output, progress to standard error.
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

import { serve } from "./server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const inputs = resolve(process.argv[2] ?? "");
const quick = process.argv.includes("--quick");

const version = (name) => JSON.parse(readFileSync(join(here, "node_modules", name, "package.json"), "utf8")).version;
const tfjs = (backend) =>
  ["core", "layers", `backend-${backend}`].map((part) => {
    return `/peers/@tensorflow/tfjs-${part}/dist/tf-${part}.min.js`;
  });
const ORT = version("onnxruntime-web");
const TFJS = version("@tensorflow/tfjs-core");
const PROPENSE = JSON.parse(readFileSync(join(root, "web/package.json"), "utf8")).version;

/**
 * How often: rounds, repetitions of each case in a round (and how often one repetition does the work),
 * first scores. On the CPU they take microseconds, on the software adapter seconds.
 */
const CPU = { rounds: quick ? 3 : 20, one: [10, 10], event: [10, 1], many: [2, 1], first: quick ? 2 : 9 };
const GPU = { rounds: quick ? 1 : 3, one: [quick ? 1 : 3, 1], event: [quick ? 1 : 3, 1], many: [1, 1], first: quick ? 1 : 3 };

const IMPLEMENTATIONS = [
  { name: "Propense", version: PROPENSE, group: "wasm", file: "propense", backend: "wasm", script: ["/propense/dist/propense.iife.js"], ...CPU },
  { name: "ONNX Runtime Web", version: ORT, group: "wasm", file: "onnxruntime", backend: "wasm", ...CPU },
  { name: "TensorFlow.js", version: TFJS, group: "wasm", file: "tensorflow", backend: "wasm", script: tfjs("wasm"), ...CPU },
  { name: "Propense", version: PROPENSE, group: "webgpu", file: "propense", backend: "webgpu", script: ["/propense/dist/propense.iife.js"], ...GPU },
  { name: "ONNX Runtime Web", version: ORT, group: "webgpu", file: "onnxruntime", backend: "webgpu", ...GPU },
  { name: "TensorFlow.js", version: TFJS, group: "webgpu", file: "tensorflow", backend: "webgpu", script: tfjs("webgpu"), ...GPU },
  { name: "TensorFlow.js (WebGL)", version: TFJS, group: "webgpu", file: "tensorflow", backend: "webgl", script: tfjs("webgl"), ...GPU },
];
const key = ({ file, backend }) => `${file}-${backend}`;

const server = await serve(
  { page: join(here, "page"), peers: join(here, "node_modules"), propense: join(root, "web"), inputs },
  Object.fromEntries(IMPLEMENTATIONS.map((one) => [key(one), one.script ?? []])),
);
const browser = await chromium.launch({
  executablePath: process.env.PROPENSE_CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    // The software adapters, where there is no GPU.
    "--enable-unsafe-webgpu",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--no-first-run",
  ],
});

const say = (text) => process.stderr.write(`      ${text}\n`);

async function open(context, page, one) {
  const tab = await context.newPage();
  const problems = [];
  tab.on("pageerror", (error) => problems.push(String(error)));
  tab.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  tab.problems = problems;
  await tab.goto(`${server.origin}/?page=${page}&for=${key(one)}#${one.file}/${one.backend}`);
  return tab;
}

/** Rounds of the same cases, each implementation in a page of its own, one after the other. */
async function steady(group) {
  const members = IMPLEMENTATIONS.filter((one) => one.group === group);
  const context = await browser.newContext();
  const found = [];
  for (const one of members) {
    const tab = await open(context, "steady", one);
    try {
      const about = await tab.evaluate(([file, backend]) => globalThis.begin(file, backend), [`${one.file}.js`, one.backend]);
      const times = Object.fromEntries(about.cases.map((name) => [name, []]));
      found.push({ ...one, tab, about, times });
      say(`${one.name}, ${one.backend}: started`);
    } catch (error) {
      const why = [String(error), ...tab.problems].join("; ");
      say(`${one.name}, ${one.backend}: not measured: ${why.slice(0, 400)}`);
      found.push({ ...one, failed: why.slice(0, 400) });
      await tab.close();
    }
  }
  const running = found.filter(({ failed }) => failed === undefined);
  const run = (one, name) => one.tab.evaluate((settings) => globalThis.time(...settings), [name, ...one[name]]);
  // The first runs compile. On the software adapter `begin` was one.
  if (group === "wasm") for (const one of running) for (const name of one.about.cases) await run(one, name);
  const { rounds } = members[0];
  for (let round = 0; round < rounds; round += 1) {
    for (const one of running) {
      for (const name of one.about.cases) one.times[name].push(...(await run(one, name)));
    }
    say(`${group}: round ${round + 1} of ${rounds}`);
  }
  await context.close();
  return found.map(({ name, version, group, backend, failed, about, times }) => ({
    name, version, group, backend, failed,
    threads: about?.threads, one: about?.one, single: about?.single, logits: about?.logits, times,
  }));
}

/** Navigation to first score, in turns, each time with nothing cached. */
async function first(group) {
  const members = IMPLEMENTATIONS.filter((one) => one.group === group);
  const found = members.map(({ name, group, backend }) => ({ name, group, backend, runs: [] }));
  for (let round = 0; round < members[0].first; round += 1) {
    for (const [at, one] of members.entries()) {
      // A context of its own is a cold cache.
      const context = await browser.newContext();
      try {
        await server.code();
        const tab = await open(context, "first", one);
        const outcome = await tab.evaluate(() => globalThis.outcome);
        found[at].runs.push(outcome);
        if (round === 0) found[at].code = await server.code();
      } catch (error) {
        found[at].failed = String(error).slice(0, 400);
      }
      await context.close();
    }
    say(`first score, ${group}: round ${round + 1} of ${members[0].first}`);
  }
  return found;
}

const result = { browser: `Chromium ${browser.version()}`, steady: [], first: [] };
for (const group of ["wasm", "webgpu"]) {
  result.steady.push(...(await steady(group)));
  result.first.push(...(await first(group)));
}
await browser.close();
server.close();
process.stdout.write(`${JSON.stringify(result)}\n`);
