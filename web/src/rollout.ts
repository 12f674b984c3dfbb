/**
 * A model that is rolled out by steps: a manifest says which bundle is current, for which share of the visitors,
 * and what the others keep. `propense serve` writes it; a file that a shop writes does as well.
 *
 *     const model = rollout("/manifest.json", { visitorId });
 *     const scorer = await model.load((bytes, base) => loadScorer(bytes, { base }));
 */
import { addressOf } from "./address.js";
import { readBytes } from "./bundle.js";
import { type Delivery, type DeliveryOptions, Depot, type Wanted } from "./depot.js";
import { PropenseError, checkListeners, messageOf, optionsOf } from "./errors.js";
import { fraction } from "./holdout.js";

/** Options of `rollout`. */
export interface RolloutOptions extends Omit<DeliveryOptions, "integrity"> {
  /**
   * What tells visitors apart: the shop's own identifier. It is hashed on the device, and neither kept nor sent: the
   * same visitor stays on the same side as the share grows. Without it: what the others keep, until all are to change.
   */
  visitorId?: string;
}

/** What of a manifest is read. */
interface Manifest {
  format: number;
  current: Entry;
  /** Share of the visitors who get the current one, 0 to 100. */
  percentage: number;
  previous?: Entry | null;
}

interface Entry {
  /** Relative to the manifest, on its own server. */
  url: string;
  /** `sha256-` and the file's SHA-256 in base64. */
  integrity: string;
}

/** The model that the manifest at this address has for this visitor. */
export function rollout(address: string | URL, options: RolloutOptions = {}): Delivery {
  const { visitorId, onProgress, onRollback, ...rest } = optionsOf(options, "rollout");
  checkListeners({ onProgress, onRollback });
  if (visitorId !== undefined && (typeof visitorId !== "string" || visitorId === "")) {
    throw new PropenseError("ARGUMENT", "visitorId must be a text");
  }
  const url = addressOf("manifest", address);
  const share = visitorId === undefined ? 1 : fraction(`rollout\0${visitorId}`);
  const source = async (how: RequestInit): Promise<Wanted> => {
    // It changes while its address stays.
    const bytes = await readBytes(url, "manifest", { ...how, cache: "no-cache" });
    try {
      const { format, current, percentage, previous } = JSON.parse(new TextDecoder().decode(bytes)) as Manifest;
      if (format !== 1) throw new Error(`its format is ${String(format)}, known is 1`);
      if (!(percentage >= 0 && percentage <= 100)) throw new Error("its percentage is not from 0 to 100");
      const waits = percentage < 100 && share * 100 >= percentage;
      return fileOf(previous && waits ? previous : current, url);
    } catch (thrown) {
      throw new PropenseError("MANIFEST_INVALID", `the manifest at ${url.href} cannot be used: ${messageOf(thrown)}`, { cause: thrown });
    }
  };
  const listeners = { ...(onProgress && { onProgress }), ...(onRollback && { onRollback }) };
  return new Depot(url, source, { ...rest, ...listeners });
}

function fileOf(entry: Partial<Entry>, manifest: URL): Wanted {
  const { url: file, integrity } = entry;
  const digest = /^sha256-([A-Za-z0-9+/]{43}=)$/.exec(String(integrity))?.[1];
  if (typeof file !== "string" || digest === undefined) throw new Error("a bundle has no url, or no integrity");
  const url = new URL(file, manifest);
  if (url.origin !== manifest.origin) throw new Error(`the bundle ${file} lies on another server`);
  return { url: url.href, digest };
}
