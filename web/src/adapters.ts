/**
 * Where a shop's events come from: what it already tells others, read along.
 *
 * A source hands each event on as `track` takes it. Nothing is kept from anybody: the data layer, Segment
 * and Snowplow get what they always got. What cannot be understood is handed on as it is, so that the
 * rules for events (`onInvalid`) decide, not this file.
 */
import { notify } from "./ledger.js";
import type { ShopEvent, ShopItem } from "./types.js";

/** Takes an event. Never throws. */
export type Sink = (event: ShopEvent) => void;

/** Starts telling `sink` of events; gives what stops it. */
export type Source = (sink: Sink) => () => void;

type Fields = Record<string, unknown>;

const fields = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** An event that may lack what events need: the rules say so. */
const event = (name: unknown, rest: Fields, timestamp: unknown = Date.now()): ShopEvent =>
  ({ ...defined(rest), event: name, timestamp }) as unknown as ShopEvent;

function defined(given: Fields): Fields {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null));
}

/** Options of `dataLayer`. */
export interface DataLayerOptions {
  /** The data layer: its global name, or the list itself. Default: `dataLayer`. */
  layer?: string | unknown[];
  /** Events to read, besides GA4's ecommerce events. */
  events?: readonly string[];
}

/** GA4's events of a shop; a data layer holds much else. */
const ECOMMERCE = [
  "page_view",
  "search",
  "view_search_results",
  "view_item_list",
  "select_item",
  "view_item",
  "add_to_wishlist",
  "add_to_cart",
  "remove_from_cart",
  "view_cart",
  "begin_checkout",
  "add_shipping_info",
  "add_payment_info",
  "purchase",
  "refund",
];

/**
 * Google's data layer: `gtag("event", ...)` and Tag Manager's `push({ event, ecommerce })`. What was
 * pushed before this began counts, at the time when this began: a data layer has no times.
 */
export function dataLayer({ layer = "dataLayer", events = [] }: DataLayerOptions = {}): Source {
  const known = new Set([...ECOMMERCE, ...events]);
  return (sink) =>
    listen(layer, (pushed) => {
      const [command, name, details] = isArguments(pushed) ? pushed : ["event", fields(pushed)["event"], pushed];
      if (command !== "event" || typeof name !== "string" || !known.has(name)) return;
      const given = fields(details);
      const from = { ...given, ...fields(given["ecommerce"]) };
      const search = name === "view_search_results" ? "search" : name;
      sink(event(search, pick(from)));
    });
}

/** What the models read of GA4's parameters; the rest of a data layer is nobody's business here. */
function pick({ items, value, currency, page_type, transaction_id, search_term }: Fields): Fields {
  return { items, value, currency, page_type, transaction_id, search_term };
}

/** gtag pushes its `arguments`, which are no array. */
function isArguments(pushed: unknown): pushed is ArrayLike<unknown> & Iterable<unknown> {
  return Array.isArray(pushed) || Object.prototype.toString.call(pushed) === "[object Arguments]";
}

/** @internal Tells of what a list holds and of all that is pushed onto it. */
export function listen(layer: string | unknown[], take: (pushed: unknown) => void): () => void {
  const list =
    typeof layer === "string" ? ((globalThis as unknown as Record<string, unknown[] | undefined>)[layer] ??= []) : layer;
  let on = true;
  for (const pushed of [...list]) notify(() => take(pushed));
  const push = list.push;
  function wrapped(this: unknown, ...pushed: unknown[]): number {
    const length = push.apply(list, pushed);
    if (on) for (const each of pushed) notify(() => take(each));
    return length;
  }
  list.push = wrapped;
  return () => {
    on = false;
    // Somebody may have wrapped it since: then this wrapper stays, and is silent.
    if (list.push === wrapped) list.push = push;
  };
}

/** Segment's names; others are handed on in lower case with `_`. */
const SEGMENT: Record<string, string> = {
  "Products Searched": "search",
  "Product List Viewed": "view_item_list",
  "Product List Filtered": "view_item_list",
  "Product Clicked": "select_item",
  "Product Viewed": "view_item",
  "Product Added to Wishlist": "add_to_wishlist",
  "Product Added": "add_to_cart",
  "Product Removed": "remove_from_cart",
  "Cart Viewed": "view_cart",
  "Checkout Started": "begin_checkout",
  "Payment Info Entered": "add_payment_info",
  "Order Completed": "purchase",
  "Order Refunded": "refund",
  "Product Reviewed": "review",
};

/** The part of `analytics.js` that is used here. */
export interface SegmentAnalytics {
  on(event: "track" | "page", listener: (name: unknown, properties: unknown, ...rest: unknown[]) => void): unknown;
  off?(event: "track" | "page", listener: (...all: never[]) => void): unknown;
}

/** Segment's `analytics.js`: its ecommerce events as it emits them. */
export function segment(analytics?: SegmentAnalytics): Source {
  return (sink) => {
    const from = analytics ?? (globalThis as { analytics?: SegmentAnalytics }).analytics;
    if (typeof from?.on !== "function") return () => undefined;
    let on = true;
    const track = (name: unknown, properties: unknown): void => {
      const known = typeof name === "string" ? SEGMENT[name] : undefined;
      if (!on || known === undefined) return;
      notify(() => sink(event(known, segmentFields(fields(properties)))));
    };
    // page(category, name, properties): what kind of page it is stands in the category.
    const page = (category: unknown): void => {
      if (on) notify(() => sink(event("page_view", { page_type: typeof category === "string" ? category : undefined })));
    };
    from.on("track", track);
    from.on("page", page);
    return () => {
      on = false;
      from.off?.("track", track);
      from.off?.("page", page);
    };
  };
}

