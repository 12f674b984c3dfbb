// What comes over the wire, after brotli, beside the budget. `node packaging/size.mjs`
import { readFile, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const web = fileURLToPath(new URL("..", import.meta.url));
const budget = JSON.parse(await readFile(new URL("budget.json", import.meta.url), "utf8"));

/** Bytes of these files, each compressed as a server would. */
async function brotli(...paths) {
  let sum = 0;
  for (const path of paths) {
    const bytes = await readFile(web + path);
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    sum += brotliCompressSync(bytes, { params }).length;
  }
  return sum;
}

/** The files that `import "propense"` loads, by following the imports. */
async function imports(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  const text = await readFile(web + path, "utf8");
  for (const [, next] of text.matchAll(/from ?"\.\/([\w-]+\.js)"/g)) await imports(`dist/${next}`, found);
  return found;
}

const glue = (which, kind = "") => [`wasm/${which}/propense_web.js`, `wasm/${which}/propense_web${kind}_bg.wasm`];
const entry = [...(await imports("dist/index.js"))];
const figures = {
  // A browser loads one of the two.
  cpu: Math.max(await brotli(...entry, ...glue("cpu")), await brotli(...entry, ...glue("cpu", "_relaxed"))),
  webgpu: await brotli(...glue("webgpu")),
  typescript: await brotli(...entry),
  weights: await brotli("../models/giftshop.propense"),
};

let over = false;
for (const [name, bytes] of Object.entries(figures)) {
  const { target, bound } = budget[name];
  const fate = bytes > bound ? "OVER THE BUDGET" : bytes > target ? "within the bound, above the target" : "within the target";
  over ||= bytes > bound;
  const kb = (count) => `${(count / 1000).toFixed(1)} kB`.padStart(11);
  console.log(`${name.padEnd(11)}${kb(bytes)}   bound${kb(bound)}   target${kb(target)}   ${fate}`);
}
const scripts = (await readdir(`${web}dist`)).filter((name) => name === "propense.iife.js");
for (const name of scripts) console.log(`${name}: ${((await brotli(`dist/${name}`)) / 1000).toFixed(1)} kB (instead of typescript, for a script tag)`);
if (over) {
  console.error("packaging/budget.json is exceeded: make it smaller, or say in its change why it must grow");
  process.exitCode = 1;
}
