/** Scoring many sessions without holding the page up. */
import { PropenseError } from "./errors.js";
import { type Engine, call } from "./glue.js";
import type { Gpu } from "./gpu.js";
import type { BatchOptions, ShopSession } from "./types.js";

/** Sessions featurised and scored at a time: large enough for a GPU, a few milliseconds of CPU. */
const CHUNK = { wasm: 32, webgpu: 256 };

/** Where the next chunk is to be computed; undefined is the CPU. */
type Place = () => Gpu | undefined;

/**
 * The propensity of each session. A GPU that breaks midway is told to `onBroken`, and the chunk
 * is computed again wherever `place` says then.
 */
export async function scoreSessions(
  engine: Engine,
  sessions: readonly ShopSession[],
  place: Place,
  onBroken: (gpu: Gpu, thrown: unknown) => void,
  check: () => void,
  options: BatchOptions,
): Promise<Float32Array> {
  if (!Array.isArray(sessions)) {
    throw new PropenseError("ARGUMENT", "scoreSessions wants an array of { context?, events }");
  }
  const propensities = new Float32Array(sessions.length);
  let done = 0;
  while (done < sessions.length) {
    stopIf(options.signal);
    check();
    const gpu = place();
    const chunk = sessions.slice(done, done + CHUNK[gpu ? "webgpu" : "wasm"]);
    const prepared = call(() => engine.prepare(toJson(chunk)));
    let logits: Float32Array;
    try {
      logits = gpu ? await gpu.score(prepared) : call(() => engine.score(prepared));
    } catch (thrown) {
      if (!gpu) throw thrown;
      onBroken(gpu, thrown);
      continue;
    } finally {
      prepared.free();
    }
    check();
    logits.forEach((logit, at) => {
      propensities[done + at] = engine.probability(logit);
    });
    done += chunk.length;
    options.onProgress?.(done, sessions.length);
    await breathe();
  }
  return propensities;
}

function toJson(sessions: readonly ShopSession[]): string {
  try {
    return JSON.stringify(sessions);
  } catch (thrown) {
    throw new PropenseError("ARGUMENT", "the sessions cannot be written as JSON", { cause: thrown });
  }
}

function stopIf(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new PropenseError("ABORTED", "scoring was stopped", { cause: signal.reason });
  }
}

/** Lets the page draw and answer clicks. A message is not slowed down as nested timers are. */
function breathe(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
