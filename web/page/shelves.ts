// The shelves: departments, lists, product cards, and the row of recommendations.

import type { Catalogue, Department, Product } from "./catalogue.js";
import { drawProduct, tintOf } from "./art/art.js";
import { byId, el } from "./dom.js";
import { count, money, percent } from "./format.js";
import { hashOf } from "./routes.js";

/** Products that a list shows at first, and more with each press of the button. */
const PAGE = 24;

/** Names of the products in the still life of the front, by words of their title. */
const STILL_LIFE = [/cakestand/i, /bird ornament/i, /jumbo bag red retrospot/i, /hanging heart t-?light/i, /regency teacup|teacup and saucer/i, /party bunting/i];

/** Puts a product into the cart. */
export type AddToCart = (product: Product) => void;

/** A product as a card: picture, name, price, and a button that adds it. */
function card(product: Product, onAdd: AddToCart): HTMLLIElement {
  const add = el("button", { type: "button", class: "add", "aria-label": `Add ${product.name} to the cart` }, "Add");
  add.addEventListener("click", () => onAdd(product));
  return el(
    "li",
    { class: "card", "data-item": product.id },
    el(
      "a",
      { href: hashOf({ view: "item", id: product.id }) },
      el("span", { class: `picture ${tintOf(product.id)}` }, drawProduct(product.id, product.name)),
      el("span", { class: "name" }, product.name),
    ),
    el("p", { class: "card-foot" }, el("b", { class: "price" }, money(product.price)), add),
  );
}

/** A small card for rows: picture, name, price, and perhaps a line beneath. */
export function smallCard(product: Product, note?: string): HTMLLIElement {
  return el(
    "li",
    { class: "small-card", "data-item": product.id },
    el(
      "a",
      { href: hashOf({ view: "item", id: product.id }) },
      el("span", { class: `picture ${tintOf(product.id)}` }, drawProduct(product.id, product.name)),
      el("span", { class: "name" }, product.name),
      el("span", { class: "note" }, money(product.price)),
      note === undefined ? undefined : el("span", { class: "note" }, note),
    ),
  );
}

/** The list that the shop shows. */
export class Shelves {
  private products: readonly Product[] = [];
  private shown = 0;
  private readonly grid = byId("grid", HTMLUListElement);
  private readonly more = byId("more", HTMLButtonElement);

  constructor(private readonly onAdd: AddToCart) {
    this.more.addEventListener("click", () => {
      const next = this.shown;
      this.grow();
      // The keyboard goes on where the new cards begin, not at the page's end.
      this.grid.children[next]?.querySelector("a")?.focus();
    });
  }

  /** Shows a list from its beginning. */
  show(products: readonly Product[], title: string): void {
    this.products = products;
    this.shown = 0;
    this.grid.replaceChildren();
    byId("list-title", HTMLElement).textContent = title;
    byId("list-size", HTMLElement).textContent =
      products.length === 0
        ? "Nothing found. Try another word, or a department."
        : products.length === 1
          ? "One product"
          : `${count(products.length)} products, the most ordered first`;
    this.grow();
  }

  private grow(): void {
    const next = this.products.slice(this.shown, this.shown + PAGE);
    this.shown += next.length;
    this.grid.append(...next.map((product) => card(product, this.onAdd)));
    this.more.hidden = this.shown >= this.products.length;
  }
}

/** Draws the departments' links. */
export function drawDepartments(departments: readonly Department[], all: number): void {
  const link = (href: string, name: string, size: number): HTMLLIElement =>
    el("li", {}, el("a", { href }, name, el("small", {}, count(size))));
  byId("departments", HTMLUListElement).replaceChildren(
    link("#/", "Everything", all),
    ...departments.map(({ name, slug, size }) => link(hashOf({ view: "list", department: slug }), name, size)),
  );
}

/** Marks the department whose list is shown. */
export function markDepartment(hash: string): void {
  for (const link of byId("departments", HTMLUListElement).querySelectorAll("a")) {
    if (link.getAttribute("href") === hash) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else {
      link.removeAttribute("aria-current");
    }
  }
}

/** Draws the still life on the front, of products that the shop has. */
export function drawStillLife(catalogue: Catalogue): void {
  const found = STILL_LIFE.flatMap((words) => catalogue.products.find(({ name }) => words.test(name)) ?? []);
  byId("hero-art", HTMLElement).replaceChildren(...found.map(({ id, name }) => drawProduct(id, name)));
}

/** The row of recommendations. */
export class Picks {
  private readonly row: HTMLUListElement;
  private current = "";

  constructor(id: "picks" | "because") {
    this.row = byId(id, HTMLUListElement);
  }

  /** Fills the row. `propensity` is what the visit would have after a look at the item. */
  show(picks: ReadonlyArray<{ product: Product; propensity?: number }>): void {
    const key = picks.map(({ product, propensity }) => `${product.id}:${propensity ?? ""}`).join();
    // Cards must not change under a pointer or under the keyboard's focus.
    if (key === this.current || this.row.matches(":hover, :focus-within")) {
      return;
    }
    this.current = key;
    this.row.replaceChildren(
      ...picks.map(({ product, propensity }) =>
        smallCard(product, propensity === undefined ? "\u00a0" : `${percent(propensity)} after a look`),
      ),
    );
  }
}
