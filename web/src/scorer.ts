/** The scorer: what a shop page holds. */
import { Backends } from "./backends.js";
import { scoreSessions } from "./batch.js";
import { type BundleSource, readBundle, readJson } from "./bundle.js";
import { stepMicros } from "./clock.js";
import { type EventProblem, PropenseError, asPropenseError } from "./errors.js";
import { type CpuGlue, type Engine, type Loaded, call, loadCpu } from "./glue.js";
import type * as t from "./types.js";

/** Fields of the engine's description. */
interface Description {
  model: t.ModelInfo;
  max_items: number;
  /** Where the bundle says its catalogue is, relative to the bundle. */
  catalogue: string | null;
}

/** Listeners of a scorer. */
type Listeners = Pick<t.LoadOptions, "onBackend" | "onInvalid">;

/**
 * Loads a model and starts scoring on the CPU.
 *
 * @param model address or bytes of a `.propense` bundle
 */
export async function loadScorer(model: BundleSource, options: t.LoadOptions = {}): Promise<Scorer> {
  const backend = options.backend ?? "auto";
  if (!["auto", "webgpu", "wasm"].includes(backend)) {
    throw new PropenseError("ARGUMENT", `no backend "${String(backend)}": auto, webgpu or wasm`);
  }
  const [bundle, catalogue, module] = await Promise.all([
    readBundle(model),
    readCatalogue(options.catalogue),
    loadCpu(options.wasm?.cpu),
  ]);
  const base = model instanceof URL || typeof model === "string" ? String(model) : undefined;
  const scorer = start(module, { bundle, base, catalogue }, options);
  if (backend === "webgpu") {
    try {
      await scorer.useBackend("webgpu");
    } catch (thrown) {
      scorer.dispose();
      throw thrown;
    }
  }
  return scorer;
}

/** What `loadScorer` has fetched. */
interface Sources {
  bundle: Uint8Array;
  /** The bundle's address, where it has one. */
  base: string | undefined;
  catalogue: string | undefined;
}

function start(module: Loaded<CpuGlue>, sources: Sources, options: t.LoadOptions): Scorer {
  const engine = call(() => new module.glue.Engine(sources.bundle));
  try {
    return new Scorer(engine, sources, options);
  } catch (thrown) {
    engine.free();
    throw thrown;
  }
}

async function readCatalogue(source: t.LoadOptions["catalogue"]): Promise<string | undefined> {
  if (source === undefined) return undefined;
  if (typeof source === "string" || source instanceof URL) return readJson(source, "catalogue");
  return JSON.stringify(source);
}

/** Scores one session as it goes on. Made by `loadScorer`. */
export class Scorer {
  /** The loaded model. */
  readonly model: t.ModelInfo;
  readonly #engine: Engine;
  readonly #backends: Backends;
  readonly #listeners: Listeners;
  readonly #maxItems: number;
  /** Resolves when there are items to recommend. */
  readonly #catalogue: () => Promise<void>;
  readonly #stats: t.Stats = { accepted: 0, repaired: 0, rejected: 0 };
  #context: t.Context;
  #disposed = false;
  #warned = false;
  /** How the CPU's step was last timed: at which event, how often repeated, with which result. */
  #timing = { events: -1, session: -1, times: 16, micros: 0 };

  /** @internal Use `loadScorer`. */
  constructor(engine: Engine, { bundle, base, catalogue }: Sources, options: t.LoadOptions) {
    this.#engine = engine;
    this.#listeners = options;
    this.#context = options.context ?? {};
    const description = JSON.parse(call(() => engine.describe())) as Description;
    this.model = description.model;
    this.#maxItems = description.max_items;
    call(() => {
      if (catalogue !== undefined) engine.set_catalogue(catalogue, false);
      engine.reset(contextJson(this.#context), Date.now());
    });
    const named = catalogue === undefined ? description.catalogue : null;
    this.#catalogue = once(() => this.#fetchNamed(named, base));
    this.#backends = new Backends({
      engine,
      bundle,
      webgpu: options.wasm?.webgpu,
      tell: (info) => {
        this.#notify(() => this.#listeners.onBackend?.(info));
      },
    });
    if ((options.backend ?? "auto") === "auto") void this.#backends.choose();
  }

  /** Where live scores are computed. */
  get backend(): t.Backend {
    return this.#backends.info.backend;
  }

  /** Where scores are computed, and why. */
  get backendInfo(): t.BackendInfo {
    return this.#backends.info;
  }

