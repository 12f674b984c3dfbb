// The page and the real service: what is promoted, taken back and killed there, and what visitors see.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { bundle, manifest } from "./support/bundle.mjs";
import { open } from "./support/browser.mjs";
import { missing, service } from "./support/service.mjs";

const skip = missing;

let host;
let shop;
const published = {};
before(async () => {
  if (skip) return;
  host = await open();
  shop = await service();
  await shop.start();
  for (const name of ["one", "two"]) published[name] = await shop.publish(bundle({ header: manifest({ name }) }));
});
after(async () => {
  await host?.close();
  await shop?.close();
});

/** A browser of its own, with its own cache, on the shop's page; the models come from the service's address. */
async function visitor(work) {
  const context = await host.browser.newContext();
  const page = await context.newPage();
  await page.goto(host.origin);
  /** A session: the model is loaded, scores, and whatever is newer is looked for. */
  const session = async (visitorId, { midway = false, reload = true } = {}) => {
    if (reload) await page.reload();
    return page.evaluate(
      async ([address, visitorId, midway]) => {
        const [{ rollout }, { loadScorer }] = await Promise.all([import("/dist/delivery.js"), import("/dist/index.js")]);
        try {
          const model = rollout(address, { visitorId });
          const scorer = await model.load((bytes, base) => loadScorer(bytes, { base, backend: "wasm" }), midway);
          const { name } = scorer.model;
          scorer.track({ event: "view_item", timestamp: Date.now(), items: [{ item_id: "85123A", price: 2.55 }] });
          const { propensity } = await scorer.score();
          scorer.dispose();
          await model.settled();
          return { name, newer: model.newer(), scores: propensity > 0 && propensity < 1 };
        } catch ({ code, message }) {
          return { code, message };
        }
      },
      [shop.manifest, visitorId, midway],
    );
  };
  try {
    return await work(session);
  } finally {
    await context.close();
  }
}

const uses = (name, newer = false) => ({ name, newer, scores: true });

test("a promotion and a roll-back reach the page with its next session", { skip }, () =>
  visitor(async (session) => {
    assert.equal((await session("v")).code, "NOT_FOUND", "before the first promotion");
    await shop.promote(published.one);
    assert.deepEqual(await session("v"), uses("one"));
    await shop.promote(published.two);
    // The session that is under way keeps its model over pages, and learns that another waits.
    assert.deepEqual(await session("v", { midway: true }), uses("one", true));
    assert.deepEqual(await session("v", { midway: true }), uses("one", true));
    assert.deepEqual(await session("v"), uses("two"));
    await shop.rollBack();
    assert.deepEqual(await session("v", { midway: true }), uses("two", true));
    assert.deepEqual(await session("v"), uses("one"));
    assert.deepEqual(await session("v"), uses("one"));
  }));

test("a visitor stays on one side of a roll-out by steps", { skip }, async () => {
  const visitors = Array.from({ length: 10 }, (_, at) => `visitor ${at}`);
  let before = [];
  for (const percentage of [30, 60, 100]) {
    await shop.promote(published.two, percentage);
    const reached = [];
    for (const one of visitors) {
      const name = await visitor(async (session) => {
        const first = await session(one);
        assert.deepEqual(await session(one), first, `${one} changes sides at ${percentage} %`);
        return first.name;
      });
      if (name === "two") reached.push(one);
    }
    assert.ok(before.every((one) => reached.includes(one)), `somebody went back at ${percentage} %`);
    if (percentage < 100) assert.ok(reached.length > 0 && reached.length < visitors.length, `${reached.length} at ${percentage} %`);
    else assert.deepEqual(reached, visitors);
    before = reached;
  }
  await shop.rollBack();
});

test("the page outlives the service", { skip }, async () => {
  await shop.promote(published.one);
  await visitor(async (session) => {
    assert.deepEqual(await session("v"), uses("one"));
    await shop.promote(published.two);
    assert.deepEqual(await session("v", { midway: true }), uses("one", true));
    await shop.kill();
    // What was fetched before the service was gone is the last good one, on every page from now on.
    assert.deepEqual(await session("v", { reload: false }), uses("two"));
    for (let page = 0; page < 3; page += 1) assert.deepEqual(await session("v"), uses("two"));
    // Somebody who was never here gets an error with a name, not a page that hangs.
    await visitor(async (stranger) => assert.equal((await stranger("w")).code, "NETWORK"));
    await shop.start();
    assert.deepEqual(await session("v"), uses("two"));
    await shop.rollBack();
    assert.deepEqual(await session("v"), uses("two", true));
    assert.deepEqual(await session("v"), uses("one"));
  });
});
