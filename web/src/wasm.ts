/**
 * The WebAssembly that comes with the package. Written so that bundlers see it and carry it along: each
 * glue is imported by a literal path, each `.wasm` is named by `new URL("...", import.meta.url)`.
 */
import { isFile, readFile } from "./node.js";
import type { WasmModule } from "./types.js";

/** The CPU module. */
export const cpu = async (): Promise<WasmModule> =>
  // @ts-ignore: `cargo xtask wasm` makes it, maybe after this has been compiled
  found((await import("../wasm/cpu/propense_web.js")) as object, new URL("../wasm/cpu/propense_web_bg.wasm", import.meta.url));

/** The WebGPU module: fetched when it is wanted. */
export const webgpu = async (): Promise<WasmModule> =>
  // @ts-ignore: as above
  found((await import("../wasm/webgpu/propense_web.js")) as object, new URL("../wasm/webgpu/propense_web_bg.wasm", import.meta.url));

async function found(glue: object, wasm: URL): Promise<WasmModule> {
  // Node fetches no files.
  return { glue, module: isFile(wasm) ? await readFile(wasm) : wasm, address: new URL("propense_web.js", wasm).href };
}
