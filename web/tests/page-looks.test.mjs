// How the shop page looks, in light and dark, on a desk and on a phone; and what it says when something is
// missing: the model, the catalogue, WebGPU.
import assert from "node:assert/strict";
import { after as afterAll, before, describe, test } from "node:test";

import { DESKTOP, NONE, PHONE, after, card, faults, openShop, picture, ready, says, still, until } from "./support/shop.mjs";

describe("the shop page's looks and states", { timeout: 600_000 }, () => {
  let shop;
  before(async () => {
    shop = await openShop({ webgpu: true });
  });
  afterAll(async () => {
    await shop?.close();
  });

  for (const scheme of ["light", "dark"]) {
    test(`desktop, ${scheme}: nothing shifts, nothing overflows; a picture`, async () => {
      const page = await shop.visit({ viewport: DESKTOP, scheme, reducedMotion: "reduce", before: ownTime });
      await ready(page);
      assert.ok(await page.evaluate(() => Number.parseFloat(getComputedStyle(document.querySelector(".gauge-value")).transitionDuration) < 0.001));
      // The last things to come in: what a replay reads, the fonts, the first recommendations.
      await page.waitForLoadState("networkidle");
      await advised(page);
      await still(page);
      assert.ok((await page.evaluate(() => globalThis.watched.shift)) < 0.02, "no layout shift while loading");
      await stroll(page);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
      assert.ok((await contrast(page)) >= 4.5, "text can be read");
      await picture(page, `desktop-${scheme}`);
      assert.deepEqual(await faults(page), NONE);
      await page.context().close();
    });

    test(`phone, ${scheme}: the panel is a sheet; a picture`, async () => {
      const page = await shop.visit({ viewport: PHONE, scheme, reducedMotion: "reduce", before: ownTime });
      await ready(page);
      await stroll(page);
      const views = { "#/": undefined, "#/cart": "cart", "#/delivery": "info", "#/item/85123A": "product", "#/help": "info" };
      for (const [hash, dialog] of Object.entries(views)) {
        await go(page, hash, dialog);
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= PHONE.width, `${hash} fits`);
      }
      await go(page, "#/", undefined);
      assert.equal(await page.locator("#panel-body").evaluate((body) => body.inert), true);
      assert.match(await page.locator("#bar-number").textContent(), /%$/);
      await page.evaluate(() => window.scrollTo(0, 0));
      await still(page);
      await picture(page, `phone-${scheme}`);
      await page.click("#panel-bar");
      await page.waitForSelector('#panel-bar[aria-expanded="true"]');
      // The sheet slides up: the gauge is in sight once it has.
      await until(
        page,
        "the whole gauge in sight",
        (height) => {
          const box = document.querySelector("#gauge").getBoundingClientRect();
          return box.height > 0 && box.y > 0 && box.y + box.height < height;
        },
        PHONE.height,
      );
      await still(page);
      await picture(page, `phone-sheet-${scheme}`);
      await page.keyboard.press("Escape");
      await page.waitForSelector('#panel-bar[aria-expanded="false"]');
      assert.deepEqual(await faults(page), NONE);
      await page.context().close();
    });
  }

  test("without a model the page says what to do, and the shop goes on", async () => {
    const page = await shop.visit({
      route: (p) => p.route("**/*.propense", (route) => route.fulfill({ status: 404, body: "" })),
    });
    await page.waitForSelector('#panel[data-state="failed"]');
    assert.match(await page.locator("#notice").textContent(), /cargo xtask demo/);
    assert.match(await page.locator("#notice").textContent(), /NOT_FOUND/);
    await card(page, 0).locator(".add").click();
    await says(page, "#cart-count", /^1$/);
    await page.context().close();
  });

  test("a broken model is told from a missing one", async () => {
    const page = await shop.visit({
      route: (p) => p.route("**/*.propense", (route) => route.fulfill({ status: 200, body: "not a bundle" })),
    });
    await page.waitForSelector('#panel[data-state="failed"]');
    assert.match(await page.locator("#notice").textContent(), /could not be used.*BUNDLE_/s);
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
  });

  test("without a catalogue the page says so", async () => {
    const page = await shop.visit({
      route: (p) => p.route("**/catalogue.json", (route) => route.fulfill({ status: 404, body: "" })),
    });
    await page.waitForSelector(".broken");
    assert.match(await page.locator(".broken").textContent(), /catalogue\.json.*404.*cargo xtask demo/s);
    await page.context().close();
  });

  test("a browser without WebGPU is told so, and scores on the CPU", async () => {
    const page = await shop.visit({ before: () => delete Navigator.prototype.gpu });
    await ready(page);
    assert.ok(await page.locator("#use-webgpu").isDisabled());
    assert.match(await page.locator("#engine-reason").textContent(), /no WebGPU/);
    await card(page, 0).locator(".add").click();
    assert.equal((await after(page, 2)).backend, "wasm");
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
  });

  test("WebGPU without an adapter: the switch goes back, with the reason", async () => {
    const page = await shop.visit({
      before: () => {
        if (globalThis.GPU) GPU.prototype.requestAdapter = async () => null;
      },
    });
    await ready(page);
    await page.locator("#use-webgpu").click({ force: true });
    await says(page, "#engine-reason", /WEBGPU_UNAVAILABLE/);
    assert.ok(await page.locator("#use-wasm").isChecked());
    await card(page, 0).locator(".add").click();
    assert.equal((await after(page, 2)).backend, "wasm");
    await page.context().close();
  });
});

