// How a model comes to the page: checked, cached, offline, renewed between sessions, rolled back.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { after, before, test } from "node:test";

import { delivery } from "../dist/delivery.js";
import { bundle, manifest } from "./support/bundle.mjs";
import { open } from "./support/browser.mjs";

let host;
before(async () => {
  host = await open();
});
after(() => host.close());

const versions = Object.fromEntries(["one", "two"].map((name) => [name, bundle({ header: manifest({ name }) })]));
/** Sound as a file, but of a version that no module knows. */
versions.future = bundle({ header: manifest({ name: "future", format_version: 99 }) });
/** This bundle's content, signed as docs/bundle.md says: zeros in both places, the signature, then the checksum. */
function signed(header, key) {
  const zeros = "0".repeat(128);
  const { sha256, ...rest } = header;
  const bytes = bundle({ header: { ...rest, signature: zeros, sha256 }, checksum: false });
  const place = bytes.indexOf(zeros);
  const hole = bytes.lastIndexOf(sha256);
  bytes.write(sign(null, bytes, key).toString("hex"), place);
  bytes.write(createHash("sha256").update(bytes).digest("hex"), hole);
  return bytes;
}
const [shopKey, otherKey] = [1, 2].map(() => generateKeyPairSync("ed25519"));
const pem = ({ publicKey }) => publicKey.export({ type: "spki", format: "pem" });
const raw = ({ publicKey }) => publicKey.export({ type: "spki", format: "der" }).subarray(12).toString("base64");
versions.signed = signed(manifest({ name: "signed" }), shopKey.privateKey);
versions.newer = signed(manifest({ name: "newer" }), shopKey.privateKey);
versions.strange = signed(manifest({ name: "strange" }), otherKey.privateKey);
const integrity = (bytes) => `sha256-${createHash("sha256").update(bytes).digest("base64")}`;

/** A browser that asks for `/served.propense`; `page.serve` says what it gets. */
async function shop(work) {
  const context = await host.browser.newContext();
  const page = await context.newPage();
  let served = versions.one;
  page.asked = 0;
  page.serve = (bytes) => {
    served = bytes;
  };
  await context.route("**/served.propense", async (route) => {
    page.asked += 1;
    await page.gate;
    if (served === undefined) return route.abort("internetdisconnected");
    return route.fulfill({ body: Buffer.from(served), headers: { "content-length": String(served.length) } });
  });
  /** One page load: what was loaded, and what was told. */
  page.load = async (options = {}, midway = false) => {
    await page.goto(host.origin);
    return page.evaluate(
      async ([settings, on]) => {
        const [{ delivery }, { loadScorer }] = await Promise.all([import("/dist/delivery.js"), import("/dist/index.js")]);
        const told = { progress: [], rollback: [] };
        const model = delivery("/served.propense", {
          ...settings,
          onProgress: (...all) => told.progress.push(all),
          onRollback: ({ code }) => told.rollback.push(code),
        });
        globalThis.model = model;
        try {
          const scorer = await model.load((bytes, base) => loadScorer(bytes, { base, backend: "wasm" }), on);
          const { name } = scorer.model;
          scorer.dispose();
          if (!settings.hurry) await model.settled();
          return { name, newer: model.newer(), ...told };
        } catch (error) {
          return { code: error.code, message: error.message, ...told };
        }
      },
      [options, midway],
    );
  };
  try {
    await work(page, context);
  } finally {
    await context.close();
  }
}

test("the first time from the network, with progress; then from the cache, offline too", () =>
  shop(async (page) => {
    const first = await page.load();
    assert.equal(first.name, "one");
    const size = versions.one.length;
    assert.deepEqual(first.progress.at(-1), [size, size]);
    page.serve(undefined);
    const second = await page.load();
    assert.deepEqual([second.name, second.newer], ["one", false]);
    await page.evaluate(() => model.erase());
    assert.deepEqual(await page.evaluate(async () => (await (await caches.open("propense-models")).keys()).length), 0);
    assert.equal((await page.load()).code, "NETWORK");
  }));

test("a newer model waits until a session begins", () =>
  shop(async (page) => {
    await page.load();
    page.serve(versions.two);
    const during = await page.load({}, true);
    assert.deepEqual([during.name, during.newer], ["one", true]);
    const later = await page.load({}, true);
    assert.deepEqual([later.name, later.newer], ["one", true], "not in the middle of a session, but it waits");
    page.serve(undefined);
    const offline = await page.load({}, true);
    assert.deepEqual([offline.name, offline.newer], ["one", true], "nor is it forgotten offline");
    const next = await page.load();
    assert.deepEqual([next.name, next.newer], ["two", false]);
    assert.equal((await page.load({}, true)).name, "two");
  }));

test("a newer model that the shop takes back before it is used is not used", () =>
  shop(async (page) => {
    await page.load();
    page.serve(versions.two);
    assert.equal((await page.load({}, true)).newer, true);
    page.serve(versions.one);
    assert.equal((await page.load({}, true)).newer, false);
    assert.equal((await page.load()).name, "one");
  }));

/** Names of the cached files. */
const keys = (page) => page.evaluate(async () => (await (await caches.open("propense-models")).keys()).map(({ url }) => url));

