// A file of sessions, scored on this device: histogram, the likeliest, and the scores to take away.

import { PropenseError, type Scorer, loadScorer } from "../index.js";
import { loadCatalogue } from "./catalogue.js";
import { byId, el, refill, svg } from "./dom.js";
import { count, percent } from "./format.js";
import { loadSamples } from "./samples.js";
import { type FileSession, readSessions } from "./session-file.js";

const BINS = 25;
const TOP = 10;
const here = (path: string): URL => new URL(path, document.baseURI);
const words = (thrown: unknown): string =>
  thrown instanceof PropenseError ? `${thrown.code}: ${thrown.message}` : thrown instanceof Error ? thrown.message : String(thrown);

const status = byId("status", HTMLElement);
const problems = byId("problems", HTMLElement);
const progress = byId("progress", HTMLProgressElement);
const input = byId("file", HTMLInputElement);
const sample = byId("sample", HTMLButtonElement);
let address: string | undefined;

/** Scores what `read` gives; one file at a time. */
async function work(scorer: Scorer, name: string, read: () => Promise<FileSession[]>): Promise<void> {
  input.disabled = sample.disabled = true;
  refill(problems);
  byId("result", HTMLElement).hidden = true;
  status.textContent = `Reading ${name} …`;
  try {
    const sessions = await read();
    if (sessions.length === 0) {
      throw new Error("There are no sessions in it.");
    }
    progress.hidden = false;
    status.textContent = `Scoring ${count(sessions.length)} sessions …`;
    const { rejected, repaired } = scorer.stats;
    const begun = performance.now();
    const scores = await scorer.scoreSessions(sessions, {
      onProgress: (done, total) => {
        progress.value = done / total;
      },
    });
    const seconds = (performance.now() - begun) / 1000;
    draw(scorer, sessions, scores, seconds);
    const [left, mended] = [scorer.stats.rejected - rejected, scorer.stats.repaired - repaired];
    const care = left + mended === 0 ? "" : ` ${count(left)} events were set aside, ${count(mended)} repaired.`;
    status.textContent = `${name}: ${count(sessions.length)} sessions scored in ${seconds.toFixed(2)} s.${care}`;
  } catch (thrown) {
    status.textContent = `${name} was not scored.`;
    refill(problems, el("p", {}, words(thrown)));
  } finally {
    progress.hidden = true;
    input.disabled = sample.disabled = false;
    input.value = "";
  }
}

function draw(scorer: Scorer, sessions: readonly FileSession[], scores: Float32Array, seconds: number): void {
  const { threshold, version } = scorer.model;
  const mean = scores.reduce((sum, each) => sum + each, 0) / scores.length;
  const above = scores.filter((each) => each >= threshold).length;
  const fact = (name: string, value: string): HTMLElement => el("div", {}, el("dt", {}, name), el("dd", {}, value));
  refill(
    byId("facts", HTMLElement),
    fact("Sessions", count(scores.length)),
    fact("Mean propensity", percent(mean)),
    fact(`At ${percent(threshold)} or more`, count(above)),
    fact("Per second", count(scores.length / Math.max(seconds, 1e-6))),
  );
  refill(byId("histogram", HTMLElement), histogram(scores));
  const order = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  const heads = ["Session", "Events", "Likely to buy"].map((head, i) => el("th", { scope: "col", class: i > 0 ? "number" : "" }, head));
  refill(
    byId("top", HTMLTableElement),
    el("thead", {}, el("tr", {}, ...heads)),
    el(
      "tbody",
      {},
      ...order.slice(0, TOP).map((at) =>
        el("tr", {}, el("td", {}, sessions[at]?.name ?? ""), el("td", { class: "number" }, count(sessions[at]?.events.length ?? 0)), el("td", { class: "number" }, percent(scores[at] ?? 0))),
      ),
    ),
  );
  // A formula in a name must not run in somebody's spreadsheet.
  const quote = (text: string): string => `"${text.replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;
  const lines = sessions.map(({ name, events }, at) => `${quote(name)},${events.length},${(scores[at] ?? 0).toFixed(6)},${quote(version)}`);
  if (address !== undefined) {
    URL.revokeObjectURL(address);
  }
  address = URL.createObjectURL(new Blob([`session_id,events,propensity,model\n${lines.join("\n")}\n`], { type: "text/csv" }));
  byId("download", HTMLAnchorElement).href = address;
  byId("result", HTMLElement).hidden = false;
}

function histogram(scores: Float32Array): SVGSVGElement {
  const bins = new Array<number>(BINS).fill(0);
  for (const score of scores) {
    const bin = Math.min(BINS - 1, Math.floor(score * BINS));
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  const most = Math.max(...bins, 1);
  const width = 500 / BINS;
  const bars = bins.map((size, i) => {
    const height = (size / most) * 120;
    return svg("rect", { x: i * width + 1, y: 130 - height, width: width - 2, height, rx: 1 });
  });
  return svg(
    "svg",
    { viewBox: "0 0 500 146", role: "img", "aria-label": `Histogram of ${scores.length} propensities from 0 to 100 %; the fullest of ${BINS} bars holds ${most}.` },
    svg("line", { x1: 0, x2: 500, y1: 130.5, y2: 130.5 }),
    ...bars,
    ...[0, 0.25, 0.5, 0.75, 1].map((part) => svg("text", { x: part * 500, y: 142, "text-anchor": part === 0 ? "start" : part === 1 ? "end" : "middle" }, `${part * 100}%`)),
  );
}

try {
  const scorer = await loadScorer(here("models/giftshop.propense"), { backend: "auto", onInvalid: () => undefined });
  const take = (file: File | undefined): void => {
    if (file && !input.disabled) {
      void work(scorer, file.name, () => readSessions(file, scorer.model.sessionGap));
    }
  };
  input.addEventListener("change", () => take(input.files?.[0]));
  sample.addEventListener("click", () => {
    void work(scorer, "The sample", async () => {
      const samples = await loadSamples(here("data/sample-sessions.json"), await loadCatalogue(here("data/catalogue.json")));
      return samples.map(({ context, events }, i) => ({ name: `sample-${i + 1}`, context, events }));
    });
  });
  const drop = byId("drop", HTMLElement);
  for (const kind of ["dragover", "dragleave", "drop"] as const) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop") {
        take(event.dataTransfer?.files[0]);
      }
    });
  }
  input.disabled = sample.disabled = false;
  status.textContent = `${scorer.model.name} is ready.`;
} catch (thrown) {
  status.textContent = "The model could not be loaded.";
  refill(problems, el("p", {}, words(thrown)), el("p", {}, "Build everything with cargo xtask demo."));
}
