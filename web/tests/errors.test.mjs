// Everything that can go wrong on the way to a score, and with the events of a shop.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { FEATURES, WEIGHTS, bundle, manifest } from "./support/bundle.mjs";
import { open } from "./support/browser.mjs";
import { MODEL } from "./support/server.mjs";
import { VISIT } from "./support/visit.mjs";

let host;
let page;
before(async () => {
  host = await open();
  page = await host.page();
});
after(() => host.close());

/** How loading these bytes fails. */
function loading(bytes) {
  return page.evaluate((content) => {
    const model = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    return failure(() => propense.loadScorer(model, { backend: "wasm" }));
  }, bytes.toString("base64"));
}

const flipped = (file, at) => {
  const copy = Buffer.from(file);
  copy[at] ^= 1;
  return copy;
};
const sound = bundle();
const middle = Math.floor(sound.length * 0.9);
const shorter = { ...FEATURES, row: FEATURES.row.slice(1) };
const { "output.bias": _, ...incomplete } = WEIGHTS;

const BROKEN = {
  "an empty file": [Buffer.alloc(0), "BUNDLE_INVALID"],
  "a web page instead of a model": [Buffer.from("<!doctype html><title>404</title>"), "BUNDLE_INVALID"],
  "a file cut in its weights": [sound.subarray(0, middle), "BUNDLE_TRUNCATED"],
  "a file cut in its header": [sound.subarray(0, 100), "BUNDLE_TRUNCATED"],
  "one bit of a weight": [flipped(sound, middle), "BUNDLE_CHECKSUM"],
  "one bit of the name": [flipped(sound, sound.indexOf('name\\":\\"test') + 10), "BUNDLE_CHECKSUM"],
  "no checksum": [bundle({ checksum: false }), "BUNDLE_CHECKSUM"],
  "a later version": [bundle({ header: manifest({ format_version: 3 }) }), "BUNDLE_VERSION"],
  "a lacking weight": [bundle({ weights: incomplete }), "BUNDLE_SHAPE"],
  "a weight of another shape": [bundle({ sizes: { "conv.weight": [8, 1, 9, 1] } }), "BUNDLE_SHAPE"],
  "features for another network": [bundle({ header: manifest({ features: shorter }) }), "BUNDLE_INVALID"],
  "a threshold out of range": [bundle({ header: manifest({ threshold: 3 }) }), "BUNDLE_INVALID"],
  "features of another version": [
    bundle({ header: manifest({ features: { ...FEATURES, version: 9 } }) }),
    "BUNDLE_INVALID",
  ],
};

for (const [what, [bytes, code]] of Object.entries(BROKEN)) {
  test(`${what}: ${code}`, async () => {
    const found = await loading(bytes);
    assert.ok(found?.typed, JSON.stringify(found));
    assert.equal(found.code, code, found.message);
    assert.ok(found.message.length > 20, found.message);
  });
}

test("every cut and any flipped bit is refused with a typed error", async () => {
  for (let at = 0; at < sound.length; at += 1009) {
    for (const bytes of [sound.subarray(0, at), flipped(sound, at)]) {
      const found = await loading(bytes);
      assert.ok(found?.typed && found.code.startsWith("BUNDLE_"), `${at}: ${JSON.stringify(found)}`);
    }
  }
});

test("a sound bundle loads, from bytes and from an address", async () => {
  assert.equal(await loading(sound), undefined);
  const version = await page.evaluate(async (model) => {
    const scorer = await propense.loadScorer(new URL(model, location.href), { backend: "wasm" });
    return scorer.model.version;
  }, MODEL);
  assert.match(version, /^test@[0-9a-f]{12}$/);
});

test("addresses that do not answer with a model", async () => {
  const codes = await page.evaluate(async () => {
    const load = (model, options) => failure(() => propense.loadScorer(model, options));
    return {
      missing: await load("/missing.propense"),
      fault: await load("/fault/500"),
      refused: await load("http://127.0.0.1:1/model.propense"),
      nothing: await load(undefined),
      catalogue: await load("/test.propense", { catalogue: "/missing.json" }),
      backend: await load("/test.propense", { backend: "cuda" }),
    };
  });
  const expected = {
    missing: "NOT_FOUND",
    fault: "NETWORK",
    refused: "NETWORK",
    nothing: "ARGUMENT",
    catalogue: "NOT_FOUND",
    backend: "ARGUMENT",
  };
  for (const [what, code] of Object.entries(expected)) {
    assert.ok(codes[what]?.typed, what);
    assert.equal(codes[what].code, code, what);
  }
  assert.match(codes.missing.message, /missing\.propense/);
});

