// The packed package as shops use it: its content, its types, and a score in each surrounding.
//
// `npm run packaging` in web/, after `cargo xtask wasm` and `npm run build`.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import { build as vite } from "vite";
import webpack from "webpack";

import { chromium } from "../node_modules/playwright-core/index.mjs";
import { executable } from "../tests/support/browser.mjs";
import { fileOf } from "../tests/support/files.mjs";
import { listen } from "../tests/support/listen.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const web = join(here, "..");
const work = join(here, "work");
const bin = (name) => join(here, "node_modules/.bin", name);

/** What `npm pack` may hold; everything else is an accident. */
const CONTENT = [
  /^package\.json$/,
  /^README\.md$/,
  /^dist\/[\w-]+\.(js|d\.ts|js\.map)$/,
  /^dist\/propense\.iife\.js(\.map)?$/,
  /^wasm\/(cpu|webgpu)\/propense_web(\.js|\.d\.ts|_bg\.wasm|_bg\.wasm\.d\.ts)$/,
  /^wasm\/cpu\/propense_web_relaxed_bg\.wasm$/,
];

/** The shop's own program in each bundler: a visit with one event, and its score. */
const PROGRAM = `
import { PropenseError, loadScorer } from "propense";
import { dataLayer, openVisit } from "propense/visit";
import { delivery } from "propense/delivery";
import { learning } from "propense/learning";
const score = async (load) => {
  const scorer = await load("/models/giftshop.propense", { backend: "wasm" });
  scorer.track({ event: "view_item", timestamp: 1731421800000, items: [{ item_id: "85123A", price: 2.95 }] });
  const { propensity } = await scorer.score();
  scorer.dispose();
  return propensity;
};
globalThis.result = (async () => {
  const here = await score(loadScorer);
  const worker = WORKER ? await score((await import("propense/worker")).loadScorer) : here;
  return { here, worker, rest: [PropenseError, dataLayer, openVisit, delivery, learning].every((each) => typeof each === "function") };
})();
`;

/** Serves a folder; the model is the shipped one. Scripts within a page run only where that is allowed. */
async function serve(folder, { inline = false } = {}) {
  const scripts = `'self' 'wasm-unsafe-eval'${inline ? " 'unsafe-inline'" : ""}`;
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const from = pathname.startsWith("/models/") ? join(web, "..") : folder;
    const file = await fileOf(from, pathname === "/" ? "index.html" : pathname);
    if (!file) return response.writeHead(404).end();
    response.writeHead(200, {
      "content-type": file.type,
      "content-security-policy": `default-src 'self'; script-src ${scripts}; worker-src 'self'; style-src 'self'; img-src data:`,
    });
    return response.end(file.body);
  });
  return listen(server);
}

/** A folder for one surrounding, with the package installed as its only dependency of its own. */
function surrounding(name) {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

let browser;
before(async () => {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, "node_modules/propense"), { recursive: true });
  const [{ filename, files }] = JSON.parse(execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", work], { cwd: web, encoding: "utf8" }));
  globalThis.packed = { tarball: join(work, filename), files: files.map(({ path }) => path) };
  execFileSync("tar", ["xzf", packed.tarball, "-C", join(work, "node_modules/propense"), "--strip-components=1"]);
  browser = await chromium.launch({ executablePath: executable(), args: ["--no-sandbox"] });
});
after(() => browser?.close());

/** Opens a built folder; gives the program's result. */
async function run(folder, { path = "/", ...serving } = {}) {
  const server = await serve(folder, serving);
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("favicon")) problems.push(message.text());
  });
  try {
    await page.goto(server.origin + path);
    // A framework starts its program when it likes.
    await page.waitForFunction(() => globalThis.result !== undefined, undefined, { timeout: 20_000 });
    return { found: await page.evaluate(() => globalThis.result), text: await page.textContent("body"), problems };
  } finally {
    await page.close();
    server.close();
  }
}

function agrees({ found, problems }) {
  assert.deepEqual(problems.filter((problem) => !/404/.test(problem)), []);
  assert.ok(found.here > 0 && found.here < 1);
  assert.equal(found.worker, found.here);
  assert.equal(found.rest, true);
}

const page = (head) => `<!doctype html><meta charset=utf-8><title>shop</title><link rel=icon href=data:,>${head}`;

