// The WebGPU build on Chromium's software adapter: the same numbers, the same session, and no harm
// when the device goes away. Sessions are short, since that adapter is slow.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { CONFIG, bundle, goldenSession, manifest } from "./support/bundle.mjs";
import { open } from "./support/browser.mjs";
import { MODEL, repository } from "./support/server.mjs";
import { VISIT } from "./support/visit.mjs";

const TOLERANCE = 1e-3;

let host;
let page;
/** The page of the tests that leave the device alone: its module is compiled once. */
let shared;
before(async () => {
  host = await open({ webgpu: true });
  shared = await fresh();
});
after(() => host.close());

/** An empty page, on which `devices` collects every device that is taken. */
async function fresh(options = {}) {
  page = await host.page();
  await page.evaluate(({ pretendGpu }) => {
    globalThis.devices = [];
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (...given) {
      const device = await requestDevice.apply(this, given);
      devices.push(device);
      return device;
    };
    if (pretendGpu) {
      for (const kind of [GPUAdapterInfo, GPUAdapter]) {
        Object.defineProperty(kind.prototype, "isFallbackAdapter", { get: () => false });
      }
    }
  }, options);
  return page;
}

/** Two logits that may differ as WebGPU may. */
const near = (found, expected, what) => {
  assert.ok(Math.abs(found - expected) <= TOLERANCE, `${what}: ${found} for ${expected}`);
};
const logit = (propensity) => Math.log(propensity / (1 - propensity));
/** The same of two propensities: they lie closer together than their logits, so the logits count. */
const alike = (found, expected, what) => near(logit(found), logit(expected), what);

test("asked for, WebGPU is really used, and the session crosses over and back", async () => {
  page = shared;
  const found = await page.evaluate(
    async ([model, visit]) => {
      const told = [];
      const scorer = await propense.loadScorer(model, {
        backend: "webgpu",
        onBackend: (info) => told.push(info),
      });
      const seen = { info: scorer.backendInfo, told, devices: devices.length, gpu: [], cpu: [] };
      seen.opening = await scorer.score();
      for (const event of visit.slice(0, 3)) {
        scorer.track(event);
        seen.gpu.push(await scorer.score());
      }
      await scorer.useBackend("wasm");
      seen.cpu.push(await scorer.score());
      for (const event of visit.slice(3, 5)) scorer.track(event);
      seen.cpu.push(await scorer.score());
      await scorer.useBackend("webgpu");
      seen.gpu.push(await scorer.score());
      scorer.track(visit[5]);
      seen.gpu.push(await scorer.score());
      await scorer.useBackend("wasm");
      seen.cpu.push(await scorer.score());
      scorer.reset();
      await scorer.useBackend("webgpu");
      seen.blank = await scorer.score();
      scorer.dispose();
      return seen;
    },
    [MODEL, VISIT],
  );
  assert.equal(found.info.backend, "webgpu");
  assert.equal(found.info.batch, "webgpu");
  assert.equal(found.devices, 1, "no WebGPU device was taken");
  assert.equal(found.info.adapter.vendor, "google");
  assert.equal(found.info.adapter.architecture, "swiftshader");
  assert.equal(found.info.adapter.software, true);
  for (const score of [found.opening, ...found.gpu, found.blank]) {
    assert.equal(score.backend, "webgpu");
    assert.ok(score.micros > 0);
  }
  for (const score of found.cpu) assert.equal(score.backend, "wasm");
  alike(found.cpu[0].propensity, found.gpu[2].propensity, "to the CPU, after 3 events");
  alike(found.gpu[3].propensity, found.cpu[1].propensity, "to WebGPU, after 5 events");
  alike(found.cpu[2].propensity, found.gpu[4].propensity, "to the CPU, after 6 events");
  alike(found.blank.propensity, found.opening.propensity, "after a reset");
  assert.deepEqual(
    found.told.map(({ backend }) => backend),
    ["webgpu", "wasm", "webgpu", "wasm", "webgpu"],
  );
  assert.deepEqual(page.problems, []);
});

