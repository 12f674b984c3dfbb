/** Scoring many sessions without holding the page up. */
import { PropenseError, asPropenseError } from "./errors.js";
import { type Engine, type Prepared, call } from "./glue.js";
import type { Gpu } from "./gpu.js";
import { contextJson, eventJson } from "./json.js";
import { type Ledger, notify } from "./ledger.js";
import type { BatchOptions, ShopSession } from "./types.js";

/** Sessions featurised and scored at a time: large enough for a GPU, a few milliseconds of CPU. */
const CHUNK = { wasm: 32, webgpu: 256 };

/** What scoring in bulk needs of its scorer. */
export interface BatchHost {
  readonly engine: Engine;
  /** Where every event is counted, and what was wrong with it is told. */
  readonly ledger: Ledger;
  /** Items of an event that count. */
  readonly maxItems: number;
  /** Where the next chunk is to be computed; undefined is the CPU. */
  place(): Gpu | undefined;
  /** Told of a GPU that broke midway; the chunk is computed again wherever `place` says then. */
  broke(gpu: Gpu, thrown: unknown): void;
  /** Throws where the scorer has been disposed of. */
  alive(): void;
}

/** The propensity of each session. */
export async function scoreSessions(
  host: BatchHost,
  sessions: readonly ShopSession[],
  options: BatchOptions,
): Promise<Float32Array> {
  if (!Array.isArray(sessions)) {
    throw new PropenseError("ARGUMENT", "scoreSessions wants an array of { context?, events }");
  }
  // All of them before any work: a wrong call has no effect.
  sessions.forEach((session: Partial<ShopSession> | null | undefined, at) => {
    if (!Array.isArray(session?.events)) {
      throw new PropenseError("ARGUMENT", `sessions[${at}] has no list of events`);
    }
  });
  const { engine } = host;
  const propensities = new Float32Array(sessions.length);
  let done = 0;
  while (done < sessions.length) {
    stopIf(options.signal);
    host.alive();
    const size = CHUNK[host.place() ? "webgpu" : "wasm"];
    const prepared = gather(host, sessions, done, Math.min(sessions.length, done + size));
    try {
      const logits = await score(host, prepared);
      host.alive();
      for (const [at, logit] of logits.entries()) {
        propensities[done + at] = engine.probability(logit);
      }
      done += logits.length;
    } finally {
      prepared.free();
    }
    notify(() => options.onProgress?.(done, sessions.length));
    await breathe();
  }
  return propensities;
}

/** The sessions from one place of the list to another, featurised. */
function gather(
  { engine, ledger, maxItems }: BatchHost,
  sessions: readonly ShopSession[],
  from: number,
  to: number,
): Prepared {
  const gatherer = call(() => engine.gather(Date.now()));
  try {
    for (let at = from; at < to; at += 1) {
      const { context, events } = sessions[at] ?? { events: [] };
      try {
        call(() => {
          gatherer.begin(contextJson(context ?? {}));
        });
      } catch (thrown) {
        const { code, message } = asPropenseError(thrown);
        throw new PropenseError(code, `sessions[${at}]: ${message}`, { cause: thrown });
      }
      for (const event of events) {
        ledger.enter(() => call(() => gatherer.add(eventJson(event, maxItems))), at);
      }
    }
  } catch (thrown) {
    gatherer.free();
    throw thrown;
  }
  return call(() => gatherer.finish());
}

async function score(host: BatchHost, prepared: Prepared): Promise<Float32Array> {
  for (;;) {
    const gpu = host.place();
    if (!gpu) return call(() => host.engine.score(prepared));
    try {
      return await gpu.score(prepared);
    } catch (thrown) {
      host.alive();
      host.broke(gpu, thrown);
    }
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