  /** Events counted since the scorer was loaded. */
  get stats(): Readonly<t.Stats> {
    return { ...this.#stats };
  }

  /**
   * Takes one event of the session. Never throws: an event that had to be repaired or set aside is
   * told to `onInvalid`.
   */
  track(event: t.ShopEvent): void {
    try {
      this.#alive();
      const outcome = call(() => this.#engine.track(this.#eventJson(event), Date.now()));
      this.#count(outcome === undefined ? [] : (JSON.parse(outcome) as EventProblem[]));
    } catch (thrown) {
      const error = asPropenseError(thrown, "EVENT_INVALID");
      if (error.code !== "DISPOSED") this.#stats.rejected += 1;
      this.#invalid(error);
    }
  }

  /** The propensity of the session so far. */
  async score(): Promise<t.Score> {
    this.#alive();
    const gpu = this.#backends.live;
    if (gpu) {
      try {
        const { logit, micros } = await gpu.logit(this.#engine);
        this.#alive();
        return this.#score(logit, "webgpu", micros);
      } catch (thrown) {
        this.#alive();
        this.#backends.fall(gpu, thrown);
      }
    }
    return call(() => this.#score(this.#engine.logit(), "wasm", this.#cpuMicros()));
  }

  /**
   * What each event did to the score. The effects (changes of the logit) sum exactly to the change
   * since before the first event, where only the session's context was known.
   */
  async explain(): Promise<t.Reason[]> {
    this.#alive();
    return call(() => JSON.parse(this.#engine.explain()) as t.Reason[]);
  }

  /**
   * The items after whose view the session's propensity would be highest: bought together with what
   * was seen, or popular; none that is in the cart.
   */
  async recommend({ k = 8 }: { k?: number } = {}): Promise<t.Recommendation[]> {
    this.#alive();
    if (!Number.isInteger(k) || k < 0 || k > 1000) {
      throw new PropenseError("ARGUMENT", "k must be a whole number from 0 to 1000");
    }
    await this.#catalogue();
    this.#alive();
    return call(() => JSON.parse(this.#engine.recommend(k)) as t.Recommendation[]);
  }

  /** Computes on this backend from now on. The session is kept. */
  async useBackend(backend: t.Backend): Promise<void> {
    this.#alive();
    if (backend !== "webgpu" && backend !== "wasm") {
      throw new PropenseError("ARGUMENT", `no backend "${String(backend)}": webgpu or wasm`);
    }
    await this.#backends.use(backend);
  }

  /** Begins a new session, of the same visitor unless another context is given. */
  reset(context?: t.Context): void {
    this.#alive();
    const json = contextJson(context ?? this.#context);
    call(() => {
      this.#engine.reset(json, Date.now());
    });
    this.#context = context ?? this.#context;
  }

  /** The propensity of each of these sessions. The live session is not touched. */
  async scoreSessions(
    sessions: readonly t.ShopSession[],
    options: t.BatchOptions = {},
  ): Promise<Float32Array> {
    this.#alive();
    return scoreSessions(
      this.#engine,
      sessions,
      () => this.#backends.batch,
      (gpu, thrown) => {
        this.#backends.fall(gpu, thrown);
      },
      () => {
        this.#alive();
      },
      options,
    );
  }

  /** Gives all memory back. Afterwards every call fails with `DISPOSED`; `track` does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#backends.dispose();
    this.#engine.free();
  }

  /** The catalogue that the bundle names; without it, the items that the model knows are used. */
  async #fetchNamed(file: string | null, base: string | undefined): Promise<void> {
    if (file === null || base === undefined) return;
    try {
      const json = await readJson(new URL(file, new URL(base, document.baseURI)), "catalogue");
      this.#alive();
      call(() => {
        this.#engine.set_catalogue(json, true);
      });
    } catch (thrown) {
      const { code, message } = asPropenseError(thrown);
      if (code !== "DISPOSED") {
        console.warn(`propense: recommending without the model's catalogue: ${message}`);
      }
    }
  }

  #score(logit: number, backend: t.Backend, micros: number): t.Score {
    const propensity = this.#engine.probability(logit);
    const percentile = this.#engine.percentile(propensity);
    return { propensity, percentile, modelVersion: this.model.version, backend, micros };
  }

  /** Timed once an event: the clock of a browser is too coarse for a single step. */
  #cpuMicros(): number {
    const { events, session } = this.#engine;
    if (this.#timing.events !== events || this.#timing.session !== session) {
      const { micros, times } = stepMicros(this.#engine, this.#timing.times);
      this.#timing = { events, session, times, micros };
    }
    return this.#timing.micros;
  }

  #eventJson(event: t.ShopEvent): string {
    try {
      // An absurdly long list is cut by the engine, which keeps the first `max_items` and reports
      // it; one item more than that is enough for it to see.
      const items: unknown = event?.items;
      const cut = Array.isArray(items) && items.length > this.#maxItems + 1;
      const sent = cut ? { ...event, items: items.slice(0, this.#maxItems + 1) } : event;
      return JSON.stringify(sent) ?? "null";
    } catch (thrown) {
      throw new PropenseError("EVENT_INVALID", "the event cannot be written as JSON", {
        cause: thrown,
      });
    }
  }

  #count(problems: EventProblem[]): void {
    const rejected = problems.some((problem) => problem.action === "rejected");
    if (rejected) this.#stats.rejected += 1;
    else this.#stats.accepted += 1;
    if (problems.length === 0) return;
    if (!rejected) this.#stats.repaired += 1;
    const list = problems
      .map(({ rule, action, field, detail }) =>
        [rule, action, field && `field ${field}`, detail].filter(Boolean).join(", "),
      )
      .join("; ");
    const fate = rejected ? "set aside" : "repaired";
    this.#invalid(new PropenseError("EVENT_INVALID", `an event was ${fate}: ${list}`, { problems }));
  }

  #invalid(error: PropenseError): void {
    const { onInvalid } = this.#listeners;
    if (onInvalid) {
      this.#notify(() => {
        onInvalid(error);
      });
    } else if (!this.#warned) {
      this.#warned = true;
      console.warn(`propense: ${error.message} (later ones are only counted in scorer.stats)`);
    }
  }

  /** A listener that throws must not break the shop, nor go unheard. */
  #notify(listener: () => void): void {
    try {
      listener();
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }

  #alive(): void {
    if (this.#disposed) throw new PropenseError("DISPOSED", "this scorer has been disposed of");
  }
}

function contextJson(context: t.Context): string {
  try {
    return JSON.stringify(context);
  } catch (thrown) {
    throw new PropenseError("ARGUMENT", "the context cannot be written as JSON", { cause: thrown });
  }
}

/** Does the work at the first call; later calls wait for the same. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}