test("NumPy's golden vectors on WebGPU: streamed and as a batch", async () => {
  const { cases } = JSON.parse(await readFile(`${repository}/tests/golden/golden.json`, "utf8"));
  page = shared;
  /** As long as real sessions are, all in one call: 200 events are a hundred steps of the LSTM. */
  const LONG = [33, 64, 200];
  for (const { name, bundle: file, sessions } of cases) {
    const given = sessions.filter(({ rows }) => rows.length <= 10 || LONG.includes(rows.length));
    if (name === "seed") assert.ok(LONG.every((events) => given.some(({ rows }) => rows.length === events)));
    // Every step of a stream is a launch with its wait: a short one will do there.
    const stream = given.findLast(({ rows }) => rows.length <= 10);
    const found = await page.evaluate(
      async ([model, given, stream]) => {
        const { Runtime } = await glue("webgpu");
        const runtime = await Runtime.create(new Uint8Array(await (await fetch(model)).arrayBuffer()));
        const flat = (numbers) => Float32Array.from(numbers.flat());
        runtime.push(flat(stream.rows));
        const streamed = await runtime.logit(flat(stream.context));
        const batch = await runtime.score(
          flat(given.flatMap(({ rows }) => rows)),
          Uint32Array.from(given, ({ rows }) => rows.length),
          flat(given.map(({ context }) => context)),
        );
        const backend = JSON.parse(runtime.adapter()).backend;
        runtime.free();
        return { streamed, batch: [...batch], backend };
      },
      [`/golden/${file}`, given, stream],
    );
    assert.equal(found.backend, "BrowserWebGpu");
    assert.equal(found.batch.length, given.length);
    near(found.streamed, stream.logit, `${name}, streamed`);
    given.forEach(({ rows, logit: expected }, at) => {
      near(found.batch[at], expected, `${name}, ${rows.length} events`);
    });
  }
  assert.deepEqual(page.problems, []);
});

test("a batch is one launch, few sessions are two, and so is a live event", async () => {
  page = shared;
  const found = await page.evaluate(
    async ([model, { rows, context }]) => {
      let launches = 0;
      const counted = (name) => {
        const launch = GPUComputePassEncoder.prototype[name];
        GPUComputePassEncoder.prototype[name] = function (...given) {
          launches += 1;
          return launch.apply(this, given);
        };
        return () => (GPUComputePassEncoder.prototype[name] = launch);
      };
      const { Runtime } = await glue("webgpu");
      const runtime = await Runtime.create(new Uint8Array(await (await fetch(model)).arrayBuffer()));
      const repeat = (numbers, times) => Float32Array.from(new Array(times).fill(numbers).flat());
      const row = rows.flat();
      const score = (times) => runtime.score(repeat(row, times), new Uint32Array(times).fill(rows.length), repeat(context, times));
      const event = async () => {
        runtime.push(Float32Array.from(rows[0]));
        await runtime.logit(Float32Array.from(context));
      };
      // What is done once, when a model is new, is not what is counted.
      await score(2);
      await event();
      const restore = ["dispatchWorkgroups", "dispatchWorkgroupsIndirect"].map(counted);
      const during = async (work) => {
        launches = 0;
        await work();
        return launches;
      };
      const counts = { few: await during(() => score(3)), many: await during(() => score(64)), event: await during(event) };
      for (const back of restore) back();
      runtime.free();
      return counts;
    },
    [MODEL, goldenSession(8)],
  );
  assert.deepEqual(found, { few: 2, many: 1, event: 2 });
});

test("the slow network's logits on WebGPU, after every event", async () => {
  page = shared;
  const sessions = [1, 2, 5, 8].map((events) => goldenSession(events));
  const found = await page.evaluate(
    async ([model, given]) => {
      const { Runtime } = await glue("webgpu");
      const runtime = await Runtime.create(new Uint8Array(await (await fetch(model)).arrayBuffer()));
      const check = Math.max(await runtime.self_check(), await runtime.self_check_batch());
      const adapter = JSON.parse(runtime.adapter());
      const streamed = [];
      for (const { rows, context } of given) {
        runtime.reset();
        const logits = [];
        for (const row of rows) {
          runtime.push(Float32Array.from(row));
          logits.push(await runtime.logit(Float32Array.from(context)));
        }
        streamed.push(logits);
      }
      const flat = (pick) => Float32Array.from(given.flatMap(pick));
      const batch = await runtime.score(
        flat(({ rows }) => rows.flat()),
        Uint32Array.from(given, ({ rows }) => rows.length),
        flat(({ context }) => context),
      );
      const wrong = [];
      for (const [rows, lengths, contexts] of [
        [[1], [1], new Array(7).fill(0)],
        [[], [0], []],
      ]) {
        const [a, b, c] = [Float32Array.from(rows), Uint32Array.from(lengths), Float32Array.from(contexts)];
        wrong.push(await runtime.score(a, b, c).then(() => "none", (error) => error.code));
      }
      runtime.free();
      return { check, adapter, streamed, batch: [...batch], wrong };
    },
    [MODEL, sessions],
  );
  assert.equal(found.adapter.backend, "BrowserWebGpu");
  assert.ok(found.check >= 0 && found.check <= TOLERANCE, String(found.check));
  sessions.forEach(({ logits }, index) => {
    near(found.batch[index], logits.at(-1), `a batch, ${logits.length} events`);
    logits.forEach((expected, at) => {
      near(found.streamed[index][at], expected, `event ${at} of ${logits.length}`);
    });
  });
  assert.deepEqual(found.wrong, ["ARGUMENT", "ARGUMENT"]);
  assert.deepEqual(page.problems, []);
});

