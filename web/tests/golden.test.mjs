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

for (const { name, bundle, sessions } of cases) {
  test(`NumPy's golden vectors: ${name}`, async () => {
    const found = await page.evaluate(
      async ([model, given]) => {
        const { Engine, Prepared } = await glue("cpu");
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
      [`/golden/${bundle}`, sessions],
    );
    const expected = sessions.map(({ logit }) => logit);
    close(found.streamed, expected, TOLERANCE, "streamed");
    close(found.whole, expected, TOLERANCE, "whole");
  });
}

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
