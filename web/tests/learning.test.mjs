// Learning on the device: what is kept and sent, when, and what of it the real service makes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { bundle, manifest } from "./support/bundle.mjs";
import { open } from "./support/browser.mjs";
import { missing, service } from "./support/service.mjs";
import { MODEL } from "./support/server.mjs";

/** Numbers of the test model's head: 16 of the LSTM, 8 of the context, the bias. */
const WIDTH = 25;

let host;
before(async () => {
  host = await open();
});
after(() => host.close());

/** A visitor's page; `begin(options)` opens a visit that learns, `day(n)` is a session n days ago. */
async function visitor(work, model = MODEL) {
  const context = await host.browser.newContext();
  const page = await context.newPage();
  page.sent = [];
  page.on("request", (request) => {
    if (request.url().includes("/v1/contributions")) page.sent.push(request);
  });
  page.home = async () => {
    await page.goto(host.origin);
    await page.evaluate((model) => {
      globalThis.begin = async ({ worker = false, consent = true, ...options } = {}) => {
        const [{ loadScorer }, visits, { learning }] = await Promise.all([
          import(worker ? "/dist/worker.js" : "/dist/index.js"),
          import("/dist/visit.js"),
          import("/dist/learning.js"),
        ]);
        globalThis.learner = learning(options);
        globalThis.visit = visits.openVisit(() => loadScorer(model, { backend: "wasm" }), { consent, learning: learner });
        while (consent && visit.scorer === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
        await learner.settled();
      };
      globalThis.day = (ago, bought) => {
        const start = Date.now() - ago * 24 * 3600_000;
        const look = (event, at) =>
          visit.track({ event, timestamp: start + at * 1000, items: [{ item_id: "85123A", item_category: "Kitchen", price: 2.55 }], user_id: "u-secret" });
        for (const [at, event] of ["view_item", "view_item", "add_to_cart", "view_cart"].entries()) look(event, at * 30);
        if (bought) look("purchase", 200);
      };
      globalThis.score = async () => (await visit.scorer.score()).propensity;
    }, model);
  };
  await page.home();
  try {
    await work(page, context);
  } finally {
    await context.close();
  }
}

const databases = (page) => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));

for (const worker of [false, true]) {
  test(`the score adapts to a visitor, over pages, until it is reset${worker ? ", in a worker" : ""}`, () =>
    visitor(async (page) => {
      const learn = async (bought) => {
        await page.evaluate(async ([worker, bought]) => {
          await begin({ worker, adapt: true });
          for (const ago of [4, 3, 2]) day(ago, bought);
          day(0.01, false);
          await learner.settled();
          globalThis.kept = { lessons: await learner.lessons, score: await score() };
        }, [worker, bought]);
        return page.evaluate(() => kept);
      };
      const buyer = await learn(true);
      assert.equal(buyer.lessons, 3);
      // The next page goes on in the same session with the same head.
      await page.home();
      const next = await page.evaluate(async (worker) => {
        await begin({ worker, adapt: true });
        return { score: await score(), lessons: await learner.lessons };
      }, worker);
      assert.equal(next.score, buyer.score);
      const shared = await page.evaluate(async () => {
        await learner.reset();
        return { score: await score(), lessons: await learner.lessons };
      });
      assert.equal(shared.lessons, 0);
      assert.ok(buyer.score > shared.score, `${buyer.score} after orders, ${shared.score} without`);
    }));
}

test("sessions without an order lower the score", () =>
  visitor(async (page) => {
    const found = await page.evaluate(async () => {
      await begin({ adapt: true });
      for (const ago of [4, 3, 2]) day(ago, false);
      day(0.01, false);
      await learner.settled();
      const own = await score();
      await learner.reset();
      return { own, shared: await score() };
    });
    assert.ok(found.own < found.shared, `${found.own} and ${found.shared}`);
  }));

test("it is off by default, and withdrawal erases it", () =>
  visitor(async (page) => {
    const off = await page.evaluate(async () => {
      await begin();
      for (const ago of [4, 3]) day(ago, true);
      day(0.01, false);
      await learner.settled();
      const own = await score();
      await learner.reset();
      return { own, shared: await score() };
    });
    assert.equal(off.own, off.shared);
    assert.deepEqual(page.sent, []);
    assert.deepEqual(await databases(page), [], "nothing is kept that nobody asked for");
    await page.home();
    await page.evaluate(async () => {
      await begin({ adapt: true });
      day(0.005, false);
      await learner.settled();
    });
    assert.deepEqual(await databases(page), ["propense"]);
    await page.evaluate(async () => {
      visit.allow(false);
      await learner.settled();
    });
    assert.deepEqual(await databases(page), []);
    await page.home();
    await page.evaluate(async () => {
      await begin({ consent: false, adapt: true });
      day(1, true);
      await learner.settled();
    });
    assert.deepEqual(await databases(page), [], "nothing is kept before consent");
  }));

