// The pages beside the shop, and what holds of every page: usable by everybody, as axe can tell.
import AxeBuilder from "@axe-core/playwright";
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { after as afterAll, before, describe, test } from "node:test";

import { parseCsv, sessionsOf } from "../dist/page/session-file.js";
import { NONE, after, card, faults, openShop, picture, ready, says, still } from "./support/shop.mjs";

const HALF_HOUR = 1_800_000;
const PHONE = { width: 390, height: 844 };

for (const [text, expected] of [
  ["a,b\n1,2\n", [["a", "b"], ["1", "2"]]],
  ['a\r\n"x, ""y"""\r\n', [["a"], ['x, "y"']]],
  ["a,b\n1,", [["a", "b"], ["1", ""]]],
  ["\uFEFFa\n\n1", [["a"], ["1"]]],
  ['a\n"two\nlines"', [["a"], ["two\nlines"]]],
]) {
  test(`CSV ${JSON.stringify(text)}`, () => assert.deepEqual(parseCsv(text), expected));
}

test("files into sessions: by owner, cut at pauses, lines of one number joined", () => {
  const head = "timestamp,event,session_id,item_id,event_no\n";
  const shape = (text) => sessionsOf(text, HALF_HOUR).map(({ name, events }) => [name, events.map(({ event, items }) => `${event}${items?.length ?? 0}`).join(" ")]);
  for (const [text, expected] of [
    [`${head}2000,view_item,s,a,2\n1000,page_view,s,,1\n`, [["s", "page_view0 view_item1"]]],
    [`${head}1000,add_to_cart,s,a,1\n1000,add_to_cart,s,b,1\n1500,view_cart,t,,1\n`, [["s", "add_to_cart2"], ["t", "view_cart0"]]],
    [`${head}1000,page_view,s,,1\n1801001,page_view,s,,2\n`, [["s", "page_view0"], ["s#2", "page_view0"]]],
    ['{"event":"search","timestamp":1,"session_id":"s"}\n\n{"event":"view_cart","timestamp":2,"session_id":"s"}', [["s", "search0 view_cart0"]]],
    ['[{"context":{},"events":[{"event":"search","timestamp":1}]}]', [["1", "search0"]]],
  ]) {
    assert.deepEqual(shape(text), expected, text);
  }
  for (const [text, why] of [["", /empty/], ["a,b\n1,2", /no column "timestamp"/], ['{"event":1}\n{', /^Error: Line 2/], ['timestamp,event,context\n1,x,{', /Line 2: the context/]]) {
    assert.throws(() => sessionsOf(text, HALF_HOUR), why, text);
  }
});