function segmentFields(given: Fields): Fields {
  const products = Array.isArray(given["products"]) ? (given["products"] as unknown[]) : [given];
  const items = products.map(fields).flatMap(({ product_id, sku, name, category, brand, price, quantity }) => {
    const item_id = product_id ?? sku;
    return item_id === undefined ? [] : [defined({ item_id: String(item_id), item_name: name, item_category: category, item_brand: brand, price, quantity })];
  });
  return {
    items: items.length > 0 ? items : undefined,
    value: given["value"] ?? given["total"] ?? given["revenue"],
    currency: given["currency"],
    transaction_id: given["order_id"],
    search_term: given["query"],
    rating: given["rating"],
  };
}

/** Snowplow's ecommerce actions. */
const SNOWPLOW: Record<string, string> = {
  list_view: "view_item_list",
  list_click: "select_item",
  product_view: "view_item",
  add_to_cart: "add_to_cart",
  remove_from_cart: "remove_from_cart",
  checkout_step: "begin_checkout",
  transaction: "purchase",
  refund: "refund",
};

const TRACKED: Record<string, string> = {
  trackProductView: "product_view",
  trackAddToCart: "add_to_cart",
  trackRemoveFromCart: "remove_from_cart",
  trackProductListView: "list_view",
  trackProductListClick: "list_click",
  trackCheckoutStep: "checkout_step",
  trackTransaction: "transaction",
  trackRefund: "refund",
};

/**
 * Snowplow's ecommerce plugin: calls of the global tracking function (`snowplow("trackProductView", ...)`)
 * are read along. `name` is the function's global name.
 */
export function snowplow(name = "snowplow"): Source {
  return (sink) => {
    const home = globalThis as unknown as Record<string, unknown>;
    const original = home[name];
    if (typeof original !== "function") return () => undefined;
    let on = true;
    const take = (call: unknown, details: unknown): void => {
      // "trackProductView:tracker" names the trackers it is for.
      const [method = ""] = String(call).split(":");
      const given = fields(details);
      if (method === "trackPageView") sink(event("page_view", {}));
      const action = SNOWPLOW[TRACKED[method] ?? ""];
      if (action !== undefined) sink(event(action, snowplowFields(given)));
    };
    // A queue of earlier calls, as the loader's stub keeps it until the tracker is there.
    const { q } = original as { q?: unknown };
    if (Array.isArray(q)) for (const [call, details] of q as ArrayLike<unknown>[] as unknown[][]) notify(() => take(call, details));
    const wrapped = new Proxy(original as (...all: unknown[]) => unknown, {
      apply(target, self, given: unknown[]) {
        const result: unknown = Reflect.apply(target, self, given);
        if (on) notify(() => take(given[0], given[1]));
        return result;
      },
    });
    home[name] = wrapped;
    return () => {
      on = false;
      if (home[name] === wrapped) home[name] = original;
    };
  };
}

function snowplowFields(given: Fields): Fields {
  const listed = given["products"] ?? (given["product"] === undefined ? [given] : [given["product"]]);
  const items = (Array.isArray(listed) ? (listed as unknown[]) : []).map(fields).flatMap(({ id, name, category, brand, price, quantity }) =>
    id === undefined || category === undefined && price === undefined
      ? []
      : [defined({ item_id: String(id), item_name: name, item_category: category, item_brand: brand, price, quantity })],
  );
  return {
    items: items.length > 0 ? items : undefined,
    value: given["total_value"] ?? given["revenue"],
    currency: given["currency"],
    transaction_id: given["transaction_id"],
  };
}

/**
 * Attributes in the page: `data-propense="view_item"` on an element tells of it when it comes into the page
 * (or is there already), `data-propense-click="add_to_cart"` when it is clicked. The item stands in
 * `data-item-id`, `data-item-name`, `data-item-category`, `data-item-price`, `data-item-quantity` of the
 * element or the nearest one around it; `data-page-type` likewise.
 */
export function attributes(root: Document | Element | undefined = globalThis.document): Source {
  return (sink) => {
    if (root === undefined) return () => undefined;
    const told = new WeakSet<Element>();
    const look = (within: ParentNode): void => {
      const own = within instanceof Element && within.matches("[data-propense]") ? [within] : [];
      for (const element of [...own, ...within.querySelectorAll("[data-propense]")]) {
        if (told.has(element)) continue;
        told.add(element);
        sink(attributed(element, element.getAttribute("data-propense")));
      }
    };
    const click = ({ target }: Event): void => {
      const element = target instanceof Element ? target.closest("[data-propense-click]") : null;
      if (element) notify(() => sink(attributed(element, element.getAttribute("data-propense-click"))));
    };
    const observer = new MutationObserver((changes) => {
      notify(() => {
        for (const { addedNodes } of changes) {
          for (const node of addedNodes) if (node instanceof Element) look(node);
        }
      });
    });
    notify(() => look(root));
    observer.observe(root, { childList: true, subtree: true });
    root.addEventListener("click", click, true);
    return () => {
      observer.disconnect();
      root.removeEventListener("click", click, true);
    };
  };
}

function attributed(element: Element, name: string | null): ShopEvent {
  const read = (key: string): string | undefined => element.closest(`[data-${key}]`)?.getAttribute(`data-${key}`) ?? undefined;
  const item_id = read("item-id");
  const item = defined({
    item_id,
    item_name: read("item-name"),
    item_category: read("item-category"),
    price: read("item-price"),
    quantity: read("item-quantity"),
  }) as unknown as ShopItem;
  return event(name, { items: item_id === undefined ? undefined : [item], page_type: read("page-type") });
}
