/** What every entry point has besides its own `loadScorer`. */
export { PropenseError } from "./errors.js";
export type { EventProblem, PropenseErrorCode } from "./errors.js";
export type { BundleSource } from "./bundle.js";
export { holdout } from "./holdout.js";
export type { Experiment, HoldoutOptions } from "./holdout.js";
export type { AnyScorer } from "./scorer.js";
export type {
  AdapterInfo,
  Backend,
  BackendInfo,
  BatchOptions,
  CatalogueItem,
  Context,
  EventName,
  Features,
  LoadOptions,
  ModelInfo,
  OnScoreOptions,
  Reason,
  Recommendation,
  RecommendOptions,
  Score,
  ScoreListener,
  ScoreOptions,
  ShopEvent,
  ShopItem,
  ShopSession,
  Side,
  Stats,
  WasmLocations,
  WasmModule,
  WasmSource,
} from "./types.js";
