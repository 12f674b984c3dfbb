// A model that reaches visitors by steps: the manifest of `propense serve`, or a file like it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";

import { bundle, manifest } from "./support/bundle.mjs";
import { open } from "./support/browser.mjs";

let host;
before(async () => {
  host = await open();
});
after(() => host.close());

const versions = Object.fromEntries(["one", "two"].map((name) => [name, bundle({ header: manifest({ name }) })]));
const entry = (name) => ({
  version: name,
  url: `bundles/${name}.propense`,
  integrity: `sha256-${createHash("sha256").update(versions[name]).digest("base64")}`,
});
const says = (current, percentage, previous) => ({ format: 1, current: entry(current), percentage, previous: previous && entry(previous) });

/** A browser that asks for `/shop/manifest.json`; `page.manifest` is what it gets. */
async function shop(work) {
  const context = await host.browser.newContext();
  const page = await context.newPage();
  page.asked = [];
  await context.route("**/shop/**", (route) => {
    const { pathname } = new URL(route.request().url());
    page.asked.push(pathname);
    if (page.manifest === undefined) return route.abort("internetdisconnected");
    if (pathname === "/shop/manifest.json") return route.fulfill({ body: typeof page.manifest === "string" ? page.manifest : JSON.stringify(page.manifest) });
    const name = /(\w+)\.propense$/.exec(pathname)?.[1];
    return versions[name] ? route.fulfill({ body: versions[name] }) : route.fulfill({ status: 404, body: "" });
  });
  page.load = async (visitorId, midway = false) => {
    page.asked.length = 0;
    await page.goto(host.origin);
    return page.evaluate(
      async ([visitor, on]) => {
        const [{ rollout }, { loadScorer }] = await Promise.all([import("/dist/delivery.js"), import("/dist/index.js")]);
        try {
          const model = rollout("/shop/manifest.json", visitor === null ? {} : { visitorId: visitor });
          let from;
          const scorer = await model.load((bytes, base) => ((from = base), loadScorer(bytes, { base, backend: "wasm" })), on);
          const { name } = scorer.model;
          scorer.dispose();
          await model.settled();
          return { name, newer: model.newer(), from: new URL(from).pathname };
        } catch ({ code, message }) {
          return { code, message };
        }
      },
      [visitorId ?? null, midway],
    );
  };
  page.forget = () => page.evaluate(() => caches.delete("propense-models"));
  try {
    await work(page);
  } finally {
    await context.close();
  }
}

test("shares: a visitor stays on one side, more get it as the share grows, who is not told apart waits", () =>
  shop(async (page) => {
    const visitors = Array.from({ length: 12 }, (_, at) => `visitor ${at}`);
    let before = [];
    for (const percentage of [0, 40, 70, 100]) {
      page.manifest = says("two", percentage, "one");
      const reached = [];
      for (const visitor of visitors) {
        const { name } = await page.load(visitor);
        if (name === "two") reached.push(visitor);
        await page.forget();
      }
      assert.ok(before.every((visitor) => reached.includes(visitor)), `somebody went back at ${percentage} %`);
      if (percentage === 0) assert.deepEqual(reached, []);
      if (percentage === 40 || percentage === 70) assert.ok(reached.length > 1 && reached.length < 12, `${reached.length} of 12 at ${percentage} %`);
      if (percentage === 100) assert.deepEqual(reached, visitors);
      before = reached;
      assert.equal((await page.load()).name, percentage === 100 ? "two" : "one");
      await page.forget();
    }
    assert.ok(!page.asked.some((path) => path.includes("visitor")));
  }));

test("a step and a roll-back reach the page with its next session; what it has it does not fetch again", () =>
  shop(async (page) => {
    page.manifest = says("one", 100, null);
    const first = await page.load("v");
    assert.deepEqual(first, { name: "one", newer: false, from: "/shop/bundles/one.propense" });
    assert.deepEqual((await page.load("v")).name, "one");
    assert.deepEqual(page.asked, ["/shop/manifest.json"]);
    page.manifest = says("two", 100, "one");
    assert.deepEqual(await page.load("v", true), { name: "one", newer: true, from: "/shop/bundles/one.propense" });
    assert.deepEqual(await page.load("v"), { name: "two", newer: false, from: "/shop/bundles/two.propense" });
    // Rolled back.
    page.manifest = says("one", 100, null);
    assert.equal((await page.load("v", true)).newer, true);
    assert.equal((await page.load("v")).name, "one");
    page.manifest = undefined;
    assert.equal((await page.load("v")).name, "one", "offline");
  }));

for (const [what, given, code] of [
  ["no JSON", "<html>", "MANIFEST_INVALID"],
  ["of another format", { ...says("one", 100), format: 2 }, "MANIFEST_INVALID"],
  ["without a share", { format: 1, current: entry("one") }, "MANIFEST_INVALID"],
  ["without a bundle", { format: 1, percentage: 100 }, "MANIFEST_INVALID"],
  ["without a checksum", { format: 1, percentage: 100, current: { url: "bundles/one.propense" } }, "MANIFEST_INVALID"],
  ["of another server", { format: 1, percentage: 100, current: { ...entry("one"), url: "https://elsewhere.invalid/one.propense" } }, "MANIFEST_INVALID"],
  ["of another file", { format: 1, percentage: 100, current: { ...entry("one"), url: "bundles/two.propense" } }, "INTEGRITY"],
  ["of a missing file", { format: 1, percentage: 100, current: { ...entry("one"), url: "bundles/three.propense" } }, "NOT_FOUND"],
]) {
  test(`a manifest that is ${what}`, () =>
    shop(async (page) => {
      page.manifest = given;
      const found = await page.load("v");
      assert.equal(found.code, code, found.message);
      page.manifest = says("one", 100);
      assert.equal((await page.load("v")).name, "one");
    }));
}
