// A visit over page loads and tabs, and the consent to follow it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { open } from "./support/browser.mjs";
import { MODEL } from "./support/server.mjs";

let host;
before(async () => {
  host = await open();
});
after(() => host.close());

/** A page of a visitor's browser, on which `begin(options)` opens a visit. */
async function tab(context, before) {
  const page = await context.newPage();
  if (before) await page.addInitScript(before);
  page.problems = [];
  page.requests = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("request", (request) => page.requests.push(request.url()));
  page.home = async () => {
    await page.goto(host.origin);
    await page.evaluate((model) => {
      globalThis.begin = async (options = {}) => {
        const [{ loadScorer }, visits] = await Promise.all([import("/dist/index.js"), import("/dist/visit.js")]);
        const { consent, ...rest } = { consent: true, ...options };
        globalThis.loads = 0;
        globalThis.visit = visits.openVisit(
          (midway) => {
            loads += 1;
            globalThis.midway = midway;
            return loadScorer(model, { backend: "wasm" });
          },
          { consent: consent === "google" ? visits.googleConsent() : consent, ...rest },
        );
      };
      globalThis.look = (event, item_id, ago = 0) =>
        visit.track({ event, timestamp: Date.now() - ago, items: [{ item_id, item_category: "Kitchen", price: 3 }], user_id: "ada@example.org", search_term: "secret" });
      globalThis.score = async () => (await visit.scorer.score()).propensity;
      globalThis.until = async (holds) => {
        for (let turn = 0; !holds(); turn += 1) {
          if (turn > 400) throw new Error(`never: ${holds}`);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      };
      globalThis.ready = () => until(() => visit.scorer !== undefined);
    }, MODEL);
    return page;
  };
  await page.home();
  return page;
}

const keys = (page) => page.evaluate(() => [...Object.keys(sessionStorage), ...Object.keys(localStorage), document.cookie].filter(Boolean));

async function visitor(work, before) {
  const context = await host.browser.newContext();
  try {
    await work(await tab(context, before), context);
  } finally {
    await context.close();
  }
}

test("a session goes on over page loads, with the same score", () =>
  visitor(async (page) => {
    const first = await page.evaluate(async () => {
      await begin({ context: { visitor_type: "returning" } });
      // Before the scorer is there.
      look("view_item", "85123A", 4000);
      await ready();
      look("add_to_cart", "85123A", 2000);
      return { score: await score(), session: visit.session, midway };
    });
    assert.deepEqual(await keys(page), ["propense:visit"]);
    const stored = await page.evaluate(() => sessionStorage.getItem("propense:visit"));
    assert.ok(!stored.includes("secret") && !stored.includes("ada@example.org"), "what no model reads is kept");
    await page.home();
    const second = await page.evaluate(async () => {
      await begin();
      await ready();
      return { score: await score(), session: visit.session, midway };
    });
    assert.equal(first.midway, false);
    assert.equal(second.midway, true);
    assert.equal(second.score, first.score);
    assert.deepEqual(second.session, first.session);
    assert.equal(second.session.events, 2);
    assert.deepEqual(page.problems, []);
  }));

test("after the session's pause a new one begins, on one page and on the next", () =>
  visitor(async (page) => {
    const ids = await page.evaluate(async () => {
      await begin();
      await ready();
      const ids = [];
      for (const minutes of [90, 70, 35, 1]) {
        look("view_item", "85123A", minutes * 60_000);
        ids.push([visit.session.id, visit.session.events]);
      }
      return ids;
    });
    assert.deepEqual(ids.map(([, events]) => events), [1, 2, 1, 1]);
    assert.equal(ids[0][0], ids[1][0]);
    assert.equal(new Set(ids.map(([id]) => id)).size, 3);
    await page.evaluate(() => {
      const stored = JSON.parse(sessionStorage.getItem("propense:visit"));
      stored.last -= 31 * 60_000;
      sessionStorage.setItem("propense:visit", JSON.stringify(stored));
    });
    await page.home();
    const later = await page.evaluate(async () => {
      await begin();
      await ready();
      return visit.session;
    });
    assert.equal(later.events, 0);
    assert.notEqual(later.id, ids[3][0]);
  }));

for (const [what, change] of [
  ["nonsense", () => "{"],
  ["another version", (text) => text.replace('"version":1', '"version":2')],
  ["events that are none", (text) => JSON.stringify({ ...JSON.parse(text), events: [5] })],
]) {
  test(`what was kept is ${what}: a new session`, () =>
    visitor(async (page) => {
      const text = await page.evaluate(async () => {
        await begin();
        await ready();
        look("view_item", "85123A");
        await Promise.resolve();
        return sessionStorage.getItem("propense:visit");
      });
      await page.evaluate((broken) => sessionStorage.setItem("propense:visit", broken), change(text));
      await page.home();
      const events = await page.evaluate(async () => {
        await begin();
        await ready();
        return visit.session.events;
      });
      assert.equal(events, 0);
      assert.deepEqual(page.problems, []);
    }));
}

test("two tabs follow one session, whichever begins it", () =>
  visitor(async (one, context) => {
    await one.evaluate(async () => {
      await begin();
      await ready();
      look("view_item", "85123A", 3000);
    });
    const two = await tab(context);
    await two.evaluate(async () => {
      await begin();
      await ready();
      await until(() => visit.session.events === 1);
      look("add_to_cart", "85123A", 1000);
    });
    await one.evaluate(() => until(() => visit.session.events === 2));
    await one.evaluate(() => look("view_cart", "85123A"));
    await two.evaluate(() => until(() => visit.session.events === 3));
    const [a, b] = await Promise.all([one, two].map((page) => page.evaluate(async () => [await score(), visit.session])));
    assert.deepEqual(a, b);
    // Withdrawn in one, it is withdrawn in both.
    await two.evaluate(() => visit.allow(false));
    await one.evaluate(() => until(() => !visit.allowed && visit.scorer === undefined));
    assert.deepEqual(await keys(one), []);
    assert.deepEqual(await keys(two), []);
    assert.deepEqual([...one.problems, ...two.problems], []);
  }));

test("storage denied: the session lives as long as the page", () =>
  visitor(
    async (page) => {
      const events = await page.evaluate(async () => {
        await begin();
        await ready();
        look("view_item", "85123A");
        await score();
        return visit.session.events;
      });
      assert.equal(events, 1);
      assert.deepEqual(page.problems, []);
    },
    () => {
      for (const name of ["sessionStorage", "localStorage"]) {
        Object.defineProperty(globalThis, name, {
          get() {
            throw new DOMException("denied", "SecurityError");
          },
        });
      }
      delete globalThis.caches;
      globalThis.BroadcastChannel = class {
        constructor() {
          throw new DOMException("denied", "SecurityError");
        }
      };
    },
  ));

test("in memory on request: nothing is stored", () =>
  visitor(async (page) => {
    await page.evaluate(async () => {
      await begin({ storage: "memory" });
      await ready();
      look("view_item", "85123A");
    });
    assert.deepEqual(await keys(page), []);
  }));

test("nothing is loaded, read or kept before it is allowed; withdrawing erases all", () =>
  visitor(async (page) => {
    const model = (requests) => requests.filter((url) => url.includes(".propense") || url.includes(".wasm"));
    await page.evaluate(async () => {
      globalThis.dataLayer = [{ event: "view_item", ecommerce: { items: [{ item_id: "85123A" }] } }];
      const { dataLayer: source } = await import("/dist/visit.js");
      await begin({ consent: undefined, sources: [source()] });
      visit.close();
      await begin({ consent: false, sources: [source()], alsoErase: () => (globalThis.erased = true) });
      look("view_item", "85123A");
    });
    assert.deepEqual(await page.evaluate(() => [visit.allowed, visit.session, dataLayer.push === Array.prototype.push]), [false, undefined, true]);
    assert.deepEqual(await keys(page), []);

    await page.evaluate(async () => {
      visit.allow(true);
      await ready();
      dataLayer.push({ event: "view_cart" });
      await score();
    });
    assert.equal(model(page.requests).length, 2, "the model and the WebAssembly");
    assert.equal(await page.evaluate(() => visit.session.events), 2, "the data layer's earlier push counts");
    assert.deepEqual(await keys(page), ["propense:visit"]);

    // No request leaves while it works, nor when it ends.
    const before = page.requests.length;
    await page.evaluate(async () => {
      globalThis.told = [];
      visit.onScore(({ propensity }) => told.push(propensity));
      for (const event of ["view_item", "add_to_cart", "begin_checkout", "purchase"]) look(event, "85123A");
      await visit.scorer.score();
      await visit.scorer.explain();
      await visit.scorer.recommend();
      await visit.scorer.scoreItem("22423");
      await until(() => told.length > 0);
      visit.allow(false);
      look("view_item", "85123A");
      dataLayer.push({ event: "view_cart" });
    });
    assert.deepEqual(page.requests.slice(before), []);
    assert.deepEqual(await page.evaluate(() => [visit.allowed, visit.session, visit.scorer, erased]), [false, undefined, undefined, true]);
    assert.deepEqual(await keys(page), []);

    // Allowed again, it begins again, with the listeners that there were.
    await page.evaluate(async () => {
      visit.allow(true);
      await ready();
      told.length = 0;
      look("view_item", "85123A");
      await until(() => told.length > 0);
    });
    assert.deepEqual(page.problems, []);
  }));

test("what an earlier page kept goes when the answer is no", () =>
  visitor(async (page) => {
    await page.evaluate(async () => {
      await begin();
      await ready();
      look("view_item", "85123A");
    });
    assert.deepEqual(await keys(page), ["propense:visit"]);
    await page.home();
    await page.evaluate(() => begin({ consent: () => Promise.resolve(false) }));
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)));
    assert.deepEqual(await keys(page), []);
    assert.equal(await page.evaluate(() => loads), 0);
  }));

