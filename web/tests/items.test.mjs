// Recommending from an item table: the same items as natively, and large catalogues in time.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { loadScorer } from "../dist/index.js";
import { open } from "./support/browser.mjs";
import { bundle, manifest } from "./support/bundle.mjs";
import { bigTable, itemTable } from "./support/items.mjs";
import { randoms } from "./support/network.mjs";
import { MODEL, repository } from "./support/server.mjs";

let host;
before(async () => {
  host = await open();
});
after(() => host.close());

const START = Date.UTC(2024, 10, 12, 14, 30);

test("the gift shop's table gives the candidates that it gives natively, ranked with their propensity", async () => {
  const answers = JSON.parse(await readFile(`${repository}/tests/golden/giftshop-items.json`, "utf8"));
  assert.ok(answers.length > 10);
  const page = await host.page();
  const found = await page.evaluate(
    async ([model, asked, start]) => {
      const scorer = await propense.loadScorer(model, { backend: "wasm", catalogue: "/golden/giftshop.items" });
      const found = [];
      for (const { seen, cart, best } of asked) {
        scorer.reset();
        const events = seen.map((id) => [id === cart ? "add_to_cart" : "view_item", id]);
        events.forEach(([event, item_id], at) => scorer.track({ event, timestamp: start + at * 9000, page_type: "product", items: [{ item_id }] }));
        const all = await scorer.recommend({ k: 1000 });
        const scored = [];
        for (const [id, share] of best) scored.push([id, share, await scorer.scoreItem(id)]);
        found.push({ all, scored });
      }
      scorer.dispose();
      return found;
    },
    ["/models/giftshop.propense", answers, START],
  );
  found.forEach(({ all, scored }, at) => {
    const picked = new Map(all.map(({ item_id, propensity }, place) => [item_id, { propensity, place }]));
    assert.ok(!picked.has(answers[at].cart), "what is in the cart");
    const places = scored
      .toSorted((a, b) => b[1] * b[2] - a[1] * a[2])
      .map(([id, , propensity]) => {
        assert.ok(picked.has(id), `visit ${at}: ${id} is no candidate here`);
        assert.equal(Math.fround(picked.get(id).propensity), propensity, id);
        return picked.get(id).place;
      });
    assert.deepEqual(places, places.toSorted((a, b) => a - b), `visit ${at}: another order`);
  });
  await page.close();
});

/** Three events of a visit to items of a big table. */
const visit = (count) => [5, 77, 4321].map((at, second) => ({
  event: "view_item",
  timestamp: START + second * 8000,
  page_type: "product",
  items: [{ item_id: `item-${String(at).padStart(String(count).length, "0")}`, price: 3 }],
}));

/** Loads the shipped model with this table, recommends some times; the milliseconds of each part. */
async function timed(load, model, catalogue, events) {
  const begun = performance.now();
  const scorer = await load(model, { backend: "wasm", catalogue });
  const loaded = performance.now() - begun;
  for (const event of events) scorer.track(event);
  const taken = [];
  let picks;
  for (let turn = 0; turn < 9; turn += 1) {
    const start = performance.now();
    picks = await scorer.recommend({ k: 8 });
    taken.push(performance.now() - start);
  }
  scorer.dispose();
  return { loaded, median: taken.sort((a, b) => a - b)[4], picks: picks.map(({ item_id }) => item_id) };
}

test("50,000 items, in the browser and in Node", { timeout: 60_000 }, async () => {
  const table = bigTable(50_000, randoms(3));
  const events = visit(50_000);
  const node = await timed(loadScorer, `${repository}/models/giftshop.propense`, new Uint8Array(table), events);
  const page = await host.page();
  await page.route("**/big.items", (route) => route.fulfill({ body: table }));
  const browser = await page.evaluate(
    ([body, model, given]) => new Function(`return ${body}`)()(propense.loadScorer, model, "/big.items", given),
    [timed.toString(), "/models/giftshop.propense", events],
  );
  for (const [name, { loaded, median }] of Object.entries({ Node: node, [host.browser.version()]: browser })) {
    console.log(`50,000 items (${(table.length / 1e6).toFixed(1)} MB) in ${name}: loaded in ${loaded.toFixed(0)} ms, recommended in ${median.toFixed(1)} ms`);
    // Ten on a quiet machine; a test run is none.
    assert.ok(median < 60, `${median} ms in ${name}`);
  }
  assert.deepEqual(browser.picks, node.picks);
  assert.equal(node.picks.length, 8);
  await page.close();
});

