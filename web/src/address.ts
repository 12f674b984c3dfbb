/** Addresses: where relative ones start, and what a bundle may name. */
import { PropenseError } from "./errors.js";
import { workingFolder } from "./node.js";

/** Where relative addresses start: the page; in a worker its own file; in Node the working folder. */
function here(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href ?? workingFolder();
}

/** The whole address of this one. `what` is for the words of the failure. */
export function addressOf(what: string, given: unknown): URL {
  if (typeof given === "string" || given instanceof URL) {
    try {
      return new URL(given, here());
    } catch {
      // said below
    }
  }
  throw new PropenseError("ARGUMENT", `the address of the ${what} is none: ${shown(given)}`);
}

/**
 * The address of a file that the bundle at this address names. A bundle may come from anywhere: it
 * must not be able to send the page to another server, so only a file beside or below it will do.
 */
export function besideBundle(file: string, bundle: URL): URL {
  let url: URL | undefined;
  try {
    url = new URL(file, bundle);
  } catch {
    // said below
  }
  const relative = !/^(?:[a-z][a-z0-9+.-]*:|[/\\])/i.test(file.trim());
  if (url === undefined || !relative || url.origin !== bundle.origin) {
    throw new PropenseError(
      "CATALOGUE_INVALID",
      `the bundle names the catalogue ${shown(file)}, which is no file relative to the bundle`,
    );
  }
  return url;
}

function shown(given: unknown): string {
  return typeof given === "string" ? JSON.stringify(given) : typeof given;
}
