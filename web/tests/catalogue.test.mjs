// The catalogue that a bundle names: read from beside the bundle when recommendations are first wanted,
// and from nowhere else.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";

import { open } from "./support/browser.mjs";
import { bundle, manifest } from "./support/bundle.mjs";

const CATALOGUE = JSON.stringify({ items: [{ item_id: "named", price: 3, sold: 9 }, { item_id: "other", price: 2 }] });
/** The items that the model of these tests met in training. */
const KNOWN = ["22423", "47566", "85123A"];

let host;
before(async () => {
  host = await open();
});
after(() => host.close());

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** A page on whose server `/shop/model.propense` names this catalogue; `answer` serves it. */
async function shop({ file = "items/catalogue.json", sha = sha256(CATALOGUE), answer }) {
  const page = await host.page();
  page.asked = [];
  page.warnings = [];
  page.on("console", (message) => {
    if (message.type() === "warning") page.warnings.push(message.text());
  });
  const bytes = bundle({ header: manifest({ catalogue: { file, sha256: sha } }) });
  await page.route("**/shop/model.propense", (route) => route.fulfill({ body: bytes }));
  await page.route(/catalogue\.json|elsewhere/, (route) => {
    page.asked.push(route.request().url());
    return answer?.(route, page.asked.length) ?? route.fulfill({ status: 404, body: "" });
  });
  return page;
}

/** Loads the model and recommends so many times; the items in the order of their identifiers. */
const recommended = (page, times = 1) =>
  page.evaluate(async (count) => {
    const scorer = await propense.loadScorer("/shop/model.propense", { backend: "wasm" });
    const found = [];
    for (let turn = 0; turn < count; turn += 1) {
      const picks = await scorer.recommend({ k: 8 });
      found.push(picks.map(({ item_id }) => item_id).sort());
    }
    scorer.dispose();
    return found;
  }, times);

const good = (route) => route.fulfill({ body: CATALOGUE, contentType: "application/json" });

test("the catalogue that a bundle names is read once, from beside the bundle", async () => {
  const page = await shop({ answer: good });
  assert.deepEqual(await recommended(page, 2), [["named", "other"], ["named", "other"]]);
  assert.deepEqual(page.asked, [`${host.origin}/shop/items/catalogue.json`]);
  assert.deepEqual(page.warnings, []);
  await page.close();
});

test("another file under its name is not believed", async () => {
  const page = await shop({ sha: sha256("something else"), answer: good });
  assert.deepEqual(await recommended(page, 2), [KNOWN, KNOWN]);
  assert.equal(page.warnings.length, 1, "said once");
  assert.match(page.warnings[0], /SHA-256/);
  assert.equal(page.asked.length, 1, "the same file will not be better the next time");
  await page.close();
});

test("where it is missing, the items that the model knows are recommended", async () => {
  const page = await shop({});
  assert.deepEqual(await recommended(page, 2), [KNOWN, KNOWN]);
  assert.equal(page.warnings.length, 1);
  assert.match(page.warnings[0], /404/);
  assert.equal(page.asked.length, 1);
  await page.close();
});

test("where the server fails, the next recommendation tries again", async () => {
  const answer = (route, turn) => (turn === 1 ? route.fulfill({ status: 503, body: "" }) : good(route));
  const page = await shop({ answer });
  assert.deepEqual(await recommended(page, 3), [KNOWN, ["named", "other"], ["named", "other"]]);
  assert.equal(page.asked.length, 2);
  assert.equal(page.warnings.length, 1);
  await page.close();
});

for (const file of [
  "https://elsewhere.invalid/catalogue.json",
  "//elsewhere.invalid/catalogue.json",
  "\\\\elsewhere.invalid\\catalogue.json",
  "/catalogue.json",
  " https://elsewhere.invalid/catalogue.json",
  "data:application/json,%7B%22items%22%3A%5B%5D%7D",
]) {
  test(`a bundle cannot send the page to ${file}`, async () => {
    const page = await shop({ file, answer: good });
    assert.deepEqual(await recommended(page), [KNOWN]);
    assert.deepEqual(page.asked, [], "nothing was asked of anybody");
    assert.match(page.warnings[0], /no file relative to the bundle/);
    await page.close();
  });
}

test("in a worker, which has no document, everything is as in a page", async () => {
  const page = await shop({ answer: good });
  const found = await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const worker = new Worker("/fixtures/worker.js", { type: "module" });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      }),
  );
  assert.equal(found.failure, undefined);
  assert.equal(found.document, "undefined");
  assert.deepEqual(found.picks, ["named", "other"]);
  assert.ok(found.propensity > 0);
  assert.deepEqual(page.asked, [`${host.origin}/shop/items/catalogue.json`]);
  await page.close();
});
