/** The scorer: what a shop page holds. */
import { addressOf, besideBundle } from "./address.js";
import { Backends } from "./backends.js";
import { scoreSessions } from "./batch.js";
import { type BundleSource, readBundle, readBytes } from "./bundle.js";
import { stepMicros } from "./clock.js";
import { PropenseError, asPropenseError, checkListeners, optionsOf } from "./errors.js";
import { type CpuGlue, type Engine, type Loaded, call, loadCpu } from "./glue.js";
import { contextJson, eventJson, jsonOf } from "./json.js";
import { Ledger, notify } from "./ledger.js";
import { Names } from "./names.js";
import { phase } from "./phases.js";
import { MOST, type Ranked, chooser } from "./picks.js";
import type * as t from "./types.js";
import { Watch } from "./watch.js";

/** Milliseconds between two timings of the CPU's step. */
const TIMED_EVERY = 200;

/** Fields of the engine's description. */
interface Description {
  model: Omit<t.ModelInfo, "sessionGap">;
  max_items: number;
  /** Milliseconds of a pause after which a new session begins. */
  gap_ms: number;
  /** Where the bundle says its catalogue is, relative to the bundle. */
  catalogue: string | null;
}

/** Loads a model and starts scoring on the CPU. `options.wasm` says where the WebAssembly is. */
export async function load(model: BundleSource, options: t.LoadOptions = {}): Promise<Scorer> {
  const { wasm, onBackend, onInvalid } = optionsOf(options, "loadScorer");
  const backend = options.backend ?? "auto";
  if (!["auto", "webgpu", "wasm"].includes(backend)) {
    throw new PropenseError("ARGUMENT", `no backend "${String(backend)}": auto, webgpu or wasm`);
  }
  checkListeners({ onBackend, onInvalid });
  const [bundle, catalogue, module] = await Promise.all([
    phase("weights", () => readBundle(model)),
    readCatalogue(options.catalogue),
    loadCpu(wasm?.cpu),
  ]);
  const base = model instanceof URL || typeof model === "string" ? String(model) : options.base;
  const scorer = await phase("model", () => start(module, { bundle, base, catalogue }, options));
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
  catalogue: Uint8Array | undefined;
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

async function readCatalogue(source: t.LoadOptions["catalogue"]): Promise<Uint8Array | undefined> {
  if (source === undefined || source instanceof Uint8Array) return source;
  if (typeof source === "string" || source instanceof URL) return readBytes(source, "catalogue");
  return new TextEncoder().encode(jsonOf(source, "the catalogue", "CATALOGUE_INVALID"));
}

/** Scores one session as it goes on. Made by `loadScorer`. */
export class Scorer {
  /** The loaded model. */
  readonly model: t.ModelInfo;
  readonly #engine: Engine;
  readonly #backends: Backends;
  readonly #ledger: Ledger;
  readonly #maxItems: number;
  readonly #names = new Names();
  readonly #watch: Watch;
  /** `Date.now()` when the newest event was taken. */
  #tracked = Date.now();
  /** Resolves when there are items to recommend. */
  readonly #catalogue: () => Promise<void>;
  #context: t.Context;
  /** Whether the head is the visitor's own: the GPU has the shared one. */
  #adapted = false;
  #disposed = false;
  /** Whether it has been said that the bundle's catalogue cannot be had. */
  #missed = false;
  /** How the CPU's step was last timed: when, how often repeated, with which result. */
  #timing = { at: -Infinity, times: 16, micros: 0 };

  /** @internal Use `loadScorer`. */
  constructor(engine: Engine, { bundle, base, catalogue }: Sources, options: t.LoadOptions) {
    this.#engine = engine;
    this.#ledger = new Ledger(options.onInvalid);
    this.#context = options.context ?? {};
    const description = JSON.parse(call(() => engine.describe())) as Description;
    this.model = { ...description.model, sessionGap: description.gap_ms };
    this.#maxItems = description.max_items;
    this.#watch = new Watch({
      waited: () => Math.max(0, Date.now() - this.#tracked),
      score: (waited) => this.#scoreAfter(waited),
      longest: description.gap_ms,
    });
    call(() => {
      if (catalogue !== undefined) engine.set_catalogue(catalogue, false);
      engine.reset(contextJson(this.#context), Date.now());
    });
    const named = catalogue === undefined ? description.catalogue : null;
    this.#catalogue = untilDone(() => this.#fetchNamed(named, base));
    this.#backends = new Backends({
      engine,
      bundle,
      webgpu: options.wasm?.webgpu,
      tell: (info) => {
        notify(() => options.onBackend?.(info));
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

  /** Events of `track` and `scoreSessions` counted since the scorer was loaded. */
  get stats(): Readonly<t.Stats> {
    return { ...this.#ledger.stats };
  }

  /**
   * Takes one event of the session. Never throws: an event that had to be repaired or set aside is
   * told to `onInvalid`.
   */
  track(event: t.ShopEvent): void {
    try {
      this.#alive();
      const { events, session } = this.#engine;
      this.#ledger.enter(() =>
        call(() => this.#engine.track(eventJson(event, this.#maxItems), Date.now())),
      );
      this.#names.learn(event);
      if (this.#engine.events !== events || this.#engine.session !== session) this.#moved();
    } catch (thrown) {
      this.#ledger.reject(asPropenseError(thrown));
    }
  }

  /**
   * The propensity of the session so far: as of the newest event, or with `at` as of that time.
   *
   * A model knows how long a visitor stayed on a page when the next event comes. Until then the time
   * that has passed tells how late that event will at least be, and `at` asks for the propensity with
   * that taken into account (README, "While nothing happens").
   */
  async score(options: t.ScoreOptions = {}): Promise<t.Score> {
    this.#alive();
    const { at } = optionsOf(options, "score");
    if (at === undefined) return this.#scoreAfter(0);
    if (!Number.isFinite(at)) {
      throw new PropenseError("ARGUMENT", "at must be a time in milliseconds since 1970");
    }
    return this.#scoreAfter(Math.max(0, at - this.#engine.latest));
  }

  /**
   * Has `listener` told of scores as they change: after events, and while the visitor stays. With
   * `above`, only when the propensity crosses that threshold, with hysteresis, so that what hangs on it
   * does not flicker. Returns a function that ends it.
   */
  onScore(listener: t.ScoreListener, options: t.OnScoreOptions = {}): () => void {
    this.#alive();
    return this.#watch.add(listener, options);
  }

  /** The score when nothing has happened for so many milliseconds after the newest event. */
  async #scoreAfter(waited: number): Promise<t.Score> {
    this.#alive();
    const gpu = this.#adapted ? undefined : this.#backends.live;
    if (gpu) {
      try {
        const { logit, micros } = await gpu.logit(this.#engine);
        this.#alive();
        return this.#score(logit, "webgpu", micros, waited);
      } catch (thrown) {
        this.#alive();
        this.#backends.fall(gpu, thrown);
      }
    }
    return call(() => this.#score(this.#engine.logit(), "wasm", this.#cpuMicros(), waited));
  }

  /**
   * What each event did to the score. The effects (changes of the logit) sum exactly to the change
   * since before the first event, where only the session's context was known.
   */
  async explain(): Promise<t.Reason[]> {
    this.#alive();
    const reasons = call(() => JSON.parse(this.#engine.explain()) as Omit<t.Reason, "text">[]);
    return reasons.map((reason) => ({ ...reason, text: this.#names.text(reason) }));
  }

  /** What the model sees: a row of numbers for each event, and one for the session's context. */
  async features(): Promise<t.Features> {
    this.#alive();
    return call(() => {
      const flat = this.#engine.rows_from(0);
      const context = [...this.#engine.context_row()];
      const names = this.model.features;
      const width = names.length - context.length;
      const rows = Array.from({ length: this.#engine.events }, (_, at) => [...flat.subarray(at * width, (at + 1) * width)]);
      return { columns: names.slice(0, width), rows, contextColumns: names.slice(width), context };
    });
  }

  /** The session's propensity if this item were viewed next: how much it tempts this visitor. */
  async scoreItem(itemId: string): Promise<number> {
    this.#alive();
    if (typeof itemId !== "string") throw new PropenseError("ARGUMENT", "scoreItem wants an item_id");
    await this.#catalogue();
    this.#alive();
    return call(() => this.#engine.probability(this.#engine.logit_after_view(itemId)));
  }

  /**
   * The items after whose view the session's propensity would be highest: bought together with what
   * was seen, or popular; none that is in the cart.
   */
  async recommend(options: t.RecommendOptions = {}): Promise<t.Recommendation[]> {
    this.#alive();
    const choose = chooser(optionsOf(options, "recommend"));
    return choose(await this.rank());
  }

  /** @internal Everything worth recommending, the best first. */
  async rank(): Promise<Ranked[]> {
    this.#alive();
    await this.#catalogue();
    this.#alive();
    return call(() => JSON.parse(this.#engine.recommend(MOST)) as Ranked[]);
  }

  /** Computes on this backend from now on. The session is kept. */
  async useBackend(backend: t.Backend): Promise<void> {
    this.#alive();
    if (backend !== "webgpu" && backend !== "wasm") {
      throw new PropenseError("ARGUMENT", `no backend "${String(backend)}": webgpu or wasm`);
    }
    await this.#backends.use(backend);
  }

  /** @internal What the head reads of the session so far; nothing where this model's head does not learn. */
  async headInput(): Promise<t.HeadInput | undefined> {
    this.#alive();
    return call(() => {
      const input = this.#engine.head_input();
      return input.length === 0 ? undefined : { events: this.#engine.events, input };
    });
  }

  /**
   * @internal Has the head learn from these sessions of the visitor, beginning at the shared model; none
   * give that back. From then on live scores are computed on the CPU; `scoreSessions` stays with the shared
   * model.
   */
  async adapt(lessons: readonly t.Lesson[]): Promise<void> {
    this.#alive();
    call(() => {
      this.#engine.adapt(...flat(lessons));
    });
    this.#adapted = lessons.length > 0;
    this.#moved();
  }

  /** @internal What these sessions would change for everybody; nothing where the budget forbids it. */
  async contribution(lessons: readonly t.Lesson[], budget: t.Budget): Promise<number[] | undefined> {
    this.#alive();
    const width = lessons[0]?.inputs[0]?.length ?? 0;
    const random = new Uint32Array(4 * width);
    // A browser gives 65,536 bytes at a time.
    for (let at = 0; at < random.length; at += 16_384) crypto.getRandomValues(random.subarray(at, at + 16_384));
    const { multiplier, earlier, epsilon, delta } = budget;
    const numbers = call(() =>
      this.#engine.contribution(...flat(lessons), multiplier, Float64Array.from(earlier), epsilon, delta, random),
    );
    return numbers.length === 0 ? undefined : [...numbers];
  }

  /** Begins a new session, of the same visitor unless another context is given. */
  reset(context?: t.Context): void {
    this.#alive();
    const json = contextJson(context ?? this.#context);
    call(() => {
      this.#engine.reset(json, Date.now());
    });
    this.#context = context ?? this.#context;
    this.#moved();
  }

  /**
   * The propensity of each of these sessions. The live session is not touched. Events are counted and
   * repaired or set aside as those of `track` are: `stats` and `onInvalid` tell of them.
   */
  async scoreSessions(
    sessions: readonly t.ShopSession[],
    options: t.BatchOptions = {},
  ): Promise<Float32Array> {
    this.#alive();
    const host = {
      engine: this.#engine,
      ledger: this.#ledger,
      maxItems: this.#maxItems,
      place: () => this.#backends.batch,
      broke: this.#backends.fall.bind(this.#backends),
      alive: () => {
        this.#alive();
      },
    };
    const { onProgress } = optionsOf(options, "scoreSessions");
    checkListeners({ onProgress });
    return scoreSessions(host, sessions, options);
  }

  /** Gives all memory back. Afterwards every call fails with `DISPOSED`; `track` does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#watch.dispose();
    this.#backends.dispose();
    this.#engine.free();
  }

  /**
   * The catalogue that the bundle names; without it, the items that the model knows are used. Gives
   * whether that is settled: where only the network failed, the next call tries again.
   */
  async #fetchNamed(file: string | null, base: string | undefined): Promise<boolean> {
    if (file === null || base === undefined) return true;
    try {
      const url = besideBundle(file, addressOf("model", base));
      // A redirection might lead to another server.
      const items = await readBytes(url, "catalogue", { redirect: "error" });
      this.#alive();
      call(() => {
        this.#engine.set_catalogue(items, true);
      });
      return true;
    } catch (thrown) {
      const { code, message } = asPropenseError(thrown);
      if (code !== "DISPOSED" && !this.#missed) {
        this.#missed = true;
        console.warn(`propense: recommending without the model's catalogue: ${message}`);
      }
      return code !== "NETWORK";
    }
  }

  #score(logit: number, backend: t.Backend, micros: number, waited: number): t.Score {
    const engine = this.#engine;
    // What a stay changes is computed on the CPU wherever the score is: some dozen steps, no readback.
    const effect = waited === 0 ? 0 : engine.stay_effect(engine.latest + waited);
    const propensity = engine.probability(logit + effect);
    const percentile = engine.percentile(propensity);
    return { propensity, percentile, modelVersion: this.model.version, backend, micros, waited };
  }

  /** The session is another one, or has another event. */
  #moved(): void {
    const now = Date.now();
    const { latest } = this.#engine;
    // A visit that an earlier page began goes on; of a replayed one only the replay's time passes.
    this.#tracked = latest <= now && latest > now - this.model.sessionGap ? latest : now;
    this.#watch.due();
  }

  /**
   * The clock of a browser is too coarse for a single step, and timing many takes far longer than one: so
   * it is done now and then.
   */
  #cpuMicros(): number {
    const at = performance.now();
    if (at - this.#timing.at >= TIMED_EVERY) {
      this.#timing = { at, ...stepMicros(this.#engine, this.#timing.times) };
    }
    return this.#timing.micros;
  }

  #alive(): void {
    if (this.#disposed) throw new PropenseError("DISPOSED", "this scorer has been disposed of");
  }
}

/** What a page holds: a `Scorer` of this thread, or one that stands for a scorer in a worker. */
export type AnyScorer = Pick<Scorer, Exclude<keyof Scorer, "rank">>;

/** Lessons, laid one after the other. */
function flat(lessons: readonly t.Lesson[]): [Float32Array, Uint32Array, Uint8Array] {
  const inputs = lessons.flatMap((lesson) => lesson.inputs.map((input) => [...input])).flat();
  const moments = lessons.map((lesson) => lesson.inputs.length);
  const bought = lessons.map((lesson) => Number(lesson.bought));
  return [Float32Array.from(inputs), Uint32Array.from(moments), Uint8Array.from(bought)];
}

/** Does the work again until it gives true; calls meanwhile wait for the same. */
function untilDone(work: () => Promise<boolean>): () => Promise<void> {
  let done: Promise<boolean> | undefined;
  return async () => {
    const mine = (done ??= work());
    if (!(await mine) && done === mine) done = undefined;
  };
}
