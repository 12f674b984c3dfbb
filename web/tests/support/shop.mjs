// The page under test: opened in a real browser, watched for errors and for requests that go elsewhere.
import { mkdirSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

import { executable } from "./browser.mjs";
import { serveFolder } from "./site.mjs";

const repository = fileURLToPath(new URL("../../..", import.meta.url)).replace(/[/\\]$/, "");

export const DESKTOP = { width: 1440, height: 960 };
/** When a visit with a clock of the test's own begins. */
export const NOON = Date.UTC(2024, 10, 12, 12);
export const PHONE = { width: 360, height: 760 };

/** Into the repository's own pictures where that is asked for, otherwise among what is built. */
const pictures = process.env.PROPENSE_SCREENSHOTS
  ? join(repository, "docs", "screenshots")
  : join(repository, "target", "screenshots");

/** Runs in the page before its own scripts: counts what a test wants to know afterwards. */
function watch() {
  globalThis.watched = { submits: 0, readbacks: 0, shift: 0, violations: [] };
  if (globalThis.GPUBuffer) {
    const map = GPUBuffer.prototype.mapAsync;
    GPUBuffer.prototype.mapAsync = async function counted(...range) {
      await map.apply(this, range);
      globalThis.watched.readbacks += 1;
    };
  }
  if (globalThis.GPUQueue) {
    const submit = GPUQueue.prototype.submit;
    GPUQueue.prototype.submit = function counted(...work) {
      globalThis.watched.submits += 1;
      return submit.apply(this, work);
    };
  }
  document.addEventListener("securitypolicyviolation", (event) => {
    globalThis.watched.violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
  });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (!entry.hadRecentInput) globalThis.watched.shift += entry.value;
    }
  }).observe({ type: "layout-shift", buffered: true });
}

/** A browser and the served page. `webgpu` gives the browser its software adapter. */
export async function openShop({ webgpu = false } = {}) {
  const server = await serveFolder(join(repository, "dist"));
  const browser = await chromium.launch({
    executablePath: executable(),
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      "--no-first-run",
      // Nothing but the test's own server has an address.
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
      ...(webgpu ? ["--enable-unsafe-webgpu"] : []),
    ],
  });
  return {
    /**
     * A fresh visitor. `route` may change what the server answers before the page is opened.
     * With `clock` the page's time stands still at noon until `page.clock` sets another.
     * The page has `problems` (errors of any kind) and `elsewhere` (requests to other origins).
     */
    async visit({ viewport = DESKTOP, scheme = "light", path = "/", route, reducedMotion, before, clock = false } = {}) {
      const context = await browser.newContext({
        viewport,
        colorScheme: scheme,
        reducedMotion: reducedMotion ?? "no-preference",
        locale: "en-GB",
      });
      await context.addInitScript(watch);
      if (before) await context.addInitScript(before);
      const page = await context.newPage();
      page.setDefaultTimeout(30_000);
      if (clock) await page.clock.setFixedTime(NOON);
      page.problems = [];
      page.elsewhere = [];
      page.on("pageerror", (error) => page.problems.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error") page.problems.push(message.text());
      });
      context.on("request", (request) => {
        const url = new URL(request.url());
        if (url.protocol !== "data:" && url.protocol !== "blob:" && url.origin !== server.origin) {
          page.elsewhere.push(request.url());
        }
      });
      if (route) await route(page);
      await page.goto(server.origin + path);
      return page;
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/** The nth product card of the list. */
export const card = (page, n) => page.locator("#grid .card").nth(n);

/**
 * Waits until this holds in the page, and gives what it gave. What never comes is a failure that says
 * what was waited for.
 */
export async function until(page, what, holds, argument, timeout = 30_000) {
  try {
    return await (await page.waitForFunction(holds, argument, { timeout })).jsonValue();
  } catch (error) {
    throw new Error(`never came: ${what}`, { cause: error });
  }
}

/** Waits until an element's text is, or contains, this. */
export const says = (page, selector, words, timeout) =>
  until(
    page,
    `${selector} says ${words}`,
    ([where, source, flags]) => new RegExp(source, flags).test(document.querySelector(where)?.textContent ?? ""),
    [selector, words.source, words.flags],
    timeout,
  );

/** Waits for the model and the first score. */
export async function ready(page) {
  await page.waitForSelector('#panel[data-state="ready"]');
  await page.waitForSelector("#gauge[data-propensity]:not([data-empty])", { state: "attached" });
}

/** Waits until nothing moves: fonts are there, animations have ended, and what they led to is drawn. */
export async function still(page) {
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  await until(page, "an end of all motion", () =>
    document.getAnimations().every(({ playState, effect }) => playState !== "running" || effect?.getTiming().iterations === Infinity),
  );
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))));
}

/** The gauge's value once nothing is being computed, and after how many events. */
export const reading = (page, timeout) => scored(page, 0, Infinity, timeout);

/** Waits until exactly so many events have been tracked and scored; gives the reading. */
export const after = (page, events, timeout) => scored(page, events, events, timeout);

/** The same where events go on coming by themselves. */
export const afterAtLeast = (page, events, timeout) => scored(page, events, Infinity, timeout);

/** What the panel says, all of one moment, once it is at rest with so many events. */
function scored(page, least, most, timeout) {
  return until(
    page,
    `a score after ${least === most ? least : `${least} or more`} events`,
    ([from, to]) => {
      const gauge = document.querySelector("#panel:not([data-busy]) #gauge[data-propensity]:not([data-empty])");
      const tracked = Number(document.querySelector("#fact-events").textContent);
      return (
        gauge !== null &&
        tracked >= from &&
        tracked <= to && {
          // That of the newest event: a stay goes on moving the gauge.
          propensity: Number(gauge.dataset.scored),
          events: tracked,
          backend: document.querySelector("#fact-micros").dataset.backend,
          shown: gauge.dataset.shown,
        }
      );
    },
    [least, most],
    timeout,
  );
}

/** Takes a picture of what is on the screen, and says where it is. */
export async function picture(page, name) {
  mkdirSync(pictures, { recursive: true });
  const path = join(pictures, `${name}.png`);
  await page.screenshot({ path });
  console.log(`picture: ${path.replace(repository + sep, "")}`);
}

/** What must hold of every visit: no error, no violation of the policy, nothing asked of others. */
export async function faults(page) {
  const violations = await page.evaluate(() => globalThis.watched.violations);
  return { problems: page.problems, violations, elsewhere: page.elsewhere };
}

export const NONE = { problems: [], violations: [], elsewhere: [] };
