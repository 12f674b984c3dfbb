/**
 * Purchase propensity while the shop page is open, computed in the shopper's own browser.
 *
 *     import { loadScorer } from "propense";
 *     const scorer = await loadScorer("/models/giftshop.propense");
 *     scorer.track({ event: "view_item", timestamp: Date.now(), items: [{ item_id: "85123A" }] });
 *     const { propensity } = await scorer.score();
 */
export { PropenseError } from "./errors.js";
export type { EventProblem, PropenseErrorCode } from "./errors.js";
export type { BundleSource } from "./bundle.js";
export { Scorer, loadScorer } from "./scorer.js";
export type {
  AdapterInfo,
  Backend,
  BackendInfo,
  BatchOptions,
  CatalogueItem,
  Context,
  EventName,
  LoadOptions,
  ModelInfo,
  OnScoreOptions,
  Reason,
  Recommendation,
  Score,
  ScoreListener,
  ScoreOptions,
  ShopEvent,
  ShopItem,
  ShopSession,
  Side,
  Stats,
  WasmLocations,
} from "./types.js";
