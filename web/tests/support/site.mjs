// Serves the page as Trunk built it, the way a plain static server would.
import { createServer } from "node:http";
import { readFile, stat } from "node:fs/promises";
import { extname, join, normalize, sep } from "node:path";

import { listen } from "./listen.mjs";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
};

/** Serves a folder on a free port. A missing file is a 404. */
export async function serveFolder(folder) {
  await stat(join(folder, "index.html")).catch(() => {
    throw new Error(`${folder} has no index.html: build the page first (cargo xtask test --browser)`);
  });
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const path = normalize(join(folder, pathname === "/" ? "index.html" : decodeURIComponent(pathname)));
    try {
      if (!path.startsWith(folder + sep)) throw new Error("outside the folder");
      const body = await readFile(path);
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" });
      response.end(body);
    } catch {
      response.writeHead(404, { "content-type": "text/plain" });
      response.end("not found");
    }
  });
  return listen(server);
}
