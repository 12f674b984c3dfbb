// A page that is open all day: memory stays what it was.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { open } from "./support/browser.mjs";
import { MODEL } from "./support/server.mjs";
import { VISIT } from "./support/visit.mjs";

let host;
before(async () => {
  host = await open();
});
after(() => host.close());

/** Bytes on the page's heap that are still wanted. */
async function heap(client) {
  await client.send("HeapProfiler.collectGarbage");
  return (await client.send("Runtime.getHeapUsage")).usedSize;
}

test("200 scorers made and disposed of leak nothing", async () => {
  const page = await host.page();
  const client = await page.context().newCDPSession(page);
  const cycles = (count) =>
    page.evaluate(
      async ([model, visit, rounds]) => {
        globalThis.bytes ??= await (await fetch(model)).arrayBuffer();
        for (let round = 0; round < rounds; round += 1) {
          const scorer = await propense.loadScorer(bytes, { backend: "wasm" });
          const end = scorer.onScore(() => undefined);
          for (const event of visit) scorer.track(event);
          await scorer.score({ at: visit.at(-1).timestamp + 9000 });
          await scorer.explain();
          if (round % 2 === 0) end();
          scorer.dispose();
        }
        return (await glue("cpu")).exports.memory.buffer.byteLength;
      },
      [MODEL, VISIT, count],
    );
  const warm = { wasm: await cycles(20), heap: await heap(client) };
  const later = { wasm: await cycles(200), heap: await heap(client) };
  assert.equal(later.wasm, warm.wasm, "the module's memory grew");
  assert.ok(later.heap - warm.heap < 200_000, `the heap grew from ${warm.heap} to ${later.heap} bytes`);
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("200 visits and workers opened and closed leak nothing", { timeout: 120_000 }, async () => {
  const page = await host.page();
  const client = await page.context().newCDPSession(page);
  const cycles = (count) =>
    page.evaluate(
      async ([model, rounds]) => {
        const { openVisit, dataLayer } = await import("/dist/visit.js");
        const worker = await import("/dist/worker.js");
        globalThis.bytes ??= await (await fetch(model)).arrayBuffer();
        globalThis.dataLayer ??= [];
        for (let round = 0; round < rounds; round += 1) {
          const inWorker = round % 10 === 0;
          const visit = openVisit(() => (inWorker ? worker : propense).loadScorer(bytes, { backend: "wasm" }), {
            consent: true,
            sources: [dataLayer()],
          });
          await new Promise((resolve) => {
            visit.onScore(resolve, { dwell: false });
          });
          visit.track({ event: "view_item", timestamp: Date.now(), items: [{ item_id: "85123A" }] });
          visit.allow(false);
          visit.close();
        }
        return [(await glue("cpu")).exports.memory.buffer.byteLength, globalThis.dataLayer.push === Array.prototype.push];
      },
      [MODEL, count],
    );
  const [wasm] = await cycles(20);
  const before = await heap(client);
  const [later, clean] = await cycles(200);
  const grown = (await heap(client)) - before;
  assert.equal(later, wasm, "the module's memory grew");
  assert.ok(clean, "the data layer is left as it was");
  assert.ok(grown < 300_000, `the heap grew by ${grown} bytes`);
  assert.equal(page.workers().length, 0, "a worker is left");
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("on a device six times as slow, scores keep up with the visitor", async () => {
  const page = await host.page();
  const client = await page.context().newCDPSession(page);
  await client.send("Emulation.setCPUThrottlingRate", { rate: 6 });
  const found = await page.evaluate(
    async ([model, visit]) => {
      const start = performance.now();
      const scorer = await propense.loadScorer(model, { backend: "wasm" });
      const { propensity } = await scorer.score();
      const first = performance.now() - start;
      const events = [];
      for (const event of visit) {
        const begun = performance.now();
        scorer.track(event);
        await scorer.score();
        events.push(performance.now() - begun);
      }
      const begun = performance.now();
      const picks = await scorer.recommend({ k: 8 });
      const advised = performance.now() - begun;
      scorer.dispose();
      return { propensity, first, slowest: Math.max(...events), advised, picks: picks.length };
    },
    ["/models/giftshop.propense", VISIT],
  );
  const { first, slowest, advised } = found;
  console.log(`CPU six times slower: first score after ${first.toFixed(0)} ms, the slowest event ${slowest.toFixed(1)} ms, a recommendation ${advised.toFixed(1)} ms`);
  assert.ok(found.propensity > 0 && found.picks === 8);
  assert.ok(first < 5000 && slowest < 500, JSON.stringify(found));
  await page.close();
});

test("100,000 events, each with its score, in one page", { timeout: 120_000 }, async () => {
  const page = await host.page();
  const client = await page.context().newCDPSession(page);
  await page.evaluate(async (model) => {
    globalThis.scorer = await propense.loadScorer(model, { backend: "wasm" });
  }, MODEL);
  /** Sessions of fifty events, as a page that is open all day has them. */
  const events = (count) =>
    page.evaluate(
      async ([visit, wanted]) => {
        for (let at = 0; at < wanted; at += 1) {
          if (at % 50 === 0) scorer.reset();
          scorer.track({ ...visit[at % visit.length], timestamp: Date.now() });
          const { propensity } = await scorer.score();
          if (!(propensity > 0 && propensity < 1)) throw new Error(`event ${at}: ${propensity}`);
        }
        return (await glue("cpu")).exports.memory.buffer.byteLength;
      },
      [VISIT, count],
    );
  const warm = { wasm: await events(5000), heap: await heap(client) };
  const later = { wasm: await events(95_000), heap: await heap(client) };
  assert.equal(later.wasm, warm.wasm, "the module's memory grew");
  assert.ok(later.heap - warm.heap < 200_000, `the heap grew from ${warm.heap} to ${later.heap} bytes`);
  assert.equal((await page.evaluate(() => scorer.stats)).accepted, 100_000);
  await page.close();
});
