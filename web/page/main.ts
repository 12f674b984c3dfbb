// The page: wires the shop to the scorer. The shop works without the model; the model starts on the CPU
// and moves to WebGPU when the module says so.

import { type Context, type Recommendation, type Scorer, loadScorer } from "../index.js";
import { Cart, drawCart, drawCartCount } from "./cart.js";
import { type Catalogue, type Product, loadCatalogue } from "./catalogue.js";
import { drawCheckout, drawInfo, drawProductPage, drawThanks } from "./dialogs.js";
import { byId, el } from "./dom.js";
import { EngineView } from "./engine.js";
import { percent } from "./format.js";
import { Panel } from "./panel.js";
import { type Route, hashOf, parseRoute } from "./routes.js";
import * as events from "./shop-events.js";
import { Picks, Shelves, drawDepartments, drawStillLife, markDepartment } from "./shelves.js";
import { loadSamples } from "./samples.js";
import { TryButtons } from "./tries.js";
import { Visit } from "./visit.js";

/** Recommendations in the row. */
const PICKS = 8;
/** The most that can be asked for. */
const RANKED = 1000;
/** Products in the row of those that go with the last one looked at. */
const BECAUSE = 6;
/** Milliseconds of quiet after an event before new recommendations are computed. */
const QUIET = 700;

const DATA = {
  model: new URL("models/giftshop.propense", document.baseURI),
  catalogue: new URL("data/catalogue.json", document.baseURI),
  samples: new URL("data/sample-sessions.json", document.baseURI),
};

const DIALOGS = {
  item: byId("product-dialog", HTMLDialogElement),
  cart: byId("cart-dialog", HTMLDialogElement),
  checkout: byId("checkout-dialog", HTMLDialogElement),
  info: byId("info-dialog", HTMLDialogElement),
};

