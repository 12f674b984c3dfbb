// Makes the compiled modules small, in place, their maps leading back to the TypeScript, and the glue of the
// WebAssembly modules that are there.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { build, transform } from "esbuild";

const target = "es2022";
const compiled = (await readdir("dist")).filter((name) => name.endsWith(".js") && !name.endsWith(".iife.js"));
const plain = [];
const noted = [];
for (const name of compiled) {
  const path = `dist/${name}`;
  // What bundlers are told within an import would go with the white space.
  const text = await readFile(path, "utf8");
  (text.includes("webpackIgnore") ? noted : plain).push(path);
}
for (const entryPoints of [plain, noted]) {
  await build({
    entryPoints,
    outdir: "dist",
    allowOverwrite: true,
    target,
    sourcemap: true,
    minifyIdentifiers: true,
    minifySyntax: true,
    minifyWhitespace: entryPoints === plain,
    logLevel: "warning",
  });
}

for (const which of ["cpu", "webgpu"]) {
  const path = `wasm/${which}/propense_web.js`;
  const glue = await readFile(path, "utf8").catch(() => undefined);
  if (glue !== undefined) await writeFile(path, (await transform(glue, { target, format: "esm", minify: true })).code);
}
