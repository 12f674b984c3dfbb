// A file of a folder, as a web server sends it.
import { readFile } from "node:fs/promises";
import { extname, join, normalize, sep } from "node:path";

export const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
};

/** The type of what has none of its own. */
export const BYTES = "application/octet-stream";

/** Where the file lies, its type and its bytes. Nothing where there is none, or where the path leads out of the folder. */
export async function fileOf(folder, path) {
  const base = normalize(folder + sep);
  const place = normalize(join(base, path));
  if (!place.startsWith(base)) return undefined;
  const body = await readFile(place).catch(() => undefined);
  return body && { place, type: TYPES[extname(place)] ?? BYTES, body };
}
