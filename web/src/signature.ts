/** Whether a model is the shop's own: its Ed25519 signature, as `docs/bundle.md` lays it down. */
import { PropenseError, messageOf } from "./errors.js";

/** What stands before the 32 bytes of an Ed25519 public key in a PEM file (RFC 8410). */
const PEM = /^-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*$/;
const PREFIX = "302a300506032b6570032100";

/** Checks who signed a model. */
export class Signer {
  readonly #key: Uint8Array<ArrayBuffer>;

  /** @param publicKey 32 bytes in base64, as `propense sign` prints them, or a PEM file's text */
  constructor(publicKey: unknown) {
    const key = typeof publicKey === "string" ? keyOf(publicKey) : undefined;
    if (key === undefined) {
      throw new PropenseError("ARGUMENT", "publicKey must be an Ed25519 public key: 32 bytes in base64, or PEM");
    }
    this.#key = key;
  }

  /** Resolves where these bytes were signed with the private half of the key; otherwise rejects with `SIGNATURE`. */
  async check(bytes: Uint8Array, what: string): Promise<void> {
    const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
    if (subtle === undefined) throw refused(what, "cannot be checked for its signature: that needs https, or localhost");
    const signed = signatureOf(bytes);
    if (signed === undefined) throw refused(what, "is not signed");
    let right: boolean;
    try {
      const key = await subtle.importKey("raw", this.#key, { name: "Ed25519" }, false, ["verify"]);
      right = await subtle.verify({ name: "Ed25519" }, key, signed.signature, signed.message);
    } catch (thrown) {
      throw refused(what, `cannot be checked for its signature by this browser: ${messageOf(thrown)}`, thrown);
    }
    if (!right) throw refused(what, "is not signed with the key that the page asks for");
  }
}

function refused(what: string, why: string, cause?: unknown): PropenseError {
  return new PropenseError("SIGNATURE", `the model at ${what} ${why}`, { cause });
}

function keyOf(text: string): Uint8Array<ArrayBuffer> | undefined {
  const pem = PEM.exec(text.trim())?.[1];
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.from(atob((pem ?? text).replaceAll(/\s/g, "")), (letter) => letter.charCodeAt(0));
  } catch {
    return undefined;
  }
  if (pem === undefined) return bytes.length === 32 ? bytes : undefined;
  const head = Array.from(bytes.subarray(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return bytes.length === 44 && head === PREFIX ? bytes.slice(12) : undefined;
}

/** The signature of a bundle, and what it is of: the file with the digits of signature and checksum as zeros. */
function signatureOf(bytes: Uint8Array): { message: Uint8Array<ArrayBuffer>; signature: Uint8Array<ArrayBuffer> } | undefined {
  try {
    const message = bytes.slice();
    const length = Number(new DataView(message.buffer).getBigUint64(0, true));
    const head = message.subarray(8, 8 + length);
    const header = JSON.parse(new TextDecoder().decode(head)) as { __metadata__: { propense: string } };
    const { signature, sha256 } = JSON.parse(header.__metadata__.propense) as Record<string, unknown>;
    if (typeof signature !== "string" || !/^[0-9a-f]{128}$/.test(signature)) return undefined;
    if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
    if (!blank(head, signature) || !blank(head, sha256)) return undefined;
    const pairs = signature.match(/../g) ?? [];
    return { message, signature: Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)) };
  } catch {
    // No bundle at all, which its reader will say better.
    return undefined;
  }
}

/** Puts zeros in place of these digits, where they first stand. */
function blank(bytes: Uint8Array, digits: string): boolean {
  const wanted = new TextEncoder().encode(digits);
  for (let at = bytes.indexOf(wanted[0] as number); at >= 0; at = bytes.indexOf(wanted[0] as number, at + 1)) {
    if (wanted.every((byte, place) => bytes[at + place] === byte)) {
      bytes.fill(48, at, at + wanted.length);
      return true;
    }
  }
  return false;
}