for (const [what, consent, allowed] of [
  ["a function that says yes", "() => true", true],
  ["a promise of yes", "async () => true", true],
  ["a function that says something else", "() => 'yes'", false],
  ["a function that throws", "() => { throw new Error('no banner') }", false],
]) {
  test(`consent by ${what}: ${allowed}`, () =>
    visitor(async (page) => {
      const found = await page.evaluate(async (source) => {
        await begin({ consent: new Function(`return ${source}`)() });
        await new Promise((resolve) => setTimeout(resolve, 20));
        return visit.allowed;
      }, consent);
      assert.equal(found, allowed);
      assert.deepEqual(page.problems, []);
    }));
}

test("Google's Consent Mode: default, update, withdrawal", () =>
  visitor(async (page) => {
    const states = await page.evaluate(async () => {
      globalThis.dataLayer = [];
      globalThis.gtag = function gtag() {
        dataLayer.push(arguments);
      };
      gtag("consent", "default", { personalization_storage: "denied", ad_storage: "granted" });
      await begin({ consent: "google" });
      const states = [visit.allowed];
      gtag("consent", "update", { ad_storage: "granted" });
      states.push(visit.allowed);
      gtag("consent", "update", { personalization_storage: "granted" });
      states.push(visit.allowed);
      gtag("consent", "default", { personalization_storage: "denied" });
      states.push(visit.allowed);
      await ready();
      look("view_item", "85123A");
      gtag("consent", "update", { personalization_storage: "denied" });
      states.push(visit.allowed);
      return states;
    });
    assert.deepEqual(states, [false, false, true, true, false]);
    assert.deepEqual(await keys(page), []);
  }));

