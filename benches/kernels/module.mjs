// Times the CPU module in Node: `node benches/kernels/module.mjs web/wasm/cpu [OTHER_BUILD...]`.
// Several builds are timed in turns within one run, on the published network (tests/golden), and must
// agree on the logits within 1e-4.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const FEATURES = 16;
const EVENTS = 32;
const SESSIONS = 256;
const STREAMED = 512;
const ROUNDS = 30;

const root = resolve(import.meta.dirname, "../..");
const bundle = readFileSync(resolve(root, "tests/golden/seed.propense"));

/** Numbers like a featuriser's, from a seed (mulberry32): flags, zeros and normalised numbers. */
let seed = 1;
function number() {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  const unit = ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  return unit < 0.3 ? 0 : unit < 0.5 ? 1 : (unit - 0.75) * 8;
}

async function load(folder) {
  const glue = await import(pathToFileURL(resolve(folder, "propense_web.js")));
  await glue.default({ module_or_path: readFileSync(resolve(folder, "propense_web_bg.wasm")) });
  const prepared = (sessions) =>
    new glue.Prepared(
      rows.slice(0, sessions * EVENTS * FEATURES),
      new Uint32Array(sessions).fill(EVENTS),
      new Float32Array(0),
    );
  const engine = new glue.Engine(bundle);
  const [one, many] = [prepared(1), prepared(SESSIONS)];
  const streamed = rows.slice(0, STREAMED * FEATURES);
  return {
    folder,
    logits: engine.score(many),
    work: {
      "256 sessions": [1, () => engine.score(many)],
      "one session": [1, () => engine.score(one)],
      "one event": [STREAMED, () => engine.logits_of(streamed, new Float32Array(0))],
    },
    times: { "256 sessions": [], "one session": [], "one event": [] },
  };
}

const folders = process.argv.slice(2);
if (folders.length === 0) throw new Error("give the folder of a build, as in web/wasm/cpu");
const rows = Float32Array.from({ length: SESSIONS * EVENTS * FEATURES }, number);
const builds = [];
for (const folder of folders) builds.push(await load(folder));
for (const build of builds) {
  const worst = build.logits.reduce(
    (worst, logit, at) => Math.max(worst, Math.abs(logit - builds[0].logits[at])),
    0,
  );
  if (!(worst <= 1e-4)) throw new Error(`${build.folder} differs from ${folders[0]} by ${worst}`);
}
for (let round = 0; round <= ROUNDS; round += 1) {
  for (const { work, times } of builds) {
    for (const [name, [parts, run]] of Object.entries(work)) {
      const start = performance.now();
      run();
      // The first round warms up.
      if (round > 0) times[name].push(((performance.now() - start) * 1000) / parts);
    }
  }
}
for (const { folder, times } of builds) {
  for (const [name, list] of Object.entries(times)) {
    list.sort((a, b) => a - b);
    const [least, median] = [list[0], list[ROUNDS / 2]].map((time) => time.toFixed(1));
    console.log(`${folder}: ${name}: least ${least} µs, median ${median} µs`);
  }
}