/** Options of `loadScorer` as a page without types may give them, and how that fails. */
const WRONG_OPTIONS = {
  "a catalogue of items without id": ["{ catalogue: [{ price: 1 }] }", "CATALOGUE_INVALID"],
  "a catalogue in a ring": ["(() => { const ring = [{ item_id: 'a' }]; ring.push(ring); return { catalogue: ring }; })()", "CATALOGUE_INVALID"],
  "a catalogue with a BigInt": ["{ catalogue: [{ item_id: 'a', price: 1n }] }", "CATALOGUE_INVALID"],
  "a function for a catalogue": ["{ catalogue: () => [] }", "CATALOGUE_INVALID"],
  "a catalogue whose toJSON throws": ["{ catalogue: { toJSON() { throw Object.create(null); } } }", "CATALOGUE_INVALID"],
  "null for a catalogue": ["{ catalogue: null }", "CATALOGUE_INVALID"],
  "an address of wasm that is none": ["{ wasm: { cpu: 'http://[' } }", "ARGUMENT"],
  "a number for the address of wasm": ["{ wasm: { cpu: 42 } }", "ARGUMENT"],
  "a Symbol for the address of wasm": ["{ wasm: { cpu: Symbol('x') } }", "ARGUMENT"],
  "null for options": ["null", "ARGUMENT"],
  "a backend's name for options": ["'webgpu'", "ARGUMENT"],
  "a function for a context": ["{ context: () => ({}) }", "ARGUMENT"],
  "a context with a BigInt": ["{ context: { prior_orders: 3n } }", "ARGUMENT"],
  "a context with a list": ["{ context: { visitor_type: ['new'] } }", "ARGUMENT"],
  "a context with NaN": ["{ context: { prior_orders: NaN } }", "ARGUMENT"],
  "a list for a context": ["{ context: ['new'] }", "ARGUMENT"],
  "a word for onBackend": ["{ onBackend: 'log' }", "ARGUMENT"],
  "an object for onInvalid": ["{ onInvalid: {} }", "ARGUMENT"],
};

for (const [what, [options, code]] of Object.entries(WRONG_OPTIONS)) {
  test(`loadScorer with ${what}: ${code}`, async () => {
    const found = await page.evaluate(
      ([model, source]) => failure(() => propense.loadScorer(model, new Function(`return ${source}`)())),
      [MODEL, options],
    );
    assert.ok(found?.typed, JSON.stringify(found));
    assert.equal(found.code, code, found.message);
    assert.ok(found.message.length > 15, found.message);
  });
}

test("bytes that have been handed to somebody else", async () => {
  const found = await page.evaluate(async () => {
    const bytes = await (await fetch("/test.propense")).arrayBuffer();
    const view = new Uint8Array(bytes);
    structuredClone(bytes, { transfer: [bytes] });
    return [await failure(() => propense.loadScorer(bytes)), await failure(() => propense.loadScorer(view))];
  });
  for (const error of found) {
    assert.ok(error?.typed, JSON.stringify(error));
    assert.equal(error.code, "ARGUMENT");
  }
});

test("a module that cannot be loaded says what to check, and may be there the next time", async () => {
  const found = await page.evaluate(
    (model) => failure(() => propense.loadScorer(model, { wasm: { cpu: "/nowhere/glue.js" } })),
    MODEL,
  );
  assert.equal(found.code, "WASM_LOAD");
  for (const word of ["/nowhere/glue.js", "wasm-unsafe-eval", "application/wasm"]) {
    assert.ok(found.message.includes(word), found.message);
  }
  const webgpu = await page.evaluate(
    (model) => failure(() => propense.loadScorer(model, { backend: "wasm" })),
    MODEL,
  );
  assert.equal(webgpu, undefined);
});

test("a policy without wasm-unsafe-eval is named", async () => {
  const strict = await host.page("/strict");
  const found = await strict.evaluate((model) => failure(() => propense.loadScorer(model)), MODEL);
  assert.equal(found.code, "WASM_LOAD");
  assert.match(found.message, /wasm-unsafe-eval/);
  await strict.close();
});

