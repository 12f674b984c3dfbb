// The module on the CPU build, in a browser without WebGPU: what a shop page relies on.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { open } from "./support/browser.mjs";
import { MODEL } from "./support/server.mjs";
import { VISIT } from "./support/visit.mjs";

let host;
before(async () => {
  host = await open();
});
after(() => host.close());

/** Runs `work(scorer, argument)` in a page, with a fresh scorer that is disposed of afterwards. */
async function withScorer(work, argument, options = {}) {
  const page = await host.page();
  try {
    const found = await page.evaluate(
      async ([model, source, value, settings]) => {
        const scorer = await propense.loadScorer(model, { backend: "wasm", ...settings });
        try {
          return await new Function(`return (${source})`)()(scorer, value);
        } finally {
          scorer.dispose();
        }
      },
      [MODEL, work.toString(), argument, options],
    );
    assert.deepEqual(page.problems, []);
    return found;
  } finally {
    await page.close();
  }
}

test("a visit is scored after every event", async () => {
  const { opening, scores, model, stats } = await withScorer(async (scorer, visit) => {
    const opening = await scorer.score();
    const scores = [];
    for (const event of visit) {
      scorer.track(event);
      scores.push(await scorer.score());
    }
    return { opening, scores, model: scorer.model, stats: scorer.stats };
  }, VISIT);
  assert.deepEqual(stats, { accepted: VISIT.length, repaired: 0, rejected: 0 });
  for (const score of [opening, ...scores]) {
    assert.ok(score.propensity > 0 && score.propensity < 1, JSON.stringify(score));
    assert.ok(score.percentile >= 0 && score.percentile <= 100, JSON.stringify(score));
    assert.ok(score.micros > 0 && score.micros < 20_000, JSON.stringify(score));
    assert.equal(score.backend, "wasm");
    assert.equal(score.modelVersion, model.version);
  }
  const distinct = new Set(scores.map((score) => score.propensity));
  assert.ok(distinct.size > VISIT.length / 2, "the score does not follow the events");
  assert.ok(model.features.length > 0 && model.name !== "" && model.threshold > 0);
});

test("the same visit gives the same score live, after a reset, and in bulk", async () => {
  const found = await withScorer(async (scorer, visit) => {
    const play = async () => {
      for (const event of visit) scorer.track(event);
      return (await scorer.score()).propensity;
    };
    const first = await play();
    scorer.reset();
    const blank = (await scorer.score()).propensity;
    const second = await play();
    const shuffled = [...visit].reverse();
    const bulk = await scorer.scoreSessions([{ events: visit }, { events: [] }, { events: shuffled }]);
    const live = (await scorer.score()).propensity;
    return { first, second, blank, live, bulk: [...bulk] };
  }, VISIT);
  assert.equal(found.second, found.first);
  assert.equal(found.live, found.first, "scoring in bulk touched the live session");
  assert.notEqual(found.blank, found.first);
  assert.ok(Math.abs(found.bulk[0] - found.first) < 1e-6);
  assert.ok(Math.abs(found.bulk[2] - found.first) < 1e-6, "a file's events are put in order");
});

test("each event has its reason, which later events do not change", async () => {
  const { reasons, first } = await withScorer(async (scorer, visit) => {
    scorer.track(visit[0]);
    const [first] = await scorer.explain();
    for (const event of visit.slice(1)) scorer.track(event);
    return { first, reasons: await scorer.explain() };
  }, VISIT);
  assert.equal(reasons.length, VISIT.length);
  assert.deepEqual(reasons[0], first);
  reasons.forEach((reason, index) => {
    assert.equal(reason.index, index);
    assert.equal(reason.event, VISIT[index].event);
    assert.match(reason.feature, /^[a-z ]+$/);
    assert.ok(Number.isFinite(reason.effect));
  });
  assert.ok(new Set(reasons.map((reason) => reason.feature)).size > 1, "one feature explains all");
});

test("the effects sum exactly to the logit's change since before the first event", async () => {
  const page = await host.page();
  const difference = await page.evaluate(
    async ([model, visit]) => {
      const { Engine } = await glue("cpu");
      const bytes = new Uint8Array(await (await fetch(model)).arrayBuffer());
      const engine = new Engine(bytes);
      for (const event of visit) engine.track(JSON.stringify(event), Date.now());
      const sum = JSON.parse(engine.explain()).reduce((total, { effect }) => total + effect, 0);
      const end = engine.logit();
      const start = engine.logits_of(new Float32Array(0), engine.context_row())[0];
      engine.free();
      return sum - (end - start);
    },
    [MODEL, VISIT],
  );
  assert.ok(Math.abs(difference) < 1e-9, String(difference));
  await page.close();
});

