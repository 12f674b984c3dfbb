/** Which of the ranked items are shown: the shop's rules over the model's order. */
import { PropenseError } from "./errors.js";
import type { Recommendation, RecommendOptions } from "./types.js";

/** The most items that can be asked for. */
export const MOST = 1000;

/** An item as the engine ranks it. */
export interface Ranked extends Recommendation {
  item_category?: string;
}

/** Checks the options; gives what chooses by them from a ranking. */
export function chooser(options: RecommendOptions): (ranked: readonly Ranked[]) => Recommendation[] {
  const { k = 8, inStock, exclude = [], perCategory = Infinity } = options;
  if (!Number.isInteger(k) || k < 0 || k > MOST) {
    throw new PropenseError("ARGUMENT", `k must be a whole number from 0 to ${MOST}`);
  }
  if (inStock !== undefined && typeof inStock !== "function") {
    throw new PropenseError("ARGUMENT", "inStock must be a function of an item_id");
  }
  if (typeof (exclude as Partial<Iterable<string>> | null)?.[Symbol.iterator] !== "function") {
    throw new PropenseError("ARGUMENT", "exclude must be a list of item_ids");
  }
  if (!(perCategory >= 1)) {
    throw new PropenseError("ARGUMENT", "perCategory must be at least 1");
  }
  const hidden = new Set(exclude);
  return (ranked) => {
    const shown: Recommendation[] = [];
    const taken = new Map<string, number>();
    for (const { item_id, propensity, item_category } of ranked) {
      if (shown.length === k) break;
      // Items of no category are not of one category.
      const group = item_category ?? `\0${item_id}`;
      const count = taken.get(group) ?? 0;
      if (count >= perCategory || hidden.has(item_id) || inStock?.(item_id) === false) continue;
      taken.set(group, count + 1);
      shown.push({ item_id, propensity });
    }
    return shown;
  };
}
