// One implementation in a page: `begin(file, backend)`, then `time(case, repeats)`.
import { read } from "./inputs.js";

let runtime;

/** Starts it, and gives the logits of all sessions and of the first alone. */
globalThis.begin = async (file, backend) => {
  const inputs = await read();
  runtime = await (await import(`./${file}`))[backend](inputs);
  const one = (await runtime.one())[0];
  const logits = Array.from(await runtime.many());
  const live = runtime.live ? await runtime.live() : one;
  const work = { one: { parts: 1, work: runtime.one }, many: { parts: 1, work: runtime.many }, ...runtime.cases };
  runtime.work = work;
  return { one: live, single: one, logits, threads: runtime.threads ?? null, cases: Object.keys(work) };
};

/**
 * Microseconds of each of so many repetitions of a case, of which each does the work `inner` times: a
 * page's clock is coarser than the work is short.
 */
globalThis.time = async (name, repeats, inner) => {
  const { parts, work } = runtime.work[name];
  const times = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const start = performance.now();
    for (let again = 0; again < inner; again += 1) {
      const result = work();
      // What is not a promise is done; waiting for it would count a turn of the event loop.
      if (result instanceof Promise) await result;
    }
    times.push(((performance.now() - start) * 1000) / inner / parts);
  }
  return times;
};
