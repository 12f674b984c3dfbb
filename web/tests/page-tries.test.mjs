// The buttons of the panel that play with real sessions: replaying one, scoring a thousand.
import assert from "node:assert/strict";
import { after as afterAll, before, describe, test } from "node:test";

import { NONE, after, afterAtLeast, card, faults, openShop, reading, ready, says } from "./support/shop.mjs";

/** A thousand sessions, on a machine that has other things to do. */
const SLOW = 180_000;

describe("the shop page's real sessions", { timeout: 600_000 }, () => {
  let shop;
  before(async () => {
    shop = await openShop();
  });
  afterAll(async () => {
    await shop?.close();
  });

  test("a real session is replayed, and its outcome shown after it", async () => {
    const page = await shop.visit();
    await ready(page);
    await page.click("#replay");
    await page.waitForSelector("#replay-outcome:not([hidden])");
    assert.equal(await page.locator("#replay-outcome").getAttribute("data-bought"), null, "not told before");
    assert.match(await page.locator("#curve-title").textContent(), /Replay/);
    await page.waitForSelector("#replay-outcome[data-bought]", { timeout: 120_000 });
    const end = await reading(page);
    assert.ok(end.events >= 8, `${end.events} events`);
    const bought = (await page.locator("#replay-outcome").getAttribute("data-bought")) === "true";
    assert.match(await page.locator("#replay-outcome").textContent(), bought ? /bought/ : /left without/);

    // The stranger's session is over: what the person at the screen does is no part of it.
    await ownVisitBegins(page);
    assert.ok(await page.locator("#replay-outcome").isHidden());

    // A second replay is stopped by what the person does, a third by its button.
    await replayRuns(page);
    await ownVisitBegins(page);
    await replayRuns(page);
    await page.click("#replay");
    await page.waitForSelector("#replay:not([aria-pressed])");
    await says(page, "#curve-title", /^Replay/);
    await ownVisitBegins(page);
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
  });

  test("a replay that is still loading does not begin once the person has gone on", async () => {
    let release;
    const released = new Promise((resolve) => {
      release = resolve;
    });
    const page = await shop.visit({
      route: (p) => p.route("**/sample-sessions.json", async (route) => {
        await released;
        await route.continue();
      }),
    });
    await ready(page);
    await page.click("#replay");
    await page.waitForSelector("#replay[aria-pressed]");
    await card(page, 0).locator(".add").click();
    const own = await after(page, 2);
    release();
    await page.waitForSelector("#replay:not([aria-pressed])");
    await says(page, "#curve-title", /^This visit$/);
    assert.deepEqual(await reading(page), own, "the visit goes on as it was");
    assert.ok(await page.locator("#replay-outcome").isHidden());
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
  });

  test("a thousand sessions are scored; the AUC is that of the scores", async () => {
    const page = await shop.visit();
    await ready(page);
    const before = await reading(page);
    await page.click("#bulk");
    await page.waitForSelector('.bulk[data-count="1000"]', { timeout: SLOW });
    const shown = await page.locator(".bulk").evaluate(({ dataset }) => ({ ...dataset }));
    assert.equal(shown.backend, "wasm");
    const expected = aucByPairs(await page.evaluate(scoreByTheModule));
    assert.ok(Math.abs(Number(shown.auc) - expected) < 1e-6, `${shown.auc} shown, ${expected} expected`);
    assert.ok(expected > 0.6, `the shipped model tells buyers from others: ${expected}`);
    assert.deepEqual(await reading(page), before, "the visit itself is untouched");

    // Pressed twice, it is cancelled.
    await page.locator("#bulk").evaluate((button) => {
      button.click();
      button.click();
    });
    await says(page, "#bulk-outcome", /^Stopped after/);
    await says(page, "#bulk", /^Score 1,000 sessions$/);
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
  });
});

/** Starts a replay and waits until something of it is on the panel. */
async function replayRuns(page) {
  await page.click("#replay");
  await says(page, "#curve-title", /^Replay/);
  await afterAtLeast(page, 2);
}

/** Puts something into the cart: the first event of the person's own visit, whatever was on the panel. */
async function ownVisitBegins(page) {
  await card(page, 0).locator(".add").click();
  await page.waitForSelector("#replay:not([aria-pressed])");
  const { events } = await after(page, 1);
  assert.equal(events, 1);
  await says(page, "#curve-title", /^This visit$/);
  assert.equal(await page.locator("#curve-chart .mark").count(), 2, "this event, and before it");
}

/** Reads and scores the sample sessions in the page, apart from the page's own code for it. */
async function scoreByTheModule() {
  const { loadScorer } = await import(new URL("propense/index.js", document.baseURI).href);
  const json = async (path) => (await fetch(new URL(path, document.baseURI))).json();
  const file = await json("data/sample-sessions.json");
  const products = new Map((await json("data/catalogue.json")).items.map((item) => [item.item_id, item]));
  const scorer = await loadScorer(new URL("models/giftshop.propense", document.baseURI), { backend: "wasm" });
  const sessions = file.sessions.map(({ context, start, events }) => {
    let timestamp = start;
    return {
      context,
      events: events.map(([seconds, kind, item, page, quantity]) => {
        timestamp += seconds * 1000;
        const event = { event: file.kinds[kind], timestamp };
        if (page >= 0) event.page_type = file.page_types[page];
        if (item >= 0) {
          const { item_id, item_category, price } = products.get(file.items[item]);
          event.items = [quantity > 0 ? { item_id, item_category, price, quantity } : { item_id, item_category, price }];
        }
        return event;
      }),
    };
  });
  const scores = [...(await scorer.scoreSessions(sessions))];
  scorer.dispose();
  return { scores, outcomes: file.sessions.map(({ bought }) => bought) };
}

/** The AUC by its definition: over all pairs of a buyer and another. */
function aucByPairs({ scores, outcomes }) {
  let wins = 0;
  let pairs = 0;
  scores.forEach((buyer, i) => {
    if (!outcomes[i]) return;
    scores.forEach((other, j) => {
      if (outcomes[j]) return;
      pairs += 1;
      wins += buyer > other ? 1 : buyer === other ? 0.5 : 0;
    });
  });
  return wins / pairs;
}
