// Bundles written by the format's description, without the library that reads them: sound ones with
// random weights, and every kind of broken one.
import { createHash } from "node:crypto";

import { logit, randomWeights, randoms, shapes } from "./network.mjs";

const normal = { mean: 0, std: 1 };
const number = (measure, options = {}) => ({
  type: "number",
  measure,
  transform: "log1p",
  normal,
  flag: false,
  ...options,
});

/** 24 columns for an event, 7 for a session. */
export const FEATURES = {
  version: 1,
  row: [
    {
      type: "kind",
      kinds: ["page_view", "view_item_list", "view_item", "add_to_cart", "remove_from_cart", "view_cart", "begin_checkout"],
    },
    { type: "page_type", names: ["product", "administrative", "informational"] },
    number("gap", { normal: { mean: 2.5, std: 1.5 }, flag: true }),
    number("elapsed", { normal: { mean: 4, std: 2 } }),
    number("position", { normal: { mean: 2, std: 1 } }),
    number("price", { normal: { mean: 1.2, std: 0.8 }, flag: true }),
    number("item_repeats"),
    number("distinct_items"),
    number("cart_units"),
    number("cart_value"),
    number("event_items"),
    number("item_rate", { transform: "identity", normal: { mean: -1, std: 1 } }),
  ],
  context: [
    { type: "category", name: "visitor_type", names: ["new", "returning"] },
    { type: "number", name: "prior_orders", transform: "log1p", normal, flag: true },
    { type: "hour" },
  ],
  utc_offset_minutes: 0,
  item_rates: { "85123A": -0.4, 22423: -1.2, 47566: -0.9 },
  category_rates: { Kitchen: -0.7 },
};

export const CONFIG = {
  features: 24,
  context: 7,
  filters: 8,
  kernel: 3,
  hidden: 16,
  context_hidden: 8,
  activation: "tanh",
  dropout: 0,
};

export const WEIGHTS = randomWeights(CONFIG, 7);

const random = randoms(11);
const vector = (length) => Array.from({ length }, () => Math.fround(random() * 2));

/** A session of rows, and the logit after each by the reference. */
export function goldenSession(events, config = CONFIG, weights = WEIGHTS) {
  const rows = Array.from({ length: events }, () => vector(config.features));
  const context = vector(config.context);
  const logits = rows.map((_, at) => logit(config, weights, rows.slice(0, at + 1), context));
  return { rows, context, logits };
}

export function manifest(changes = {}) {
  return {
    format_version: 1,
    name: "test",
    task: "in-session",
    model: CONFIG,
    features: FEATURES,
    heads: ["propensity"],
    calibration: { type: "identity" },
    threshold: 0.4,
    percentiles: Array.from({ length: 101 }, (_, percent) => percent / 100),
    data: { name: "none", sha256: "", rows: 0, sessions: 0, base_rate: 0.2, from_ms: 0, to_ms: 0 },
    metrics: { auc: 0.5 },
    licence: "MIT OR Apache-2.0",
    created_at: "2024-11-12T14:30:00Z",
    golden: goldenSession(5),
    ...changes,
    sha256: "0".repeat(64),
  };
}

/** The file's bytes. `weights` may lack some, `sizes` may lie about a shape. */
export function bundle({ header = manifest(), weights = WEIGHTS, sizes = {}, checksum = true } = {}) {
  const tensors = { __metadata__: { propense: JSON.stringify(header) } };
  const parts = [];
  let offset = 0;
  for (const [name, shape] of Object.entries(shapes(header.model))) {
    if (!weights[name]) continue;
    const bytes = Buffer.from(new Float32Array(weights[name]).buffer);
    const end = offset + bytes.length;
    tensors[name] = { dtype: "F32", shape: sizes[name] ?? shape, data_offsets: [offset, end] };
    parts.push(bytes);
    offset = end;
  }
  let text = JSON.stringify(tensors);
  text += " ".repeat((8 - (text.length % 8)) % 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(text)));
  const file = Buffer.concat([length, Buffer.from(text), ...parts]);
  if (!checksum) return file;
  const sum = createHash("sha256").update(file).digest("hex");
  const hole = file.indexOf("0".repeat(64));
  file.write(sum, hole);
  return file;
}