describe("the packed package", { timeout: 400_000 }, () => {
  test("holds what is documented, and nothing else", () => {
    const strange = packed.files.filter((path) => !CONTENT.some((allowed) => allowed.test(path)));
    assert.deepEqual(strange, []);
    for (const path of ["dist/index.js", "dist/index.d.ts", "dist/worker-thread.js", "dist/propense.iife.js", "wasm/cpu/propense_web_bg.wasm", "wasm/cpu/propense_web_relaxed_bg.wasm", "wasm/webgpu/propense_web_bg.wasm", "README.md"]) {
      assert.ok(packed.files.includes(path), path);
    }
  });

  test("publint and arethetypeswrong have nothing to say", () => {
    for (const [name, given] of [
      ["publint", ["--strict", packed.tarball]],
      // ES modules alone: what CommonJS gets is said, not solved; the script tag has no types.
      ["attw", [packed.tarball, "--profile", "esm-only", "--exclude-entrypoints", "./script", "./wasm/*", "--no-emoji", "--no-color"]],
    ]) {
      const { status, stdout, stderr } = spawnSync(bin(name), given, { encoding: "utf8", cwd: work });
      assert.equal(status, 0, `${name}: ${stdout}${stderr}`);
      assert.doesNotMatch(stdout, /Warnings?:|Suggestions?:/, stdout);
    }
  });

  const STRICT = { strict: true, noEmit: true, module: "esnext", moduleResolution: "bundler", target: "es2022", lib: ["es2022", "dom", "dom.iterable"], skipLibCheck: false, types: [] };

  test("the React example's types are sound", () => {
    const folder = surrounding("types");
    cpSync(join(web, "examples/react"), folder, { recursive: true });
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...STRICT, jsx: "react-jsx" }, include: ["*.tsx"] }));
    const { status, stdout } = spawnSync(bin("tsc"), ["-p", folder], { encoding: "utf8" });
    assert.equal(status, 0, stdout);
  });

  test("the Vue example's types are sound, its template's too", () => {
    const folder = surrounding("vue-types");
    cpSync(join(web, "examples/vue"), folder, { recursive: true });
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...STRICT, skipLibCheck: true }, include: ["*.ts", "*.vue"] }));
    // The package's own declarations are checked above. vue-tsc works over the last TypeScript that was written in JavaScript.
    const require = createRequire(import.meta.url);
    const program = `require(${JSON.stringify(require.resolve("vue-tsc"))}).run(${JSON.stringify(require.resolve("typescript-6/lib/tsc"))})`;
    const check = () => spawnSync(process.execPath, ["-e", program, "-", "-p", folder], { encoding: "utf8" });
    const { status, stdout, stderr } = check();
    assert.equal(status, 0, stdout + stderr);
    // It would have said so.
    const app = join(folder, "App.vue");
    writeFileSync(app, readFileSync(app, "utf8").replace("{{ pick.item_id }}", "{{ pick.no_such_field }}"));
    const wrong = check();
    assert.notEqual(wrong.status, 0);
    assert.match(wrong.stdout, /no_such_field/);
  });

  test("the examples are short", () => {
    for (const kind of ["html", "react", "vue"]) {
      const lines = readdirSync(join(web, "examples", kind)).map((name) => readFileSync(join(web, "examples", kind, name), "utf8").split("\n").length);
      assert.ok(Math.max(...lines) <= 60, `${kind}: ${lines}`);
    }
  });

  test("plain ES modules, by an import map", async () => {
    const folder = surrounding("plain");
    cpSync(join(work, "node_modules/propense"), join(folder, "propense"), { recursive: true });
    // An import map is inline; under the policy it would need a hash, so the program names its imports.
    const program = PROGRAM.replaceAll(/"propense(?:\/([\w-]+))?"/g, (_, entry) => `"/propense/dist/${entry ?? "index"}.js"`);
    writeFileSync(join(folder, "shop.js"), `const WORKER = true;${program}`);
    writeFileSync(join(folder, "index.html"), page(`<script type=module src=shop.js></script>`));
    agrees(await run(folder));
  });

  test("a script tag: the example as it is", async () => {
    const folder = surrounding("script");
    cpSync(join(work, "node_modules/propense"), join(folder, "propense"), { recursive: true });
    cpSync(join(web, "examples/html"), folder, { recursive: true });
    await example(folder, { allow: "#allow", buy: "button" });
  });

  test("Vite: module and worker", async () => {
    const folder = surrounding("vite");
    writeFileSync(join(folder, "shop.js"), `const WORKER = true;${PROGRAM}`);
    writeFileSync(join(folder, "index.html"), page(`<script type=module src=./shop.js></script>`));
    await vite({ root: folder, logLevel: "warn", worker: { format: "es" }, build: { outDir: "out", assetsInlineLimit: 0, target: "es2022" } });
    agrees(await run(join(folder, "out")));
  });

  for (const [name, plugins] of [["react", []], ["vue", [vue()]]]) {
    test(`Vite: the ${name} example`, async () => {
      const folder = surrounding(name);
      cpSync(join(web, "examples", name), folder, { recursive: true });
      await vite({ root: folder, plugins, logLevel: "warn", worker: { format: "es" }, build: { outDir: "out", assetsInlineLimit: 0, target: "es2022" } });
      await example(join(folder, "out"), { allow: "input", buy: "button >> nth=1" });
    });
  }

  test("webpack: module and worker", async () => {
    const folder = surrounding("webpack");
    writeFileSync(join(folder, "shop.js"), `const WORKER = true;${PROGRAM}`);
    const stats = await new Promise((resolve, reject) => {
      webpack({ mode: "production", context: folder, entry: "./shop.js", output: { path: join(folder, "out"), publicPath: "/" }, experiments: { topLevelAwait: true }, performance: { hints: false } }, (error, found) => (error ? reject(error) : resolve(found)));
    });
    assert.equal(stats.hasErrors(), false, stats.toString({ errors: true, all: false }));
    assert.deepEqual(stats.toJson({ warnings: true }).warnings.map(({ message }) => message), []);
    writeFileSync(join(folder, "out/index.html"), page(`<script src=main.js></script>`));
    agrees(await run(join(folder, "out")));
  });

  test("Next.js: imported on the server, scored in the page", () => nextjs());

  test("Node: a score on the CPU, and every entry imported without a window", () => {
    const folder = surrounding("node");
    const program = PROGRAM.replace('"/models', JSON.stringify(join(web, "../models")).slice(0, -1));
    writeFileSync(join(folder, "shop.mjs"), `const WORKER = false;${program}await import("propense/worker"); await import("propense/slim"); console.log(JSON.stringify(await result));`);
    const { stdout, stderr } = spawnSync(process.execPath, ["shop.mjs"], { cwd: folder, encoding: "utf8", timeout: 60_000 });
    assert.equal(stderr, "");
    agrees({ found: JSON.parse(stdout), problems: [] });
  });
});

