/**
 * The two WebAssembly modules as wasm-bindgen presents them, and how they are loaded.
 *
 * Everything made by a module lives in its memory until `free()`: whoever makes it, frees it.
 */
import { addressOf } from "./address.js";
import { PropenseError, asPropenseError, messageOf } from "./errors.js";

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
  set_catalogue(items: string, named: boolean): void;
  recommend(k: number): string;
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

/** One instance per address, whatever the number of scorers; forgotten when it fails. */
const loaded = new Map<string, Promise<Loaded<Glue>>>();

/** Failures by address: a module is imported once by its address, so a new start needs a new one. */
const failures = new Map<string, number>();

/** The words of the last panic; the trap that follows it has none. */
let lastPanic: string | undefined;

/** Where `cargo xtask wasm` puts the modules, seen from the compiled file beside this one. */
const DEFAULTS = {
  cpu: new URL("../wasm/cpu/propense_web.js", import.meta.url),
  webgpu: new URL("../wasm/webgpu/propense_web.js", import.meta.url),
};

/** Loads the CPU module. */
export function loadCpu(location: string | URL = DEFAULTS.cpu): Promise<Loaded<CpuGlue>> {
  return load(location) as Promise<Loaded<CpuGlue>>;
}

/** Loads the WebGPU module. */
export function loadGpu(location: string | URL = DEFAULTS.webgpu): Promise<Loaded<GpuGlue>> {
  return load(location) as Promise<Loaded<GpuGlue>>;
}

async function load(location: string | URL): Promise<Loaded<Glue>> {
  const url = addressOf("WebAssembly module's glue", location).href;
  const known = loaded.get(url);
  if (known) return known;
  const loading = start(url);
  loaded.set(url, loading);
  loading.catch(() => forget(url));
  return loading;
}

function forget(url: string): void {
  loaded.delete(url);
  failures.set(url, (failures.get(url) ?? 0) + 1);
}

async function start(url: string): Promise<Loaded<Glue>> {
  const again = failures.get(url) ?? 0;
  const address = again === 0 ? url : `${url}${url.includes("?") ? "&" : "?"}start=${again}`;
  let glue: Glue;
  try {
    glue = (await import(/* @vite-ignore */ /* webpackIgnore: true */ address)) as Glue;
    await glue.default({ module_or_path: new URL("propense_web_bg.wasm", url) });
  } catch (thrown) {
    throw new PropenseError("WASM_LOAD", explainLoad(url, thrown), { cause: thrown });
  }
  const panicked = new Promise<never>((_, reject) => {
    glue.on_panic((message) => {
      forget(url);
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
function explainLoad(url: string, thrown: unknown): string {
  if (typeof WebAssembly === "undefined") {
    return "this browser has no WebAssembly";
  }
  return (
    `the WebAssembly module at ${url} could not be started: ${messageOf(thrown)}. ` +
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
