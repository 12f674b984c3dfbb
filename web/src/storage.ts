/** What is kept of a session between two pages: under one key, in the tab's sessionStorage. */
import type { Context, ShopEvent, ShopItem, Side } from "./types.js";

/** The only key. `docs/privacy.md` names it. */
const KEY = "propense:visit";

/** The layout's version; others are not read. */
const VERSION = 1;

/** Events kept. Of a longer session the newest are. */
const MOST = 1000;

/** An event as it is kept: with a name of its own, so that tabs can tell which ones they know. */
export type KeptEvent = ShopEvent & { uid: string };

/** A session as it is kept. */
export interface Stored {
  id: string;
  /** Milliseconds since 1970, as all times. */
  start: number;
  /** Time of the newest event. */
  last: number;
  context: Context;
  events: KeptEvent[];
  /** What listeners with a name have been told. */
  told: Record<string, Side>;
}

/** Where it is kept. */
export interface Kept {
  read(): Stored | undefined;
  write(session: Stored): void;
  erase(): void;
}

/** A place for the session. One that is denied or full keeps nothing, and says nothing. */
export function kept(storage: "session" | "memory"): Kept {
  const place = (): Storage | undefined => {
    try {
      return storage === "memory" ? undefined : globalThis.sessionStorage;
    } catch {
      return undefined;
    }
  };
  return {
    read() {
      try {
        return parse(place()?.getItem(KEY) ?? null);
      } catch {
        return undefined;
      }
    },
    write(session) {
      try {
        if (session.events.length > MOST) session.events.splice(0, session.events.length - MOST);
        place()?.setItem(KEY, JSON.stringify({ version: VERSION, ...session }));
      } catch {
        // The session goes on in memory.
      }
    },
    erase() {
      try {
        place()?.removeItem(KEY);
      } catch {
        // There can be nothing.
      }
    },
  };
}

function parse(text: string | null): Stored | undefined {
  if (text === null) return undefined;
  const found = JSON.parse(text) as Partial<Stored> & { version?: number };
  const sound =
    found.version === VERSION &&
    typeof found.id === "string" &&
    typeof found.start === "number" &&
    typeof found.last === "number" &&
    Array.isArray(found.events) &&
    found.events.every((event) => plausible(event) && typeof event.uid === "string");
  if (!sound) return undefined;
  const { id, start, last, context = {}, events, told = {} } = found as Stored;
  return { id, start, last, context, events, told };
}

/** Before 2000, or more than a day ahead: no time of a visit. The scorer has the same rule. */
const EARLIEST = Date.UTC(2000, 0);
const AHEAD = 24 * 3600 * 1000;

/** Whether this is an event at all. What is wrong with its parts is the scorer's to say. */
export function plausible(event: unknown): event is ShopEvent {
  const { event: name, timestamp } = (event ?? {}) as Partial<ShopEvent>;
  return (
    typeof name === "string" &&
    name !== "" &&
    typeof timestamp === "number" &&
    timestamp >= EARLIEST &&
    timestamp <= Date.now() + AHEAD
  );
}

/** An event with nothing but what the models read: no person, no device, no words searched for. */
export function keepOf(event: ShopEvent): KeptEvent {
  const { event: name, timestamp, items, page_type, value, rating, context } = event;
  const keep: Record<string, unknown> = { uid: uid(), event: name, timestamp, page_type, value, rating, context };
  if (Array.isArray(items)) keep["items"] = (items as ShopItem[]).map(itemOf);
  return keep as unknown as KeptEvent;
}

function itemOf(item: ShopItem): unknown {
  if (typeof item !== "object" || item === null) return item;
  const { item_id, item_name, item_category, item_category2, item_category3, item_category4, item_category5, price, quantity } = item;
  return { item_id, item_name, item_category, item_category2, item_category3, item_category4, item_category5, price, quantity };
}

function uid(): string {
  return crypto.getRandomValues(new Uint32Array(2)).reduce((text, part) => text + part.toString(36), "");
}
