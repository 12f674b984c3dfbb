/** Which backend computes, why, and what happens when one breaks. */
import { medianMicros, stepMicros } from "./clock.js";
import { PropenseError, asPropenseError } from "./errors.js";
import { type Engine, call } from "./glue.js";
import { Gpu, findAdapter } from "./gpu.js";
import type { Backend, BackendInfo, WasmSource } from "./types.js";

/** Sessions in the batch that decides where batches are computed. */
const TRIAL = 64;

/** What the choice needs of its scorer. */
export interface Host {
  readonly engine: Engine;
  readonly bundle: Uint8Array;
  readonly webgpu: WasmSource | undefined;
  /** Told whenever the information changes. */
  tell(info: BackendInfo): void;
}

/** The backends of one scorer. */
export class Backends {
  readonly #host: Host;
  #info: BackendInfo = { backend: "wasm", batch: "wasm", reason: "the CPU build, as asked for" };
  #gpu: Gpu | undefined;
  /** The start in progress, so that two callers share it. */
  #starting: Promise<Gpu> | undefined;
  /** Counts choices: a later one overrules an earlier one that is still being prepared. */
  #choice = 0;
  #disposed = false;

  constructor(host: Host) {
    this.#host = host;
  }

  get info(): BackendInfo {
    return this.#info;
  }

  /** The GPU, if live scores are computed there. */
  get live(): Gpu | undefined {
    return this.#info.backend === "webgpu" ? this.#gpu : undefined;
  }

  /** The GPU, if batches are computed there. */
  get batch(): Gpu | undefined {
    return this.#info.batch === "webgpu" ? this.#gpu : undefined;
  }

  /** Moves to the backend that the caller names; rejects, and stays, where that cannot be. */
  async use(backend: Backend): Promise<void> {
    this.#choice += 1;
    const choice = this.#choice;
    if (backend === "wasm") {
      this.#set({ backend, batch: backend, reason: "the CPU build, as asked for" });
      return;
    }
    const gpu = await this.#start();
    // The session so far goes over before the switch, so that the next score is a step, not a replay.
    await this.#logitOrFall(gpu);
    if (this.#disposed) throw new PropenseError("DISPOSED", "the scorer has been disposed of");
    if (choice !== this.#choice) return;
    this.#set({
      backend,
      batch: backend,
      adapter: gpu.adapter,
      reason: "WebGPU, as asked for; the self-check passed",
    });
  }

  /** Starts on the CPU and moves what measures faster on WebGPU there. Never rejects. */
  async choose(): Promise<void> {
    const choice = this.#choice;
    const current = () => choice === this.#choice && !this.#disposed;
    this.#info = { ...this.#info, reason: "the CPU build at once; WebGPU is being looked for" };
    try {
      const adapter = await findAdapter();
      if (!current()) return;
      if (adapter.software) {
        const reason = "the WebGPU adapter is a program on the CPU, where the CPU build is faster";
        this.#set({ backend: "wasm", batch: "wasm", adapter, reason });
        return;
      }
      if (savesData()) {
        const reason = "the visitor saves data, and WebGPU wants another module";
        this.#set({ backend: "wasm", batch: "wasm", adapter, reason });
        return;
      }
      await idle();
      if (!current()) return;
      const gpu = await this.#start();
      if (!current()) return;
      const measured = await this.#measure(gpu);
      if (!current()) return;
      const faster = (micros: Record<Backend, number>): Backend =>
        micros.webgpu < micros.wasm ? "webgpu" : "wasm";
      const [backend, batch] = [faster(measured.live), faster(measured.batch)];
      const reason =
        `live scores took ${words(measured.live.wasm)} on the CPU and ` +
        `${words(measured.live.webgpu)} on WebGPU; ${TRIAL} sessions ` +
        `${words(measured.batch.wasm)} and ${words(measured.batch.webgpu)}`;
      this.#set({ backend, batch, adapter: gpu.adapter, measured, reason });
    } catch (thrown) {
      if (!current()) return;
      const error = asPropenseError(thrown);
      this.#set({ backend: "wasm", batch: "wasm", reason: `${error.code}: ${error.message}` });
    }
  }

  /** Goes on on the CPU after this GPU broke. Nothing is lost: the CPU engine has the session. */
  fall(gpu: Gpu, thrown: unknown): void {
    if (gpu !== this.#gpu) return;
    this.#gpu = undefined;
    gpu.dispose();
    if (this.#disposed) return;
    this.#choice += 1;
    const error = asPropenseError(thrown);
    this.#set({ backend: "wasm", batch: "wasm", reason: `${error.code}: ${error.message}` });
  }

  dispose(): void {
    this.#disposed = true;
    this.#gpu?.dispose();
    this.#gpu = undefined;
  }

  async #logitOrFall(gpu: Gpu): Promise<void> {
    try {
      await gpu.logit(this.#host.engine);
    } catch (thrown) {
      this.fall(gpu, thrown);
      throw thrown;
    }
  }

  #start(): Promise<Gpu> {
    if (this.#gpu) return Promise.resolve(this.#gpu);
    this.#starting ??= this.#load().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #load(): Promise<Gpu> {
    const gpu = await Gpu.start(this.#host.bundle, this.#host.webgpu, (error) => {
      this.fall(gpu, error);
    });
    if (this.#disposed) {
      gpu.dispose();
      throw new PropenseError("DISPOSED", "the scorer was disposed of while WebGPU was starting");
    }
    this.#gpu = gpu;
    return gpu;
  }

  /**
   * Times both backends: live on one step with its head (on the CPU a copy of the session's newest,
   * on WebGPU the golden session's first, with its readback), batches on copies of the golden session.
   */
  async #measure(gpu: Gpu): Promise<NonNullable<BackendInfo["measured"]>> {
    const { engine } = this.#host;
    const one = call(() => engine.prepare_golden(1));
    const many = call(() => engine.prepare_golden(TRIAL));
    try {
      const live = {
        wasm: stepMicros(engine, 16).micros,
        webgpu: await medianMicros(() => gpu.step(one)),
      };
      const batch = {
        wasm: await medianMicros(() => engine.score(many)),
        webgpu: await medianMicros(() => gpu.score(many)),
      };
      return { live, batch };
    } finally {
      one.free();
      many.free();
    }
  }

  #set(info: BackendInfo): void {
    this.#info = info;
    this.#host.tell(info);
  }
}

function words(micros: number): string {
  return micros < 1000 ? `${micros.toFixed(0)} µs` : `${(micros / 1000).toFixed(1)} ms`;
}

/** Whether the visitor has asked the browser for fewer bytes. */
function savesData(): boolean {
  const navigator = globalThis.navigator as { connection?: { saveData?: boolean } } | undefined;
  return navigator?.connection?.saveData === true;
}

/** When the page has nothing more urgent to do. */
function idle(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof requestIdleCallback === "function") {
      requestIdleCallback(() => {
        resolve();
      }, { timeout: 2000 });
    } else {
      setTimeout(resolve, 200);
    }
  });
}
