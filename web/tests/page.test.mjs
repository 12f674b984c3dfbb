// The shop page, driven as a person drives it: with a mouse, with the keyboard, on a phone, offline.
import assert from "node:assert/strict";
import { after as afterAll, before, describe, test } from "node:test";

import { NONE, after, card, faults, openShop, reading, ready, says, until } from "./support/shop.mjs";

/** Software WebGPU takes seconds for what a GPU does in a blink. */
const SLOW = 180_000;

describe("the shop page", { timeout: 900_000 }, () => {
  let shop;
  before(async () => {
    shop = await openShop({ webgpu: true });
  });
  afterAll(async () => {
    await shop?.close();
  });

  test("browsing moves the gauge, and the panel says why", async () => {
    const page = await shop.visit();
    await ready(page);
    const start = await reading(page);
    assert.equal(start.events, 1, "the front is a list, and was shown");
    assert.equal(start.backend, "wasm", "a page starts on the CPU");
    assert.match(start.shown, /^\d+(\.\d)?%$/);

    const name = await card(page, 1).locator(".name").textContent();
    await card(page, 1).locator("a").click();
    await says(page, "#product-title", exactly(name));
    const looked = await after(page, 2);
    assert.notEqual(looked.propensity, start.propensity);

    await page.getByRole("button", { name: "One more" }).click();
    await page.click("#add-to-cart");
    const added = await after(page, 3);
    assert.notEqual(added.propensity, looked.propensity);
    await says(page, "#cart-count", /^2$/);

    await page.locator("#product-dialog .also a").first().click();
    await after(page, 4);
    assert.notEqual(await page.locator("#product-title").textContent(), name);
    await page.keyboard.press("Escape");
    await page.waitForSelector("#product-dialog:not([open])", { state: "attached" });

    await page.click("#cart-link");
    await page.locator("#cart-dialog .stepper button").last().click();
    await page.locator("#cart-dialog .remove").click();
    const emptied = await after(page, 7);
    await says(page, "#cart-count", /^0$/);
    assert.equal(emptied.events, 7);
    await page.locator("#cart-dialog .close").click();

    assert.equal(await page.locator("#curve-chart .mark").count(), 8, "one mark an event, one before them");
    assert.equal(await page.locator("#reasons li .reason-effect").count(), 3);
    await page.hover("#curve-chart");
    await says(page, "#curve-tip", /%.*into the visit|context alone/);
    await page.mouse.move(300, 300);
    await until(page, "eight recommendations by the model", () => {
      const notes = [...document.querySelectorAll("#picks li .note:last-child")];
      return notes.length === 8 && notes.every(({ textContent }) => /% after a look$/.test(textContent));
    });
    await says(page, "#fact-micros", /^[\d.,]+ (µs|ms)$/);
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
  });

  test("departments and search show what they say; the back button works", async () => {
    const page = await shop.visit();
    await ready(page);
    const bags = page.locator("#departments a", { hasText: "Bags" });
    const size = await bags.locator("small").textContent();
    await bags.click();
    await says(page, "#list-title", /^Bags/);
    assert.match(await page.locator("#list-size").textContent(), new RegExp(`^${size} products`));
    await page.fill("#query", "retrospot");
    await page.keyboard.press("Enter");
    await says(page, "#list-title", /retrospot/);
    for (const text of await page.locator("#grid .name").allTextContents()) {
      assert.match(text, /retrospot/i);
    }
    await page.fill("#query", "no such thing at all");
    await page.keyboard.press("Enter");
    await says(page, "#list-size", /^Nothing found/);
    await page.goBack();
    await says(page, "#list-title", /retrospot/);
    await page.goBack();
    await says(page, "#list-title", /^Bags/);
    const link = await card(page, 0).locator("a").getAttribute("href");
    await page.goto(`${new URL(page.url()).origin}/${link}`);
    await page.waitForSelector("#product-dialog[open]");
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
  });

  test("WebGPU is really used, agrees with the CPU, and the visit is kept", async () => {
    const page = await shop.visit();
    await ready(page);
    await card(page, 2).locator(".add").click();
    const cpu = await after(page, 2);
    assert.equal(cpu.backend, "wasm");
    const submits = await page.evaluate(() => globalThis.watched.submits);

    await page.locator("#use-webgpu").check({ force: true });
    // The shop does not wait for the switch.
    await page.fill("#query", "bunting");
    await page.keyboard.press("Enter");
    await says(page, "#list-title", /bunting/, 5000);
    await page.waitForSelector('#badge[data-backend="webgpu"]:not([data-switching])', { timeout: SLOW });
    assert.match(await page.locator("#badge").textContent(), /^WebGPU · \S/);
    assert.notEqual(await page.locator("#badge").getAttribute("data-adapter"), "");
    await page.waitForSelector('#fact-micros[data-backend="webgpu"]', { timeout: SLOW });
    const gpu = await reading(page, SLOW);
    assert.equal(gpu.backend, "webgpu");
    assert.equal(gpu.events, 3, "no event was lost");

    await card(page, 0).locator(".add").click();
    const onGpu = await after(page, 4, SLOW);
    assert.equal(onGpu.backend, "webgpu");
    assert.ok((await page.evaluate(() => globalThis.watched.submits)) > submits, "work reached the GPU queue");

    await page.locator("#use-wasm").check({ force: true });
    await page.waitForSelector('#fact-micros[data-backend="wasm"]', { timeout: SLOW });
    const back = await reading(page, SLOW);
    assert.equal(back.events, 4);
    assert.ok(
      Math.abs(logit(back.propensity) - logit(onGpu.propensity)) <= 1e-3,
      `CPU ${back.propensity}, WebGPU ${onGpu.propensity}`,
    );
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
  });

  test("going back to the CPU while WebGPU is starting is obeyed", async () => {
    let release;
    const released = new Promise((resolve) => {
      release = resolve;
    });
    const page = await shop.visit({
      route: (p) => p.route("**/wasm/webgpu/*.wasm", async (route) => {
        await released;
        await route.continue();
      }),
    });
    await ready(page);
    // Once it is asked for, the start has begun, and cannot end before it is let.
    const asked = page.waitForRequest("**/wasm/webgpu/*.wasm");
    await page.locator("#use-webgpu").check({ force: true });
    await page.waitForSelector('#badge[data-switching="webgpu"]');
    await asked;
    await page.locator("#use-wasm").check({ force: true });
    await page.waitForSelector('#badge[data-backend="wasm"]:not([data-switching])', { timeout: 5000 });
    assert.equal(await page.locator("#badge").textContent(), "CPU");

    const submits = () => page.evaluate(() => globalThis.watched.submits);
    const before = await submits();
    release();
    await page.waitForFunction((than) => globalThis.watched.submits > than, before, { timeout: SLOW });
    // The start is over once the GPU has had nothing to do for a while.
    for (let last = -1, now = await submits(); now !== last; ) {
      await page.waitForTimeout(3000);
      [last, now] = [now, await submits()];
    }
    assert.equal(await page.locator("#badge").getAttribute("data-backend"), "wasm");
    assert.ok(await page.locator("#use-wasm").isChecked());
    await card(page, 0).locator(".add").click();
    const score = await after(page, 2);
    assert.equal(score.backend, "wasm");
    assert.equal(score.events, 2, "no event was lost");
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
  });

  test("offline, the page still scores", async () => {
    const page = await shop.visit();
    await ready(page);
    const online = await reading(page);
    // What a replay needs is fetched soon after the start.
    await page.waitForLoadState("networkidle");
    await page.context().setOffline(true);
    await card(page, 3).locator("a").click();
    await page.click("#add-to-cart");
    const offline = await after(page, online.events + 2);
    assert.notEqual(offline.propensity, online.propensity);
    await page.keyboard.press("Escape");
    await page.click("#replay");
    assert.ok((await after(page, 3)).events >= 3, "the sessions to replay are there, too");
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
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

    // A second replay is stopped by what the person at the screen does.
    await page.click("#replay");
    await page.waitForSelector("#replay[aria-pressed]");
    await card(page, 0).locator(".add").click();
    await page.waitForSelector("#replay:not([aria-pressed])");
    const own = await after(page, 1);
    assert.equal(own.events, 1);
    assert.match(await page.locator("#curve-title").textContent(), /This visit/);
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

  test("an order ends the visit; a new one begins afresh", async () => {
    const page = await shop.visit();
    await ready(page);
    await card(page, 0).locator(".add").click();
    await page.click("#cart-link");
    await page.click("#to-checkout");
    await after(page, 4);
    const before = await reading(page);
    await page.click("#place-order");
    await page.waitForSelector("#panel[data-ordered]");
    assert.equal((await reading(page)).propensity, before.propensity, "the gauge stops at the order");
    await says(page, "#checkout-dialog", /Thank you/);
    await says(page, "#cart-count", /^0$/);
    await page.click("#next-visit");
    await page.waitForSelector("#panel:not([data-ordered])");
    assert.equal((await after(page, 1)).events, 1);

    // Who visits is part of what the model knows before anything happens.
    const asNew = await reading(page);
    await page.selectOption("#visitor", "returning");
    await page.click("#new-visit");
    await says(page, "#visit-note", /^Returning/);
    assert.notEqual((await after(page, 1)).propensity, asNew.propensity);
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
  });

  test("everything can be done with the keyboard", async () => {
    const page = await shop.visit();
    await ready(page);
    const focused = (selector) => page.evaluate((wanted) => document.activeElement.matches(wanted), selector);
    const tabTo = async (selector, most = 120) => {
      for (let i = 0; i < most; i += 1) {
        await page.keyboard.press("Tab");
        if (await focused(selector)) return;
      }
      assert.fail(`no way to ${selector} by Tab`);
    };
    await page.keyboard.press("Tab");
    assert.ok(await focused(".skip"));
    await page.keyboard.press("Enter");
    assert.ok(await focused("#shop"));
    await tabTo("#grid .card a");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, "none", "the focus can be seen");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#product-dialog[open]");
    assert.ok(await focused("#product-title"));
    for (let i = 0; i < 24; i += 1) {
      await page.keyboard.press("Tab");
      assert.ok(await focused("#product-dialog *, body"), "the focus stays in the dialog");
    }
    await tabTo("#add-to-cart");
    await page.keyboard.press("Enter");
    await after(page, 3);
    await says(page, "#cart-count", /^1$/);
    await page.keyboard.press("Escape");
    await page.waitForSelector("#product-dialog:not([open])", { state: "attached" });
    assert.ok(await focused("#grid .card a"), "the focus is where it was");
    await tabTo("#curve-chart", 200);
    await page.keyboard.press("ArrowLeft");
    await says(page, "#curve-tip", /Added to the cart/);
    await tabTo("#new-visit");
    await page.keyboard.press("Enter");
    assert.equal((await after(page, 1)).events, 1);
    await says(page, "#live", /^Likely to buy: \d/, 10_000);
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
  });
});

/** A pattern for this text and no other. */
const exactly = (text) => new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);

const logit = (p) => Math.log(p / (1 - p));

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