test("a coupon is shown once in a session, over page loads", () =>
  visitor(async (page) => {
    const play = () =>
      page.evaluate(async () => {
        globalThis.shown = 0;
        await begin();
        visit.onScore(() => (shown += 1), { name: "coupon", above: 0.01 });
        visit.onScore(() => (shown += 10), { name: "once", above: 0.01, once: true });
        await ready();
        look("view_item", "85123A");
        await new Promise((resolve) => setTimeout(resolve, 100));
        return shown;
      });
    assert.equal(await play(), 11);
    await page.home();
    assert.equal(await play(), 0);
  }));

test("a model that cannot be loaded is told; the shop goes on", () =>
  visitor(async (page) => {
    const found = await page.evaluate(async () => {
      const { openVisit } = await import("/dist/visit.js");
      const { loadScorer } = await import("/dist/index.js");
      const told = [];
      const visit = openVisit(() => loadScorer("/none.propense"), { consent: true, onError: ({ code }) => told.push(code) });
      visit.track({ event: "view_item", timestamp: Date.now() });
      await until(() => told.length > 0);
      visit.track({ event: "view_item", timestamp: Date.now() });
      visit.track(undefined);
      visit.close();
      return told;
    });
    assert.deepEqual(found, ["NOT_FOUND"]);
  }));
