// The shop's dialogs besides the cart: a product, the checkout, the pages of information.

import type { Catalogue, Product } from "./catalogue.js";
import { drawProduct, tintOf } from "./art/art.js";
import { type Cart, stepper } from "./cart.js";
import { el, refill } from "./dom.js";
import { money } from "./format.js";
import { slugOf } from "./catalogue.js";
import { hashOf, type InfoPage } from "./routes.js";
import { type Line, worth } from "./shop-events.js";
import { smallCard } from "./shelves.js";

function closer(dialog: HTMLDialogElement): HTMLButtonElement {
  const button = el("button", { type: "button", class: "close", "aria-label": "Close" }, "×");
  button.addEventListener("click", () => dialog.close());
  return button;
}

/** Draws a product's page. */
export function drawProductPage(dialog: HTMLDialogElement, product: Product, catalogue: Catalogue, cart: Cart): void {
  let quantity = 1;
  const steps = stepper(
    product.name,
    quantity,
    (by) => {
      quantity = Math.max(1, quantity + by);
      steps.set(quantity);
    },
    1,
  );
  const add = el("button", { type: "button", class: "button strong", id: "add-to-cart" }, "Add to cart");
  add.addEventListener("click", () => {
    cart.change(product, quantity);
    quantity = 1;
    steps.set(quantity);
  });
  const also = catalogue.alsoBought(product, 6);
  refill(
    dialog,
    closer(dialog),
    el(
      "div",
      { class: "product-top" },
      el("div", { class: `picture ${tintOf(product.id)}` }, drawProduct(product.id, product.name)),
      el(
        "div",
        { class: "product-words" },
        el("a", { class: "eyebrow", href: hashOf({ view: "list", department: slugOf(product.department) }) }, product.department),
        el("h2", { id: "product-title", tabindex: -1 }, product.name),
        el("p", { class: "price" }, money(product.price)),
        el("div", { class: "buy" }, steps.element, add),
        el("p", { class: "fine" }, `Item ${product.id}. `, el("a", { href: "#/delivery" }, "Delivery & returns")),
      ),
    ),
    also.length === 0
      ? undefined
      : el(
          "section",
          { class: "also", "aria-labelledby": "also-title" },
          el("h3", { id: "also-title" }, "Customers also bought"),
          el("ul", {}, ...also.map((other) => smallCard(other))),
        ),
  );
}

/** Draws the checkout. It asks for no personal data: nothing is sold here. */
export function drawCheckout(dialog: HTMLDialogElement, lines: readonly Line[], onOrder: () => void): void {
  const place = el("button", { type: "button", class: "button strong", id: "place-order", disabled: lines.length === 0 }, "Place order");
  place.addEventListener("click", onOrder);
  refill(
    dialog,
    closer(dialog),
    el("h2", { id: "checkout-title", tabindex: -1 }, "Checkout"),
    el("p", {}, "This shop is a demonstration. It asks for no name, address or card, and nothing will be delivered: the order only ends the visit, as the model knows it."),
    el(
      "table",
      { class: "bill" },
      el(
        "tbody",
        {},
        ...lines.map(({ product, quantity }) =>
          el("tr", {}, el("th", { scope: "row" }, product.name), el("td", {}, `${quantity} ×`), el("td", {}, money(product.price * quantity))),
        ),
      ),
      el("tfoot", {}, el("tr", {}, el("th", { scope: "row" }, "Total"), el("td"), el("td", {}, money(worth(lines))))),
    ),
    el("div", { class: "buy" }, place, el("a", { class: "button quiet", href: "#/cart" }, "Back to the cart")),
  );
}

/** Draws the thanks for an order. */
export function drawThanks(dialog: HTMLDialogElement, total: number, said: string, onNext: () => void): void {
  const next = el("button", { type: "button", class: "button strong", id: "next-visit" }, "Begin a new visit");
  next.addEventListener("click", onNext);
  refill(
    dialog,
    closer(dialog),
    el("h2", { id: "checkout-title", tabindex: -1 }, "Thank you"),
    el("p", {}, `An order of ${money(total)} would now be on its way. ${said}`),
    el("div", { class: "buy" }, next),
  );
}

const INFO: Record<InfoPage, { title: string; paragraphs: string[] }> = {
  delivery: {
    title: "Delivery & returns",
    paragraphs: [
      "In a real shop this page would speak of couriers and of thirty days to change one's mind.",
      "Here it has a purpose all the same. Reading about delivery is an informational page, and the model has seen thousands of visits with and without one: watch what it makes of yours.",
    ],
  },
  help: {
    title: "Help",
    paragraphs: [
      "Browse, linger, fill the cart, empty it again. After every step the instrument shows how likely this visit is to end in an order, and which steps moved the estimate.",
      "The model is a small convolutional and recurrent network. It reads one event at a time, on the CPU through WebAssembly or on the GPU through WebGPU, and both give the same numbers. Time counts as well: it sees how long you stay on each page.",
      "Switch off the network and go on: nothing changes, because there is no server behind the score.",
    ],
  },
  account: {
    title: "Your account",
    paragraphs: [
      "There is no account to have: this demonstration keeps nothing, not even in the browser's storage. Reload, and you are a stranger again.",
      "The visit to this page counts as an administrative one, like log-ins, carts and checkouts in the data.",
    ],
  },
};

/** Draws a page of information. */
export function drawInfo(dialog: HTMLDialogElement, page: InfoPage): void {
  const { title, paragraphs } = INFO[page];
  refill(
    dialog,
    closer(dialog),
    el("h2", { id: "info-title", tabindex: -1 }, title),
    ...paragraphs.map((text) => el("p", {}, text)),
    el("div", { class: "buy" }, el("a", { class: "button quiet", href: "#/" }, "Back to the shelves")),
  );
}
