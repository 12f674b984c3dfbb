// Scores to act on: thresholds, single items, the shop's rules for recommendations, reasons in words,
// holdout groups.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { chooser } from "../dist/picks.js";
import { holdout } from "../dist/holdout.js";
import { Watch } from "../dist/watch.js";
import { open } from "./support/browser.mjs";
import { MODEL } from "./support/server.mjs";
import { VISIT } from "./support/visit.mjs";

let host;
before(async () => {
  host = await open();
});
after(() => host.close());

/** Plays propensities past a listener; gives what it was told. */
async function crossings(propensities, options) {
  let propensity = propensities[0];
  const told = [];
  const watch = new Watch({ waited: () => 0, longest: 0, score: async () => ({ propensity }) });
  watch.add((score, side) => told.push(side === undefined ? score.propensity : `${score.propensity} ${side}`), options);
  for (const each of propensities) {
    propensity = each;
    watch.due();
    await new Promise((resolve) => setImmediate(resolve));
  }
  watch.dispose();
  return told;
}

for (const [propensities, options, expected] of [
  [[0.1, 0.2], {}, [0.1, 0.2]],
  [[0.1, 0.5, 0.49, 0.51, 0.46, 0.6], { above: 0.5 }, ["0.5 above"]],
  [[0.1, 0.5, 0.44, 0.46, 0.5, 0.2], { above: 0.5 }, ["0.5 above", "0.44 below", "0.5 above", "0.2 below"]],
  [[0.1, 0.5, 0.44, 0.29, 0.31, 0.5], { above: 0.5, below: 0.3 }, ["0.5 above", "0.29 below", "0.5 above"]],
  [[0.1, 0.5, 0.1, 0.5], { above: 0.5, once: true }, ["0.5 above"]],
  [[0.6, 0.4, 0.6], { above: 0.5, side: "above" }, ["0.4 below", "0.6 above"]],
  [[0.6], { above: 0.5 }, ["0.6 above"]],
]) {
  test(`onScore of ${propensities} with ${JSON.stringify(options)}`, async () => {
    assert.deepEqual(await crossings(propensities, options), expected);
  });
}

test("thresholds that are none", () => {
  const watch = new Watch({ waited: () => 0, longest: 0, score: async () => ({ propensity: 0 }) });
  for (const options of [{ above: 2 }, { above: 0.5, below: 0.6 }, { above: "high" }, { above: NaN }]) {
    assert.throws(() => watch.add(() => undefined, options), { code: "ARGUMENT" }, JSON.stringify(options));
  }
  assert.throws(() => watch.add("tell", {}), { code: "ARGUMENT" });
});

test("the page, the visit and the worker refuse the same listeners at once", async () => {
  const page = await host.page();
  const codes = await page.evaluate(async (model) => {
    const [{ openVisit }, worker] = await Promise.all([import("/dist/visit.js"), import("/dist/worker.js")]);
    const scorers = [await propense.loadScorer(model, { backend: "wasm" }), openVisit(() => undefined), await worker.loadScorer(model, { backend: "wasm" })];
    const wrong = [["tell", {}], [() => undefined, { above: 2 }], [() => undefined, { above: 0.5, below: 0.6 }], [() => undefined, null]];
    const codes = [];
    for (const scorer of scorers) for (const each of wrong) codes.push((await failure(async () => scorer.onScore(...each)))?.code);
    return codes;
  }, MODEL);
  assert.deepEqual(codes, Array(12).fill("ARGUMENT"));
  await page.close();
});

const RANKED = [
  ["a", "bags"],
  ["b", "bags"],
  ["c", "bags"],
  ["d", "tins"],
  ["e", undefined],
  ["f", undefined],
].map(([item_id, item_category], at) => ({ item_id, propensity: 1 - at / 10, item_category }));

