// What shops already tell others, as events: each source, by rows of what was told and what is to come of it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { dataLayer, segment, snowplow } from "../dist/adapters.js";
import { open } from "./support/browser.mjs";

let host;
before(async () => {
  host = await open();
});
after(() => host.close());

const lamp = { item_id: "L1", item_name: "Lamp", price: 20 };
const untimed = ({ timestamp, ...rest }) => {
  assert.ok(Math.abs(timestamp - Date.now()) < 10_000);
  return rest;
};

function gtag() {
  return arguments;
}

for (const [what, pushed, expected] of [
  ["gtag", gtag("event", "view_item", { items: [lamp], currency: "GBP" }), { event: "view_item", items: [lamp], currency: "GBP" }],
  ["Tag Manager", { event: "add_to_cart", ecommerce: { items: [lamp], value: 20 } }, { event: "add_to_cart", items: [lamp], value: 20 }],
  ["a search", gtag("event", "view_search_results", { search_term: "lamp" }), { event: "search", search_term: "lamp" }],
  ["a shop's own event, asked for", { event: "quick_look", page_type: "product" }, { event: "quick_look", page_type: "product" }],
  ["what is none of a shop's", { event: "gtm.js", "gtm.start": 1 }, undefined],
  ["another command", gtag("config", "G-1"), undefined],
  ["a person's mail address", { event: "view_cart", email: "a@b.c", user_id: "u" }, { event: "view_cart" }],
  ["nothing", undefined, undefined],
  ["a null", null, undefined],
  ["items that are none", { event: "view_item", ecommerce: { items: 5 } }, { event: "view_item", items: 5 }],
]) {
  test(`the data layer, ${what}`, () => {
    for (const early of [true, false]) {
      const layer = early ? [pushed] : [];
      const told = [];
      const stop = dataLayer({ layer, events: ["quick_look"] })((event) => told.push(event));
      if (!early) assert.equal(layer.push(pushed), 1, "push says the length, as ever");
      assert.deepEqual(told.map(untimed), expected === undefined ? [] : [expected]);
      stop();
      layer.push(gtag("event", "view_item", {}));
      assert.equal(told.length, expected === undefined ? 0 : 1, "it was stopped");
      assert.equal(layer.push, Array.prototype.push, "nothing is left behind");
    }
  });
}

test("a data layer that somebody else wraps too, before and after", () => {
  const layer = [];
  const seen = [];
  const wrap = (name) => {
    const push = layer.push;
    layer.push = (...all) => {
      seen.push(name);
      return push.apply(layer, all);
    };
  };
  wrap("before");
  const told = [];
  const stop = dataLayer({ layer })((event) => told.push(event.event));
  wrap("after");
  layer.push({ event: "view_cart" }, { event: "purchase" });
  stop();
  layer.push({ event: "view_cart" });
  assert.deepEqual(told, ["view_cart", "purchase"]);
  assert.deepEqual(seen, ["after", "before", "after", "before"]);
  assert.equal(layer.length, 3);
});

/** An `analytics.js` that emits as Segment's does. */
function emitter() {
  const listeners = { track: [], page: [] };
  return {
    on: (name, listener) => listeners[name].push(listener),
    emit: (name, ...given) => listeners[name].forEach((listener) => listener(...given)),
  };
}