test("what is kept holds no event", () =>
  visitor(async (page) => {
    const kept = await page.evaluate(async () => {
      await begin({ adapt: true });
      day(2, true);
      day(0.01, false);
      await learner.settled();
      const database = await new Promise((resolve) => (indexedDB.open("propense").onsuccess = ({ target }) => resolve(target.result)));
      const found = database.transaction("learning").objectStore("learning").get("notebook");
      await new Promise((resolve) => (found.onsuccess = resolve));
      database.close();
      const { pending, lessons, ...rest } = found.result;
      const sizes = (inputs) => Object.values(inputs).map((input) => [input.constructor.name, input.length]);
      return { rest, lessons: lessons.map((l) => [l.bought, sizes(l.inputs)]), pending: Object.values(pending).map((p) => [Object.keys(p), sizes(p.inputs)]), all: JSON.stringify(found.result) };
    });
    const inputs = [2, 3].map(() => ["Float32Array", WIDTH]);
    assert.deepEqual(kept.lessons, [[true, inputs]]);
    assert.deepEqual(kept.pending, [[["last", "bought", "inputs"], inputs]]);
    assert.deepEqual(Object.keys(kept.rest).sort(), ["contributed", "model", "spent"]);
    assert.doesNotMatch(kept.all, /85123A|Kitchen|u-secret|view_item|2\.55/);
  }));

test("a contribution goes out after its own consent alone, holds no event, and becomes a candidate", { skip: missing }, async () => {
  const shop = await service(["--contributions", "100", "--contributions-rate", "100000", "--contributions-rounds", "2"]);
  try {
    await shop.start();
    const live = await shop.publish(bundle({ header: manifest({ name: "live" }) }));
    await shop.promote(live);
    const url = shop.url("/v1/contributions");
    const model = shop.url(`/bundles/${live}.propense`);
    await visitor(async (page) => {
      await page.evaluate(async (url) => {
        globalThis.answer = undefined;
        const consent = { subscribe: (tell) => ((globalThis.tell = tell), tell(false), () => undefined) };
        await begin({ adapt: true, contribute: { url, consent } });
        for (const ago of [4, 3, 2]) day(ago, ago === 3);
        day(0.01, false);
        await learner.settled();
      }, url);
      assert.deepEqual(page.sent, [], "nothing before the consent, not even a question");
      await page.evaluate(async () => {
        tell(true);
        await learner.settled();
      });
      assert.deepEqual(page.sent.map((request) => request.method()), ["GET", "POST"]);
      const [asked, sent] = page.sent;
      for (const request of [asked, sent]) {
        assert.equal(request.url(), url, "no word in the address");
        const headers = await request.allHeaders();
        assert.deepEqual([headers.cookie, headers.referer, headers.authorization], [undefined, undefined, undefined]);
      }
      // All the bytes: a checksum of the model, a number, and whole numbers with noise.
      const body = sent.postData();
      assert.match(body, /^\{"bundle":"[0-9a-f]{64}","multiplier":\d+\.\d+,"update":\[-?\d+(,-?\d+)*\]\}$/);
      const { bundle: of, update } = JSON.parse(body);
      assert.equal(of, live);
      assert.equal(update.length, WIDTH);
      assert.equal((await sent.response()).status(), 202);

      // Not a second time for the same model, on the next page either.
      await page.home();
      await page.evaluate(async (url) => {
        await begin({ contribute: { url, consent: true } });
        day(0.005, false);
        await learner.settled();
      }, url);
      assert.equal(page.sent.length, 2);

      // The same sessions of another visitor give other numbers: noise is all that can be seen of one.
      const noise = update.reduce((sum, number) => sum + number ** 2, 0) / WIDTH;
      assert.ok(noise > 32 ** 2 && noise < 128 ** 2, `${noise}: 64 units are a deviation`);

      // Ninety-nine others, with the same noise.
      const { multiplier } = JSON.parse(body);
      const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
      for (let other = 0; other < 99; other += 1) {
        const numbers = Array.from({ length: WIDTH }, () => Math.round(64 * normal()));
        const response = await fetch(url, { method: "POST", body: JSON.stringify({ bundle: live, multiplier, update: numbers }) });
        assert.equal(response.status, 202);
      }
      const [candidate] = await shop.bundles();
      assert.equal(candidate.parent, live);
      assert.match(candidate.note, /^improved by 100 contributions/);
      assert.equal((await (await fetch(shop.manifest)).json()).current.sha256, live, "nothing goes live by itself");
      await shop.promote(candidate.sha256);
      const scores = await page.evaluate(async (address) => {
        const { loadScorer } = await import("/dist/index.js");
        const scorer = await loadScorer(address, { backend: "wasm" });
        scorer.track({ event: "view_item", timestamp: Date.now(), items: [{ item_id: "85123A", price: 2.55 }] });
        const { propensity } = await scorer.score();
        scorer.dispose();
        return propensity;
      }, shop.url(`/bundles/${candidate.sha256}.propense`));
      assert.ok(scores > 0 && scores < 1);
    }, model);
  } finally {
    await shop.close();
  }
});

test("a visitor's own budget is kept, whatever the service asks for", () =>
  visitor(async (page, context) => {
    const version = await page.evaluate(async () => {
      await begin();
      return visit.scorer.model.version;
    });
    const answer = { open: true, bundle: "0".repeat(64), version, multiplier: 0.01 };
    await context.route("**/v1/contributions", (route) => route.fulfill({ json: answer }));
    const contribute = async (multiplier) => {
      answer.multiplier = multiplier;
      await page.home();
      await page.evaluate(async () => {
        await begin({ contribute: { url: "/v1/contributions", consent: true } });
        day(2, true);
        day(0.01, false);
        await learner.settled();
      });
    };
    // Hardly any noise: ε would be some thousands. The device sends nothing.
    await contribute(0.01);
    assert.deepEqual(page.sent.map((request) => request.method()), ["GET"]);
    page.sent.length = 0;
    await contribute(1.5);
    assert.deepEqual(page.sent.map((request) => request.method()).at(-1), "POST");
  }));