test("recommendations: the neighbours of what was seen, nothing from the cart, the best first", async () => {
  const catalogue = [
    { item_id: "seen", also: ["near", "carted"], price: 4, sold: 1 },
    { item_id: "near", price: 3, sold: 0 },
    { item_id: "carted", price: 2, sold: 50 },
    ...Array.from({ length: 100 }, (_, at) => ({ item_id: `popular-${at}`, price: at, sold: 100 + at })),
  ];
  const { picks, all, none } = await withScorer(
    async (scorer) => {
      const now = Date.now();
      const track = (event, item_id, seconds) => {
        scorer.track({ event, timestamp: now + seconds * 1000, items: [{ item_id, price: 2 }] });
      };
      track("view_item", "seen", 0);
      track("add_to_cart", "carted", 9);
      const before = (await scorer.score()).propensity;
      const picks = await scorer.recommend({ k: 5 });
      const all = await scorer.recommend({ k: 1000 });
      const none = await scorer.recommend({ k: 0 });
      const after = (await scorer.score()).propensity;
      if (before !== after) throw new Error("recommending changed the session");
      return { picks, all, none };
    },
    undefined,
    { catalogue },
  );
  assert.deepEqual(none, []);
  assert.equal(picks.length, 5);
  assert.deepEqual(all.slice(0, 5), picks);
  const ids = all.map((pick) => pick.item_id);
  assert.ok(ids.includes("near"), "a neighbour of the item seen");
  assert.ok(ids.includes("popular-99"), "the best seller");
  assert.ok(!ids.includes("carted"), "what is in the cart");
  assert.equal(new Set(ids).size, ids.length);
  for (let at = 1; at < all.length; at += 1) {
    assert.ok(all[at - 1].propensity >= all[at].propensity, "the best first");
  }
});

test("without a catalogue, items that the model knows are recommended", async () => {
  const picks = await withScorer(async (scorer, visit) => {
    for (const event of visit) scorer.track(event);
    return scorer.recommend({ k: 3 });
  }, VISIT);
  for (const pick of picks) assert.ok(pick.item_id !== "" && pick.propensity > 0);
});

test("an order ends the session; the event after it begins a new one", async () => {
  const found = await withScorer(async (scorer, visit) => {
    const end = visit.at(-1).timestamp;
    for (const event of visit) scorer.track(event);
    const before = (await scorer.score()).propensity;
    scorer.track({ event: "purchase", timestamp: end + 1000, items: [] });
    const order = (await scorer.score()).propensity;
    scorer.track({ event: "page_view", timestamp: end + 2000 });
    const next = (await scorer.score()).propensity;
    scorer.reset();
    scorer.track({ event: "page_view", timestamp: end + 2000 });
    return { before, order, next, fresh: (await scorer.score()).propensity };
  }, VISIT);
  assert.equal(found.order, found.before);
  assert.equal(found.next, found.fresh);
});

test("without WebGPU, auto stays on the CPU and says why; asking for WebGPU fails", async () => {
  const page = await host.page();
  const found = await page.evaluate(async (model) => {
    const told = [];
    const scorer = await propense.loadScorer(model, { onBackend: (info) => told.push(info) });
    const atOnce = scorer.backend;
    while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const asked = await failure(() => scorer.useBackend("webgpu"));
    const { propensity } = await scorer.score();
    const loaded = await failure(() => propense.loadScorer(model, { backend: "webgpu" }));
    return { atOnce, told, asked, loaded, propensity, info: { ...scorer.backendInfo } };
  }, MODEL);
  assert.equal(found.atOnce, "wasm");
  assert.equal(found.told.length, 1);
  assert.equal(found.info.backend, "wasm");
  assert.match(found.info.reason, /^WEBGPU_UNAVAILABLE: /);
  assert.ok(found.asked.typed && found.loaded.typed);
  assert.equal(found.asked.code, "WEBGPU_UNAVAILABLE");
  assert.equal(found.loaded.code, "WEBGPU_UNAVAILABLE");
  assert.ok(found.propensity > 0);
  await page.close();
});

// Firefox is taken off line by no command that its driver has.
test("a loaded scorer needs no network", { skip: Boolean(process.env.PROPENSE_FIREFOX) }, async () => {
  const page = await host.page();
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.evaluate(async (model) => {
    let over;
    const looked = new Promise((resolve) => {
      over = resolve;
    });
    globalThis.scorer = await propense.loadScorer(model, { backend: "auto", onBackend: over });
    // Whatever `auto` fetches for WebGPU, it has asked for by now.
    await looked;
  }, MODEL);
  assert.ok(requests.every((url) => url.startsWith(host.origin)), "a request left the origin");
  assert.ok(!requests.some((url) => url.includes("webgpu")), "the WebGPU module was fetched for nothing");
  await page.context().setOffline(true);
  const found = await page.evaluate(async (visit) => {
    for (const event of visit) scorer.track(event);
    const { propensity } = await scorer.score();
    const [bulk] = await scorer.scoreSessions([{ events: visit }]);
    return { propensity, bulk, reasons: (await scorer.explain()).length };
  }, VISIT);
  assert.ok(Math.abs(found.propensity - found.bulk) < 1e-6);
  assert.equal(found.reasons, VISIT.length);
  await page.context().setOffline(false);
  await page.close();
});

