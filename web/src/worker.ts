/**
 * The scorer off the main thread: the same calls, computed in a worker.
 *
 *     import { loadScorer } from "propense/worker";
 *     const scorer = await loadScorer("/models/giftshop.propense");
 */
import { addressOf } from "./address.js";
import type { BundleSource } from "./bundle.js";
import { PropenseError, asPropenseError, checkListeners, optionsOf } from "./errors.js";
import { eventJson, contextJson } from "./json.js";
import { Ledger, notify } from "./ledger.js";
import { type Ranked, chooser } from "./picks.js";
import { type Answer, type Call, type Mirror, errorOf } from "./protocol.js";
import type { AnyScorer } from "./scorer.js";
import type * as t from "./types.js";
import { watcherOf } from "./watch.js";

export * from "./exports.js";

/** Items of an event that cross; the engine keeps no more. */
const MOST_ITEMS = 1000;

/** Options of `loadScorer` in `propense/worker`. */
export interface WorkerOptions extends Omit<t.LoadOptions, "wasm"> {
  /** Addresses of the modules' glue. Without it: those that come with the package. */
  wasm?: { cpu?: string | URL; webgpu?: string | URL };
  /** The worker to use, where the bundler wants it made in its own way. It runs `propense/worker-thread`. */
  worker?: Worker;
}

/**
 * Loads a model in a worker. What comes back is used as the `Scorer` of `propense`; only what it tells
 * without a promise (`stats`, `backendInfo`) is as of its last message.
 */
export async function loadScorer(model: BundleSource, options: WorkerOptions = {}): Promise<AnyScorer> {
  const { worker, onBackend, onInvalid, wasm, ...rest } = optionsOf(options, "loadScorer");
  checkListeners({ onBackend, onInvalid });
  const address = (what: string, given: string | URL): string => addressOf(what, given).href;
  const { catalogue } = rest;
  const settings = {
    ...rest,
    ...(catalogue === undefined
      ? {}
      : { catalogue: typeof catalogue === "string" || catalogue instanceof URL ? address("catalogue", catalogue) : catalogue }),
    wasm: {
      ...(wasm?.cpu === undefined ? {} : { cpu: address("WebAssembly module's glue", wasm.cpu) }),
      ...(wasm?.webgpu === undefined ? {} : { webgpu: address("WebAssembly module's glue", wasm.webgpu) }),
    },
  };
  const remote = new Remote(worker ?? new Worker(new URL("./worker-thread.js", import.meta.url), { type: "module" }), options);
  try {
    const bytes = model instanceof ArrayBuffer ? new Uint8Array(model) : model;
    await remote.load(bytes instanceof Uint8Array ? bytes : address("model", bytes), settings);
  } catch (thrown) {
    remote.dispose();
    throw thrown;
  }
  return remote;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: PropenseError): void;
  progress: t.BatchOptions["onProgress"];
}

class Remote implements AnyScorer {
  model!: t.ModelInfo;
  readonly #worker: Worker;
  readonly #options: WorkerOptions;
  readonly #waiting = new Map<number, Waiting>();
  readonly #watches = new Map<number, t.ScoreListener>();
  #mirror: Mirror = { backend: { backend: "wasm", batch: "wasm", reason: "starting" }, stats: { accepted: 0, repaired: 0, rejected: 0 } };
  /** Counts the events that could not even be sent; tells of those and of the worker's. */
  readonly #ledger: Ledger;
  #next = 0;
  #disposed = false;

