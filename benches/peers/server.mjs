// Serves the pages, Propense, its peers and the inputs, and remembers what each page took.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

import { TYPES, fileOf } from "../../web/tests/support/files.mjs";
import { listen } from "../../web/tests/support/listen.mjs";

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
      return send(200, TYPES[".html"], `<!doctype html><link rel=icon href=data:,>${tags}${module}`);
    }
    const folder = folders[first];
    const file = folder && (await fileOf(folder, rest.join("/")));
    if (!file) return send(404, "text/plain", "not found");
    taken.add(file.place);
    return send(200, file.type, file.body);
  });
  return {
    ...(await listen(server)),
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
  };
}
