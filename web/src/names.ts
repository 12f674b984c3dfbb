/** Reasons as a person says them. */
import type { Reason, ShopEvent } from "./types.js";

/** Items whose names are kept: those of a long visit. */
const KEPT = 500;

const DONE: Record<string, string> = {
  page_view: "opened a page",
  search: "searched",
  view_item_list: "browsed a list",
  select_item: "clicked",
  view_item: "viewed",
  add_to_wishlist: "put on the wish list",
  add_to_cart: "put into the cart",
  remove_from_cart: "took out of the cart",
  view_cart: "looked at the cart",
  begin_checkout: "began the checkout",
  add_shipping_info: "gave an address",
  add_payment_info: "gave a means of payment",
  purchase: "ordered",
  refund: "sent back",
  review: "reviewed",
};

/** Events that are about their item, not about a page that has items. */
const ABOUT_ITEM = new Set([
  "select_item",
  "view_item",
  "add_to_wishlist",
  "add_to_cart",
  "remove_from_cart",
  "refund",
  "review",
]);

const TIMES = ["", "", " for the second time", " for the third time"];

/** What items are called, as far as events have said. */
export class Names {
  readonly #names = new Map<string, string>();

  /** Remembers the first item's name. */
  learn(event: ShopEvent): void {
    const item = Array.isArray(event?.items) ? (event.items[0] as unknown) : undefined;
    const { item_id, item_name } = (item ?? {}) as { item_id?: unknown; item_name?: unknown };
    if (typeof item_id !== "string" || typeof item_name !== "string") return;
    this.#names.delete(item_id);
    this.#names.set(item_id, item_name.slice(0, 80));
    for (const oldest of this.#names.keys()) {
      if (this.#names.size <= KEPT) break;
      this.#names.delete(oldest);
    }
  }

  /** A reason in words. */
  text({ event, feature, effect, item_id, times = 1 }: Omit<Reason, "text">): string {
    const done = DONE[event] ?? event.replaceAll("_", " ");
    const what = item_id !== undefined && ABOUT_ITEM.has(event) ? ` ${this.#names.get(item_id) ?? item_id}` : "";
    const often = what === "" ? "" : (TIMES[times] ?? ` for the ${times}th time`);
    const sign = effect < 0 ? "−" : "+";
    return `${done}${what}${often} (${feature}): ${sign}${Math.abs(effect).toFixed(2)}`;
  }
}
