/** What differs in Node: files are read, not fetched, and addresses start at the working folder. */

/** The part of Node's `process` that is used here. */
interface Process {
  versions?: { node?: string };
  cwd(): string;
}

/** The process, where this is Node (or one that takes itself for it) and no browser. */
function node(): Process | undefined {
  const { process } = globalThis as { process?: Process };
  return process?.versions?.node !== undefined && globalThis.document === undefined ? process : undefined;
}

/** The address of the working folder; undefined outside Node. */
export function workingFolder(): string | undefined {
  const folder = node()?.cwd();
  if (folder === undefined) return undefined;
  const path = folder.replaceAll("\\", "/");
  return `file://${path.startsWith("/") ? "" : "/"}${encodeURI(path).replace(/[?#]/g, encodeURIComponent)}/`;
}

/** Whether this is Node and the address is a file's. */
export function isFile(url: URL): boolean {
  return url.protocol === "file:" && node() !== undefined;
}

/** The bytes of a file. */
export async function readFile(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  // Put together here: a bundler for the browser must not look for it.
  const files = (await import(/* @vite-ignore */ /* webpackIgnore: true */ ["node:fs", "promises"].join("/"))) as {
    readFile(url: URL): Promise<Uint8Array<ArrayBuffer>>;
  };
  return files.readFile(url);
}