test("scoring in bulk gives the same on both", async () => {
  page = shared;
  const { cpu, gpu, backend } = await page.evaluate(
    async ([model, visit]) => {
      const sessions = visit.map((_, at) => ({ context: { visitor_type: "new" }, events: visit.slice(0, at) }));
      const scorer = await propense.loadScorer(model, { backend: "wasm" });
      const cpu = [...(await scorer.scoreSessions(sessions))];
      await scorer.useBackend("webgpu");
      const gpu = [...(await scorer.scoreSessions(sessions))];
      return { cpu, gpu, backend: scorer.backend };
    },
    [MODEL, VISIT],
  );
  assert.equal(backend, "webgpu");
  assert.equal(cpu.length, VISIT.length);
  cpu.forEach((propensity, at) => {
    alike(gpu[at], propensity, `session ${at}`);
  });
  assert.ok(new Set(cpu).size > 3);
});

test("a lost device: the session goes on on the CPU, and a new device can be taken", async () => {
  await fresh();
  const found = await page.evaluate(
    async ([model, visit]) => {
      const told = [];
      const scorer = await propense.loadScorer(model, {
        backend: "webgpu",
        onBackend: (info) => told.push(info),
      });
      for (const event of visit.slice(0, 3)) scorer.track(event);
      const before = await scorer.score();
      devices[0].destroy();
      const during = await scorer.score();
      while (told.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
      const after = await scorer.score();
      scorer.track(visit[3]);
      const next = await scorer.score();
      await scorer.useBackend("webgpu");
      const again = await scorer.score();
      const bulk = scorer.scoreSessions([{ events: visit.slice(0, 4) }]);
      devices[1].destroy();
      const [rescued] = await bulk;
      return { told, before, during, after, next, again, rescued, devices: devices.length };
    },
    [MODEL, VISIT],
  );
  assert.equal(found.before.backend, "webgpu");
  assert.equal(found.told[1].backend, "wasm");
  assert.match(found.told[1].reason, /^DEVICE_LOST: /);
  assert.equal(found.after.backend, "wasm");
  alike(found.during.propensity, found.before.propensity, "while it is lost");
  alike(found.after.propensity, found.before.propensity, "after it is lost");
  assert.equal(found.again.backend, "webgpu");
  assert.equal(found.devices, 2);
  alike(found.again.propensity, found.next.propensity, "on the new device");
  alike(found.rescued, found.next.propensity, "in bulk, lost midway");
  await page.close();
});

test("scorers made and disposed of on WebGPU share a device and leave no memory behind", { timeout: 120_000 }, async () => {
  page = shared;
  const cycles = (count) =>
    page.evaluate(
      async ([model, visit, rounds]) => {
        if (globalThis.held === undefined) {
          // Bytes of the buffers that are neither destroyed nor collected.
          globalThis.held = 0;
          const sizes = new WeakMap();
          const gone = new FinalizationRegistry((size) => (globalThis.held -= size.bytes));
          const { createBuffer } = GPUDevice.prototype;
          GPUDevice.prototype.createBuffer = function (...given) {
            const buffer = createBuffer.apply(this, given);
            const size = { bytes: buffer.size };
            globalThis.held += size.bytes;
            sizes.set(buffer, size);
            gone.register(buffer, size);
            return buffer;
          };
          const { destroy } = GPUBuffer.prototype;
          GPUBuffer.prototype.destroy = function () {
            const size = sizes.get(this);
            if (size) {
              globalThis.held -= size.bytes;
              size.bytes = 0;
            }
            return destroy.call(this);
          };
        }
        globalThis.bytes ??= await (await fetch(model)).arrayBuffer();
        for (let round = 0; round < rounds; round += 1) {
          const scorer = await propense.loadScorer(bytes, { backend: "webgpu" });
          for (const event of visit) scorer.track(event);
          await scorer.score();
          scorer.dispose();
        }
        return (await glue("webgpu")).exports.memory.buffer.byteLength;
      },
      [MODEL, VISIT.slice(0, 2), count],
    );
  const client = await page.context().newCDPSession(page);
  const held = async () => {
    await client.send("HeapProfiler.collectGarbage");
    await page.waitForTimeout(100);
    return page.evaluate(() => [globalThis.held, devices.length]);
  };
  const memory = await cycles(4);
  const [before, taken] = await held();
  const later = await cycles(200);
  const [after, devicesNow] = await held();
  console.log(`200 scorers on WebGPU: module ${memory} and ${later} bytes, buffers ${before} and ${after} bytes`);
  assert.equal(devicesNow, taken, "another device");
  assert.ok(later - memory < 2_000_000, `the module grew from ${memory} to ${later} bytes`);
  assert.ok(after - before < 2_000_000, `buffers grew from ${before} to ${after} bytes`);
});

test("numbers that differ from the golden session keep WebGPU out", async () => {
  page = shared;
  const golden = goldenSession(3);
  golden.logits[2] += 0.01;
  const bytes = bundle({ header: manifest({ golden }) }).toString("base64");
  const found = await page.evaluate(async (content) => {
    const model = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const scorer = await propense.loadScorer(model, { backend: "wasm" });
    const asked = await failure(() => scorer.useBackend("webgpu"));
    return { asked, backend: (await scorer.score()).backend };
  }, bytes);
  assert.ok(found.asked.typed);
  assert.equal(found.asked.code, "WEBGPU_SELF_CHECK");
  assert.equal(found.backend, "wasm");
});

test("auto leaves a software adapter alone, and does not even fetch the module", async () => {
  await fresh();
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  const info = await page.evaluate(
    (model) =>
      new Promise((resolve) => {
        void propense.loadScorer(model, { onBackend: resolve });
      }),
    MODEL,
  );
  assert.equal(info.backend, "wasm");
  assert.equal(info.adapter.software, true);
  assert.ok(!requests.some((url) => url.includes("webgpu")), requests.join("\n"));
  await page.close();
});

test("auto measures a GPU and takes what is faster", async () => {
  await fresh({ pretendGpu: true });
  const { info, atOnce, score } = await page.evaluate(
    async ([model, visit]) => {
      let scorer;
      let atOnce;
      const info = await new Promise((resolve) => {
        void propense.loadScorer(model, { onBackend: resolve }).then((loaded) => {
          scorer = loaded;
          atOnce = loaded.backend;
        });
      });
      for (const event of visit) scorer.track(event);
      return { info, atOnce, score: await scorer.score() };
    },
    [MODEL, VISIT],
  );
  assert.equal(atOnce, "wasm", "auto scores before WebGPU is ready");
  const faster = ({ wasm, webgpu }) => (webgpu < wasm ? "webgpu" : "wasm");
  assert.equal(info.backend, faster(info.measured.live), info.reason);
  assert.equal(info.batch, faster(info.measured.batch), info.reason);
  assert.equal(score.backend, info.backend);
  assert.ok(info.measured.live.webgpu > 0 && info.measured.batch.wasm > 0);
  await page.close();
});

test("disposing while WebGPU is starting or scoring harms nobody", async () => {
  await fresh();
  const found = await page.evaluate(
    async ([model, visit]) => {
      const scorer = await propense.loadScorer(model, { backend: "wasm" });
      const starting = failure(() => scorer.useBackend("webgpu"));
      scorer.dispose();
      const other = await propense.loadScorer(model, { backend: "webgpu" });
      for (const event of visit) other.track(event);
      const scoring = failure(() => other.score());
      const bulk = failure(() => other.scoreSessions([{ events: visit }]));
      other.dispose();
      return [await starting, await scoring, await bulk].map((error) => error?.code);
    },
    [MODEL, VISIT],
  );
  assert.deepEqual(found, ["DISPOSED", "DISPOSED", "DISPOSED"]);
  assert.deepEqual(page.problems, []);
  await page.close();
});

assert.equal(CONFIG.context, 7, "the contexts above have seven numbers");
