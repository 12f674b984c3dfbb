// The events that this shop emits, under their GA4 names, with the fields that the training data have
// (data/giftshop/DATA_CARD.md): a model should see in the page what it saw when it learnt. Lists and
// items are `product` pages, the account is an `administrative` and help an `informational` one; what
// happens to the cart happens on whatever page is open and has no page type of its own.

import type { Context, ShopEvent, ShopItem } from "../index.js";
import type { Product } from "./catalogue.js";
import type { InfoPage } from "./routes.js";

/** An event, and how the page speaks of it. */
export interface Told {
  event: ShopEvent;
  label: string;
}

/** A product in the cart. */
export interface Line {
  product: Product;
  quantity: number;
}

function item(product: Product, quantity?: number): ShopItem {
  return {
    item_id: product.id,
    item_category: product.department,
    price: product.price,
    ...(quantity === undefined ? {} : { quantity }),
  };
}

/** The value of a cart in pounds. */
export function worth(lines: readonly Line[]): number {
  return lines.reduce((sum, { product, quantity }) => sum + product.price * quantity, 0);
}

const PAGE_TYPES: Record<InfoPage, { type: string; label: string }> = {
  account: { type: "administrative", label: "Your account" },
  delivery: { type: "informational", label: "Delivery & returns" },
  help: { type: "informational", label: "Help" },
};

/** A list was shown: the shop's front, a department, results of a search. */
export function listShown(name: string): Told {
  return { event: { event: "view_item_list", timestamp: Date.now(), page_type: "product" }, label: name };
}

/** A product was opened. */
export function itemShown(product: Product): Told {
  return {
    event: { event: "view_item", timestamp: Date.now(), page_type: "product", items: [item(product)] },
    label: product.name,
  };
}

/** Units were put into the cart, or (a negative number) taken out. */
export function cartChanged(product: Product, by: number): Told {
  const units = Math.abs(by);
  return {
    event: {
      event: by > 0 ? "add_to_cart" : "remove_from_cart",
      timestamp: Date.now(),
      items: [item(product, units)],
    },
    label: units === 1 ? product.name : `${units} × ${product.name}`,
  };
}

/** The cart was opened. */
export function cartShown(): Told {
  return { event: { event: "view_cart", timestamp: Date.now() }, label: "The cart" };
}

/** The checkout was begun. */
export function checkoutBegun(): Told {
  return { event: { event: "begin_checkout", timestamp: Date.now() }, label: "The checkout" };
}

/** The order was placed: the session's end. */
export function ordered(lines: readonly Line[]): Told {
  return {
    event: {
      event: "purchase",
      timestamp: Date.now(),
      items: lines.map(({ product, quantity }) => item(product, quantity)),
      value: worth(lines),
    },
    label: "The order",
  };
}

/** A page without products was opened. */
export function pageShown(page: InfoPage): Told {
  const { type, label } = PAGE_TYPES[page];
  return { event: { event: "page_view", timestamp: Date.now(), page_type: type }, label };
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** What is known when a visit begins: who comes, and when. */
export function contextOf(visitor: string, now: Date): Context {
  return {
    visitor_type: visitor,
    month: MONTHS[now.getMonth()] ?? "",
    weekend: now.getDay() === 0 || now.getDay() === 6,
  };
}

const VISITORS: Record<string, string> = {
  new: "New visitor",
  returning: "Returning visitor",
  other: "Visitor",
};

/** A context in words: "Returning visitor, Nov, weekend". */
export function contextWords(context: Context): string {
  const month = MONTHS.indexOf(String(context["month"]));
  return [
    VISITORS[String(context["visitor_type"])] ?? "Visitor",
    month < 0 ? undefined : new Date(2011, month, 1).toLocaleString("en-GB", { month: "short" }),
    context["weekend"] === true ? "weekend" : "weekday",
  ]
    .filter((word) => word !== undefined)
    .join(", ");
}
