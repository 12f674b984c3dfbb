// The model and the data that the repository ships, in a browser: real sessions, real products.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { open } from "./support/browser.mjs";
import { repository } from "./support/server.mjs";

const SHIPPED = "/models/giftshop.propense";
const read = async (name) => JSON.parse(await readFile(`${repository}/data/giftshop/${name}`, "utf8"));

let host;
let page;
let products;
let samples;
before(async () => {
  host = await open();
  page = await host.page();
  products = (await read("catalogue.json")).items;
  samples = decode(await read("sample-sessions.json"));
});
after(() => host.close());

/** The sample's compact events as GA4 events, with the products' names and prices. */
function decode({ sessions, kinds, items, page_types }) {
  const known = new Map(products.map((product) => [product.item_id, product]));
  return sessions.map(({ context, start, bought, events }) => {
    let timestamp = start;
    return {
      bought,
      context,
      events: events.map(([seconds, kind, item, type, quantity]) => {
        timestamp += Math.round(seconds * 1000);
        const event = { event: kinds[kind], timestamp };
        if (type >= 0) event.page_type = page_types[type];
        if (item >= 0) {
          const item_id = items[item];
          const { item_name, item_category, price } = known.get(item_id) ?? {};
          event.items = [{ item_id, item_name, item_category, price }];
          if (quantity > 0) event.items[0].quantity = quantity;
        }
        return event;
      }),
    };
  });
}

/** How often a buyer's session scores above another's. */
function auc(scores, labels) {
  let wins = 0;
  let pairs = 0;
  scores.forEach((score, buyer) => {
    if (!labels[buyer]) return;
    scores.forEach((other, at) => {
      if (labels[at]) return;
      pairs += 1;
      wins += score > other ? 1 : score === other ? 0.5 : 0;
    });
  });
  return wins / pairs;
}

test("real sessions of the newest weeks: buyers score higher", async () => {
  const found = await page.evaluate(
    async ([model, sessions]) => {
      const invalid = [];
      const onInvalid = (error) => invalid.push(error.message);
      const scorer = await propense.loadScorer(model, { backend: "wasm", onInvalid });
      const start = performance.now();
      const bulk = await scorer.scoreSessions(sessions);
      const elapsed = performance.now() - start;
      const live = [];
      for (const { context, events } of sessions.slice(0, 20)) {
        scorer.reset(context);
        for (const event of events) scorer.track(event);
        live.push((await scorer.score()).propensity);
      }
      const { model: info } = scorer;
      scorer.dispose();
      return { bulk: [...bulk], live, invalid, info, elapsed };
    },
    [SHIPPED, samples],
  );
  assert.deepEqual(found.invalid, []);
  assert.equal(found.bulk.length, samples.length);
  for (const propensity of found.bulk) assert.ok(propensity >= 0 && propensity <= 1);
  found.live.forEach((propensity, at) => {
    assert.ok(Math.abs(propensity - found.bulk[at]) < 1e-5, `session ${at}, live and in bulk`);
  });
  const skill = auc(found.bulk, samples.map(({ bought }) => bought));
  console.log(`AUC of ${samples.length} sessions: ${skill.toFixed(3)}, in ${found.elapsed.toFixed(0)} ms`);
  assert.ok(skill > 0.6, `the shipped model cannot tell buyers: ${skill}`);
  assert.equal(found.info.name, "giftshop");
  assert.ok(found.info.features.length > 10 && found.info.licence !== "");
  assert.notEqual(found.info.metrics, null);
});

test("a visit among the real products is explained and advised", async () => {
  const { events, context } = samples.find(({ bought, events: own }) => bought && own.length > 6);
  const found = await page.evaluate(
    async ([model, catalogue, session]) => {
      const scorer = await propense.loadScorer(model, { backend: "wasm", catalogue, context: session.context });
      for (const event of session.events) scorer.track(event);
      const start = performance.now();
      const picks = await scorer.recommend({ k: 8 });
      const advised = performance.now() - start;
      return { picks, advised, reasons: await scorer.explain(), score: await scorer.score() };
    },
    [SHIPPED, products, { events, context }],
  );
  const known = new Set(products.map(({ item_id }) => item_id));
  assert.equal(found.picks.length, 8);
  for (const { item_id, propensity } of found.picks) {
    assert.ok(known.has(item_id), item_id);
    assert.ok(propensity > 0 && propensity < 1);
  }
  assert.equal(found.reasons.length, events.length);
  assert.ok(found.score.percentile >= 0 && found.score.percentile <= 100);
  assert.deepEqual(page.problems, []);
});
