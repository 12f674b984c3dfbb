// Serves the page as Trunk built it, the way a plain static server would.
import { createServer } from "node:http";
import { stat } from "node:fs/promises";
import { join } from "node:path";

import { fileOf } from "./files.mjs";
import { listen } from "./listen.mjs";

/** Serves a folder on a free port. A missing file is a 404. */
export async function serveFolder(folder) {
  await stat(join(folder, "index.html")).catch(() => {
    throw new Error(`${folder} has no index.html: build the page first (cargo xtask test --browser)`);
  });
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const file = await fileOf(folder, pathname === "/" ? "index.html" : decodeURIComponent(pathname));
    response.writeHead(file ? 200 : 404, { "content-type": file?.type ?? "text/plain" });
    response.end(file?.body ?? "not found");
  });
  return listen(server);
}
