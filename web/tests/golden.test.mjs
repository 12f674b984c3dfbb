// The numbers of the CPU build: against NumPy's golden vectors, against the slow network beside these
// tests, and streaming against whole sessions.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { CONFIG, FEATURES, goldenSession } from "./support/bundle.mjs";
import { open } from "./support/browser.mjs";
import { randoms } from "./support/network.mjs";
import { MODEL, repository } from "./support/server.mjs";

const TOLERANCE = 1e-4;

let host;
let page;
before(async () => {
  host = await open();
  page = await host.page();
});
after(() => host.close());

const { cases } = JSON.parse(await readFile(`${repository}/tests/golden/golden.json`, "utf8"));

/** What a browser without relaxed SIMD loads, and one with it. */
const KINDS = ["", "_relaxed"];

for (const [{ name, bundle, sessions }, kind] of cases.flatMap((given) => KINDS.map((kind) => [given, kind]))) {
  test(`NumPy's golden vectors: ${name}${kind.replace("_", ", ")}`, async () => {
    const found = await page.evaluate(
      async ([model, given, kind]) => {
        const { Engine, Prepared } = await glue("cpu", kind);
        const engine = new Engine(new Uint8Array(await (await fetch(model)).arrayBuffer()));
        const flat = (numbers) => Float32Array.from(numbers.flat());
        const streamed = given.map(
          ({ rows, context }) => engine.logits_of(flat(rows), flat(context)).at(-1),
        );
        const prepared = new Prepared(
          flat(given.flatMap(({ rows }) => rows)),
          Uint32Array.from(given, ({ rows }) => rows.length),
          flat(given.map(({ context }) => context)),
        );
        const whole = [...engine.score(prepared)];
        prepared.free();
        engine.free();
        return { streamed, whole };
      },
      [`/golden/${bundle}`, sessions, kind],
    );
    const expected = sessions.map(({ logit }) => logit);
    close(found.streamed, expected, TOLERANCE, "streamed");
    close(found.whole, expected, TOLERANCE, "whole");
  });
}

test("a browser with relaxed SIMD is given the module that uses it, and only that", async () => {
  const fresh = await host.page();
  const loaded = [];
  fresh.on("response", (response) => {
    if (response.url().endsWith(".wasm")) loaded.push(new URL(response.url()).pathname);
  });
  await fresh.evaluate(async (model) => (await propense.loadScorer(model, { backend: "wasm" })).dispose(), MODEL);
  assert.deepEqual(loaded, ["/wasm/cpu/propense_web_relaxed_bg.wasm"]);
  await fresh.close();
});

test("where a browser says that it has no relaxed SIMD, the plain module scores", async () => {
  const old = await host.page();
  const loaded = [];
  old.on("response", (response) => {
    if (response.url().endsWith(".wasm")) loaded.push(new URL(response.url()).pathname);
  });
  const propensity = await old.evaluate(async (model) => {
    WebAssembly.validate = () => false;
    const scorer = await propense.loadScorer(model, { backend: "wasm" });
    const score = await scorer.score();
    scorer.dispose();
    return score.propensity;
  }, MODEL);
  assert.deepEqual(loaded, ["/wasm/cpu/propense_web_bg.wasm"]);
  assert.ok(propensity > 0 && propensity < 1);
  await old.close();
});

/** Logits of rows, streamed (after each) and as whole sessions (one for every prefix). */
function logits(rows, context) {
  return page.evaluate(
    async ([model, numbers, given, width]) => {
      const { Engine, Prepared } = await glue("cpu");
      const engine = new Engine(new Uint8Array(await (await fetch(model)).arrayBuffer()));
      const all = Float32Array.from(numbers);
      const events = all.length / width;
      const streamed = [...engine.logits_of(all, Float32Array.from(given))];
      const lengths = Uint32Array.from({ length: events + 1 }, (_, at) => at);
      const prefixes = Float32Array.from(
        [...lengths].flatMap((length) => [...all.subarray(0, length * width)]),
      );
      const contexts = Float32Array.from([...lengths].flatMap(() => given));
      const prepared = new Prepared(prefixes, lengths, contexts);
      const whole = [...engine.score(prepared)];
      prepared.free();
      engine.free();
      return { streamed, whole };
    },
    [MODEL, rows.flat(), context, CONFIG.features],
  );
}

const close = (found, expected, tolerance, what) => {
  assert.equal(found.length, expected.length, what);
  found.forEach((value, at) => {
    const difference = Math.abs(value - expected[at]);
    assert.ok(difference <= tolerance, `${what}, event ${at}: ${value} for ${expected[at]}`);
  });
};

test("the slow network's logits, streamed and whole", async () => {
  for (const events of [1, 2, 3, 4, 7, 16, 33]) {
    const golden = goldenSession(events);
    const { streamed, whole } = await logits(golden.rows, golden.context);
    close(streamed.slice(1), golden.logits, TOLERANCE, `${events} events, streamed`);
    close(whole.slice(1), golden.logits, TOLERANCE, `${events} events, whole`);
    // Before any event: two implementations (Burn's batch pass, the plain step), one number.
    close(whole.slice(0, 1), streamed.slice(0, 1), TOLERANCE, "no event");
  }
});

test("streaming equals whole sessions for every prefix of random sessions", async () => {
  const random = randoms(2024);
  for (const events of [1, 2, 5, 17, 64, 131, 512]) {
    const numbers = (length) => Array.from({ length }, () => random() * 3);
    const rows = Array.from({ length: events }, () => numbers(CONFIG.features));
    const { streamed, whole } = await logits(rows, numbers(CONFIG.context));
    close(streamed, whole, TOLERANCE, `${events} events`);
    assert.ok(streamed.every(Number.isFinite));
  }
});

test("a visit has the same rows as natively", async () => {
  const path = new URL("fixtures/live-rows.json", import.meta.url);
  const { features, context, events, context_row, rows } = JSON.parse(await readFile(path, "utf8"));
  assert.deepEqual(features, FEATURES, "the file is of the features that the model here has");
  const found = await page.evaluate(
    async ([model, given, visit]) => {
      const { Engine } = await glue("cpu");
      const engine = new Engine(new Uint8Array(await (await fetch(model)).arrayBuffer()));
      engine.reset(JSON.stringify(given), visit[0].timestamp);
      const problems = visit.map((event) => engine.track(JSON.stringify(event), Date.now()));
      const live = { context: [...engine.context_row()], rows: [...engine.rows_from(0)], problems };
      const gatherer = engine.gather(Date.now());
      gatherer.begin(JSON.stringify(given));
      for (const event of visit) problems.push(gatherer.add(JSON.stringify(event)));
      const prepared = gatherer.finish();
      const whole = { context: [...prepared.contexts()], rows: [...prepared.rows()] };
      prepared.free();
      engine.free();
      return { live, whole };
    },
    [MODEL, context, events],
  );
  assert.ok(found.live.problems.every((problem) => problem === undefined || problem === null));
  for (const [way, given] of Object.entries(found)) {
    close(given.context, context_row, 1e-6, `${way}: the context`);
    close(given.rows, rows.flat(), 1e-6, `${way}: the rows`);
  }
});