/** Goes to an address within the shop; waits until its dialog, or none, is there and at rest. */
async function go(page, hash, dialog) {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
  await until(
    page,
    `${dialog ?? "no"} dialog at ${hash}`,
    ([address, wanted]) => {
      const open = [...document.querySelectorAll("dialog[open]")].map(({ id }) => id).join();
      return location.hash === address && open === (wanted === undefined ? "" : `${wanted}-dialog`);
    },
    [hash, dialog],
  );
  await still(page);
}

/** Waits for recommendations by the model in place of the best sellers. */
const advised = (page) => says(page, "#picks", /after a look/);

/** Runs in the page before its own scripts: lets time pass for the shop without waiting for it. */
function ownTime() {
  const now = Date.now.bind(Date);
  let ahead = 0;
  Date.now = () => now() + ahead;
  globalThis.later = (seconds) => {
    ahead += seconds * 1000;
  };
}

/** A short visit, as it looks on a picture. */
async function stroll(page) {
  const linger = (seconds) => page.evaluate((time) => globalThis.later(time), seconds);
  const open = async (n) => {
    await card(page, n).locator("a").click();
    await page.waitForSelector("#product-dialog[open]");
  };
  const shut = async (dialog) => {
    await page.keyboard.press("Escape");
    await page.waitForSelector(`#${dialog}:not([open])`, { state: "attached" });
  };
  for (const n of [1, 5]) {
    await linger(17);
    await open(n);
    await linger(26);
    await page.click("#add-to-cart");
    await shut("product-dialog");
  }
  await linger(31);
  await open(2);
  await linger(12);
  await shut("product-dialog");
  await page.click("#cart-link");
  await page.waitForSelector("#cart-dialog[open]");
  await shut("cart-dialog");
  await after(page, 7);
  await page.evaluate(() => {
    document.activeElement.blur();
    window.scrollTo(0, 0);
  });
  await page.mouse.move(5, 5);
  await page.waitForSelector("#toast:not(.on)", { state: "attached" });
  await advised(page);
  await still(page);
}

/** The least contrast of the page's visible text of these kinds against its ground (WCAG 2.2, 1.4.3). */
function contrast(page) {
  return page.evaluate(() => {
    const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    const paint = (colours) => {
      context.clearRect(0, 0, 1, 1);
      for (const colour of colours) {
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
      }
      return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (rgb) => {
      const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const grounds = (element) => {
      const found = [];
      for (let at = element; at; at = at.parentElement) {
        const style = getComputedStyle(at);
        found.unshift(style.backgroundColor);
        // The panel's ground is a gradient: its lightest colour is the hardest for light text.
        if (at.id === "panel") return [style.backgroundImage.match(/rgb\([^)]*\)/)[0], ...found.slice(1)];
      }
      return found;
    };
    const texts = ".card .name, .price, .add, .small-card .note, #list-size, .departments a, .colophon p, .cart-link, .engine-reason, .facts dt, .facts dd, .reason-why, #gauge-rank, .panel .button, .small-print, #visit-note";
    const ratios = [...document.querySelectorAll(texts)].map((element) => {
      const ground = grounds(element);
      const a = luminance(paint(ground));
      const b = luminance(paint([...ground, getComputedStyle(element).color]));
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    });
    return Math.min(...ratios);
  });
}
