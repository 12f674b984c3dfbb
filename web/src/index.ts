/**
 * Purchase propensity while the shop page is open, computed in the shopper's own browser.
 *
 *     import { loadScorer } from "propense";
 *     const scorer = await loadScorer("/models/giftshop.propense");
 *     scorer.track({ event: "view_item", timestamp: Date.now(), items: [{ item_id: "85123A" }] });
 *     const { propensity } = await scorer.score();
 */
import type { BundleSource } from "./bundle.js";
import { optionsOf } from "./errors.js";
import { type Scorer, load } from "./scorer.js";
import type { LoadOptions } from "./types.js";
import { cpu, webgpu } from "./wasm.js";

export * from "./exports.js";
export { Scorer } from "./scorer.js";

/**
 * Loads a model and starts scoring on the CPU.
 *
 * @param model address or bytes of a `.propense` bundle
 */
export async function loadScorer(model: BundleSource, options: LoadOptions = {}): Promise<Scorer> {
  const { wasm } = optionsOf(options, "loadScorer");
  return load(model, { ...options, wasm: { cpu: wasm?.cpu ?? cpu, webgpu: wasm?.webgpu ?? webgpu } });
}