/** A page of the app router, rendered beforehand; its client part runs the program once it is in the browser. */
async function nextjs() {
  const folder = surrounding("next");
  const app = join(folder, "app");
  mkdirSync(app);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  writeFileSync(join(folder, "next.config.mjs"), `export default { output: "export", distDir: "out", turbopack: { root: ${JSON.stringify(here)} } };`);
  writeFileSync(join(app, "layout.jsx"), `export default ({ children }) => <html lang="en"><head><link rel="icon" href="data:," /></head><body>{children}</body></html>;`);
  writeFileSync(join(app, "page.jsx"), `
import * as propense from "propense";
import * as visit from "propense/visit";
import * as worker from "propense/worker";
import Shop from "./shop";
export default () => <main>{propense.loadScorer && visit.openVisit && worker.loadScorer ? "imported on the server" : "incomplete"}<Shop /></main>;
`);
  const [imports, program] = PROGRAM.split("const score =");
  writeFileSync(join(app, "shop.jsx"), `"use client";
import { useEffect } from "react";
${imports}
const WORKER = true;
export default function Shop() {
  useEffect(() => { const score =${program} }, []);
  return null;
}
`);
  const { status, stdout, stderr } = spawnSync(bin("next"), ["build", folder], { cwd: folder, encoding: "utf8", timeout: 200_000, env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" } });
  assert.equal(status, 0, stdout + stderr);
  // Next.js starts its pages by scripts within them.
  const ran = await run(join(folder, "out"), { inline: true });
  assert.match(ran.text, /^imported on the server/);
  agrees(ran);
}

/** Uses an example as a person does: allows it, looks, buys; the number is there, and goes when it is no longer allowed. */
async function example(folder, { allow, buy }) {
  const server = await serve(folder);
  const tab = await browser.newPage();
  const problems = [];
  tab.on("pageerror", (error) => problems.push(String(error)));
  const loaded = [];
  tab.on("request", (request) => loaded.push(request.url()));
  try {
    await tab.goto(server.origin);
    await tab.waitForSelector("#propensity");
    await tab.waitForTimeout(200);
    assert.equal(await tab.textContent("#propensity"), "not looked at");
    assert.ok(!loaded.some((url) => url.includes(".wasm") || url.includes(".propense")), "loaded before it was allowed");
    await tab.check(allow);
    await tab.waitForFunction(() => /^\d+ %$/.test(document.querySelector("#propensity").textContent), undefined, { timeout: 20_000 });
    const before = await tab.textContent("#propensity");
    await tab.click(buy);
    await tab.waitForFunction((old) => document.querySelector("#propensity").textContent !== old, before, { timeout: 20_000 });
    await tab.uncheck(allow);
    await tab.waitForFunction(() => document.querySelector("#propensity").textContent === "not looked at");
    assert.equal(await tab.evaluate(() => sessionStorage.length), 0);
    assert.deepEqual(problems, []);
  } finally {
    await tab.close();
    server.close();
  }
}