describe("the pages beside the shop", { timeout: 300_000 }, () => {
  let shop;
  before(async () => {
    shop = await openShop();
  });
  afterAll(() => shop?.close());

  /** axe finds nothing, in light and dark, wide and narrow; pictures are taken of each. */
  async function looks(path, name, use) {
    for (const [scheme, size, viewport] of [["light", "desktop", undefined], ["dark", "desktop", undefined], ["light", "phone", PHONE], ["dark", "phone", PHONE]]) {
      const page = await shop.visit({ scheme, path, reducedMotion: "reduce", ...(viewport ? { viewport } : {}) });
      await use(page);
      await still(page);
      const { violations } = await new AxeBuilder({ page }).analyze();
      assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => `${html.slice(0, 120)} ${failureSummary}`)]), [], `${name}, ${scheme}, ${size}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name}, ${size}: ${wide} pixels too wide`);
      await picture(page, `${name}-${size}-${scheme}`);
      assert.deepEqual(await faults(page), NONE);
      await page.context().close();
    }
  }

  const play = async (page) => {
    await says(page, "#status", /columns/);
    await page.click("#run");
    await says(page, "#status", /6 of 6 events counted/);
  };
  const sample = async (page) => {
    await says(page, "#status", /ready/);
    await page.click("#sample");
    await says(page, "#status", /1,000 sessions scored/, 60_000);
  };

  test("the playground looks right and axe agrees", () => looks("/playground.html", "playground", play));
  test("the batch page looks right and axe agrees", () => looks("/batch.html", "batch", sample));
  test("axe agrees with the shop, its product page and its cart", async () => {
    for (const scheme of ["light", "dark"]) {
      const page = await shop.visit({ scheme, reducedMotion: "reduce" });
      const check = async (what) => {
        await still(page);
        const { violations } = await new AxeBuilder({ page }).analyze();
        assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => `${html.slice(0, 120)} ${failureSummary}`)]), [], `${what}, ${scheme}`);
      };
      await ready(page);
      await check("the front");
      await card(page, 1).locator("a").click();
      await page.waitForSelector("#product-dialog[open]");
      await check("a product");
      await page.click("#add-to-cart");
      await after(page, 3);
      await page.keyboard.press("Escape");
      await page.click("#cart-link");
      await page.waitForSelector("#cart-dialog[open]");
      await check("the cart");
      await page.context().close();
    }
  });

  test("because you looked at it: what is bought together with it", async () => {
    const page = await shop.visit();
    await ready(page);
    assert.ok(await page.locator("#because-section").isHidden());
    const name = await card(page, 1).locator(".name").textContent();
    await card(page, 1).locator("a").click();
    await after(page, 2);
    await page.keyboard.press("Escape");
    await page.waitForSelector("#because-section:not([hidden])");
    assert.equal(await page.textContent("#because-name"), name);
    assert.ok((await page.locator("#because li").count()) > 0);
    await picture(page, "because");
    await page.click("#new-visit");
    await page.waitForSelector("#because-section", { state: "hidden" });
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
  });

  test("the playground shows steps, features and what was wrong", async () => {
    const page = await shop.visit({ path: "/playground.html" });
    await play(page);
    assert.equal(await page.locator("#steps tbody tr").count(), 7);
    assert.match(await page.locator("#steps tbody tr").nth(4).textContent(), /viewed White Hanging Heart .* for the second time/);
    const values = () => page.locator("#features tbody td.number").allTextContents();
    const last = await values();
    await page.getByRole("button", { name: "at event 1" }).click();
    assert.notDeepEqual(await values(), last);
    assert.match(await page.textContent("#features-note"), /event 1 \(page_view\)/);
    await page.getByRole("button", { name: "at the beginning" }).click();
    assert.match(await page.textContent("#features"), /visitor_type=returning/);

    await page.fill("#events", '{"event":"view_item","timestamp":1731421800000}\n{"event":"view_item"}\n');
    await page.click("#run");
    await says(page, "#status", /1 of 2 events counted/);
    await says(page, "#problems", /timestamp/);
    await page.fill("#events", '{"event":"view_item"}\nnonsense');
    await page.click("#run");
    await says(page, "#problems", /Line 2/);
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
  });

  test("a file is scored on the device: CSV, gzip, JSON lines; its scores can be taken away", async () => {
    const page = await shop.visit({ path: "/batch.html" });
    await says(page, "#status", /ready/);
    const csv = "timestamp,event,session_id,item_id,price\n1731421800000,view_item,=s,85123A,2.95\n1731421860000,add_to_cart,=s,85123A,2.95\n1731421800000,page_view,t,,\nsoon,page_view,t,,\n";
    const scores = [];
    for (const [name, body] of [["a.csv", Buffer.from(csv)], ["a.csv.gz", gzipSync(csv)]]) {
      await page.setInputFiles("#file", { name, mimeType: "text/csv", buffer: body });
      await says(page, "#status", new RegExp(`^${name.replaceAll(".", "\\.")}: 2 sessions scored .* 1 events were set aside`));
      const [download] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
      const chunks = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk);
      scores.push(Buffer.concat(chunks).toString());
    }
    assert.equal(scores[0], scores[1]);
    const [head, first, second] = scores[0].trim().split("\n");
    assert.equal(head, "session_id,events,propensity,model");
    assert.match(first, /^"'=s",2,0\.\d{6},"giftshop@/, "no formula");
    assert.match(second, /^"t",2,0\.\d{6},/);
    assert.match(await page.locator("#histogram svg").getAttribute("aria-label"), /2 propensities/);

    for (const [name, buffer, why] of [["b.csv", "a,b\n1,2\n", /no column "timestamp"/], ["c.parquet", "PAR1....", /Parquet file cannot be read/], ["d.json", "", /empty/]]) {
      await page.setInputFiles("#file", { name, mimeType: "", buffer: Buffer.from(buffer) });
      await says(page, "#problems", why);
      await says(page, "#status", /was not scored/);
    }
    const table = await readFile(new URL("fixtures/events.parquet", import.meta.url));
    await page.setInputFiles("#file", { name: "f.parquet", mimeType: "", buffer: table });
    await says(page, "#status", /^f\.parquet: 2 sessions scored .* 0 events were set aside/);
    await page.context().setOffline(true);
    await page.setInputFiles("#file", { name: "e.jsonl", mimeType: "", buffer: Buffer.from('{"event":"view_item","timestamp":1731421800000}') });
    await says(page, "#status", /e\.jsonl: 1 sessions scored/);
    assert.deepEqual(await faults(page), NONE);
    await page.context().close();
  });
});