/** The shop with everything that it holds. */
class Shop {
  private readonly cart = new Cart((product, by) => this.cartChanged(product, by));
  private readonly shelves = new Shelves((product) => this.cart.change(product, 1));
  private readonly picks = new Picks("picks");
  private readonly because = new Picks("because");
  /** The product whose page was opened last in this visit. */
  private looked: Product | undefined;
  private readonly panel = new Panel();
  private readonly engine = new EngineView(() => this.visit?.rescore());
  private visit: Visit | undefined;
  private scorer: Scorer | undefined;
  private tries: TryButtons | undefined;
  /** A replayed stranger's session is on the panel, running or over: no click here belongs to it. */
  private foreign = false;
  private listHash = "";
  /** Events of the time before the model was there: they are told once it is. */
  private early: events.Told[] = [];
  private picksTimer: ReturnType<typeof setTimeout> | undefined;
  private toastTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly catalogue: Catalogue) {
    drawDepartments(catalogue.departments, catalogue.products.length);
    drawStillLife(catalogue);
    drawCartCount(this.cart);
    this.showBestSellers();
    for (const dialog of Object.values(DIALOGS)) {
      this.bindDialog(dialog);
    }
    byId("search", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      const query = byId("query", HTMLInputElement).value.trim();
      location.hash = hashOf(query === "" ? { view: "list" } : { view: "list", query });
    });
    window.addEventListener("hashchange", () => this.go());
    this.go();
  }

  /** Loads the model and begins the visit. */
  async start(): Promise<void> {
    try {
      const scorer = await loadScorer(DATA.model, {
        backend: "auto",
        context: this.context(),
        catalogue: this.catalogue.products.map(({ id, name, department, price, also, sold }) => ({
          item_id: id,
          item_name: name,
          item_category: department,
          price,
          also,
          sold,
        })),
        onBackend: (info) => {
          this.engine.show(info);
          this.visit?.rescore();
        },
      });
      this.begin(scorer);
    } catch (thrown) {
      this.panel.failed(thrown);
      this.engine.failed();
    }
  }

  private begin(scorer: Scorer): void {
    this.scorer = scorer;
    const visit = new Visit(
      scorer,
      (state) => this.panel.draw(state),
      (thrown) => this.panel.failed(thrown),
    );
    this.visit = visit;
    this.panel.ready(scorer);
    this.engine.ready(scorer);
    this.tries = new TryButtons({
      scorer,
      catalogue: this.catalogue,
      samplesUrl: DATA.samples,
      state: () => visit.state,
      begin: (context, title, note) => {
        this.foreign = true;
        visit.begin(context);
        this.panel.setVisit(title, note);
      },
      track: (told) => visit.track(told),
      settled: () => this.settled(),
      beginOwn: () => this.newVisit(),
    });
    scorer.onScore((score) => {
      // A stranger's session is played faster than it was: how long it stays here means nothing.
      if (score.waited > 0 && !this.foreign) {
        visit.stay(score);
      }
    });
    this.beginOwn();
    for (const told of this.early.splice(0)) {
      visit.track(told);
    }
    this.laterPicks();
    // Read while there is a network: a replay must work without one, too.
    void loadSamples(DATA.samples, this.catalogue).catch(() => undefined);
  }

  private context(): Context {
    return events.contextOf(byId("visitor", HTMLSelectElement).value, new Date());
  }

  private beginOwn(): void {
    const context = this.context();
    this.foreign = false;
    this.visit?.begin(context);
    this.panel.setVisit("This visit", events.contextWords(context));
  }

  /** Ends the visit and lets a new one begin at the front of the shop. */
  private newVisit(): void {
    this.cart.clear();
    drawCartCount(this.cart);
    this.looked = undefined;
    byId("because-section", HTMLElement).hidden = true;
    this.beginOwn();
    for (const dialog of Object.values(DIALOGS)) {
      dialog.close();
    }
    this.listHash = "";
    if (location.hash === "" || location.hash === "#/") {
      this.go();
    } else {
      location.hash = "#/";
    }
    this.toast("A new visit: the model has forgotten the last one.");
  }

  /** Resolves when no score is under way. */
  private async settled(): Promise<void> {
    while (this.visit?.state.busy === true) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  private tell(told: events.Told): void {
    if (this.visit === undefined) {
      this.early.push(told);
      return;
    }
    // The person at the screen does something: no replay goes on, and none begins after all.
    this.tries?.stopReplay();
    if (this.foreign || this.visit.state.ordered) {
      // It is their visit again, from its beginning.
      this.beginOwn();
    }
    this.visit.track(told);
    this.laterPicks();
  }

  private cartChanged(product: Product, by: number): void {
    drawCartCount(this.cart);
    if (DIALOGS.cart.open) {
      this.redrawCart(product);
    } else {
      this.toast(by > 0 ? `In the cart: ${product.name}` : `Out of the cart: ${product.name}`);
    }
    this.tell(events.cartChanged(product, by));
  }

  /** Draws the cart anew and keeps the keyboard's focus on the button that was pressed. */
  private redrawCart(product: Product): void {
    const focused = document.activeElement?.getAttribute("aria-label");
    drawCart(DIALOGS.cart, this.cart);
    const line = [...DIALOGS.cart.querySelectorAll<HTMLElement>("[data-item]")].find(
      (candidate) => candidate.dataset["item"] === product.id,
    );
    const same = [...(line?.querySelectorAll("button") ?? [])].find(
      (button) => button.getAttribute("aria-label") === focused && !button.disabled,
    );
    (same ?? DIALOGS.cart.querySelector<HTMLElement>("h2"))?.focus();
  }

  private go(): void {
    const route = parseRoute(location.hash);
    if (route === undefined) {
      return;
    }
    if (route.view === "list") {
      this.close();
      this.showList(route);
      return;
    }
    if (this.listHash === "") {
      // A link into the shop from outside: the list beneath is drawn, but was not asked for.
      this.drawList({ view: "list" });
    }
    this.showDialog(route);
  }

  private showList(route: Route & { view: "list" }): void {
    const hash = hashOf(route);
    if (hash === this.listHash) {
      return;
    }
    const title = this.drawList(route);
    this.tell(events.listShown(title));
  }

  private drawList(route: Route & { view: "list" }): string {
    const first = this.listHash === "";
    this.listHash = hashOf(route);
    const department = this.catalogue.departments.find(({ slug }) => slug === route.department);
    const title = route.query !== undefined ? `“${route.query}”` : (department?.name ?? "Everything");
    const products =
      route.query !== undefined ? this.catalogue.search(route.query) : this.catalogue.inDepartment(department?.slug);
    byId("query", HTMLInputElement).value = route.query ?? "";
    document.body.classList.toggle("front", this.listHash === "#/");
    this.shelves.show(products, title);
    markDepartment(this.listHash);
    if (!first) {
      window.scrollTo({ top: 0 });
    }
    return title;
  }

  private showDialog(route: Exclude<Route, { view: "list" }>): void {
    const dialog = DIALOGS[route.view];
    switch (route.view) {
      case "item": {
        const product = this.catalogue.get(route.id);
        if (product === undefined) {
          location.hash = this.listHash;
          this.toast("This shop has no such product.");
          return;
        }
        drawProductPage(dialog, product, this.catalogue, this.cart);
        this.looked = product;
        this.tell(events.itemShown(product));
        break;
      }
      case "cart":
        drawCart(dialog, this.cart);
        this.tell(events.cartShown());
        break;
      case "checkout":
        if (this.cart.units === 0) {
          location.hash = "#/cart";
          return;
        }
        drawCheckout(dialog, this.cart.all, () => this.placeOrder());
        this.tell(events.checkoutBegun());
        break;
      case "info":
        drawInfo(dialog, route.page);
        this.tell(events.pageShown(route.page));
        break;
    }
    this.close(dialog);
    if (!dialog.open) {
      dialog.showModal();
    }
    dialog.scrollTop = 0;
    dialog.querySelector<HTMLElement>("h2")?.focus();
  }

  private placeOrder(): void {
    const lines = this.cart.all;
    const last = this.visit?.state.latest;
    this.tell(events.ordered(lines));
    this.cart.clear();
    drawCartCount(this.cart);
    const said = last === undefined ? "" : `Just before it, the model took this visit for ${percent(last.propensity)} likely to end so.`;
    drawThanks(DIALOGS.checkout, events.worth(lines), said, () => this.newVisit());
    DIALOGS.checkout.querySelector<HTMLElement>("h2")?.focus();
  }

  private bindDialog(dialog: HTMLDialogElement): void {
    dialog.addEventListener("click", (event) => {
      // A click on the backdrop hits the dialog itself, outside its box.
      const box = dialog.getBoundingClientRect();
      const inside =
        event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (event.target === dialog && !inside) {
        dialog.close();
      }
    });
    dialog.addEventListener("close", () => {
      // Closed by the visitor, not by going elsewhere: back to the list beneath.
      const route = parseRoute(location.hash);
      if (route !== undefined && route.view !== "list" && DIALOGS[route.view] === dialog) {
        location.hash = this.listHash;
      }
    });
  }

  private close(except?: HTMLDialogElement): void {
    for (const dialog of Object.values(DIALOGS)) {
      if (dialog !== except && dialog.open) {
        dialog.close();
      }
    }
  }

  private showBestSellers(): void {
    this.picks.show(this.catalogue.products.slice(0, PICKS).map((product) => ({ product })));
  }

  private laterPicks(): void {
    clearTimeout(this.picksTimer);
    this.picksTimer = setTimeout(() => void this.updatePicks(), QUIET);
  }

  private async updatePicks(): Promise<void> {
    if (this.scorer === undefined || this.foreign) {
      return;
    }
    try {
      // All of them, once: both shelves choose from the same ranking.
      const ranked = await this.scorer.recommend({ k: RANKED });
      this.picks.show(ranked.slice(0, PICKS).flatMap((pick) => this.known(pick)));
      this.updateBecause(ranked);
    } catch (thrown) {
      this.panel.failed(thrown);
    }
  }

  /** What is bought together with the product looked at last, by what would tempt this visitor most. */
  private updateBecause(ranked: Recommendation[]): void {
    const { looked } = this;
    const section = byId("because-section", HTMLElement);
    if (looked === undefined) {
      section.hidden = true;
      return;
    }
    const also = new Set(looked.also);
    const found = ranked.filter(({ item_id }) => also.has(item_id)).slice(0, BECAUSE);
    byId("because-name", HTMLElement).textContent = looked.name;
    this.because.show(found.flatMap((pick) => this.known(pick)));
    section.hidden = found.length === 0;
  }

  private known({ item_id, propensity }: Recommendation): Array<{ product: Product; propensity: number }> {
    const product = this.catalogue.get(item_id);
    return product === undefined ? [] : [{ product, propensity }];
  }

  private toast(words: string): void {
    clearTimeout(this.toastTimer);
    const toast = byId("toast", HTMLElement);
    toast.textContent = words;
    toast.classList.add("on");
    this.toastTimer = setTimeout(() => toast.classList.remove("on"), 2600);
  }
}

try {
  const shop = new Shop(await loadCatalogue(DATA.catalogue));
  await shop.start();
} catch (thrown) {
  byId("hero", HTMLElement).hidden = true;
  byId("grid", HTMLUListElement).replaceChildren(
    el(
      "li",
      { class: "broken" },
      el("h2", {}, "The shelves are empty."),
      el("p", {}, thrown instanceof Error ? thrown.message : String(thrown)),
      el("p", {}, "Build the data, the model and the page with one command in the repository:"),
      el("code", {}, "cargo xtask demo"),
    ),
  );
}
