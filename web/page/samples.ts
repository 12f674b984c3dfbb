// The thousand real sessions to replay and to score: `data/sample-sessions.json`, written compactly.

import type { Context, ShopEvent, ShopItem, ShopSession } from "../index.js";
import type { Catalogue } from "./catalogue.js";

interface File {
  items: string[];
  kinds: string[];
  page_types: string[];
  sessions: Array<{
    context: Context;
    start: number;
    bought: boolean;
    events: Array<[dt: number, kind: number, item: number, page: number, quantity: number]>;
  }>;
}

/** A session with its outcome, which the model never sees. */
export interface Sample extends ShopSession {
  context: Context;
  events: ShopEvent[];
  bought: boolean;
}

let loaded: Promise<readonly Sample[]> | undefined;

/** The sample sessions. Read once, when they are first wanted. */
export function loadSamples(url: URL, catalogue: Catalogue): Promise<readonly Sample[]> {
  loaded ??= read(url, catalogue).catch((thrown: unknown) => {
    loaded = undefined;
    throw thrown;
  });
  return loaded;
}

async function read(url: URL, catalogue: Catalogue): Promise<readonly Sample[]> {
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`The sample sessions ${url.pathname} could not be read (HTTP ${response.status}).`);
  }
  const file = (await response.json()) as File;
  return file.sessions.map((session) => {
    let timestamp = session.start;
    const events: ShopEvent[] = [];
    for (const [seconds, kind, itemIndex, pageIndex, quantity] of session.events) {
      timestamp += seconds * 1000;
      const event = file.kinds[kind] ?? "other";
      if (event === "purchase") {
        // Nothing at or after the order may reach the model.
        break;
      }
      const id = file.items[itemIndex];
      const page = file.page_types[pageIndex];
      events.push({
        event,
        timestamp,
        ...(id === undefined ? {} : { items: [itemOf(id, quantity, catalogue)] }),
        ...(page === undefined ? {} : { page_type: page }),
      });
    }
    return { context: session.context, events, bought: session.bought };
  });
}

/** The item with the fields that a live event of this shop has. */
function itemOf(id: string, quantity: number, catalogue: Catalogue): ShopItem {
  const product = catalogue.get(id);
  return {
    item_id: id,
    ...(product === undefined ? {} : { item_category: product.department, price: product.price }),
    ...(quantity > 0 ? { quantity } : {}),
  };
}
