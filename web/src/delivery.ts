/**
 * A model by its address: checked, cached, usable offline, renewed in the background.
 *
 *     const model = delivery("/models/giftshop.propense", { integrity: "sha256-..." });
 *     const scorer = await model.load((bytes, base) => loadScorer(bytes, { base }));
 */
import { addressOf } from "./address.js";
import { type Delivery, type DeliveryOptions, Depot } from "./depot.js";
import { PropenseError, checkListeners, optionsOf } from "./errors.js";

export type { Delivery, DeliveryOptions } from "./depot.js";
export * from "./rollout.js";

/** The model at this address. */
export function delivery(address: string | URL, options: DeliveryOptions = {}): Delivery {
  const { onProgress, onRollback, integrity } = optionsOf(options, "delivery");
  checkListeners({ onProgress, onRollback });
  if (integrity !== undefined && !/^sha256-[A-Za-z0-9+/]{43}=$/.test(integrity)) {
    throw new PropenseError("ARGUMENT", "integrity must be sha256- and 44 characters of base64");
  }
  const url = addressOf("model", address);
  const wanted = { url: url.href, digest: integrity?.slice("sha256-".length) };
  return new Depot(url, () => wanted, options);
}
