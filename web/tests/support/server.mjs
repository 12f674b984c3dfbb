// A static file server for the tests: the compiled module, the wasm builds, the test data.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { bundle } from "./bundle.mjs";
import { listen } from "./listen.mjs";

export const repository = fileURLToPath(new URL("../../..", import.meta.url));

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".propense": "application/octet-stream",
};

/** First part of the path → folder of the repository. */
const FOLDERS = {
  dist: "web/dist",
  fixtures: "web/tests/fixtures",
  golden: "tests/golden",
  models: "models",
  wasm: "web/wasm",
};

const PAGE = "<!doctype html><meta charset=utf-8><title>test</title><link rel=icon href=data:,>";

/** The model of most tests: small, with random weights. */
export const MODEL = "/test.propense";

/**
 * Serves on a free port. Paths under /fault/STATUS answer with that status; `/strict` is the empty
 * page under a policy that forbids WebAssembly; `/csp/FILE` runs that fixture under the policy that the README
 * asks for; `/script` has the script tag.
 */
export async function serve() {
  const model = bundle();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const send = (status, type, body, headers = {}) => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store", ...headers });
      response.end(body);
    };
    const [first, ...rest] = decodeURIComponent(pathname).slice(1).split("/");
    if (first === "") return send(200, TYPES[".html"], PAGE);
    if (first === "strict") {
      const policy = { "content-security-policy": "script-src 'self' 'unsafe-inline'" };
      return send(200, TYPES[".html"], PAGE, policy);
    }
    if (first === "csp") {
      // What a strict shop sends: the one thing that WebAssembly needs, and nothing inline.
      const policy = { "content-security-policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; img-src data:" };
      return send(200, TYPES[".html"], `${PAGE}<script type=module src=/fixtures/${rest[0]}></script>`, policy);
    }
    if (first === "script") return send(200, TYPES[".html"], `${PAGE}<script src=/dist/propense.iife.js></script>`);
    if (pathname === MODEL) return send(200, TYPES[".propense"], model);
    if (first === "fault") return send(Number(rest[0]), "text/plain", "fault");
    const folder = FOLDERS[first];
    const base = folder && join(repository, folder);
    const path = base && normalize(join(base, ...rest));
    if (!path?.startsWith(base + sep)) return send(404, "text/plain", "not found");
    try {
      return send(200, TYPES[extname(path)] ?? "application/octet-stream", await readFile(path));
    } catch {
      return send(404, "text/plain", "not found");
    }
  });
  return listen(server);
}