const product = { product_id: "L1", name: "Lamp", price: 20, quantity: 2 };
const item = { item_id: "L1", item_name: "Lamp", price: 20, quantity: 2 };
for (const [call, expected] of [
  [["track", "Product Viewed", product], { event: "view_item", items: [item] }],
  [["track", "Product Added", { ...product, product_id: undefined, sku: 7 }], { event: "add_to_cart", items: [{ ...item, item_id: "7" }] }],
  [["track", "Order Completed", { order_id: "O1", total: 40, products: [product] }], { event: "purchase", items: [item], value: 40, transaction_id: "O1" }],
  [["track", "Products Searched", { query: "lamp" }], { event: "search", search_term: "lamp" }],
  [["track", "Signed Up", { plan: "pro" }], undefined],
  [["track", "Cart Viewed", null], { event: "view_cart" }],
  [["page", "product", "Lamp", {}], { event: "page_view", page_type: "product" }],
  [["page", null, null, {}], { event: "page_view" }],
]) {
  test(`Segment, ${call[0]} ${call[1]}`, () => {
    const analytics = emitter();
    const told = [];
    const stop = segment(analytics)((event) => told.push(event));
    analytics.emit(...call);
    assert.deepEqual(told.map(untimed), expected === undefined ? [] : [expected]);
    stop();
    analytics.emit(...call);
    assert.equal(told.length, expected === undefined ? 0 : 1);
  });
}

const sold = { id: "L1", name: "Lamp", category: "light", price: 20 };
const bought = { item_id: "L1", item_name: "Lamp", item_category: "light", price: 20 };
for (const [call, expected] of [
  [["trackProductView", sold], { event: "view_item", items: [bought] }],
  [["trackProductView:shop", { ...sold, context: [] }], { event: "view_item", items: [bought] }],
  [["trackAddToCart", { products: [sold], total_value: 20, currency: "GBP" }], { event: "add_to_cart", items: [bought], value: 20, currency: "GBP" }],
  [["trackTransaction", { transaction_id: "T1", revenue: 20, products: [sold] }], { event: "purchase", items: [bought], value: 20, transaction_id: "T1" }],
  [["trackPageView"], { event: "page_view" }],
  [["setUserId", "u1"], undefined],
]) {
  test(`Snowplow, ${call[0]}`, () => {
    const calls = [];
    const original = Object.assign((...given) => calls.push(given), { q: [call] });
    globalThis.snowplow = original;
    const told = [];
    const stop = snowplow()((event) => told.push(event));
    globalThis.snowplow(...call);
    const times = expected === undefined ? 0 : 2;
    assert.deepEqual(told.map(untimed), Array(times).fill(expected), "queued before, and called now");
    assert.deepEqual(calls, [call], "Snowplow gets its call once");
    stop();
    assert.equal(globalThis.snowplow, original);
    delete globalThis.snowplow;
  });
}

test("sources that are not there", () => {
  assert.equal(typeof segment()(() => undefined), "function");
  assert.equal(typeof snowplow("none")(() => undefined), "function");
});

test("attributes: what is there, what comes, what is clicked", async () => {
  const page = await host.page();
  const told = await page.evaluate(async () => {
    const { attributes } = await import("/dist/adapters.js");
    document.body.innerHTML = `
      <main data-page-type="product" data-propense="view_item" data-item-id="L1" data-item-name="Lamp" data-item-price="20">
        <button data-propense-click="add_to_cart"><span id="in">Buy</span></button><button id="other">Other</button>
      </main>`;
    const told = [];
    const stop = attributes()(({ timestamp, ...event }) => told.push(event));
    const later = () => new Promise((resolve) => setTimeout(resolve));
    document.querySelector("#in").click();
    document.querySelector("#other").click();
    document.body.insertAdjacentHTML("beforeend", `<div><p data-propense="view_cart"></p></div>`);
    await later();
    document.querySelector("p").remove();
    document.body.append(Object.assign(document.createElement("p"), {}));
    stop();
    document.querySelector("#in").click();
    document.body.insertAdjacentHTML("beforeend", `<p data-propense="view_cart"></p>`);
    await later();
    return told;
  });
  const item = { item_id: "L1", item_name: "Lamp", price: "20" };
  assert.deepEqual(told, [
    { event: "view_item", items: [item], page_type: "product" },
    { event: "add_to_cart", items: [item], page_type: "product" },
    { event: "view_cart" },
  ]);
  assert.deepEqual(page.problems, []);
  await page.close();
});
