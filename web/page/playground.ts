// The playground: events in, the model's view of them and the score after each out.

import { PropenseError, type Scorer, type ShopEvent, loadScorer } from "../index.js";
import { byId, el, refill } from "./dom.js";
import { percent } from "./format.js";

const ITEM = { item_id: "85123A", item_name: "White Hanging Heart T-Light Holder", item_category: "Candles & Lighting", price: 2.95 };
/** Something to begin with: a visit that comes back to an item and takes it. */
const SAMPLE = [
  { event: "page_view", page_type: "informational", after: 0 },
  { event: "view_item", page_type: "product", after: 9, items: [ITEM] },
  { event: "view_item_list", page_type: "product", after: 40 },
  { event: "view_item", page_type: "product", after: 58, items: [ITEM] },
  { event: "add_to_cart", page_type: "product", after: 95, items: [{ ...ITEM, quantity: 2 }] },
  { event: "view_cart", page_type: "administrative", after: 110, items: [{ ...ITEM, quantity: 2 }] },
];

interface Step {
  event: ShopEvent;
  propensity: number;
  percentile: number;
}

const words = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
const status = byId("status", HTMLElement);
const problems = byId("problems", HTMLElement);

/** A list, an object, or one object a line. */
function read(text: string): ShopEvent[] {
  const trimmed = text.trim();
  if (trimmed === "") {
    return [];
  }
  try {
    const found = JSON.parse(trimmed) as ShopEvent | ShopEvent[];
    return Array.isArray(found) ? found : [found];
  } catch (thrown) {
    const lines = trimmed.split("\n").filter((line) => line.trim() !== "");
    return lines.map((line, i) => {
      try {
        return JSON.parse(line) as ShopEvent;
      } catch (inLine) {
        throw new Error(lines.length === 1 ? words(thrown) : `Line ${i + 1}: ${words(inLine)}`);
      }
    });
  }
}

async function run(scorer: Scorer, said: string[]): Promise<void> {
  said.length = 0;
  const context = JSON.parse(byId("context", HTMLInputElement).value || "{}") as Record<string, string>;
  const events = read(byId("events", HTMLTextAreaElement).value);
  scorer.reset(context);
  const opening = await scorer.score();
  const steps: Step[] = [];
  for (const event of events) {
    const before = scorer.stats.accepted;
    scorer.track(event);
    if (scorer.stats.accepted > before) {
      const { propensity, percentile } = await scorer.score();
      steps.push({ event, propensity, percentile });
    }
  }
  const [reasons, seen] = [await scorer.explain(), await scorer.features()];
  refill(problems, ...said.map((line) => el("p", {}, line)));
  const select = (chosen: number): void => {
    byId("steps", HTMLTableElement)
      .querySelectorAll("tbody tr")
      .forEach((row, i) => row.setAttribute("aria-selected", String(i === chosen + 1)));
    const values = chosen < 0 ? seen.context : (seen.rows[chosen] ?? []);
    const names = chosen < 0 ? seen.contextColumns : seen.columns;
    byId("features-note", HTMLElement).textContent =
      chosen < 0
        ? "The context: what is known before the first event. Numbers are in standard deviations from the training mean."
        : `The row of event ${chosen + 1} (${steps[chosen]?.event.event ?? ""}). Numbers are in standard deviations from the training mean; 1 marks the kind.`;
    const lines = names.map((name, i) =>
      el("tr", {}, el("td", {}, name), el("td", { class: "number" }, (values[i] ?? 0).toFixed(3))),
    );
    refill(byId("features", HTMLTableElement), el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Column"), el("th", { scope: "col", class: "number" }, "Value"))), el("tbody", {}, ...lines));
  };
  const line = (i: number, name: string, propensity: number, effect: string, text: string): HTMLTableRowElement => {
    const button = el("button", { type: "button", "aria-label": `Show what the model sees at ${i < 0 ? "the beginning" : `event ${i + 1}`}` }, i < 0 ? "start" : String(i + 1));
    button.addEventListener("click", () => select(i));
    return el("tr", {}, el("td", {}, button), el("td", {}, name), el("td", { class: "number" }, percent(propensity)), el("td", { class: "number" }, effect), el("td", {}, text));
  };
  const heads = ["Step", "Event", "Likely to buy", "Effect", "Why"].map((head, i) => el("th", { scope: "col", class: i === 2 || i === 3 ? "number" : "" }, head));
  refill(
    byId("steps", HTMLTableElement),
    el("thead", {}, el("tr", {}, ...heads)),
    el(
      "tbody",
      {},
      line(-1, "before the first event", opening.propensity, "", "what the context alone says"),
      ...steps.map(({ event, propensity }, i) => {
        const reason = reasons[i];
        const effect = reason === undefined ? "" : `${reason.effect < 0 ? "−" : "+"}${Math.abs(reason.effect).toFixed(2)}`;
        return line(i, event.event, propensity, effect, reason?.text ?? "");
      }),
    ),
  );
  select(steps.length - 1);
  byId("result", HTMLElement).hidden = false;
  status.textContent = `${steps.length} of ${events.length} events counted.`;
}

const now = Date.now() - 120_000;
byId("events", HTMLTextAreaElement).value = SAMPLE.map(({ after, ...event }) => JSON.stringify({ ...event, timestamp: now + after * 1000 })).join("\n");
try {
  const said: string[] = [];
  const scorer = await loadScorer(new URL("models/giftshop.propense", document.baseURI), {
    backend: "wasm",
    onInvalid: (error) => said.push(error.message),
  });
  const button = byId("run", HTMLButtonElement);
  button.disabled = false;
  status.textContent = `${scorer.model.name}, ${scorer.model.features.length} columns.`;
  byId("form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    button.disabled = true;
    run(scorer, said)
      .catch((thrown: unknown) => {
        refill(problems, el("p", {}, words(thrown)));
        status.textContent = "Nothing was scored.";
      })
      .finally(() => {
        button.disabled = false;
      });
  });
} catch (thrown) {
  status.textContent = "The model could not be loaded.";
  refill(problems, el("p", {}, thrown instanceof PropenseError ? `${thrown.code}: ${thrown.message}` : words(thrown)), el("p", {}, "Build everything with cargo xtask demo."));
}
