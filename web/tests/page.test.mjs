// The shop page, driven as a person drives it: with a mouse, with the keyboard, on a phone, offline.
import assert from "node:assert/strict";
import { after as afterAll, before, describe, test } from "node:test";

import { NONE, NOON, after, afterAtLeast, card, faults, openShop, reading, ready, says, until } from "./support/shop.mjs";

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

  test("time counts: the same clicks, two seconds or a minute and a half apart", async () => {
    const readings = [];
    for (const seconds of [2, 90]) {
      const page = await shop.visit({ clock: true });
      await ready(page);
      await page.clock.setFixedTime(NOON + 10_000);
      await card(page, 1).locator("a").click();
      await after(page, 2);
      await page.clock.setFixedTime(NOON + 10_000 + seconds * 1000);
      await page.click("#add-to-cart");
      readings.push(await after(page, 3));
      await says(page, "#curve-chart .curve-foot", new RegExp(`3 events · ${seconds === 2 ? "0:12" : "1:40"}$`));
      assert.deepEqual(await faults(page), NONE);
      await page.context().close();
    }
    const [quick, slow] = readings;
    assert.ok(Math.abs(logit(quick.propensity) - logit(slow.propensity)) > 0.01, `${quick.propensity}, ${slow.propensity}`);
  });

  test("staying moves the gauge, and the next event goes on from the newest one", async () => {
    const page = await shop.visit({ clock: true });
    await ready(page);
    await page.clock.setFixedTime(NOON + 10_000);
    await card(page, 1).locator("a").click();
    const looked = await after(page, 2);
    const gauge = () => page.locator("#gauge").evaluate(({ dataset }) => ({ ...dataset }));
    assert.equal((await gauge()).propensity, String(looked.propensity));
    await page.clock.setFixedTime(NOON + 10_000 + 90_000);
    await page.waitForSelector('#gauge[data-waited="90000"]');
    const stayed = await gauge();
    assert.ok(Math.abs(logit(Number(stayed.propensity)) - logit(looked.propensity)) > 0.01, JSON.stringify(stayed));
    await says(page, "#gauge-rank", /percentile, 1:30 on this page$/);
    assert.equal(await page.locator("#curve-chart .curve-now").count(), 1);
    await page.click("#add-to-cart");
    await after(page, 3);
    assert.equal((await gauge()).waited, "0");
    assert.equal(await page.locator("#curve-chart .curve-now").count(), 0);
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
    const { route, release } = heldWebGpu();
    const page = await shop.visit({ route });
    await ready(page);
    await card(page, 2).locator(".add").click();
    const cpu = await after(page, 2);
    assert.equal(cpu.backend, "wasm");

    await page.locator("#use-webgpu").check({ force: true });
    // The shop does not wait for the switch, which cannot end before it is let.
    await page.fill("#query", "bunting");
    await page.keyboard.press("Enter");
    await says(page, "#list-title", /bunting/);
    assert.equal((await after(page, 3)).backend, "wasm");
    assert.equal(await page.locator("#badge").getAttribute("data-switching"), "webgpu");
    release();
    await page.waitForSelector('#badge[data-backend="webgpu"]:not([data-switching])', { timeout: SLOW });
    assert.match(await page.locator("#badge").textContent(), /^WebGPU · \S/);
    assert.notEqual(await page.locator("#badge").getAttribute("data-adapter"), "");
    await page.waitForSelector('#fact-micros[data-backend="webgpu"]', { timeout: SLOW });
    const gpu = await reading(page, SLOW);
    assert.equal(gpu.backend, "webgpu");
    assert.equal(gpu.events, 3, "no event was lost");

    // All that the switch itself had to compute is done: what comes now is this event's.
    const submits = () => page.evaluate(() => globalThis.watched.submits);
    const before = await submits();
    await card(page, 0).locator(".add").click();
    const onGpu = await after(page, 4, SLOW);
    assert.equal(onGpu.backend, "webgpu");
    assert.notEqual(onGpu.propensity, gpu.propensity);
    assert.ok((await submits()) > before, "the event's work reached the GPU's queue");

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
    const { route, release } = heldWebGpu();
    const page = await shop.visit({ route });
    await ready(page);
    // Once it is asked for, the start has begun, and cannot end before it is let.
    const asked = page.waitForRequest("**/wasm/webgpu/*.wasm");
    await page.locator("#use-webgpu").check({ force: true });
    await page.waitForSelector('#badge[data-switching="webgpu"]');
    await asked;
    await page.locator("#use-wasm").check({ force: true });
    await page.waitForSelector('#badge[data-backend="wasm"]:not([data-switching])');
    assert.equal(await page.locator("#badge").textContent(), "CPU");

    assert.equal(await page.evaluate(() => globalThis.watched.readbacks), 0);
    release();
    // The start reads two numbers back: the self-check's, then the session's score. Once it has, it would
    // take the page over, had nobody said otherwise.
    await until(page, "the end of the start", () => globalThis.watched.readbacks >= 2, undefined, SLOW);
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 0)));
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
    await says(page, "#curve-title", /^Replay/);
    const replayed = await afterAtLeast(page, 3);
    assert.ok(replayed.events >= 3, "the sessions to replay are there, too");
    assert.notEqual(replayed.propensity, offline.propensity);
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
    // Emptied, so that what is spoken below is the new visit's.
    await page.evaluate(() => {
      document.querySelector("#live").textContent = "";
    });
    await page.keyboard.press("Enter");
    const { events, shown } = await after(page, 1);
    assert.equal(events, 1);
    await says(page, "#live", new RegExp(`^Likely to buy: ${shown}, \\d+(st|nd|rd|th) percentile`), 10_000);
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
  });
});

/** Holds the WebGPU module back until it is released: until then no switch to it can end. */
function heldWebGpu() {
  let release;
  const released = new Promise((resolve) => {
    release = resolve;
  });
  const hold = async (route) => {
    await released;
    await route.continue();
  };
  return { route: (page) => page.route("**/wasm/webgpu/*.wasm", hold), release };
}

/** A pattern for this text and no other. */
const exactly = (text) => new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);

const logit = (p) => Math.log(p / (1 - p));
