import type { PropenseError } from "./errors.js";

/** Names of events that the models know, as in GA4 ecommerce. Other names count as `other`. */
export type EventName =
  | "page_view"
  | "search"
  | "view_item_list"
  | "select_item"
  | "view_item"
  | "add_to_wishlist"
  | "add_to_cart"
  | "remove_from_cart"
  | "view_cart"
  | "begin_checkout"
  | "add_shipping_info"
  | "add_payment_info"
  | "purchase"
  | "refund"
  | "review"
  | "other";

/** One item of an event. */
export interface ShopItem {
  /** The shop's identifier (SKU). */
  item_id: string;
  item_name?: string;
  item_brand?: string;
  /** Outermost category, or the whole path with `/` between its levels. */
  item_category?: string;
  item_category2?: string;
  item_category3?: string;
  item_category4?: string;
  item_category5?: string;
  /** Price of one unit, in the shop's currency. */
  price?: number;
  /** Units; one where it is missing. */
  quantity?: number;
}

/** Named values that describe the visitor or the session as a whole. */
export type Context = Record<string, string | number | boolean>;

/** One thing that a visitor did. */
export interface ShopEvent {
  /** What was done. Any other string is accepted and counts as `other`. */
  event: EventName | (string & {});
  /** When, in milliseconds since 1970 (`Date.now()`). */
  timestamp: number;
  items?: readonly ShopItem[];
  /** `product`, `administrative`, `informational`, or the shop's own word. */
  page_type?: string;
  /** Total value in the shop's currency. */
  value?: number;
  /** ISO 4217. */
  currency?: string;
  /** The order's number. */
  transaction_id?: string;
  /** What was searched for. */
  search_term?: string;
  /** Stars of a review, 1 to 5. */
  rating?: number;
  /** A person who is signed in. */
  user_id?: string;
  /** A browser or device: GA4's `user_pseudo_id`. */
  anonymous_id?: string;
  session_id?: string;
  /** What is known from the session's start on. Read from the session's first event only. */
  context?: Context;
}

/** A whole session, for scoring in bulk. */
export interface ShopSession {
  context?: Context;
  /** In time order. */
  events: readonly ShopEvent[];
}

/** Where the network runs. */
export type Backend = "webgpu" | "wasm";

/** What the browser says about its GPU. Browsers keep some of it to themselves. */
export interface AdapterInfo {
  vendor: string;
  architecture: string;
  description: string;
  /** The adapter is a program on the CPU, not a GPU. */
  software: boolean;
}

/** Where the network runs, and why. */
export interface BackendInfo {
  /** Where live scores are computed. */
  backend: Backend;
  /** Where `scoreSessions` computes. */
  batch: Backend;
  /** The WebGPU adapter, where one was looked at. */
  adapter?: AdapterInfo;
  /** Why this backend, in words. */
  reason: string;
  /** Microseconds that decided an automatic choice: of one live score and of a batch. */
  measured?: {
    live: Record<Backend, number>;
    batch: Record<Backend, number>;
  };
}

/** The propensity of the session so far. */
export interface Score {
  /** Calibrated probability that the session ends in an order, 0 to 1. */
  propensity: number;
  /**
   * Share, 0 to 100, of scores at moments spread over the validation sessions (held out from
   * learning) that lie below this one.
   */
  percentile: number;
  modelVersion: string;
  /** Where this score was computed. */
  backend: Backend;
  /** Time of the last event's model step and of the head, in microseconds. */
  micros: number;
  /**
   * Milliseconds since the newest event that the propensity takes into account; 0 where the score is
   * that of the newest event.
   */
  waited: number;
}

/** Options of `score`. */
export interface ScoreOptions {
  /**
   * The propensity at this time (milliseconds since 1970), if nothing has happened since the newest
   * event and the visitor is still there. Without it: as of the newest event.
   */
  at?: number;
}

/** On which side of its threshold a listener of `onScore` finds the propensity. */
export type Side = "above" | "below";

/** Options of `onScore`. */
export interface OnScoreOptions {
  /**
   * A propensity, 0 to 1. The listener is told when the propensity has risen to it (`"above"`), and
   * when it has fallen below `below` again, not in between. Without it: told of every score.
   */
  above?: number;
  /** What a fall must reach to count, at most `above`. Default: nine tenths of `above`. */
  below?: number;
  /** The side on which it begins, of which it is not told. Default: below. */
  side?: Side;
  /** Told once, then never again. */
  once?: boolean;
  /**
   * Told while the visitor merely stays, too, at growing intervals while the page can be seen. Default:
   * true.
   */
  dwell?: boolean;
}

/** Told of a score; with a threshold also of the side that was reached. */
export type ScoreListener = (score: Score, side: Side | undefined) => void;

/** What one event did to the score. */
export interface Reason {
  /** The event's name. */
  event: string;
  /** Position in the session, from 0. */
  index: number;
  /** What about the event mattered most, in words. */
  feature: string;
  /** Change of the logit by this event. All effects sum to the change since before the first event. */
  effect: number;
  /** The event's (first) item. */
  item_id?: string;
  /** The how manieth event of this name with this item it is in the session, from 1. */
  times?: number;
  /** All of it as a person says it: `viewed White Lantern for the third time (price of the item): +0.80`. */
  text: string;
}

