/**
 * The WebAssembly that comes with the package. Written so that bundlers see it: each glue is imported by
 * a literal path, and names its `.wasm` by `new URL(..., import.meta.url)`, which they carry along.
 */
import { isFile, readFile } from "./node.js";
import type { WasmModule } from "./types.js";

/** Where this file lies; for what cannot be imported by a literal path. */
const here: string = import.meta.url;

/** The CPU module. */
export const cpu = async (): Promise<WasmModule> =>
  // @ts-ignore: `cargo xtask wasm` makes it, maybe after this has been compiled
  found((await import("../wasm/cpu/propense_web.js")) as object, "cpu");

/** The WebGPU module: fetched when it is wanted. */
export const webgpu = async (): Promise<WasmModule> =>
  // @ts-ignore: as above
  found((await import("../wasm/webgpu/propense_web.js")) as object, "webgpu");

async function found(glue: object, which: string): Promise<WasmModule> {
  const address = new URL(`../wasm/${which}/propense_web.js`, here);
  // Node fetches no files; a browser's glue fetches the `.wasm` beside itself.
  const module = isFile(address) ? await readFile(new URL("propense_web_bg.wasm", address)) : undefined;
  return { glue, module, address: address.href };
}
