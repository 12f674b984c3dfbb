/** For a plain script tag: `<script src="propense/dist/propense.iife.js">` makes `propense` global. */
import type { BundleSource } from "./bundle.js";
import { optionsOf } from "./errors.js";
import { type Scorer, load } from "./scorer.js";
import type { LoadOptions } from "./types.js";

export * from "./exports.js";
export { Scorer } from "./scorer.js";
export * from "./visit.js";
export * from "./delivery.js";
export * from "./learning.js";

/** Known only while the script itself runs. */
const script = (document.currentScript as HTMLScriptElement | null)?.src ?? document.baseURI;
const at = (which: string): URL => new URL(`../wasm/${which}/propense_web.js`, script);

/** As `loadScorer` of `propense`. The WebAssembly is looked for in `../wasm`, seen from the script. */
export async function loadScorer(model: BundleSource, options: LoadOptions = {}): Promise<Scorer> {
  const { wasm } = optionsOf(options, "loadScorer");
  return load(model, { ...options, wasm: { cpu: wasm?.cpu ?? at("cpu"), webgpu: wasm?.webgpu ?? at("webgpu") } });
}