test("what is on its way when all is erased is not kept", () =>
  shop(async (page) => {
    await page.load();
    page.serve(versions.two);
    let open;
    page.gate = new Promise((resolve) => {
      open = resolve;
    });
    // The look for a newer model is under way, and its answer comes after the erasure.
    await page.load({ hurry: true });
    assert.equal((await keys(page)).length, 1);
    const erased = page.evaluate(() => model.erase());
    open();
    await erased;
    await page.evaluate(() => model.settled());
    await page.waitForTimeout(100);
    assert.deepEqual(await keys(page), []);
    assert.equal(await page.evaluate(() => model.newer()), false);
    // The same for the first load: it fails, or keeps nothing.
    const first = page.evaluate(async () => {
      const load = model.load(async (bytes) => {
        void model.erase();
        return { bytes };
      });
      await load;
      return (await caches.open("propense-models")).keys().then((all) => all.length);
    });
    assert.equal(await first, 0);
    page.gate = new Promise((resolve) => {
      open = resolve;
    });
    const stopped = page.evaluate(() => {
      const load = model.load(async () => ({})).catch(({ code }) => code);
      return model.erase().then(() => load);
    });
    assert.equal(await stopped, "ABORTED");
    open();
    assert.deepEqual(await keys(page), []);
  }));

test("a model that cannot be used is refused for good, and the last good one serves", () =>
  shop(async (page) => {
    await page.load();
    page.serve(versions.future);
    assert.equal((await page.load()).newer, true);
    const refused = await page.load();
    assert.deepEqual([refused.name, refused.rollback], ["one", ["BUNDLE_VERSION"]]);
    const after = await page.load();
    assert.deepEqual([after.name, after.rollback, after.newer], ["one", [], false], "it is not tried again");
    // Nor is one that is cut on its way.
    page.serve(versions.two.subarray(0, 5000));
    await page.load();
    assert.deepEqual((await page.load()).rollback.length, 1);
    page.serve(versions.two);
    await page.load();
    assert.equal((await page.load()).name, "two", "a sound one is taken again");
  }));

test("a cached model that has gone bad is replaced", () =>
  shop(async (page) => {
    await page.load();
    await page.evaluate(async () => {
      const cache = await caches.open("propense-models");
      const [key] = await cache.keys();
      const { headers } = await cache.match(key);
      await cache.put(key, new Response(new Uint8Array(100), { headers }));
    });
    const found = await page.load();
    assert.equal(found.name, "one");
    assert.equal(found.rollback.length, 1);
  }));

test("integrity: the right one, a wrong one, one that is none, a newer pin", () =>
  shop(async (page) => {
    const right = await page.load({ integrity: integrity(versions.one) });
    assert.equal(right.name, "one");
    page.serve(versions.two);
    assert.equal((await page.load({ integrity: integrity(versions.one) })).name, "one", "the cached one is the pinned one");
    assert.equal((await page.load({ integrity: integrity(versions.two) })).name, "two");
    const wrong = await page.load({ integrity: integrity(versions.future) });
    assert.equal(wrong.code, "INTEGRITY");
    assert.match(wrong.message, /wanted is sha256-/);
    assert.equal((await page.load({ integrity: "md5-x" })).code, undefined);
  }).catch((error) => {
    assert.match(String(error), /integrity must be sha256-/);
  }));

test("publicKey: models of the shop alone, from the network, as a newer one, and from the cache", () =>
  shop(async (page) => {
    for (const [served, code] of [["one", "SIGNATURE"], ["strange", "SIGNATURE"], ["signed", undefined]]) {
      page.serve(versions[served]);
      assert.equal((await page.load({ publicKey: raw(shopKey) })).code, code, served);
    }
    for (const [served, name, newer] of [["strange", "signed", false], ["one", "signed", false], ["newer", "signed", true], ["newer", "newer", false]]) {
      page.serve(versions[served]);
      const found = await page.load({ publicKey: pem(shopKey) });
      assert.deepEqual([found.name, found.newer], [name, newer], served);
    }
    // Kept by a page that trusted another key, or none.
    page.serve(versions.strange);
    assert.equal((await page.load({ publicKey: raw(otherKey) })).name, "strange");
    page.serve(undefined);
    assert.equal((await page.load({ publicKey: raw(shopKey) })).name, "signed", "the shop's last good one");
    // A byte of the weights, with a checksum that fits again.
    const forged = Buffer.from(versions.signed);
    forged[forged.length - 1] ^= 1;
    const sum = forged.toString("latin1").match(/sha256\\":\\"([0-9a-f]{64})/)[1];
    const hole = forged.indexOf(sum);
    forged.write("0".repeat(64), hole);
    forged.write(createHash("sha256").update(forged).digest("hex"), hole);
    page.serve(forged);
    assert.equal((await page.load({ cache: false })).name, "signed", "a sound bundle without a key");
    assert.equal((await page.load({ cache: false, publicKey: raw(shopKey) })).code, "SIGNATURE");
    await page.addInitScript(() => {
      SubtleCrypto.prototype.verify = () => Promise.reject(new DOMException("Unrecognized name.", "NotSupportedError"));
    });
    page.serve(versions.signed);
    assert.match((await page.load({ cache: false, publicKey: raw(shopKey) })).message, /cannot be checked .* by this browser/);
  }));

for (const publicKey of ["", "abc", 5, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"]) {
  test(`a publicKey that is none: ${JSON.stringify(publicKey)}`, () => {
    assert.throws(() => delivery("https://shop.example/m.propense", { publicKey }), { code: "ARGUMENT" });
  });
}

test("without a cache, asked for or denied, it comes from the network each time", () =>
  shop(async (page, context) => {
    await page.load({ cache: false });
    assert.equal((await page.load({ cache: false })).name, "one");
    assert.equal(page.asked, 2);
    await context.addInitScript(() => {
      delete CacheStorage.prototype.open;
    });
    assert.equal((await page.load()).name, "one");
    assert.equal((await page.load()).name, "one");
    assert.equal(page.asked, 4);
  }));
