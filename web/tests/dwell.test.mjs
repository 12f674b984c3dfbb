// A visitor who merely stays: what the score becomes, when it is told, and to whom.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { FEATURES } from "./support/bundle.mjs";
import { open } from "./support/browser.mjs";
import { MODEL } from "./support/server.mjs";
import { VISIT } from "./support/visit.mjs";

const HALF_HOUR = 1800;

let host;
before(async () => {
  host = await open();
});
after(() => host.close());

test("a stay's effect is that of the next events that it leaves possible", async () => {
  const page = await host.page();
  const gap = FEATURES.row.find(({ measure }) => measure === "gap").normal;
  const found = await page.evaluate(
    async ([model, visit, { mean, std }, longest]) => {
      const { Engine } = await glue("cpu");
      const bytes = new Uint8Array(await (await fetch(model)).arrayBuffer());
      const end = visit.at(-1).timestamp;
      const engine = new Engine(bytes);
      const play = (events) => {
        engine.reset("{}", 0);
        for (const event of events) engine.track(JSON.stringify(event), Date.now());
        return engine.logit();
      };
      /** The logit after a next page that truly came so many seconds later. */
      const next = (seconds) => play([...visit, { ...visit.at(-1), timestamp: end + Math.trunc(seconds * 1000) }]);
      const score = (seconds) => (Math.log1p(seconds) - mean) / std;
      /** Its mean over all gaps of at least so many seconds: far more of them than the module takes. */
      const average = (waited) => {
        const from = Math.max(-5, score(waited));
        const to = Math.min(5, score(longest));
        let [sum, total] = [0, 0];
        for (let at = 0; at < 400; at += 1) {
          const z = from + ((at + 0.5) * (to - from)) / 400;
          const weight = Math.exp(-(z * z) / 2);
          sum += weight * next(Math.max(0, Math.expm1(mean + z * std)));
          total += weight;
        }
        return sum / total;
      };
      const usual = average(0);
      const expected = [0, 4, 30, 240, 900].map((seconds) => average(seconds) - usual);
      expected.push(next(longest) - usual, next(longest) - usual);
      const before = play(visit);
      const given = [0, 4, 30, 240, 900, 1800, 7200].map((seconds) => engine.stay_effect(end + seconds * 1000));
      const state = { before, after: engine.logit(), events: engine.events };
      engine.reset("{}", end);
      const empty = engine.stay_effect(end + 60_000);
      engine.free();
      return { expected, given, state, empty };
    },
    [MODEL, VISIT, gap, HALF_HOUR],
  );
  found.given.forEach((effect, at) => {
    assert.ok(Math.abs(effect - found.expected[at]) < 1e-4, `${effect}, expected ${found.expected[at]}`);
  });
  assert.ok(Math.max(...found.given.map(Math.abs)) > 2e-3, "a stay that changes nothing shows nothing");
  assert.equal(found.given[0], 0);
  assert.equal(found.state.after, found.state.before, "asking changed the session");
  assert.equal(found.state.events, VISIT.length);
  assert.equal(found.empty, 0, "before the first event there is no page to stay on");
  await page.close();
});

test("score takes the time to score at; without it, the newest event's", async () => {
  const page = await host.page();
  const found = await page.evaluate(
    async ([model, visit]) => {
      const scorer = await propense.loadScorer(model, { backend: "wasm" });
      for (const event of visit) scorer.track(event);
      const end = visit.at(-1).timestamp;
      const at = async (options) => {
        const { propensity, waited } = await scorer.score(options);
        return { propensity, waited };
      };
      const found = {
        plain: await at(),
        now: await at({ at: end }),
        earlier: await at({ at: end - 5000 }),
        later: await at({ at: end + 90_000 }),
        again: await at(),
        wrong: await failure(() => scorer.score({ at: "soon" })),
      };
      scorer.track({ event: "purchase", timestamp: end + 1000, items: [] });
      found.ordered = await at({ at: end + 90_000 });
      scorer.dispose();
      return found;
    },
    [MODEL, VISIT],
  );
  const { plain } = found;
  assert.equal(plain.waited, 0);
  for (const same of [found.now, found.earlier, found.again]) assert.deepEqual(same, plain);
  assert.equal(found.later.waited, 90_000);
  assert.notEqual(found.later.propensity, plain.propensity);
  assert.equal(found.ordered.propensity, plain.propensity, "an order ends the stay");
  assert.equal(found.wrong.code, "ARGUMENT");
  await page.close();
});

/** A page whose clock the test turns, with a scorer that has seen the visit and tells `heard`. */
async function watched(options = {}) {
  const page = await host.page();
  // It stands still between the turns, however long the machine takes for them.
  await page.clock.install({ time: VISIT.at(-1).timestamp - 1000 });
  await page.clock.pauseAt(VISIT.at(-1).timestamp);
  await page.evaluate(
    async ([model, visit, settings]) => {
      globalThis.heard = [];
      globalThis.scorer = await propense.loadScorer(model, { backend: "wasm" });
      for (const event of visit) scorer.track(event);
      globalThis.end = scorer.onScore(({ propensity, waited }, side) => heard.push({ propensity, waited, side }), settings);
    },
    [MODEL, VISIT, options],
  );
  return page;
}

const heard = (page) => page.evaluate(() => heard.splice(0));

test("whoever listens hears of events at once, and of a stay at growing intervals", async () => {
  const page = await watched();
  await page.clock.runFor(100);
  const [first, ...none] = await heard(page);
  assert.deepEqual([first.waited, none.length], [0, 0]);

  await page.clock.runFor(70_000);
  const stays = await heard(page);
  const seconds = stays.map(({ waited }) => Math.round(waited / 1000));
  assert.deepEqual(seconds, [1, 2, 3, 5, 8, 12, 18, 27, 40, 60]);
  assert.ok(new Set(stays.map(({ propensity }) => propensity)).size >= 9, "the score does not move");

  // Several events at once share a score, and a stay begins anew.
  await page.evaluate(() => {
    for (const item_id of ["85123A", "22423"]) {
      scorer.track({ event: "view_item", timestamp: Date.now(), items: [{ item_id }] });
    }
  });
  await page.clock.runFor(1500);
  assert.deepEqual((await heard(page)).map(({ waited }) => Math.round(waited / 1000)), [0, 1]);

  // It ends with the session, half an hour later.
  await page.clock.runFor(3_600_000);
  const last = (await heard(page)).at(-1).waited / 1000;
  assert.ok(last > 900 && last <= HALF_HOUR, `${last} s`);

  await page.evaluate(() => end());
  await page.evaluate(() => scorer.track({ event: "page_view", timestamp: Date.now() }));
  await page.clock.runFor(5000);
  assert.deepEqual(await heard(page), []);
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("a page that nobody sees waits until somebody does", async () => {
  const page = await watched();
  await page.clock.runFor(100);
  await heard(page);
  const show = (state) =>
    page.evaluate((now) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => now });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);
  await show("hidden");
  await page.clock.runFor(50_000);
  assert.deepEqual(await heard(page), []);
  await show("visible");
  await page.clock.runFor(10);
  assert.deepEqual((await heard(page)).map(({ waited }) => Math.round(waited / 1000)), [50]);
  await page.close();
});

test("who does not want to hear of stays hears of events alone", async () => {
  const page = await watched({ dwell: false });
  await page.clock.runFor(60_000);
  assert.deepEqual((await heard(page)).map(({ waited }) => waited), [0]);
  await page.close();
});