/** Tracks these events; what was told, counted, and scored. */
function tracking(events) {
  return page.evaluate(
    async ([model, source]) => {
      const told = [];
      const scorer = await propense.loadScorer(model, {
        backend: "wasm",
        onInvalid: (error) => told.push({ code: error.code, problems: error.problems }),
      });
      // As text, since not every event below can be handed over.
      for (const event of new Function(`return ${source}`)()) scorer.track(event);
      const { propensity } = await scorer.score();
      const { stats } = scorer;
      scorer.dispose();
      return { told, stats, propensity };
    },
    [MODEL, events],
  );
}

const T = VISIT[0].timestamp;

const ABSURD = {
  "a price below zero": [`[{ event: "view_item", timestamp: ${T}, items: [{ item_id: "a", price: -2 }] }]`, "absurd_price", "repaired"],
  "a price that is not a number": [`[{ event: "view_item", timestamp: ${T}, items: [{ item_id: "a", price: "cheap" }] }]`, "wrong_type", "repaired"],
  "a price of NaN": [`[{ event: "view_item", timestamp: ${T}, items: [{ item_id: "a", price: NaN }] }]`, "absurd_price", "repaired"],
  "an infinite value": [`[{ event: "view_item", timestamp: ${T}, value: Infinity }]`, "absurd_price", "repaired"],
  "a quantity of NaN": [`[{ event: "add_to_cart", timestamp: ${T}, items: [{ item_id: "a", quantity: NaN }] }]`, "absurd_quantity", "repaired"],
  "a time that is not a number": [`[{ event: "view_item", timestamp: NaN }]`, "absurd_timestamp", "rejected"],
  "no quantity above zero": [`[{ event: "add_to_cart", timestamp: ${T}, items: [{ item_id: "a", quantity: -3 }] }]`, "absurd_quantity", "repaired"],
  "the year 1970": [`[{ event: "view_item", timestamp: 86400000 }]`, "absurd_timestamp", "rejected"],
  "the far future": [`[{ event: "view_item", timestamp: Date.now() + 1e10 }]`, "absurd_timestamp", "rejected"],
  "no time at all": [`[{ event: "view_item" }]`, "missing_field", "rejected"],
  "no name": [`[{ timestamp: ${T} }]`, "missing_field", "rejected"],
  "a million items": [
    `[{ event: "view_item_list", timestamp: ${T}, items: Array.from({ length: 1e6 }, (_, at) => ({ item_id: String(at) })) }]`,
    "too_many_items",
    "repaired",
  ],
  "a name as long as a book": [
    `[{ event: "view_item", timestamp: ${T}, items: [{ item_id: "a", item_name: "é".repeat(1e5) }] }]`,
    "text_too_long",
    "repaired",
  ],
  "an event before the one before it": [
    `[{ event: "view_item", timestamp: ${T} }, { event: "view_item", timestamp: ${T - 5000} }]`,
    "out_of_order",
    "repaired",
  ],
  "no object": [`[42]`, "malformed", "rejected"],
  "nothing": [`[undefined]`, "malformed", "rejected"],
  "a list": [`[[]]`, "malformed", "rejected"],
};

for (const [what, [events, rule, action]] of Object.entries(ABSURD)) {
  test(`an event with ${what} is ${action} (${rule})`, async () => {
    const { told, stats, propensity } = await tracking(events);
    assert.equal(told.length, 1, JSON.stringify(told).slice(0, 500));
    assert.equal(told[0].code, "EVENT_INVALID");
    const problem = told[0].problems.find((each) => each.rule === rule);
    assert.ok(problem, JSON.stringify(told[0].problems).slice(0, 500));
    assert.equal(problem.action, action);
    assert.equal(stats.rejected, action === "rejected" ? 1 : 0);
    assert.equal(stats.repaired, action === "repaired" ? 1 : 0);
    assert.ok(propensity > 0 && propensity < 1);
  });
}

test("events that cannot be written down are counted, whatever they do", async () => {
  const { told, stats } = await tracking(`(() => {
    const ring = { event: "view_item", timestamp: ${T} };
    ring.self = ring;
    const hostile = { get event() { throw new Error("no"); } };
    return [ring, { event: "view_item", timestamp: 10n }, hostile, new Proxy({}, { ownKeys() { throw 1; } })];
  })()`);
  assert.equal(stats.rejected, 4);
  assert.deepEqual(new Set(told.map(({ code }) => code)), new Set(["EVENT_INVALID"]));
});

test("a repaired event scores as the event that it was repaired to", async () => {
  const item = (price) => `{ item_id: "85123A"${price} }`;
  const event = (price) => `[{ event: "view_item", timestamp: ${T}, items: [${item(price)}] }]`;
  const repaired = await tracking(event(", price: -1"));
  const missing = await tracking(event(""));
  const priced = await tracking(event(", price: 90"));
  assert.equal(repaired.propensity, missing.propensity);
  assert.notEqual(priced.propensity, missing.propensity);
});