const SMALL = {
  ids: ["a", "b", "c", "d"],
  popularity: [255, 100, 50, 10],
  prices: [1, 2, NaN, 4],
  category: [1, 1, 0, 2],
  categories: ["Tea", "Tins"],
  near: [[[3, 0.5]], [], [], [[0, 0.5]]],
};

test("a bundle may name a table; the shop's rules hold over it", async () => {
  const table = itemTable(SMALL);
  const sha256 = createHash("sha256").update(table).digest("hex");
  const page = await host.page();
  await page.route("**/shop/**", (route) => {
    const file = bundle({ header: manifest({ catalogue: { file: "shop.items", sha256 } }) });
    return route.fulfill({ body: route.request().url().endsWith(".items") ? table : file });
  });
  const picks = await page.evaluate(async (start) => {
    const scorer = await propense.loadScorer("/shop/model.propense", { backend: "wasm" });
    scorer.track({ event: "view_item", timestamp: start, items: [{ item_id: "a" }] });
    const ids = async (options) => (await scorer.recommend(options)).map(({ item_id }) => item_id);
    return [await ids({}), await ids({ k: 1 }), await ids({ perCategory: 1 }), await ids({ exclude: ["d"], k: 1 })];
  }, START);
  assert.deepEqual(picks, [["d", "a", "b", "c"], ["d"], ["d", "a", "c"], ["a"]]);
  await page.close();
});

test("the weights of a table are heeded; one without them means what it always meant", async () => {
  // After `a` comes `d` at 0.05; `b` has a quarter of the clicks of the most popular item.
  const near = [[[3, 0.05]], [], [], []];
  const shop = { ...SMALL, popularity: [255, 128, 10, 1], near };
  const tables = { "/old.items": shop, "/near.items": { ...shop, weights: [0.01, 0.5] }, "/popular.items": { ...shop, weights: [1, 0.5] } };
  const page = await host.page();
  for (const [path, table] of Object.entries(tables)) {
    await page.route(`**${path}`, (route) => route.fulfill({ body: itemTable(table) }));
  }
  const found = await page.evaluate(
    async ([model, paths, start]) => {
      const found = {};
      for (const catalogue of paths) {
        const scorer = await propense.loadScorer(model, { backend: "wasm", catalogue });
        scorer.track({ event: "view_item", timestamp: start, items: [{ item_id: "a" }] });
        found[catalogue] = (await scorer.recommend({ exclude: ["a"] })).map(({ item_id }) => item_id);
        scorer.dispose();
      }
      return found;
    },
    [MODEL, Object.keys(tables), START],
  );
  assert.deepEqual(found, { "/old.items": ["d", "b", "c"], "/near.items": ["d", "b", "c"], "/popular.items": ["b", "d", "c"] });
  await page.close();
});

for (const [what, bytes] of Object.entries({
  "another file": Buffer.from("PK\x03\x04 and more of it"),
  "nothing": Buffer.alloc(0),
  "cut": itemTable(SMALL).subarray(0, 300),
  "a neighbour that is none": itemTable(SMALL, { neighbours: ["U32", Uint32Array.of(3, 4)] }),
  "identifiers out of order": itemTable({ ...SMALL, ids: ["b", "a", "c", "d"] }),
  "weights that are none": itemTable({ ...SMALL, weights: [0.1, NaN] }),
  "numbers of another kind": itemTable(SMALL, { prices: ["U32", Uint32Array.of(1, 2, 3, 4)] }),
})) {
  test(`a table that is ${what}`, async () => {
    const page = await host.page();
    await page.route("**/bad.items", (route) => route.fulfill({ body: bytes }));
    const found = await page.evaluate((model) => failure(() => propense.loadScorer(model, { backend: "wasm", catalogue: "/bad.items" })), MODEL);
    assert.deepEqual([found.typed, found.code], [true, "CATALOGUE_INVALID"], found.message);
    await page.close();
  });
}