  constructor(worker: Worker, options: WorkerOptions) {
    this.#worker = worker;
    this.#options = options;
    this.#ledger = new Ledger(options.onInvalid);
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      this.#take(data);
    };
    worker.onerror = (event) => {
      const why = event.message ? `: ${event.message}` : ". Check that its file is served, and allowed by worker-src";
      this.#fail(new PropenseError("WASM_LOAD", `the worker failed${why}`));
    };
    worker.onmessageerror = () => {
      this.#fail(new PropenseError("INTERNAL", "a message from the worker could not be read"));
    };
  }

  async load(model: string | Uint8Array, options: t.LoadOptions): Promise<void> {
    if (options.context !== undefined) contextJson(options.context);
    await this.#ask((id) => ({ call: "load", id, model, options }));
  }

  get backend(): t.Backend {
    return this.backendInfo.backend;
  }

  get backendInfo(): t.BackendInfo {
    return this.#mirror.backend;
  }

  get stats(): Readonly<t.Stats> {
    const { stats } = this.#mirror;
    return { ...stats, rejected: stats.rejected + this.#ledger.stats.rejected };
  }

  track(event: t.ShopEvent): void {
    try {
      this.#alive();
      this.#send({ call: "track", json: eventJson(event, MOST_ITEMS) });
    } catch (thrown) {
      this.#ledger.reject(asPropenseError(thrown));
    }
  }

  async score(options: t.ScoreOptions = {}): Promise<t.Score> {
    return (await this.#call("score", options)) as t.Score;
  }

  onScore(listener: t.ScoreListener, options: t.OnScoreOptions = {}): () => void {
    this.#alive();
    watcherOf(listener, options);
    const watch = (this.#next += 1);
    this.#watches.set(watch, listener);
    this.#send({ call: "watch", watch, options: { ...options } });
    return () => {
      if (this.#watches.delete(watch) && !this.#disposed) this.#send({ call: "unwatch", watch });
    };
  }

  async explain(): Promise<t.Reason[]> {
    return (await this.#call("explain")) as t.Reason[];
  }

  async features(): Promise<t.Features> {
    return (await this.#call("features")) as t.Features;
  }

  async scoreItem(itemId: string): Promise<number> {
    return (await this.#call("scoreItem", itemId)) as number;
  }

  async recommend(options: t.RecommendOptions = {}): Promise<t.Recommendation[]> {
    // Chosen here: the shop's rules are functions, which do not cross.
    const choose = chooser(optionsOf(options, "recommend"));
    return choose((await this.#call("rank")) as Ranked[]);
  }

  async useBackend(backend: t.Backend): Promise<void> {
    await this.#call("useBackend", backend);
  }

  async headInput(): Promise<t.HeadInput | undefined> {
    return (await this.#call("headInput")) as t.HeadInput | undefined;
  }

  async adapt(lessons: readonly t.Lesson[]): Promise<void> {
    await this.#call("adapt", lessons);
  }

  async contribution(lessons: readonly t.Lesson[], budget: t.Budget): Promise<number[] | undefined> {
    return (await this.#call("contribution", lessons, budget)) as number[] | undefined;
  }

  reset(context?: t.Context): void {
    this.#alive();
    if (context !== undefined) contextJson(context);
    // A context that the engine refuses is told as an event is: nobody waits here.
    this.#call("reset", context).catch((error: PropenseError) => {
      if (error.code !== "DISPOSED") this.#ledger.tell(error);
    });
  }

  async scoreSessions(sessions: readonly t.ShopSession[], options: t.BatchOptions = {}): Promise<Float32Array> {
    const { onProgress, signal } = optionsOf(options, "scoreSessions");
    checkListeners({ onProgress });
    this.#alive();
    let id = 0;
    const stop = (): void => {
      this.#send({ call: "abort", id });
    };
    const answer = this.#ask((mine) => {
      id = mine;
      return { call: "scoreSessions", id, args: [sessions] };
    }, onProgress);
    signal?.addEventListener("abort", stop);
    if (signal?.aborted === true) stop();
    try {
      return (await answer) as Float32Array;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#worker.terminate();
    this.#watches.clear();
    this.#fail(disposed());
  }

  async #call(call: "score" | "features" | "explain" | "rank" | "scoreItem" | "useBackend" | "reset" | "headInput" | "adapt" | "contribution", ...args: unknown[]): Promise<unknown> {
    this.#alive();
    return this.#ask((id) => ({ call, id, args }));
  }

  #ask(make: (id: number) => Call, progress?: t.BatchOptions["onProgress"]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = (this.#next += 1);
      this.#waiting.set(id, { resolve, reject, progress });
      try {
        this.#send(make(id));
      } catch (thrown) {
        this.#waiting.delete(id);
        reject(thrown instanceof PropenseError ? thrown : new PropenseError("ARGUMENT", String(thrown), { cause: thrown }));
      }
    });
  }

  #send(call: Call): void {
    try {
      this.#worker.postMessage(call);
    } catch (thrown) {
      const why = `what was given cannot be sent to a worker: ${String(thrown)}`;
      throw new PropenseError("ARGUMENT", why, { cause: thrown });
    }
  }

  #take(answer: Answer): void {
    if (this.#disposed) return;
    switch (answer.answer) {
      case "backend":
        this.#mirror.backend = answer.info;
        notify(() => this.#options.onBackend?.(answer.info));
        return;
      case "invalid":
        this.#mirror.stats = answer.stats;
        this.#ledger.tell(errorOf(answer.failure));
        return;
      case "score":
        notify(() => this.#watches.get(answer.watch)?.(answer.score, answer.side));
        return;
      case "progress":
        notify(() => this.#waiting.get(answer.id)?.progress?.(answer.done, answer.total));
        return;
      default:
        this.#end(answer);
    }
  }

  #end(answer: Extract<Answer, { answer: "done" | "failed" | "loaded" }>): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.answer === "failed") {
      waiting?.reject(errorOf(answer.failure));
      return;
    }
    if (answer.answer === "loaded") this.model = answer.model;
    if (answer.mirror !== undefined) this.#mirror = answer.mirror;
    waiting?.resolve(answer.answer === "done" ? answer.value : undefined);
  }

  #fail(error: PropenseError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #alive(): void {
    if (this.#disposed) throw disposed();
  }
}

function disposed(): PropenseError {
  return new PropenseError("DISPOSED", "this scorer has been disposed of");
}
