// The gauge: an arc from 0 to 100 %, the number in its middle, and a mark where the model's threshold is.

import type { ModelInfo, Score } from "../index.js";
import { el, svg } from "./dom.js";
import { ordinal, percent, staySeconds } from "./format.js";

const CENTRE = { x: 120, y: 116 };
const RADIUS = 92;
/** The arc's first angle and its sweep, in degrees clockwise from three o'clock. */
const FROM = 160;
const SWEEP = 220;

function on(fraction: number, radius: number): { x: number; y: number } {
  const angle = ((FROM + SWEEP * fraction) * Math.PI) / 180;
  return { x: CENTRE.x + radius * Math.cos(angle), y: CENTRE.y + radius * Math.sin(angle) };
}

function arc(radius: number): string {
  const a = on(0, radius);
  const b = on(1, radius);
  return `M${a.x.toFixed(2)} ${a.y.toFixed(2)}A${radius} ${radius} 0 1 1 ${b.x.toFixed(2)} ${b.y.toFixed(2)}`;
}

/** The gauge of the panel. */
export class Gauge {
  private readonly value = svg("path", { d: arc(RADIUS), class: "gauge-value", pathLength: 100, stroke: "url(#gauge-colours)" });
  private readonly tip = svg("circle", { r: 5, class: "gauge-tip", cx: CENTRE.x + RADIUS, cy: CENTRE.y });
  private readonly mark = svg("g", { class: "gauge-mark" });
  private readonly number = el("b", { id: "gauge-number" }, "–");
  private readonly words = el("span", { id: "gauge-words" }, "likely to buy");
  private readonly rank = el("span", { id: "gauge-rank" }, "waiting for the model");

  constructor(private readonly host: HTMLElement) {
    const ticks = Array.from({ length: 11 }, (_, i) => {
      const a = on(i / 10, RADIUS - 14);
      const b = on(i / 10, RADIUS - (i % 5 === 0 ? 22 : 18));
      return svg("line", { x1: a.x, y1: a.y, x2: b.x, y2: b.y, class: "gauge-tick" });
    });
    const colours = svg(
      "linearGradient",
      { id: "gauge-colours", gradientUnits: "userSpaceOnUse", x1: CENTRE.x - RADIUS, y1: 0, x2: CENTRE.x + RADIUS, y2: 0 },
      svg("stop", { offset: 0, "stop-color": "#64b5ad" }),
      svg("stop", { offset: 0.5, "stop-color": "#f0c04e" }),
      svg("stop", { offset: 1, "stop-color": "#f2666f" }),
    );
    host.replaceChildren(
      svg(
        "svg",
        { viewBox: "0 0 240 164", "aria-hidden": "true", focusable: "false" },
        svg("defs", {}, colours),
        svg("path", { d: arc(RADIUS), class: "gauge-track" }),
        ...ticks,
        this.value,
        this.mark,
        this.tip,
      ),
      el("div", { class: "gauge-words" }, this.number, this.words, this.rank),
    );
    this.turn(0);
    host.dataset["empty"] = "";
  }

  /** Marks the model's threshold on the arc. */
  setModel(model: ModelInfo): void {
    const threshold = Math.min(1, Math.max(0, model.threshold));
    const a = on(threshold, RADIUS - 9);
    const b = on(threshold, RADIUS + 11);
    this.mark.replaceChildren(
      svg("title", {}, `From ${percent(threshold)} on, the model calls a visit a buyer's`),
      svg("line", { x1: a.x, y1: a.y, x2: b.x, y2: b.y }),
    );
  }

  /** Shows a score, or none. `scored` is that of the newest event, from which a stay may have led away. */
  show(score: Score | undefined, scored = score): void {
    if (score === undefined) {
      this.host.dataset["empty"] = "";
      this.number.textContent = "–";
      this.rank.textContent = "one moment";
      this.turn(0);
      return;
    }
    delete this.host.dataset["empty"];
    this.host.dataset["propensity"] = String(score.propensity);
    this.host.dataset["scored"] = String(scored?.propensity ?? score.propensity);
    this.host.dataset["shown"] = percent(scored?.propensity ?? score.propensity);
    this.host.dataset["waited"] = String(score.waited);
    this.number.textContent = percent(score.propensity);
    const stay = score.waited > 0 ? `, ${staySeconds(score.waited)} on this page` : "";
    this.rank.textContent = `${ordinal(Math.round(score.percentile))} percentile${stay}`;
    this.rank.title = `${Math.round(score.percentile)} % of the scores at moments spread over the validation sessions (held out from learning) lie below this one`;
    this.turn(score.propensity);
  }

  private turn(fraction: number): void {
    const part = Math.min(1, Math.max(0, fraction));
    // The content security policy forbids style attributes in markup, not styles set by script.
    this.value.style.strokeDasharray = `${part * 100} 200`;
    this.tip.style.transform = `rotate(${FROM + SWEEP * part}deg)`;
    this.tip.style.transformOrigin = `${CENTRE.x}px ${CENTRE.y}px`;
  }
}
