// A real browser: Chromium, headless, with software WebGPU or without any; or Firefox, where `PROPENSE_FIREFOX` names one.
import { accessSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

import { firefox } from "./firefox.mjs";
import { serve } from "./server.mjs";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** No request of the browser's own, so that a test may count the page's. */
const QUIET = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-domain-reliability",
  "--disable-sync",
  "--no-first-run",
  "--no-default-browser-check",
];

/** Chromium's path: the variable, then the PATH. */
export function executable() {
  if (process.env.PROPENSE_CHROMIUM) return process.env.PROPENSE_CHROMIUM;
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of NAMES) {
      const path = join(folder, name);
      try {
        accessSync(path);
        return path;
      } catch {
        // not here
      }
    }
  }
  throw new Error("no Chromium on the PATH; set PROPENSE_CHROMIUM to one");
}

/**
 * A server and a browser for one test file. `webgpu` gives the browser its software adapter.
 * `page()` opens an empty page on which `propense` is the module; `close()` ends everything.
 */
export async function open({ webgpu = false } = {}) {
  const server = await serve();
  const args = [...QUIET, "--no-sandbox"];
  if (webgpu) args.push("--enable-unsafe-webgpu");
  const { PROPENSE_FIREFOX: other } = process.env;
  const browser = await (other ? firefox(other) : chromium.launch({ executablePath: executable(), args }));
  return {
    origin: server.origin,
    browser,
    async page(path = "/") {
      const page = await browser.newPage();
      const problems = [];
      page.on("pageerror", (error) => problems.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error") problems.push(message.text());
      });
      page.problems = problems;
      await page.goto(server.origin + path);
      await page.evaluate(async () => {
        globalThis.propense = await import("/dist/index.js");
        /**
         * The glue of a module, started: by itself, or as the instance that `propense` uses. Of the CPU's
         * there are two, "" and "_relaxed"; the latter is what `propense` takes in this browser.
         */
        globalThis.glue = async (name, kind) => {
          const module = await import(`/wasm/${name}/propense_web.js${kind === undefined ? "" : `?kind=${kind}`}`);
          const usual = name === "cpu" ? "_relaxed" : "";
          const module_or_path = `/wasm/${name}/propense_web${kind ?? usual}_bg.wasm`;
          return { ...module, exports: await module.default({ module_or_path }) };
        };
        /** The `{ code, message }` with which this work fails; undefined where it does not. */
        globalThis.failure = async (work) => {
          try {
            await work();
            return undefined;
          } catch (error) {
            const typed = error instanceof globalThis.propense.PropenseError;
            return { typed, code: error.code, message: error.message };
          }
        };
      });
      return page;
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}