test("a listener that throws does not break the shop; without one the console hears once", async () => {
  const own = await host.page();
  const warnings = [];
  own.on("console", (message) => {
    if (/^warn/.test(message.type())) warnings.push(message.text());
  });
  const stats = await own.evaluate(async (model) => {
    const angry = await propense.loadScorer(model, {
      backend: "wasm",
      onInvalid: () => {
        throw new Error("the shop's own fault");
      },
    });
    angry.track({});
    const silent = await propense.loadScorer(model, { backend: "wasm" });
    silent.track({});
    silent.track({});
    await new Promise((resolve) => setTimeout(resolve, 50));
    return [angry.stats, silent.stats];
  }, MODEL);
  assert.deepEqual(stats.map(({ rejected }) => rejected), [1, 2]);
  assert.equal(warnings.length, 1, warnings.join("\n"));
  assert.equal(own.problems.length, 1);
  assert.match(own.problems[0], /^(Error: )+the shop's own fault$/);
  await own.close();
});

test("contexts and arguments of wrong types", async () => {
  const codes = await page.evaluate(async (model) => {
    const scorer = await propense.loadScorer(model, { backend: "wasm" });
    const ring = {};
    ring.ring = ring;
    return Promise.all(
      [
        () => scorer.reset({ visitor_type: ["a"] }),
        () => scorer.reset("new"),
        () => scorer.reset(ring),
        () => scorer.reset(() => ({})),
        () => scorer.reset({ prior_orders: Infinity }),
        () => scorer.recommend({ k: -1 }),
        () => scorer.recommend({ k: 0.5 }),
        () => scorer.recommend(null),
        () => scorer.recommend(8),
        () => scorer.useBackend("cuda"),
        () => scorer.useBackend(Symbol("webgpu")),
        () => scorer.scoreSessions("all"),
        () => scorer.scoreSessions([null]),
        () => scorer.scoreSessions([{}]),
        () => scorer.scoreSessions([], null),
        () => scorer.scoreSessions([], { onProgress: "log" }),
        () => scorer.scoreSessions([{ events: [], context: "new" }]),
        () => scorer.scoreSessions([{ events: [], context: { visitor_type: ["new"] } }]),
        () => scorer.scoreSessions([{ events: [], context: ring }]),
        () => scorer.scoreSessions([{ events: [], context: () => ({}) }]),
      ].map(async (work) => {
        const error = await failure(async () => work());
        return [error?.typed, error?.code, String(work)];
      }),
    );
  }, MODEL);
  assert.equal(codes.length, 20);
  for (const [typed, code, work] of codes) {
    assert.ok(typed, work);
    assert.equal(code, "ARGUMENT", work);
  }
});

test("an address of the WebGPU module that is none", async () => {
  const found = await page.evaluate(async (model) => {
    Object.defineProperty(navigator, "gpu", {
      configurable: true,
      value: { requestAdapter: async () => ({ info: {} }) },
    });
    try {
      const scorer = await propense.loadScorer(model, { backend: "wasm", wasm: { webgpu: "http://[" } });
      return await failure(() => scorer.useBackend("webgpu"));
    } finally {
      delete navigator.gpu;
    }
  }, MODEL);
  assert.ok(found?.typed, JSON.stringify(found));
  assert.equal(found.code, "ARGUMENT");
});

test("a module that fails is started afresh for the next scorer", async () => {
  const own = await host.page();
  const found = await own.evaluate(async (model) => {
    const scorer = await propense.loadScorer(model, { backend: "wasm" });
    const { Engine } = await glue("cpu");
    const engine = new Engine(new Uint8Array(await (await fetch(model)).arrayBuffer()));
    let trap;
    try {
      // More numbers than an address can count: the module's allocator panics.
      engine.prepare_golden(0xffffffff);
    } catch (error) {
      trap = error.constructor.name;
    }
    const next = await propense.loadScorer(model, { backend: "wasm" });
    next.track({ event: "view_item", timestamp: Date.now() });
    return { trap, next: await next.score(), version: scorer.model.version };
  }, MODEL);
  assert.equal(found.trap, "RuntimeError");
  assert.ok(found.next.propensity > 0);
  assert.equal(found.next.modelVersion, found.version);
  await own.close();
});