/** What the model sees of a session. Numbers are normalised, as `docs/features.md` says. */
export interface Features {
  /** The names of a row's columns. */
  columns: string[];
  /** A row for each event. */
  rows: number[][];
  contextColumns: string[];
  context: number[];
}

/** What the model's head reads of a session so far. */
export interface HeadInput {
  /** Events of the session. */
  events: number;
  /** Numbers between the network and its last layer: no event can be told from them by itself. */
  input: Float32Array;
}

/** A finished session as the head saw it. */
export interface Lesson {
  /** The head's inputs after some of its events. */
  inputs: readonly Float32Array[];
  bought: boolean;
}

/** What a contribution may tell, with those before it. */
export interface Budget {
  /** The noise of this contribution: its deviation, in units of what clipping lets through. */
  multiplier: number;
  /** That of earlier ones. */
  earlier: readonly number[];
  epsilon: number;
  delta: number;
}

/** Options of `recommend`. */
export interface RecommendOptions {
  /** How many items, 0 to 1000. Default: 8. */
  k?: number;
  /** Items that may be shown. Default: all. */
  inStock?: (itemId: string) => boolean;
  /** Items not to be shown. What is in the cart is never. */
  exclude?: Iterable<string>;
  /** The most items of one category. Default: no limit. */
  perCategory?: number;
}

/** A recommended item. */
export interface Recommendation {
  item_id: string;
  /** The session's propensity if this item were viewed next. */
  propensity: number;
}

/** An item of the shop's catalogue. */
export interface CatalogueItem {
  item_id: string;
  item_name?: string;
  item_category?: string;
  price?: number;
  /** Items bought together with this one, the closest first. */
  also?: readonly string[];
  /** Units sold: how popular the item is. */
  sold?: number;
}

/** The loaded model. */
export interface ModelInfo {
  name: string;
  /** Changes with every training. */
  version: string;
  task: string;
  /** Propensity from which the task calls a session a buyer's. */
  threshold: number;
  /** The metrics of the evaluation, as the bundle has them. */
  metrics: unknown;
  /** RFC 3339. */
  createdAt: string;
  licence: string;
  /** Milliseconds of a pause after which a visitor's next event begins a new session. */
  sessionGap: number;
  /** Names of the numbers that are computed for every event, then of the session's context. */
  features: string[];
}

/** Counts of the events of `track` and `scoreSessions` since the scorer was loaded. */
export interface Stats {
  /** Events that count, repaired ones included. */
  accepted: number;
  /** Events that count after a repair. */
  repaired: number;
  /** Events set aside. */
  rejected: number;
}

/** A WebAssembly module that the caller has imported. */
export interface WasmModule {
  /** The JavaScript glue: `import * as glue from "propense/wasm/cpu/propense_web.js"`. */
  glue: object;
  /**
   * Its WebAssembly: an address, a response, bytes, or a compiled module. Without it the glue fetches the
   * `.wasm` beside itself.
   */
  module?: unknown;
  /** Where the glue lies, for a fresh start should the module fail. */
  address?: string;
}

/** A WebAssembly module: the address of its glue (its `.wasm` lies beside it), or what was imported. */
export type WasmSource = string | URL | WasmModule | (() => Promise<WasmModule>);

/** Where the built modules come from. `propense` knows; `propense/slim` must be told. */
export interface WasmLocations {
  cpu?: WasmSource;
  webgpu?: WasmSource;
}

/** Options of `loadScorer`. */
export interface LoadOptions {
  /**
   * `auto` (default): on the CPU at once; WebGPU where there is a GPU, it passes the self-check
   * and measures faster. `webgpu`: fail without it. `wasm`: the CPU, always.
   */
  backend?: "auto" | Backend;
  wasm?: WasmLocations;
  /** Where a model given as bytes came from: a catalogue that it names is looked for beside it. */
  base?: string;
  /**
   * The items to recommend: the address or the bytes of an item table (`propense recommend --export-table`, for
   * catalogues of any size) or of JSON, or the items themselves. Without it: the catalogue that the bundle
   * names, if it lies beside the bundle; otherwise the items known to the model.
   */
  catalogue?: string | URL | Uint8Array | readonly CatalogueItem[];
  /** What is known of the visitor and the session from its start on. */
  context?: Context;
  /** Told whenever `backendInfo` changes. */
  onBackend?: (info: BackendInfo) => void;
  /** Told of each event that was repaired or set aside. Without it, the console is warned once. */
  onInvalid?: (error: PropenseError) => void;
}

/** Options of `scoreSessions`. */
export interface BatchOptions {
  /** Told of the sessions done so far. */
  onProgress?: (done: number, total: number) => void;
  /** Stops the work with the code `ABORTED`. */
  signal?: AbortSignal;
}
