// The numbers: the CPU build against the reference network, and streaming against whole sessions.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { CONFIG, goldenSession } from "./support/bundle.mjs";
import { open } from "./support/browser.mjs";
import { randoms } from "./support/network.mjs";
import { MODEL } from "./support/server.mjs";

const TOLERANCE = 1e-4;

let host;
let page;
before(async () => {
  host = await open();
  page = await host.page();
});
after(() => host.close());

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

test("golden sessions: the reference's logits, streamed and whole", async () => {
  for (const events of [1, 2, 3, 4, 7, 16, 33]) {
    const golden = goldenSession(events);
    const { streamed, whole } = await logits(golden.rows, golden.context);
    close(streamed.slice(1), golden.logits, TOLERANCE, `${events} events, streamed`);
    close(whole.slice(1), golden.logits, TOLERANCE, `${events} events, whole`);
    assert.equal(whole[0], streamed[0]);
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
