/** How the bytes of a model come to this page. */
import { addressOf } from "./address.js";
import { PropenseError, messageOf } from "./errors.js";
import { isFile, readFile } from "./node.js";

/** A model: its address, or its bytes. */
export type BundleSource = string | URL | ArrayBuffer | Uint8Array;

/** The bytes of a bundle. What is in them is checked by the engine. */
export async function readBundle(source: BundleSource): Promise<Uint8Array> {
  // A copy: the caller may change or hand on its own, and the WebGPU build may want them later.
  try {
    if (source instanceof Uint8Array) return source.slice();
    if (source instanceof ArrayBuffer) return new Uint8Array(source.slice(0));
  } catch (thrown) {
    const why = "the model's bytes are gone: their buffer has been handed to somebody else";
    throw new PropenseError("ARGUMENT", why, { cause: thrown });
  }
  return readBytes(source, "model");
}

/** A file's bytes. */
export async function readBytes(
  source: string | URL,
  what: string,
  how: RequestInit = {},
): Promise<Uint8Array> {
  return new Uint8Array(await (await request(source, what, how)).arrayBuffer().catch(broken(source)));
}

/** The answer to a request that has one. */
export async function request(
  source: string | URL,
  what: string,
  how: RequestInit = {},
): Promise<Response> {
  if (typeof source !== "string" && !(source instanceof URL)) {
    throw new PropenseError("ARGUMENT", `the ${what} must be an address or its content`);
  }
  const url = addressOf(what, source);
  if (isFile(url)) return file(url, what);
  let response: Response;
  try {
    response = await fetch(url, how);
  } catch (thrown) {
    throw new PropenseError(
      "NETWORK",
      `the ${what} at ${String(source)} could not be fetched: ${messageOf(thrown)}`,
      { cause: thrown },
    );
  }
  if (response.status === 404 || response.status === 410) {
    throw new PropenseError("NOT_FOUND", `there is no ${what} at ${String(source)} (${response.status})`);
  }
  if (!response.ok) {
    throw new PropenseError(
      "NETWORK",
      `the server answered ${response.status} for the ${what} at ${String(source)}`,
    );
  }
  return response;
}

/** A file's content as if it had been fetched. */
async function file(url: URL, what: string): Promise<Response> {
  try {
    return new Response(await readFile(url));
  } catch (thrown) {
    const missing = (thrown as { code?: unknown }).code === "ENOENT";
    throw new PropenseError(
      missing ? "NOT_FOUND" : "NETWORK",
      `the ${what} at ${url.href} could not be read: ${messageOf(thrown)}`,
      { cause: thrown },
    );
  }
}

/** Tells that the connection broke while this was loading. */
export function broken(source: string | URL): (thrown: unknown) => never {
  return (thrown) => {
    throw new PropenseError(
      "NETWORK",
      `the connection broke while ${String(source)} was loading: ${messageOf(thrown)}`,
      { cause: thrown },
    );
  };
}
