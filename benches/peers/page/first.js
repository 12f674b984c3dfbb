// From navigation to the first score, in an empty page: what a visitor waits for. Each implementation
// scores the same session of 32 events: Propense as a shop uses it, events in and a propensity out,
// the others from the rows that its featuriser makes of these.
import { address, bytes } from "./inputs.js";
import { events, padded } from "./visit.js";

const FEATURES = 16;
const [file, backend] = location.hash.slice(1).split("/");

const phases = {};
const mark = (name) => {
  phases[name] = performance.now();
};

async function propense() {
  const scorer = await globalThis.propense.loadScorer(address("network.propense"), { backend });
  mark("loaded");
  for (const event of events()) scorer.track(event);
  const { propensity } = await scorer.score();
  mark("score");
  return Math.log(propensity / (1 - propensity));
}

async function peer() {
  const rows = padded();
  const height = rows.length / FEATURES;
  const inputs = { address, bytes, features: FEATURES, height, sessions: 1, padded: rows, firstPadded: rows };
  const runtime = await (await import(`./${file}.js`))[backend](inputs);
  mark("loaded");
  const [logit] = await runtime.one();
  mark("score");
  return logit;
}

mark("page");
globalThis.outcome = (file === "propense" ? propense() : peer()).then((logit) => ({
  logit,
  phases,
  resources: performance
    .getEntriesByType("resource")
    .map(({ name, startTime, responseEnd }) => [new URL(name).pathname, startTime, responseEnd]),
  measures: performance
    .getEntriesByType("measure")
    .map(({ name, startTime, duration }) => [name, startTime, startTime + duration]),
}));