for (const [options, expected] of [
  [{ k: 2 }, "ab"],
  [{}, "abcdef"],
  [{ perCategory: 1 }, "adef"],
  [{ perCategory: 2, k: 3 }, "abd"],
  [{ exclude: ["a", "e"] }, "bcdf"],
  [{ inStock: (id) => id > "b" }, "cdef"],
  [{ inStock: () => false }, ""],
]) {
  test(`recommend with ${Object.keys(options).join(", ") || "no rule"}: ${expected}`, () => {
    const picks = chooser(options)(RANKED);
    assert.equal(picks.map(({ item_id }) => item_id).join(""), expected);
    for (const pick of picks) assert.deepEqual(Object.keys(pick), ["item_id", "propensity"]);
  });
}

test("rules that are none", () => {
  for (const options of [{ k: 1.5 }, { perCategory: 0 }, { inStock: "all" }, { exclude: 5 }]) {
    assert.throws(() => chooser(options), { code: "ARGUMENT" }, JSON.stringify(options));
  }
});

test("one item is scored as recommend scores it; reasons are sentences", async () => {
  const page = await host.page();
  const found = await page.evaluate(
    async ([model, visit]) => {
      const scorer = await propense.loadScorer(model, { backend: "wasm" });
      for (const event of visit) scorer.track(event);
      const end = visit.at(-1).timestamp;
      scorer.track({ ...visit[2], timestamp: end });
      const before = await scorer.score();
      const picks = await scorer.recommend({ k: 3 });
      const alone = [];
      for (const { item_id } of picks) alone.push(await scorer.scoreItem(item_id));
      const unknown = await scorer.scoreItem("never seen");
      const wrong = (await failure(() => scorer.scoreItem(5))).code;
      const same = (await scorer.score()).propensity === before.propensity;
      return { picks, alone, unknown, wrong, same, reasons: await scorer.explain() };
    },
    [MODEL, VISIT],
  );
  assert.ok(found.picks.length > 0);
  assert.deepEqual(found.alone, found.picks.map(({ propensity }) => Math.fround(propensity)));
  assert.ok(found.unknown > 0 && found.unknown < 1);
  assert.equal(found.wrong, "ARGUMENT");
  assert.ok(found.same, "asking changed the session");
  const texts = found.reasons.map(({ text }) => text);
  assert.match(texts[0], /^opened a page \([a-z ]+\): [+−]\d\.\d\d$/);
  assert.match(texts[2], /^viewed Item 85123A \(/);
  assert.match(texts[4], /^put into the cart Item 85123A \(/);
  assert.match(texts.at(-1), /^viewed Item 85123A for the third time \(/);
  assert.deepEqual([found.reasons.at(-1).item_id, found.reasons.at(-1).times], ["85123A", 3]);
  await page.close();
});

test("holdout groups: the same visitor in the same group, the share held, experiments independent", () => {
  const ids = Array.from({ length: 20_000 }, (_, at) => `GA1.1.${at}.1731421800`);
  const group = (name, visitorId) => holdout({ name, visitorId, share: 0.1 }).group;
  const first = ids.map((id) => group("coupon", id));
  assert.deepEqual(ids.slice(0, 500).map((id) => group("coupon", id)), first.slice(0, 500));
  const share = (groups) => groups.filter((each) => each === "holdout").length / groups.length;
  assert.ok(Math.abs(share(first) - 0.1) < 0.007, `${share(first)}`);
  const second = ids.map((id) => group("picks", id));
  const both = ids.filter((_, at) => first[at] === "holdout" && second[at] === "holdout").length / ids.length;
  assert.ok(Math.abs(both - 0.01) < 0.003, `${both}: two experiments deal alike`);

  const exposures = [];
  const experiment = holdout({ name: "coupon", visitorId: "v1", share: 0, onExposure: (each) => exposures.push(each) });
  assert.equal(exposures.length, 0, "dealt is not exposed");
  assert.deepEqual([experiment.expose(), experiment.expose()], [true, true]);
  assert.deepEqual(exposures.map(({ experiment: name, group: dealt }) => [name, dealt]), [["coupon", "treated"]]);
  assert.equal(holdout({ name: "coupon", visitorId: "v1", share: 1 }).expose(), false);
  assert.throws(() => holdout({ name: "", visitorId: "v1" }), { code: "ARGUMENT" });
  assert.throws(() => holdout({ name: "x", visitorId: "v1", share: 2 }), { code: "ARGUMENT" });
});
