// Makes the compiled modules small, in place; the maps lead back to the TypeScript.
import { readFile, readdir } from "node:fs/promises";
import { build } from "esbuild";

const names = (await readdir("dist")).filter((name) => name.endsWith(".js") && !name.endsWith(".iife.js"));
const paths = { plain: [], noted: [] };
for (const name of names) {
  // What bundlers are told within an import would go with the white space.
  const noted = (await readFile(`dist/${name}`, "utf8")).includes("webpackIgnore");
  paths[noted ? "noted" : "plain"].push(`dist/${name}`);
}
for (const [kind, entryPoints] of Object.entries(paths)) {
  await build({
    entryPoints,
    outdir: "dist",
    allowOverwrite: true,
    target: "es2022",
    sourcemap: true,
    minifyIdentifiers: true,
    minifySyntax: true,
    minifyWhitespace: kind === "plain",
    logLevel: "warning",
  });
}
