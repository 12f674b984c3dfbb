// The panel: gauge, curve, reasons and facts of the running visit, and the sheet that it is on a phone.

import { PropenseError, type Reason, type Scorer } from "../index.js";
import { Curve, drawSpark } from "./curve.js";
import { byId, el } from "./dom.js";
import { count, duration, eventWords, ordinal, percent } from "./format.js";
import { Gauge } from "./gauge.js";
import type { VisitState } from "./visit.js";

/** Reasons that the panel lists. */
const REASONS = 3;
/** Milliseconds between two spoken values: a screen reader should not talk without end. */
const CALM = 4000;

/** The panel beside the shelves. */
export class Panel {
  private readonly root = byId("panel", HTMLElement);
  private readonly gauge = new Gauge(byId("gauge", HTMLElement));
  private readonly curve = new Curve(byId("curve", HTMLElement));
  private readonly live = byId("live", HTMLElement);
  private readonly phone = matchMedia("(max-width: 999px)");
  private spokenAt = 0;
  private speech: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    const bar = byId("panel-bar", HTMLButtonElement);
    bar.addEventListener("click", () => this.open(bar.getAttribute("aria-expanded") !== "true"));
    this.phone.addEventListener("change", () => this.open(false));
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.phone.matches) {
        this.open(false);
        bar.focus();
      }
    });
    this.open(false);
  }

  /** Opens or closes the sheet (on a phone; beside the shelves the panel is always open). */
  private open(open: boolean): void {
    const sheet = this.phone.matches;
    byId("panel-bar", HTMLButtonElement).setAttribute("aria-expanded", String(open));
    this.root.classList.toggle("open", open && sheet);
    // What lies beneath the fold of a closed sheet must not take the keyboard's focus.
    byId("panel-body", HTMLElement).inert = sheet && !open;
  }

  /** The model is there. */
  ready(scorer: Scorer): void {
    this.root.dataset["state"] = "ready";
    this.gauge.setModel(scorer.model);
    const fact = byId("fact-model", HTMLElement);
    fact.textContent = shortVersion(scorer.model.version);
    fact.title = `${scorer.model.name}, version ${scorer.model.version}, made ${scorer.model.createdAt}`;
    for (const id of ["replay", "bulk", "new-visit"]) {
      byId(id, HTMLButtonElement).disabled = false;
    }
  }

  /** The model cannot be used: says why, and what to do. The shop goes on without it. */
  failed(thrown: unknown): void {
    this.root.dataset["state"] = "failed";
    const code = thrown instanceof PropenseError ? thrown.code : undefined;
    const missing = code === "NOT_FOUND";
    const notice = byId("notice", HTMLElement);
    notice.hidden = false;
    notice.replaceChildren(
      el("b", {}, missing ? "The model has not been built yet." : "The model could not be used."),
      el("p", {}, "Build and train everything, then serve this page, with one command in the repository:"),
      el("code", {}, "cargo xtask demo"),
      el("p", { class: "detail" }, `${code === undefined ? "" : `${code}: `}${thrown instanceof Error ? thrown.message : String(thrown)}`),
    );
    byId("bar-note", HTMLElement).textContent = "No model yet: open for the remedy";
    byId("gauge-rank", HTMLElement).textContent = "no model";
  }

  /** Draws the visit as it stands. */
  draw(state: VisitState): void {
    const { points } = state;
    const latest = state.staying ?? state.latest;
    this.gauge.show(latest, state.latest);
    this.curve.draw(state);
    this.drawReasons(state.reasons, state);
    this.root.toggleAttribute("data-busy", state.busy);
    this.root.toggleAttribute("data-ordered", state.ordered);
    byId("fact-events", HTMLElement).textContent = count(points.length);
    drawSpark(byId("bar-spark", SVGElement), state);
    if (latest === undefined) {
      byId("bar-number", HTMLElement).textContent = "–";
      return;
    }
    const micros = byId("fact-micros", HTMLElement);
    micros.textContent = duration(latest.micros);
    micros.dataset["backend"] = latest.backend;
    byId("bar-number", HTMLElement).textContent = percent(latest.propensity);
    byId("bar-note", HTMLElement).textContent = `${ordinal(Math.round(latest.percentile))} percentile · ${latest.backend === "webgpu" ? "WebGPU" : "CPU"}`;
    if (state.staying === undefined) this.speak(`Likely to buy: ${percent(latest.propensity)}, ${ordinal(Math.round(latest.percentile))} percentile.`);
  }

  /** Says whose visit this is. */
  setVisit(title: string, note: string): void {
    byId("curve-title", HTMLElement).textContent = title;
    byId("visit-note", HTMLElement).textContent = note;
  }

  private drawReasons(reasons: readonly Reason[], { points }: VisitState): void {
    const strongest = [...reasons].sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect)).slice(0, REASONS);
    const most = Math.max(0.5, ...strongest.map(({ effect }) => Math.abs(effect)));
    const rows = strongest.map((reason) => {
      const bar = el("i", { class: reason.effect < 0 ? "down" : "up" });
      bar.style.width = `${(Math.abs(reason.effect) / most) * 50}%`;
      const label = points[reason.index]?.label;
      return el(
        "li",
        {},
        el("span", { class: "reason-what" }, el("b", {}, eventWords(reason.event)), label === undefined ? undefined : el("span", {}, label)),
        el("span", { class: "reason-why" }, reason.feature),
        el("span", { class: "reason-bar", "aria-hidden": "true" }, bar),
        el("span", { class: "reason-effect", title: "Factor on the odds of an order" }, oddsFactor(reason.effect)),
      );
    });
    byId("reasons", HTMLOListElement).replaceChildren(
      ...(rows.length === 0 ? [el("li", { class: "none" }, "Nothing has happened yet. Look at something you like.")] : rows),
    );
  }

  private speak(words: string): void {
    clearTimeout(this.speech);
    const wait = Math.max(0, this.spokenAt + CALM - Date.now());
    this.speech = setTimeout(() => {
      this.spokenAt = Date.now();
      this.live.textContent = words;
    }, wait);
  }
}

/** An effect on the logit as the factor by which it multiplies the odds. */
function oddsFactor(effect: number): string {
  const factor = Math.exp(effect);
  return `× ${factor >= 10 ? factor.toFixed(0) : factor.toFixed(2)}`;
}

/** Of `name@checksum` the part that people compare; the title holds it all. */
function shortVersion(version: string): string {
  return (version.split("@").at(-1) ?? version).slice(0, 8);
}