test("in bulk, what is wrong with events is counted and told as it is live", async () => {
  const { stats, told, bulk, live, wrong } = await withScorer(async (_, visit) => {
    const told = [];
    const scorer = await propense.loadScorer("/test.propense", {
      backend: "wasm",
      onInvalid: ({ code, message, problems }) => told.push({ code, message, problems }),
    });
    const ring = { event: "view_item", timestamp: visit[0].timestamp };
    ring.self = ring;
    const bad = [
      visit[0],
      { ...visit[2], items: [{ item_id: "85123A", price: -1 }] },
      { ...visit[3], timestamp: Date.now() + 3e8 },
      { event: "view_item" },
      ring,
      visit[1],
    ];
    const clean = [visit[0], visit[1], { ...visit[2], items: [{ item_id: "85123A" }] }];
    const bulk = await scorer.scoreSessions([{ events: visit }, { events: bad }, { events: clean }]);
    const { stats } = scorer;
    for (const event of bad) scorer.track(event);
    const live = scorer.stats;
    const wrong = await failure(() => scorer.scoreSessions([{ events: bad }, { events: visit, context: [] }]));
    scorer.dispose();
    return { stats, told, bulk: [...bulk], live, wrong };
  }, VISIT);
  assert.deepEqual(stats, { accepted: VISIT.length + 3 + 3, repaired: 1, rejected: 3 });
  // Tracked live the same events meet the same rules, but that nobody can sort them.
  assert.deepEqual(live, { accepted: stats.accepted + 3, repaired: stats.repaired + 2, rejected: stats.rejected + 3 });
  assert.ok(told.every(({ code }) => code === "EVENT_INVALID"));
  const rules = told.slice(0, 4).map(({ problems: [problem] }) => problem && [problem.rule, problem.session, problem.row]);
  assert.deepEqual(rules, [["absurd_price", 1, 2], ["absurd_timestamp", 1, 3], ["missing_field", 1, 4], undefined]);
  assert.match(told[0].message, /sessions\[1\]/);
  assert.equal(bulk[1], bulk[2], "what is left of it is scored");
  assert.notEqual(bulk[0], bulk[1]);
  assert.equal(wrong.code, "ARGUMENT");
  assert.match(wrong.message, /^sessions\[1\]: the context/);
});

test("scoring in bulk tells its progress and can be stopped", async () => {
  const found = await withScorer(async (scorer, visit) => {
    const sessions = Array.from({ length: 100 }, () => ({ events: visit }));
    const steps = [];
    const all = await scorer.scoreSessions(sessions, { onProgress: (done, of) => steps.push([done, of]) });
    const stop = new AbortController();
    const stopped = await failure(() =>
      scorer.scoreSessions(sessions, { signal: stop.signal, onProgress: () => stop.abort() }),
    );
    const wrong = await failure(() => scorer.scoreSessions([{ events: "none" }]));
    return { length: all.length, same: new Set(all).size, steps, stopped, wrong };
  }, VISIT);
  assert.equal(found.length, 100);
  assert.equal(found.same, 1);
  assert.deepEqual(found.steps.at(-1), [100, 100]);
  assert.ok(found.steps.length > 1);
  assert.equal(found.stopped.code, "ABORTED");
  assert.equal(found.wrong.code, "ARGUMENT");
});

test("memory is given back", async () => {
  const page = await host.page();
  const { warm, later } = await page.evaluate(
    async ([model, visit]) => {
      const bytes = await (await fetch(model)).arrayBuffer();
      const sessions = Array.from({ length: 64 }, () => ({ events: visit }));
      const round = async () => {
        const scorer = await propense.loadScorer(bytes, { backend: "wasm" });
        for (const event of visit) scorer.track(event);
        await scorer.score();
        await scorer.explain();
        await scorer.recommend({ k: 4 });
        await scorer.scoreSessions(sessions);
        scorer.reset();
        scorer.dispose();
      };
      const rounds = async () => {
        for (let count = 0; count < 20; count += 1) await round();
        const { memory } = (await glue("cpu")).exports;
        return memory.buffer.byteLength;
      };
      return { warm: await rounds(), later: await rounds() };
    },
    [MODEL, VISIT],
  );
  assert.equal(later, warm, "the module's memory grew");
  await page.close();
});

test("a disposed scorer says so, and track stays silent towards the shop", async () => {
  const page = await host.page();
  const found = await page.evaluate(
    async ([model, visit]) => {
      const told = [];
      const scorer = await propense.loadScorer(model, {
        backend: "wasm",
        onInvalid: (error) => told.push(error.code),
      });
      scorer.dispose();
      scorer.dispose();
      scorer.track(visit[0]);
      const codes = [];
      for (const work of [
        () => scorer.score(),
        () => scorer.explain(),
        () => scorer.recommend(),
        () => scorer.useBackend("wasm"),
        () => scorer.scoreSessions([]),
        () => scorer.reset(),
      ]) {
        codes.push((await failure(work)).code);
      }
      return { told, codes };
    },
    [MODEL, VISIT],
  );
  assert.deepEqual(found.told, ["DISPOSED"]);
  assert.deepEqual(new Set(found.codes), new Set(["DISPOSED"]));
  await page.close();
});
