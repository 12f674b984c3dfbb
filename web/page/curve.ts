// The curve of the propensity over the visit, with a mark for every event. A pointer or the arrow keys
// move along it; what an event did stands in the tooltip.

import { el, refill, svg } from "./dom.js";
import { clock, eventWords, percent } from "./format.js";
import type { Point, VisitState } from "./visit.js";

const WIDTH = 340;
const HEIGHT = 118;
const PAD = { left: 30, right: 10, top: 10, bottom: 16 };
/** Width of the stay since the newest event, in events. */
const STAY = 0.7;
/** Heights of the axis: the smallest that holds the curve is used. */
const TOPS = [0.1, 0.25, 0.5, 1];

interface Spot {
  x: number;
  y: number;
  propensity: number;
  point?: Point;
}

/** Marks by event: a path around the origin, and the class that colours it. */
const MARKS: Record<string, { path: string; kind: string }> = {
  view_item: { path: "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z", kind: "look" },
  view_item_list: { path: "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z", kind: "list" },
  add_to_cart: { path: "M0-5.5 5 3.500h-10z", kind: "add" },
  remove_from_cart: { path: "M0 5.5 5-3.500h-10z", kind: "remove" },
  view_cart: { path: "M-3.5-3.500h7v7h-7z", kind: "cart" },
  begin_checkout: { path: "M0-5 5 0 0 5-5 0z", kind: "checkout" },
  purchase: { path: "m0-7 2 4.6 5 .4-3.8 3.2 1.2 4.800L0 3.5-4.4 6l1.2-4.800L-7-2l5-.4z", kind: "order" },
};
const OTHER = { path: "M-2.5-2.500h5v5h-5z", kind: "page" };

/** The curve of the panel. */
export class Curve {
  private readonly chart = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", tabindex: 0, id: "curve-chart" });
  private readonly tip = el("div", { class: "tip", id: "curve-tip", hidden: true });
  private spots: Spot[] = [];
  private chosen = -1;

