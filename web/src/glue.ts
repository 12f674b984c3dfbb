/**
 * The two WebAssembly modules as wasm-bindgen presents them, and how they are loaded.
 *
 * Everything made by a module lives in its memory until `free()`: whoever makes it, frees it.
 */
import { addressOf } from "./address.js";
import { PropenseError, asPropenseError, messageOf } from "./errors.js";
import { isFile, readFile } from "./node.js";
import { phase } from "./phases.js";
import type { WasmModule, WasmSource } from "./types.js";

/** Featurised sessions, laid out for both backends. */
export interface Prepared {
  /** Sessions held. */
  readonly length: number;
  /** The rows of all sessions, one after the other: sum(lengths) × row length numbers. */
  rows(): Float32Array;
  /** Events of each session. */
  lengths(): Uint32Array;
  /** length × context length numbers. */
  contexts(): Float32Array;
  free(): void;
}

/** Takes whole sessions and featurises them. */
export interface Gatherer {
  begin(context: string): void;
  /** The event's problems as JSON, where it has any. */
  add(event: string): string | undefined;
  /** Ends this object's life. */
  finish(): Prepared;
  free(): void;
}

/** The CPU module's engine: the session, the featuriser, the network, the bundle. */
export interface Engine {
  describe(): string;
  track(event: string, now: number): string | undefined;
  reset(context: string, now: number): void;
  /** Another number for each session. */
  readonly session: number;
  /** Events of the session that have a row. */
  readonly events: number;
  /** Time of the newest event, or of the session's start. */
  readonly latest: number;
  logit(): number;
  /** Change of the logit by nothing having happened since the newest event up to `now`. */
  stay_effect(now: number): number;
  repeat_last_step(times: number): number;
  rows_from(first: number): Float32Array;
  context_row(): Float32Array;
  probability(logit: number): number;
  percentile(probability: number): number;
  explain(): string;
  set_catalogue(items: Uint8Array, named: boolean): void;
  recommend(k: number): string;
  logit_after_view(itemId: string): number;
  /** What the head reads of the session so far; empty where it does not learn. */
  head_input(): Float32Array;
  /** Has the head learn from these sessions, beginning at the shared weights. */
  adapt(inputs: Float32Array, moments: Uint32Array, bought: Uint8Array): void;
  /** What these sessions would change for everybody, with noise; empty where the budget forbids it. */
  contribution(
    inputs: Float32Array,
    moments: Uint32Array,
    bought: Uint8Array,
    multiplier: number,
    earlier: Float64Array,
    epsilon: number,
    delta: number,
    random: Uint32Array,
  ): Int32Array;
  gather(now: number): Gatherer;
  prepare_golden(copies: number): Prepared;
  score(prepared: Prepared): Float32Array;
  free(): void;
}

/** The WebGPU module's runtime: the network alone. */
export interface Runtime {
  adapter(): string;
  on_lost(callback: (reason: string) => void): void;
  self_check(): Promise<number>;
  self_check_batch(): Promise<number>;
  reset(): void;
  push(rows: Float32Array): void;
  logit(context: Float32Array): Promise<number>;
  score(
    rows: Float32Array,
    lengths: Uint32Array,
    contexts: Float32Array,
  ): Promise<Float32Array>;
  free(): void;
}

interface Glue {
  default(options?: { module_or_path?: unknown }): Promise<unknown>;
  on_panic(callback: (message: string) => void): void;
}

/** The glue of the CPU module. */
export interface CpuGlue extends Glue {
  Engine: new (bundle: Uint8Array) => Engine;
}

/** The glue of the WebGPU module. */
export interface GpuGlue extends Glue {
  Runtime: { create(bundle: Uint8Array): Promise<Runtime> };
}

/** A loaded module, and the promise that rejects when it panics. */
export interface Loaded<G> {
  glue: G;
  /** Never resolves; rejects with `INTERNAL` when the module panics, after which it is unusable. */
  panicked: Promise<never>;
}

/** One instance per source, whatever the number of scorers; forgotten when it fails. */
const loaded = new Map<unknown, Promise<Loaded<Glue>>>();

/** Failures by source: a module is imported once by its address, so a new start needs a new one. */
const failures = new Map<unknown, number>();

/** The words of the last panic; the trap that follows it has none. */
let lastPanic: string | undefined;

/** Loads the CPU module. */
export function loadCpu(source: WasmSource | undefined): Promise<Loaded<CpuGlue>> {
  return load(source, "cpu") as Promise<Loaded<CpuGlue>>;
}

