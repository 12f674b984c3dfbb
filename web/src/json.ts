/** What goes to the engine is JSON; what cannot be written so fails with a code, not a TypeError. */
import { PropenseError, type PropenseErrorCode, messageOf } from "./errors.js";
import type { Context, ShopEvent } from "./types.js";

/** A value as JSON. `code` where it has none: something circular, a BigInt, a function. */
export function jsonOf(value: unknown, what: string, code: PropenseErrorCode): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (thrown) {
    const why = messageOf(thrown);
    throw new PropenseError(code, `${what} cannot be written as JSON: ${why}`, { cause: thrown });
  }
  if (json === undefined) {
    throw new PropenseError(code, `${what} cannot be written as JSON: it is a ${typeof value}`);
  }
  return json;
}

/** A context as JSON. What its values may be is the engine's to say, but for what JSON lacks. */
export function contextJson(context: Context): string {
  for (const [name, value] of Object.entries(context)) {
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw new PropenseError("ARGUMENT", `the context: ${name} is ${value}`);
    }
  }
  return jsonOf(context, "the context", "ARGUMENT");
}

/** Fields whose numbers have a rule for what is not finite. */
const AMOUNTS = new Set(["timestamp", "price", "quantity", "value"]);

/** An event as JSON, with at most one item more than the engine keeps. */
export function eventJson(event: ShopEvent, maxItems: number): string {
  try {
    // An absurdly long list is cut by the engine, which keeps the first `maxItems` and reports
    // it; one item more than that is enough for it to see.
    const items: unknown = event?.items;
    const cut = Array.isArray(items) && items.length > maxItems + 1;
    const sent = cut ? { ...event, items: items.slice(0, maxItems + 1) } : event;
    return JSON.stringify(sent, finite) ?? "null";
  } catch (thrown) {
    throw new PropenseError("EVENT_INVALID", "the event cannot be written as JSON", {
      cause: thrown,
    });
  }
}

/** JSON has no NaN and no Infinity and would say null, as if nothing had been wrong: as text they meet their rule. */
function finite(field: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) && AMOUNTS.has(field)
    ? String(value)
    : value;
}
