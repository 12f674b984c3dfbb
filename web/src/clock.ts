/** Measuring what is far shorter than a browser's clock can tell. */
import type { Engine } from "./glue.js";

/** Long enough for the 0.1 ms to which browsers round their clock. */
const ENOUGH_MS = 0.6;
const MOST = 1 << 14;

/**
 * Microseconds of one model step with its head on the CPU: the last event's step is repeated on a
 * copy of the state until the clock can tell. `times` is a first guess of how often.
 */
export function stepMicros(engine: Engine, times: number): { micros: number; times: number } {
  for (let count = Math.max(1, times); ; count *= 4) {
    const start = performance.now();
    engine.repeat_last_step(count);
    const elapsed = performance.now() - start;
    if (elapsed >= ENOUGH_MS || count >= MOST) {
      const micros = (elapsed * 1000) / count;
      return { micros, times: Math.max(1, Math.round((ENOUGH_MS * 1500) / Math.max(micros, 0.1))) };
    }
  }
}

/** The middle of three measurements in microseconds; the work is done once before. */
export async function medianMicros(work: () => unknown): Promise<number> {
  await work();
  const taken: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    const start = performance.now();
    await work();
    taken.push((performance.now() - start) * 1000);
  }
  taken.sort((a, b) => a - b);
  return taken[1] ?? 0;
}