/** Loads the WebGPU module. */
export function loadGpu(source: WasmSource | undefined): Promise<Loaded<GpuGlue>> {
  return load(source, "webgpu") as Promise<Loaded<GpuGlue>>;
}

async function load(source: WasmSource | undefined, which: string): Promise<Loaded<Glue>> {
  if (source === undefined) {
    const why = `"propense/slim" needs to be told where the WebAssembly is: the option wasm.${which} is missing`;
    throw new PropenseError("WASM_LOAD", why);
  }
  const given = typeof source === "function" || (typeof source === "object" && source !== null && "glue" in source);
  // Whatever else it is was meant as an address, and may be none.
  const key = given ? source : addressOf("WebAssembly module's glue", source).href;
  const known = loaded.get(key);
  if (known) return known;
  const find: Found = given
    ? fromModule(source as WasmModule | (() => Promise<WasmModule>))
    : () => fromAddress(key as string);
  const loading = start(key, find);
  loaded.set(key, loading);
  loading.catch(() => forget(key));
  return loading;
}

function forget(key: unknown): void {
  loaded.delete(key);
  failures.set(key, (failures.get(key) ?? 0) + 1);
}

/** What a source gives: the glue, and what it is to be started with. */
type Found = () => Promise<{ glue: Glue; module: unknown }>;

/** The glue at this address, with the `.wasm` beside it. */
async function fromAddress(url: string): ReturnType<Found> {
  const again = failures.get(url) ?? 0;
  const address = again === 0 ? url : `${url}${url.includes("?") ? "&" : "?"}start=${again}`;
  const module = begun(new URL("propense_web_bg.wasm", url));
  const glue = (await import(/* @vite-ignore */ /* webpackIgnore: true */ address)) as Glue;
  return { glue, module };
}

/** The `.wasm` on its way: asked for before its glue has come, one round trip earlier. */
export function begun(wasm: URL): Promise<Response | Uint8Array> {
  // Node fetches no files.
  const coming = isFile(wasm) ? readFile(wasm) : fetch(wasm);
  // Should the glue fail first, that is what is told.
  coming.catch(() => undefined);
  return coming;
}

/** A module that the caller has, or knows how to get. */
function fromModule(source: WasmModule | (() => Promise<WasmModule>)): Found {
  return async () => {
    const { glue, module, address } = typeof source === "function" ? await source() : source;
    // A glue that has failed cannot be started again: its like from its address can.
    if (failures.has(source) && address !== undefined) {
      return fromAddress(`${address}?start=${failures.get(source) ?? 0}`);
    }
    return { glue: glue as Glue, module };
  };
}

async function start(key: unknown, find: Found): Promise<Loaded<Glue>> {
  let glue: Glue;
  try {
    const found = await phase("glue", find);
    glue = found.glue;
    // Compiled while it comes.
    const module = async () => (found.module === undefined ? undefined : { module_or_path: await found.module });
    await phase("code", async () => glue.default(await module()));
  } catch (thrown) {
    throw new PropenseError("WASM_LOAD", explainLoad(key, thrown), { cause: thrown });
  }
  const panicked = new Promise<never>((_, reject) => {
    glue.on_panic((message) => {
      forget(key);
      lastPanic = message;
      reject(failed(message));
    });
  });
  // Whoever waits on the module races against this; nobody waiting is no fault.
  panicked.catch(() => undefined);
  return { glue, panicked };
}

function failed(message: string, cause?: unknown): PropenseError {
  return new PropenseError("INTERNAL", `the WebAssembly module failed: ${message}`, { cause });
}

/** The usual causes, each with its remedy. */
function explainLoad(key: unknown, thrown: unknown): string {
  if (typeof WebAssembly === "undefined") {
    return "this browser has no WebAssembly";
  }
  return (
    `the WebAssembly module${typeof key === "string" ? ` at ${key}` : ""} could not be started: ${messageOf(thrown)}. ` +
    "Check that the .js file and the .wasm file beside it are served (the .wasm with the MIME " +
    "type application/wasm), that a Content-Security-Policy allows 'wasm-unsafe-eval' in " +
    "script-src, and that the browser has WebAssembly SIMD (every browser since 2023)"
  );
}

/** Runs a synchronous call into a module; what it throws becomes a `PropenseError`. */
export function call<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof WebAssembly.RuntimeError) {
      throw failed(lastPanic ?? thrown.message, thrown);
    }
    throw asPropenseError(thrown);
  }
}
