/** Where versions of a model are kept: checked, offline, renewed between sessions, rolled back. */
import { broken, request } from "./bundle.js";
import { PropenseError, asPropenseError } from "./errors.js";
import { notify } from "./ledger.js";
import type { AnyScorer } from "./scorer.js";
import { Signer } from "./signature.js";

/** The cache's name. `docs/privacy.md` names it. */
const CACHE = "propense-models";

/** The header under which a cached model's SHA-256 stands, so that it need not be computed at each page. */
const DIGEST = "x-propense-sha256";
/** Set in its place on a version that failed. */
const BAD = "x-propense-bad";
/** Where a cached model came from. */
const FROM = "x-propense-from";

const ERASED = "the model was erased while it was loading";

/** Options of `delivery`. */
export interface DeliveryOptions {
  /** What the file must be: `sha256-` and its SHA-256 in base64, as in HTML's `integrity`. */
  integrity?: string;
  /**
   * Who must have signed the model (`propense sign`): an Ed25519 public key, 32 bytes in base64 or PEM. Another
   * model is refused with `SIGNATURE`, and so is any where the browser has no Ed25519.
   */
  publicKey?: string;
  /** Whether the browser keeps it. Default: true. */
  cache?: boolean;
  /** Whether a newer one is looked for after a load from the cache. Default: true. */
  refresh?: boolean;
  /** Told of the bytes loaded so far, and of all, where the server says how many. */
  onProgress?: (loaded: number, total: number | undefined) => void;
  /** Told of a model that was refused, for which the last good one is used. */
  onRollback?: (error: PropenseError) => void;
}

/** A model and its versions in the cache: the good one in use, the one before, the one to come. */
type Slot = "good" | "previous" | "next";

/** A model by its address. */
export interface Delivery {
  /** The whole address. */
  readonly url: string;
  /**
   * Makes a scorer of the model's bytes. Of the cached versions the newest is taken when a session begins,
   * and the one in use where it is `midway`. One that `make` refuses is not tried again.
   */
  load<S extends AnyScorer>(make: (bytes: Uint8Array, base: string) => Promise<S>, midway?: boolean): Promise<S>;
  /** Whether a newer model waits for the next session to begin. */
  newer(): boolean;
  /** Resolves when the look for a newer model that the last `load` began is over. Never rejects. */
  settled(): Promise<void>;
  /** Removes all versions from the cache; what is loading meanwhile is stopped, and not kept. */
  erase(): Promise<void>;
}

/** A model's bytes, their SHA-256 in base64 (empty where it cannot be computed), and where they came from. */
interface Version {
  bytes: Uint8Array;
  digest: string;
  from: string;
}

/** Which file is the model: its address, and its SHA-256 in base64 where that is known. */
export interface Wanted {
  url: string;
  digest: string | undefined;
}

/** Says which file is the model now. It may have to ask for that. */
export type Source = (how: RequestInit) => Wanted | Promise<Wanted>;

/** @internal Use `delivery` or `rollout`. */
export class Depot implements Delivery {
  readonly url: string;
  readonly #options: DeliveryOptions;
  readonly #source: Source;
  readonly #signer: Signer | undefined;
  #newer = false;
  #refreshing: Promise<void> = Promise.resolve();
  /** Aborts when all is to be erased: whoever began before it writes nothing any more. */
  #life = new AbortController();
  /** The end of the queue of writes: a look for a newer model, a load and an erasure may all run at once. */
  #writes: Promise<unknown> = Promise.resolve();
  /** Digests that were refused. */
  readonly #bad = new Set<string>();

  constructor(url: URL, source: Source, options: DeliveryOptions) {
    this.url = url.href;
    this.#source = source;
    this.#options = options;
    this.#signer = options.publicKey === undefined ? undefined : new Signer(options.publicKey);
  }

  newer(): boolean {
    return this.#newer;
  }

  settled(): Promise<void> {
    return this.#refreshing;
  }

