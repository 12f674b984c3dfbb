/**
 * The WebAssembly that comes with the package. Written so that bundlers see it and carry it along: each
 * glue is imported by a literal path, each `.wasm` is named by `new URL("...", import.meta.url)`.
 */
import { begun } from "./glue.js";
import type { WasmModule } from "./types.js";

/** The CPU module. */
export const cpu = (): Promise<WasmModule> =>
  // @ts-ignore: `cargo xtask wasm` makes it, maybe after this has been compiled
  found(new URL("../wasm/cpu/propense_web_bg.wasm", import.meta.url), () => import("../wasm/cpu/propense_web.js"));

/** The WebGPU module: fetched when it is wanted. */
export const webgpu = (): Promise<WasmModule> =>
  // @ts-ignore: as above
  found(new URL("../wasm/webgpu/propense_web_bg.wasm", import.meta.url), () => import("../wasm/webgpu/propense_web.js"));

async function found(wasm: URL, glue: () => Promise<object>): Promise<WasmModule> {
  const module = begun(wasm);
  return { glue: await glue(), module, address: new URL("propense_web.js", wasm).href };
}
