// The cart: what is in it, and its drawer.

import type { Product } from "./catalogue.js";
import { byId, el, refill } from "./dom.js";
import { count, money } from "./format.js";
import { drawProduct, tintOf } from "./art/art.js";
import { type Line, worth } from "./shop-events.js";

/** The products that the visitor means to buy. */
export class Cart {
  private readonly lines = new Map<string, Line>();

  /** `onChange` is told of every change by a number of units, not of `clear`. */
  constructor(private readonly onChange: (product: Product, by: number) => void) {}

  /** The lines in the order in which they were begun. */
  get all(): readonly Line[] {
    return [...this.lines.values()];
  }

  /** Units of all products. */
  get units(): number {
    return this.all.reduce((sum, { quantity }) => sum + quantity, 0);
  }

  /** Adds units, or takes some out. */
  change(product: Product, by: number): void {
    const before = this.lines.get(product.id)?.quantity ?? 0;
    const after = Math.max(0, before + by);
    if (after === before) {
      return;
    }
    if (after === 0) {
      this.lines.delete(product.id);
    } else {
      this.lines.set(product.id, { product, quantity: after });
    }
    this.onChange(product, after - before);
  }

  /** Empties the cart without an event: the visit is over. */
  clear(): void {
    this.lines.clear();
  }
}

/** A number with a minus and a plus button. */
export function stepper(
  name: string,
  value: number,
  onStep: (by: number) => void,
  least = 0,
): { element: HTMLElement; set: (value: number) => void } {
  const minus = el("button", { type: "button", "aria-label": `One less: ${name}`, disabled: value <= least }, "−");
  const plus = el("button", { type: "button", "aria-label": `One more: ${name}` }, "+");
  const shown = el("output", { "aria-live": "polite" }, count(value));
  minus.addEventListener("click", () => onStep(-1));
  plus.addEventListener("click", () => onStep(1));
  return {
    element: el("div", { class: "stepper", role: "group", "aria-label": `Quantity: ${name}` }, minus, shown, plus),
    set(now) {
      shown.textContent = count(now);
      minus.disabled = now <= least;
    },
  };
}

/** Draws the drawer's content. */
export function drawCart(dialog: HTMLDialogElement, cart: Cart): void {
  const lines = cart.all;
  const close = el("button", { type: "button", class: "close", "aria-label": "Close the cart" }, "×");
  close.addEventListener("click", () => dialog.close());
  const body =
    lines.length === 0
      ? el(
          "div",
          { class: "empty" },
          el("p", {}, "Nothing in it yet."),
          el("a", { class: "button quiet", href: "#/" }, "Look around"),
        )
      : el("ul", { class: "cart-lines" }, ...lines.map((line) => cartLine(line, cart)));
  const foot = el(
    "footer",
    {},
    el("p", { class: "sum" }, el("span", {}, "Total"), el("b", {}, money(worth(lines)))),
    lines.length === 0
      ? undefined
      : el("a", { class: "button strong", href: "#/checkout", id: "to-checkout" }, "Check out"),
    el("a", { class: "aside", href: "#/delivery" }, "Delivery & returns"),
  );
  refill(
    dialog,
    el("div", { class: "drawer-head" }, el("h2", { id: "cart-title", tabindex: -1 }, "Your cart"), close),
    body,
    foot,
  );
}

function cartLine({ product, quantity }: Line, cart: Cart): HTMLElement {
  const remove = el("button", { type: "button", class: "remove", "aria-label": `Remove ${product.name}` }, "Remove");
  remove.addEventListener("click", () => cart.change(product, -quantity));
  return el(
    "li",
    { "data-item": product.id },
    el("a", { class: `thumb ${tintOf(product.id)}`, href: `#/item/${product.id}`, tabindex: -1, "aria-hidden": "true" }, drawProduct(product.id, product.name)),
    el(
      "div",
      {},
      el("a", { class: "name", href: `#/item/${product.id}` }, product.name),
      el("p", {}, `${money(product.price)} each`),
      el(
        "div",
        { class: "line-foot" },
        stepper(product.name, quantity, (by) => cart.change(product, by)).element,
        remove,
      ),
    ),
    el("b", { class: "line-sum" }, money(product.price * quantity)),
  );
}

/** The number at the cart's link. */
export function drawCartCount(cart: Cart): void {
  const badge = byId("cart-count", HTMLElement);
  const { units } = cart;
  badge.textContent = count(units);
  badge.dataset["count"] = String(units);
  byId("cart-link", HTMLAnchorElement).setAttribute(
    "aria-label",
    units === 1 ? "Cart, one thing in it" : `Cart, ${count(units)} things in it`,
  );
}