  async load<S extends AnyScorer>(make: (bytes: Uint8Array, base: string) => Promise<S>, midway = false): Promise<S> {
    const { signal } = this.#life;
    const cache = await this.#cache();
    const order: Slot[] = midway ? ["good", "next", "previous"] : ["next", "good", "previous"];
    for (const slot of cache ? order : []) {
      const found = await this.#cached(slot, cache as Cache);
      if (found === undefined) continue;
      try {
        const scorer = await make(found.bytes, found.from);
        if (slot !== "good") await this.#write(signal, () => this.#promote(slot, cache as Cache));
        this.#newer = !signal.aborted && (await this.#waits(found.digest, cache as Cache));
        if (this.#options.refresh !== false && !signal.aborted) this.#refresh(found.digest, cache as Cache);
        return scorer;
      } catch (thrown) {
        const error = asPropenseError(thrown);
        if (!error.code.startsWith("BUNDLE_")) throw error;
        await this.#write(signal, () => this.#refuse(slot, found.digest, cache as Cache));
        notify(() => this.#options.onRollback?.(error));
      }
    }
    const found = await this.#look({ signal });
    const scorer = await make(found.bytes, found.from);
    if (cache) await this.#write(signal, () => this.#put("good", found, cache));
    return scorer;
  }

  async erase(): Promise<void> {
    this.#life.abort();
    this.#life = new AbortController();
    this.#newer = false;
    const cache = await this.#cache();
    await this.#write(undefined, async () => {
      for (const slot of ["good", "previous", "next"] as const) await cache?.delete(this.#key(slot));
    });
  }

  /** Changes the cache when the changes before it are done, unless all was erased since `life` began. */
  #write(life: AbortSignal | undefined, change: () => Promise<void>): Promise<void> {
    const turn = this.#writes.then(async () => {
      if (life?.aborted !== true) await change();
    });
    this.#writes = turn.catch(() => undefined);
    return turn;
  }

  /** Whether the cache has a model to come, beside this one in use. */
  async #waits(used: string, cache: Cache): Promise<boolean> {
    const digest = (await cache.match(this.#key("next")))?.headers.get(DIGEST);
    return digest != null && digest !== used && !this.#bad.has(digest) && this.#options.integrity === undefined;
  }

  /** Looks for a newer one. Offline, or refused, everything stays as it is. */
  #refresh(known: string, cache: Cache): void {
    // A pinned model is the right one already: it has been checked.
    if (this.#options.integrity !== undefined) return;
    const { signal } = this.#life;
    this.#refreshing = (async () => {
      // The HTTP cache asks the server whether it has another one; where not, hardly a byte is sent.
      const found = await this.#look({ cache: "no-cache", signal }, known);
      const { digest } = found;
      if (this.#bad.has(digest)) return;
      await this.#write(signal, async () => {
        const waiting = (await cache.match(this.#key("next")))?.headers;
        if (digest === waiting?.get(BAD)) return;
        if (digest === known) {
          // The shop has taken back what was to come.
          if (waiting?.has(DIGEST) === true) await cache.delete(this.#key("next"));
          this.#newer = false;
          return;
        }
        if (digest !== waiting?.get(DIGEST)) await this.#put("next", found, cache);
        this.#newer = true;
      });
    })().catch(() => undefined);
  }

  /** A cached version that may be used. */
  async #cached(slot: Slot, cache: Cache): Promise<Version | undefined> {
    try {
      const response = await cache.match(this.#key(slot));
      const digest = response?.headers.get(DIGEST);
      if (!response || !digest || this.#bad.has(digest) || response.headers.has(BAD)) return undefined;
      const { integrity } = this.#options;
      if (integrity !== undefined && integrity !== `sha256-${digest}`) return undefined;
      const bytes = new Uint8Array(await response.arrayBuffer());
      // What was kept may have been kept by a page that did not ask who signed it.
      const from = response.headers.get(FROM) ?? this.url;
      await this.#signer?.check(bytes, from);
      return { bytes, digest, from };
    } catch {
      return undefined;
    }
  }

  /** Uses this version from now on; the one in use before stays as the one to fall back to. */
  async #promote(slot: Slot, cache: Cache): Promise<void> {
    const [from, good] = await Promise.all([cache.match(this.#key(slot)), cache.match(this.#key("good"))]);
    if (slot === "next" && good) await cache.put(this.#key("previous"), good);
    if (from) await cache.put(this.#key("good"), from);
    await cache.delete(this.#key(slot));
  }

  /** Remembers that this version cannot be used, so that it is neither tried nor fetched again. */
  async #refuse(slot: Slot, digest: string, cache: Cache): Promise<void> {
    this.#bad.add(digest);
    this.#newer = false;
    if (slot === "next") {
      await cache.put(this.#key(slot), new Response(null, { headers: { [BAD]: digest } }));
    } else {
      await cache.delete(this.#key(slot));
    }
  }

  async #put(slot: Slot, { bytes, digest, from }: Version, cache: Cache): Promise<void> {
    if (digest === "") return;
    try {
      await cache.put(this.#key(slot), new Response(bytes.slice(), { headers: { [DIGEST]: digest, [FROM]: from } }));
    } catch {
      // No room: it is fetched again the next time.
    }
  }

  #key(slot: Slot): string {
    const key = new URL(this.url);
    key.hash = "";
    if (slot !== "good") key.searchParams.set("propense", slot);
    return key.href;
  }

  async #cache(): Promise<Cache | undefined> {
    if (this.#options.cache === false || !/^https?:/.test(this.url)) return undefined;
    try {
      return await globalThis.caches?.open(CACHE);
    } catch {
      // Denied, or no secure context.
      return undefined;
    }
  }

  /** The model as it is to be had now; without its bytes where it is the one that is `known`. */
  async #look(how: RequestInit, known?: string): Promise<Version> {
    const { url: from, digest: wanted } = await this.#source(how);
    if (wanted !== undefined && wanted === known) return { bytes: new Uint8Array(), digest: wanted, from };
    const bytes = await this.#fetch(from, how);
    await this.#signer?.check(bytes, from);
    const digest = await sum(bytes, wanted !== undefined);
    if (wanted !== undefined && digest !== wanted) {
      throw new PropenseError("INTEGRITY", `the model at ${from} has sha256-${digest}, wanted is sha256-${wanted}`);
    }
    return { bytes, digest, from };
  }

  async #fetch(url: string, how: RequestInit): Promise<Uint8Array> {
    const response = await request(url, "model", how).catch((thrown: unknown) => {
      throw how.signal?.aborted === true ? new PropenseError("ABORTED", ERASED) : thrown;
    });
    const length = Number(response.headers.get("content-length") ?? Number.NaN);
    // What is compressed on its way is longer here than the header says.
    const total = length > 0 && response.headers.get("content-encoding") === null ? length : undefined;
    const tell = (loaded: number): void => notify(() => this.#options.onProgress?.(loaded, total));
    const parts: Uint8Array[] = [];
    let loaded = 0;
    try {
      const reader = response.body?.getReader();
      if (!reader) return new Uint8Array(await response.arrayBuffer());
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value);
        loaded += value.length;
        tell(loaded);
      }
    } catch (thrown) {
      if (how.signal?.aborted === true) throw new PropenseError("ABORTED", ERASED);
      return broken(url)(thrown);
    }
    const bytes = new Uint8Array(loaded);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }
}

/** The SHA-256 in base64; empty where the page cannot compute it, which is an error where it is `needed`. */
async function sum(bytes: Uint8Array, needed: boolean): Promise<string> {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (subtle !== undefined) {
    return btoa(String.fromCharCode(...new Uint8Array(await subtle.digest("SHA-256", bytes.slice()))));
  }
  if (!needed) return "";
  throw new PropenseError("INTEGRITY", "the model cannot be checked: that needs https, or localhost");
}
