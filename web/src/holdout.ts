/** Holdout groups: the same visitor is always in the same group, without anything being stored. */
import { PropenseError, checkListeners, optionsOf } from "./errors.js";
import { notify } from "./ledger.js";

/** Options of `holdout`. */
export interface HoldoutOptions {
  /** The experiment's name: another name deals the visitors anew. */
  name: string;
  /** What tells visitors apart: the shop's own identifier. It is hashed, not kept. */
  visitorId: string;
  /** The share, 0 to 1, of visitors who are left alone. Default: 0.1. */
  share?: number;
  /** Told once, when `expose` is first called: what the shop logs for its analysis. */
  onExposure?: (exposure: { experiment: string; group: "holdout" | "treated"; timestamp: number }) => void;
}

/** A visitor's part in an experiment. */
export interface Experiment {
  readonly name: string;
  /** `holdout`: show nothing that the score would have you show. */
  readonly group: "holdout" | "treated";
  /**
   * Call it where the groups part, whatever the group: at the moment when a treated visitor would see the
   * coupon. Gives whether this one does.
   */
  expose(): boolean;
}

/** Puts a visitor into a group of an experiment. */
export function holdout(options: HoldoutOptions): Experiment {
  const { name, visitorId, share = 0.1, onExposure } = optionsOf(options, "holdout");
  checkListeners({ onExposure });
  for (const [key, value] of Object.entries({ name, visitorId })) {
    if (typeof value !== "string" || value === "") throw new PropenseError("ARGUMENT", `holdout needs a ${key}`);
  }
  if (!(share >= 0 && share <= 1)) throw new PropenseError("ARGUMENT", "share must be from 0 to 1");
  const group = fraction(`${name}\0${visitorId}`) < share ? "holdout" : "treated";
  let exposed = false;
  return {
    name,
    group,
    expose() {
      if (!exposed) {
        exposed = true;
        notify(() => onExposure?.({ experiment: name, group, timestamp: Date.now() }));
      }
      return group === "treated";
    },
  };
}

/** @internal A text as a number from 0 to 1: FNV-1a over its UTF-8 bytes, then the finaliser of MurmurHash3. */
export function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
