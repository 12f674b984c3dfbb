// A static file server for the tests: the compiled module, the wasm builds, the test data.
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { bundle } from "./bundle.mjs";
import { BYTES, TYPES, fileOf } from "./files.mjs";
import { listen } from "./listen.mjs";

export const repository = fileURLToPath(new URL("../../..", import.meta.url));

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
    if (pathname === MODEL) return send(200, BYTES, model);
    if (first === "fault") return send(Number(rest[0]), "text/plain", "fault");
    const folder = FOLDERS[first];
    const file = folder && (await fileOf(join(repository, folder), rest.join("/")));
    return file ? send(200, file.type, file.body) : send(404, "text/plain", "not found");
  });
  return listen(server);
}