  constructor(host: HTMLElement) {
    host.replaceChildren(this.chart, this.tip);
    this.chart.addEventListener("pointermove", (event) => {
      const box = this.chart.getBoundingClientRect();
      this.choose(this.nearest(((event.clientX - box.left) / box.width) * WIDTH));
    });
    this.chart.addEventListener("pointerleave", () => this.choose(-1));
    this.chart.addEventListener("blur", () => this.choose(-1));
    this.chart.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
      if (step === undefined || this.spots.length === 0) {
        return;
      }
      event.preventDefault();
      const from = this.chosen < 0 ? this.spots.length : this.chosen;
      this.choose(Math.min(this.spots.length - 1, Math.max(0, from + step)));
    });
    this.draw({ points: [], reasons: [], busy: false, ordered: false });
  }

  /** Draws the visit as it stands. */
  draw({ points, opening, staying }: VisitState): void {
    const known = [opening, ...points.map(({ score }) => score), staying].flatMap((score) => score?.propensity ?? []);
    const top = TOPS.find((height) => height >= Math.max(0.05, ...known) * 1.08) ?? 1;
    const x = (i: number): number =>
      PAD.left + ((WIDTH - PAD.left - PAD.right) * i) / Math.max(1, points.length + (staying ? STAY : 0));
    const y = (propensity: number): number =>
      PAD.top + (HEIGHT - PAD.top - PAD.bottom) * (1 - Math.min(1, propensity / top));
    this.spots = [];
    if (opening !== undefined) {
      this.spots.push({ x: x(0), y: y(opening.propensity), propensity: opening.propensity });
    }
    // An event without a score of its own (several shared one, or the order itself) stands on the line.
    let last = opening?.propensity;
    points.forEach((point, i) => {
      last = point.score?.propensity ?? last;
      if (last !== undefined) {
        this.spots.push({ x: x(i + 1), y: y(last), propensity: last, point });
      }
    });
    const line = this.spots.map((spot, i) => `${i === 0 ? "M" : "L"}${spot.x.toFixed(1)} ${spot.y.toFixed(1)}`).join("");
    const first = this.spots[0];
    const end = this.spots.at(-1);
    const floor = HEIGHT - PAD.bottom;
    // How far the stay since the newest event has led, apart from what events did.
    const stay =
      staying === undefined || end === undefined
        ? []
        : [
            svg("line", { x1: end.x, y1: end.y, x2: WIDTH - PAD.right, y2: y(staying.propensity), class: "curve-stay" }),
            svg("circle", { cx: WIDTH - PAD.right, cy: y(staying.propensity), r: 3, class: "curve-now" }),
          ];
    const area = first === undefined || end === undefined ? "" : `${line}L${end.x.toFixed(1)} ${floor}L${first.x.toFixed(1)} ${floor}z`;
    this.chart.setAttribute("aria-label", describe(points, known));
    this.chart.replaceChildren(
      svg(
        "defs",
        {},
        svg(
          "linearGradient",
          { id: "curve-fade", x1: 0, y1: 0, x2: 0, y2: 1 },
          svg("stop", { offset: 0, "stop-color": "#f0c04e", "stop-opacity": 0.34 }),
          svg("stop", { offset: 1, "stop-color": "#f0c04e", "stop-opacity": 0 }),
        ),
      ),
      ...[0, 0.5, 1].flatMap((part) => {
        const at = y(part * top);
        return [
          svg("line", { x1: PAD.left, x2: WIDTH - PAD.right, y1: at, y2: at, class: "curve-rule" }),
          svg("text", { x: PAD.left - 6, y: at + 3.5, class: "curve-scale" }, axisLabel(part * top)),
        ];
      }),
      svg("path", { d: area, class: "curve-area" }),
      svg("path", { d: line, class: "curve-line" }),
      ...stay,
      ...this.spots.map((spot) => {
        const mark = spot.point === undefined ? undefined : (MARKS[spot.point.event] ?? OTHER);
        return svg("path", {
          d: mark?.path ?? "M-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0z",
          class: `mark mark-${mark?.kind ?? "opening"}`,
          transform: `translate(${spot.x.toFixed(1)} ${spot.y.toFixed(1)})`,
        });
      }),
      svg("line", { y1: PAD.top, y2: floor, class: "curve-cursor", id: "curve-cursor" }),
      points.length === 0
        ? svg("text", { x: WIDTH - PAD.right, y: HEIGHT - 4, class: "curve-foot" }, "each event will add a point")
        : svg("text", { x: WIDTH - PAD.right, y: HEIGHT - 4, class: "curve-foot" }, spanOf(points)),
    );
    if (this.chosen >= 0) {
      this.choose(Math.min(this.chosen, this.spots.length - 1));
    }
  }

  private nearest(x: number): number {
    let best = -1;
    let distance = Infinity;
    this.spots.forEach((spot, i) => {
      const d = Math.abs(spot.x - x);
      if (d < distance) {
        distance = d;
        best = i;
      }
    });
    return best;
  }

  private choose(i: number): void {
    this.chosen = i;
    const spot = this.spots[i];
    const cursor = this.chart.querySelector("#curve-cursor");
    this.tip.hidden = spot === undefined;
    cursor?.classList.toggle("on", spot !== undefined);
    if (spot === undefined) {
      return;
    }
    cursor?.setAttribute("x1", String(spot.x));
    cursor?.setAttribute("x2", String(spot.x));
    const change = spot.propensity - (this.spots[i - 1]?.propensity ?? spot.propensity);
    const shift = i === 0 ? "" : ` (${change < 0 ? "−" : "+"}${(Math.abs(change) * 100).toFixed(1)} points)`;
    const begun = this.spots.find(({ point }) => point !== undefined)?.point?.timestamp;
    refill(
      this.tip,
      el("b", {}, spot.point === undefined ? "Before the first event" : eventWords(spot.point.event)),
      el("span", {}, spot.point?.label ?? "what the context alone says"),
      el("span", { class: "tip-number" }, `${percent(spot.propensity)}${shift}`),
      spot.point === undefined || begun === undefined
        ? undefined
        : el("small", {}, `${clock((spot.point.timestamp - begun) / 1000)} into the visit`),
    );
    // The tooltip stands on whichever side of the event has room.
    const part = spot.x / WIDTH;
    this.tip.classList.toggle("leftwards", part > 0.5);
    this.tip.style.left = `${part * 100}%`;
  }
}

function axisLabel(propensity: number): string {
  const value = propensity * 100;
  return Number.isInteger(value) ? `${value}%` : `${value.toFixed(1)}%`;
}

function spanOf(points: readonly Point[]): string {
  const seconds = ((points.at(-1)?.timestamp ?? 0) - (points[0]?.timestamp ?? 0)) / 1000;
  return `${points.length === 1 ? "1 event" : `${points.length} events`} · ${clock(seconds)}`;
}

function describe(points: readonly Point[], known: readonly number[]): string {
  const now = known.at(-1);
  if (now === undefined) {
    return "Curve of the propensity over the visit: no score yet.";
  }
  return `Curve of the propensity over ${points.length} events, from ${percent(known[0] ?? now)} to ${percent(now)}. Arrow keys move along it.`;
}

/** A line without axes, for the bar that stands in for the panel on a phone. */
export function drawSpark(host: SVGElement, { points, opening }: VisitState): void {
  const values = [opening, ...points.map(({ score }) => score)].flatMap((score) => score?.propensity ?? []);
  const top = Math.max(0.05, ...values);
  const at = (value: number, i: number): string =>
    `${((90 * i) / Math.max(1, values.length - 1)).toFixed(1)} ${(27 - 24 * (value / top)).toFixed(1)}`;
  host.replaceChildren(
    svg("polyline", { points: values.map(at).join(" "), class: "spark", "vector-effect": "non-scaling-stroke" }),
  );
}
