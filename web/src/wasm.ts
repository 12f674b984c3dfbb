/**
 * The WebAssembly that comes with the package. Written so that bundlers see it and carry it along: each
 * glue is imported by a literal path, each `.wasm` is named by `new URL("...", import.meta.url)`.
 */
import { addressOf } from "./address.js";
import { begun } from "./glue.js";
import type { WasmModule } from "./types.js";

/** A function that takes part in relaxed SIMD: valid where the browser has it. */
const RELAXED = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11];

/** The CPU module: with a fused multiply-add where the browser has one, by the same glue. */
export const cpu = (): Promise<WasmModule> =>
  found(
    typeof WebAssembly === "object" && WebAssembly.validate(new Uint8Array(RELAXED))
      ? new URL("../wasm/cpu/propense_web_relaxed_bg.wasm", import.meta.url)
      : new URL("../wasm/cpu/propense_web_bg.wasm", import.meta.url),
    // @ts-ignore: `cargo xtask wasm` makes it, maybe after this has been compiled
    () => import("../wasm/cpu/propense_web.js"),
  );

/** The WebGPU module: fetched when it is wanted. */
export const webgpu = (): Promise<WasmModule> =>
  // @ts-ignore: as above
  found(new URL("../wasm/webgpu/propense_web_bg.wasm", import.meta.url), () => import("../wasm/webgpu/propense_web.js"));

async function found(named: URL, glue: () => Promise<object>): Promise<WasmModule> {
  // Next.js makes of it a `URL` that is none: a path on the page's server.
  const wasm = addressOf("WebAssembly module", named);
  const module = begun(wasm);
  return { glue: await glue(), module, address: new URL("propense_web.js", wasm).href };
}
