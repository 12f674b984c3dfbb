// The ways into the package: each scores as the main one does.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";

import { open } from "./support/browser.mjs";
import { MODEL, repository } from "./support/server.mjs";
import { VISIT } from "./support/visit.mjs";

let host;
before(async () => {
  host = await open();
});
after(() => host.close());

test("slim is told where its WebAssembly is: imported, compiled, by address, or lazily", async () => {
  const page = await host.page();
  const found = await page.evaluate(
    async ([model, visit]) => {
      const slim = await import("/dist/slim.js");
      const wasm = "/wasm/cpu/propense_web_bg.wasm";
      // Each glue is an instance of its own, started by what it is given.
      const glue = (at) => import(`/wasm/cpu/propense_web.js?${at}`);
      const bytes = async () => (await fetch(wasm)).arrayBuffer();
      const sources = [
        { glue: await glue("a"), module: await bytes() },
        { glue: await glue("b"), module: await WebAssembly.compile(await bytes()) },
        { glue: await glue("c"), module: fetch(wasm) },
        "/wasm/cpu/propense_web.js",
        async () => ({ glue: await glue("d"), module: new URL(wasm, location.href) }),
      ];
      const scores = [];
      for (const cpu of sources) {
        const scorer = await slim.loadScorer(model, { backend: "wasm", wasm: { cpu } });
        for (const event of visit) scorer.track(event);
        scores.push((await scorer.score()).propensity);
        scorer.dispose();
      }
      const code = async (options) => {
        try {
          await slim.loadScorer(model, options);
        } catch (error) {
          return `${error.code}: ${error.message}`;
        }
      };
      const without = await code({ wasm: {} });
      const gpu = await code({ backend: "webgpu", wasm: { cpu: sources[0] } });
      return { scores, without, gpu };
    },
    [MODEL, VISIT],
  );
  assert.equal(found.scores.length, 5);
  assert.equal(new Set(found.scores).size, 1);
  assert.match(found.without, /^WASM_LOAD: .*wasm\.cpu is missing/);
  assert.match(found.gpu, /^WEBGPU_UNAVAILABLE|^WASM_LOAD/);
  await page.close();
});

test("in a worker: the same numbers, the same failures, nothing computed in the page", async () => {
  const page = await host.page();
  const found = await page.evaluate(
    async ([model, visit]) => {
      const worker = await import("/dist/worker.js");
      const told = [];
      const play = async (load) => {
        const heard = [];
        const scorer = await load(model, {
          backend: "wasm",
          context: { visitor_type: "returning" },
          onInvalid: ({ code, problems }) => told.push([code, problems[0]?.rule]),
        });
        scorer.onScore((score, side) => heard.push([score.propensity, side]), { dwell: false });
        for (const event of visit) scorer.track(event);
        const { propensity, percentile, modelVersion, backend } = await scorer.score();
        const end = visit.at(-1).timestamp;
        const found = {
          score: { propensity, percentile, modelVersion, backend },
          later: (await scorer.score({ at: end + 60_000 })).propensity,
          reasons: await scorer.explain(),
          picks: await scorer.recommend({ k: 2, inStock: (id) => id !== "22423" }),
          item: await scorer.scoreItem("22423"),
          bulk: [...(await scorer.scoreSessions([{ events: visit }, { events: [] }]))],
          model: scorer.model.name,
          gap: scorer.model.sessionGap,
          info: scorer.backendInfo,
        };
        scorer.track({ event: "view_item", timestamp: end, items: [{ item_id: "x", price: -1 }] });
        scorer.track({ event: "view_item", timestamp: end, price: 3n });
        await scorer.score();
        found.stats = scorer.stats;
        found.wrong = (await failure(() => scorer.recommend({ k: -1 }))).code;
        found.argument = (await failure(() => scorer.scoreSessions([{ events: "none" }]))).code;
        const stop = new AbortController();
        found.aborted = (
          await failure(() =>
            scorer.scoreSessions(Array(200).fill({ events: visit }), { signal: stop.signal, onProgress: () => stop.abort() }),
          )
        ).code;
        scorer.reset({ visitor_type: "new" });
        found.blank = (await scorer.score()).propensity.toFixed(3);
        found.heard = heard.length > 0;
        scorer.dispose();
        found.disposed = (await failure(() => scorer.score())).code;
        return found;
      };
      const there = await play(worker.loadScorer);
      const wasm = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".wasm")).length;
      const here = await play(propense.loadScorer);
      const missing = (await failure(() => worker.loadScorer("/none.propense"))).code;
      return { there, here, wasm, told, missing };
    },
    [MODEL, VISIT],
  );
  assert.deepEqual(found.there, found.here);
  assert.equal(found.there.disposed, "DISPOSED");
  assert.equal(found.there.aborted, "ABORTED");
  const half = found.told.length / 2;
  assert.deepEqual(found.told.slice(0, half).sort(), found.told.slice(half).sort());
  assert.equal(found.wasm, 0, "the page loaded WebAssembly itself");
  assert.equal(found.missing, "NOT_FOUND");
  assert.deepEqual(page.problems.filter((problem) => !problem.includes("404")), []);
  await page.close();
});

test("a script tag", async () => {
  const page = await host.browser.newPage();
  await page.goto(`${host.origin}/script`);
  const found = await page.evaluate(
    async ([model, visit]) => {
      const scorer = await propense.loadScorer(model, { backend: "wasm" });
      for (const event of visit) scorer.track(event);
      const { propensity } = await scorer.score();
      return { propensity, names: Object.keys(propense).sort() };
    },
    [MODEL, VISIT],
  );
  assert.ok(found.propensity > 0);
  for (const name of ["PropenseError", "dataLayer", "delivery", "holdout", "openVisit"]) {
    assert.ok(found.names.includes(name), name);
  }
  await page.close();
});

test("under a strict policy, in the page and in a worker, without headers of isolation", async () => {
  const page = await host.browser.newPage();
  await page.goto(`${host.origin}/csp/csp.js`);
  const found = await page.evaluate(async () => ({ result: await result, violations, isolated: crossOriginIsolated }));
  assert.equal(found.result[0].propensity, found.result[1].propensity);
  assert.equal(found.result[0].reasons, 1);
  assert.deepEqual(found.violations, []);
  assert.equal(found.isolated, false);
  await page.close();
});

test("Node imports every entry, and scores on the CPU", () => {
  const program = `
    for (const entry of ["slim", "worker", "visit", "adapters", "delivery"]) await import("propense/" + entry);
    const { loadScorer } = await import("propense");
    const scorer = await loadScorer("../models/giftshop.propense");
    const now = Date.now();
    scorer.track({ event: "view_item", timestamp: now, items: [{ item_id: "85123A", price: 2.95 }] });
    const score = await scorer.score();
    const picks = await scorer.recommend({ k: 3 });
    console.log(JSON.stringify({ ...score, picks: picks.length, info: scorer.backendInfo.reason }));
    scorer.onScore(() => undefined);
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: `${repository}/web`,
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.equal(stderr, "");
  const found = JSON.parse(stdout);
  assert.ok(found.propensity > 0 && found.propensity < 1);
  assert.equal(found.backend, "wasm");
  assert.equal(found.picks, 3);
});
