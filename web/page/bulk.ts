// Scoring a thousand sessions: how fast this device is, and how well the scores tell buyers apart.

import type { Backend, Scorer } from "../index.js";
import { el, svg } from "./dom.js";
import { count, percent } from "./format.js";
import { auc, histogram } from "./metrics.js";
import type { Sample } from "./samples.js";

const BINS = 20;

/** What came out. */
export interface BulkResult {
  scores: Float32Array;
  outcomes: boolean[];
  /** Seconds spent scoring. */
  seconds: number;
  backend: Backend;
}

/** Scores the sessions; the page stays usable meanwhile. Rejects when the signal says stop. */
export async function scoreAll(
  scorer: Scorer,
  samples: readonly Sample[],
  onProgress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<BulkResult> {
  const begun = performance.now();
  const scores = await scorer.scoreSessions(
    // The outcome is not handed over.
    samples.map(({ context, events }) => ({ context, events })),
    { onProgress, signal },
  );
  return {
    scores,
    outcomes: samples.map(({ bought }) => bought),
    seconds: (performance.now() - begun) / 1000,
    backend: scorer.backendInfo.batch,
  };
}

/** The result as the panel shows it. */
export function drawResult({ scores, outcomes, seconds, backend }: BulkResult): HTMLElement {
  const area = auc(scores, outcomes);
  const buyers = outcomes.filter((bought) => bought).length;
  const sorted = Float32Array.from(scores).sort();
  // The axis ends where nearly all scores do; the last bin holds the rest.
  const top = Math.min(1, Math.max(0.1, Math.ceil((sorted[Math.floor(sorted.length * 0.995)] ?? 1) * 10) / 10));
  const rate = scores.length / Math.max(seconds, 1e-6);
  return el(
    "div",
    { class: "bulk", "data-auc": area ?? "", "data-backend": backend, "data-count": scores.length },
    el(
      "dl",
      { class: "facts" },
      el("div", {}, el("dt", {}, "Time"), el("dd", {}, `${seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(0)} s`)),
      el("div", {}, el("dt", {}, "Per second"), el("dd", {}, count(rate))),
      el("div", { title: "Chance that a buyer scores higher than another visitor" }, el("dt", {}, "AUC"), el("dd", {}, area === undefined ? "–" : area.toFixed(3))),
    ),
    drawHistogram(scores, outcomes, top),
    el(
      "p",
      { class: "legend" },
      el("span", { class: "key bought" }, `${count(buyers)} bought`),
      el("span", { class: "key left" }, `${count(outcomes.length - buyers)} left`),
      el("span", {}, `on ${backend === "webgpu" ? "WebGPU" : "the CPU"}, each after its last event before the outcome`),
    ),
  );
}

function drawHistogram(scores: Float32Array, outcomes: readonly boolean[], top: number): SVGSVGElement {
  const { bought, left } = histogram(scores, outcomes, BINS, top);
  const most = Math.max(...bought, ...left, 1e-9);
  const width = 340 / BINS;
  const bars = (shares: readonly number[], name: string, offset: number): SVGElement[] =>
    shares.map((share, i) => {
      const height = (share / most) * 74;
      return svg("rect", { x: i * width + offset, y: 80 - height, width: width / 2 - 1, height, class: name, rx: 1 });
    });
  return svg(
    "svg",
    { viewBox: "0 0 340 96", class: "histogram", role: "img", "aria-label": `Histogram of the scores from 0 to ${percent(top)}, of visits with an order and without, each as a share of its own kind.` },
    svg("line", { x1: 0, x2: 340, y1: 80.5, y2: 80.5, class: "curve-rule" }),
    ...bars(left, "left", 0.5),
    ...bars(bought, "bought", width / 2),
    svg("text", { x: 0, y: 93, class: "axis" }, "0%"),
    svg("text", { x: 340, y: 93, class: "axis end" }, percent(top)),
  );
}
