// Serves the pages, Propense, its peers and the inputs, and remembers what each page took.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const TYPES = {
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
};
const QUALITY = 9;

/** `folders` maps the first part of a path to a folder. */
export async function serve(folders, scripts) {
  const taken = new Set();
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://localhost");
    const send = (status, type, body) => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
      response.end(body);
    };
    const [first, ...rest] = decodeURIComponent(pathname).slice(1).split("/");
    if (first === "") {
      const tags = (scripts[searchParams.get("for")] ?? [])
        .map((address) => `<script defer src=${address}></script>`)
        .join("");
      const module = `<script type=module src=/page/${searchParams.get("page")}.js></script>`;
      return send(200, "text/html; charset=utf-8", `<!doctype html><link rel=icon href=data:,>${tags}${module}`);
    }
    const base = folders[first];
    const path = base && normalize(join(base, ...rest));
    if (!path?.startsWith(normalize(base + sep))) return send(404, "text/plain", "not found");
    try {
      const body = await readFile(path);
      taken.add(path);
      return send(200, TYPES[extname(path)] ?? "application/octet-stream", body);
    } catch {
      return send(404, "text/plain", "not found");
    }
  });
  await new Promise((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    /** Bytes of code that were served since the last call, as they are and compressed. */
    async code() {
      let [raw, brotli] = [0, 0];
      for (const path of taken) {
        // Weights are the same numbers for all, and the pages are the benchmark's own.
        if (![".js", ".mjs", ".wasm"].includes(extname(path)) || path.startsWith(folders.page)) continue;
        const body = await readFile(path);
        raw += body.length;
        brotli += brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY } }).length;
      }
      taken.clear();
      return { raw, brotli };
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
