/**
 * The scorer without its WebAssembly: the caller says where that is.
 *
 *     import * as glue from "propense/wasm/cpu/propense_web.js";
 *     import { loadScorer } from "propense/slim";
 *     const scorer = await loadScorer(model, { wasm: { cpu: { glue, module: bytes } } });
 */
import type { BundleSource } from "./bundle.js";
import { optionsOf } from "./errors.js";
import { type Scorer, load } from "./scorer.js";
import type { LoadOptions, WasmLocations } from "./types.js";

export * from "./exports.js";
export { Scorer } from "./scorer.js";

/**
 * Loads a model and starts scoring on the CPU.
 *
 * @param model address or bytes of a `.propense` bundle
 * @param options `wasm.cpu` is needed; without `wasm.webgpu` there is no WebGPU
 */
export async function loadScorer(
  model: BundleSource,
  options: LoadOptions & { wasm: WasmLocations },
): Promise<Scorer> {
  return load(model, optionsOf(options, "loadScorer"));
}
