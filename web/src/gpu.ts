/** The network on WebGPU: one runtime, used by one call at a time. */
import { PropenseError, asPropenseError, messageOf } from "./errors.js";
import { type Engine, type Prepared, type Runtime, call, loadGpu } from "./glue.js";
import type { AdapterInfo, WasmSource } from "./types.js";

/** Greatest difference of a logit from the bundle's golden vector. */
const TOLERANCE = 1e-3;

/** What the browser offers, without starting anything. Rejects with `WEBGPU_UNAVAILABLE`. */
export async function findAdapter(): Promise<AdapterInfo> {
  const gpu = (globalThis.navigator as Partial<NavigatorGpu> | undefined)?.gpu;
  if (!gpu) {
    throw new PropenseError(
      "WEBGPU_UNAVAILABLE",
      globalThis.isSecureContext === false
        ? "WebGPU needs a secure context: serve the page over https, or from localhost"
        : "this browser has no WebGPU, or it is switched off",
    );
  }
  let adapter: GpuAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  } catch (thrown) {
    throw new PropenseError("WEBGPU_UNAVAILABLE", `no WebGPU adapter: ${messageOf(thrown)}`);
  }
  if (!adapter) {
    throw new PropenseError("WEBGPU_UNAVAILABLE", "the browser has WebGPU, but no adapter for it");
  }
  const { vendor = "", architecture = "", description = "" } = adapter.info ?? {};
  const software = adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false;
  return { vendor, architecture, description, software };
}

/** The part of WebGPU's interface that is read here; everything else is done by the module. */
interface NavigatorGpu {
  gpu: { requestAdapter(options: { powerPreference: string }): Promise<GpuAdapter | null> };
}
interface GpuAdapter {
  isFallbackAdapter?: boolean;
  info?: {
    vendor?: string;
    architecture?: string;
    description?: string;
    isFallbackAdapter?: boolean;
  };
}

/**
 * What is known of the adapter in use. The module asks for one of its own and says which it got; what
 * it is not told itself (the maker, the architecture) is taken from what the browser offered.
 */
function inUse(runtime: Runtime, offered: AdapterInfo): AdapterInfo {
  const { description, software } = JSON.parse(call(() => runtime.adapter())) as AdapterInfo;
  return { ...offered, description: description || offered.description, software };
}

/** Rejects where the difference from the golden session is too great. */
async function check(measured: Promise<number>): Promise<void> {
  const difference = await measured;
  if (difference <= TOLERANCE) return;
  throw new PropenseError(
    "WEBGPU_SELF_CHECK",
    `WebGPU on this machine differs from the golden vector by ${difference} (allowed: ${TOLERANCE})`,
  );
}

/** A logit, and how long its step took. */
export interface Timed {
  logit: number;
  /** Microseconds from handing over the newest event's row to having the logit back. */
  micros: number;
}

/** The network on WebGPU, following the session that an engine owns. */
export class Gpu {
  readonly adapter: AdapterInfo;
  readonly #runtime: Runtime;
  /** Rejects when the runtime can no longer be used. */
  readonly #broken: Promise<never>;
  /** The end of the queue: calls run one after the other. */
  #tail: Promise<unknown> = Promise.resolve();
  /** Which session the runtime holds, and how many of its events. */
  #session = -1;
  #events = 0;
  #last: Timed | undefined;
  /** Whether batches have passed the self-check. */
  #batches = false;

  private constructor(runtime: Runtime, adapter: AdapterInfo, broken: Promise<never>) {
    this.#runtime = runtime;
    this.adapter = adapter;
    this.#broken = broken;
  }

  /**
   * Loads the WebGPU module, takes a device, loads the bundle onto it and compares the golden
   * vector. `onBroken` is told once if the device is lost, or the module fails, at any time after.
   */
  static async start(
    bundle: Uint8Array,
    source: WasmSource | undefined,
    onBroken: (error: PropenseError) => void,
  ): Promise<Gpu> {
    const offered = await findAdapter();
    const { glue, panicked } = await loadGpu(source);
    let runtime: Runtime;
    try {
      runtime = await Promise.race([glue.Runtime.create(bundle), panicked]);
    } catch (thrown) {
      throw asPropenseError(thrown, "WEBGPU_UNAVAILABLE");
    }
    const lost = new Promise<never>((_, reject) => {
      runtime.on_lost((reason) => {
        reject(new PropenseError("DEVICE_LOST", `the GPU device was lost: ${reason}`));
      });
    });
    const broken = Promise.race([lost, panicked]);
    const adapter = inUse(runtime, offered);
    const gpu = new Gpu(runtime, adapter, broken);
    try {
      await gpu.#run(() => check(runtime.self_check()));
    } catch (thrown) {
      gpu.dispose();
      throw asPropenseError(thrown);
    }
    broken.catch((thrown: unknown) => {
      onBroken(asPropenseError(thrown));
    });
    return gpu;
  }

  /** The logit of the engine's session as it is when this call's turn comes. */
  logit(engine: Engine): Promise<Timed> {
    return this.#run(async () => {
      const { session } = engine;
      if (session !== this.#session) {
        this.#runtime.reset();
        this.#session = session;
        this.#events = 0;
        this.#last = undefined;
      }
      const fresh = engine.events - this.#events;
      if (fresh === 0 && this.#last) return this.#last;
      const rows = engine.rows_from(this.#events);
      const newest = fresh === 0 ? 0 : rows.length - rows.length / fresh;
      if (newest > 0) this.#runtime.push(rows.subarray(0, newest));
      const start = performance.now();
      if (fresh > 0) this.#runtime.push(rows.subarray(newest));
      this.#events += fresh;
      const logit = await this.#runtime.logit(engine.context_row());
      this.#last = { logit, micros: (performance.now() - start) * 1000 };
      return this.#last;
    });
  }

  /** One live step with its readback, on a session of its own: for measuring. */
  step(prepared: Prepared): Promise<number> {
    const [rows, lengths, context] = [prepared.rows(), prepared.lengths(), prepared.contexts()];
    const row = rows.subarray(0, rows.length / Math.max(1, lengths[0] ?? 1));
    return this.#run(() => {
      this.#session = -1;
      this.#runtime.push(row);
      return this.#runtime.logit(context);
    });
  }

  /** The logits of featurised sessions. The caller frees `prepared`. */
  score(prepared: Prepared): Promise<Float32Array> {
    const [rows, lengths, contexts] = [prepared.rows(), prepared.lengths(), prepared.contexts()];
    return this.#run(async () => {
      // Batches have a shader of their own, which is compiled, and checked, when the first one comes.
      if (!this.#batches) await check(this.#runtime.self_check_batch());
      this.#batches = true;
      return this.#runtime.score(rows, lengths, contexts);
    });
  }

  /** Gives the weights and the device's memory back once the call in progress has ended. */
  dispose(): void {
    this.#tail = this.#tail.then(() => {
      try {
        this.#runtime.free();
      } catch {
        // A module that has panicked cannot free any more; its memory goes with the page.
      }
    });
  }

  #run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(async () => {
      try {
        return await Promise.race([work(), this.#broken]);
      } catch (thrown) {
        throw asPropenseError(thrown);
      }
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }
}
