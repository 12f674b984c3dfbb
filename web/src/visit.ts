/**
 * A visitor's session over page loads and tabs, with their consent.
 *
 *     import { loadScorer } from "propense";
 *     import { dataLayer, googleConsent, openVisit } from "propense/visit";
 *     const visit = openVisit(() => loadScorer("/models/giftshop.propense"), {
 *       consent: googleConsent(),
 *       sources: [dataLayer()],
 *     });
 *     visit.onScore(() => showCoupon(), { name: "coupon", above: 0.4, once: true });
 *
 * Nothing is loaded, looked at or kept before it is allowed; when that is withdrawn, all of it is erased.
 */
import type { Sink, Source } from "./adapters.js";
import { type Consent, asked } from "./consent.js";
import { PropenseError, asPropenseError, checkListeners, optionsOf } from "./errors.js";
import type { Learning } from "./learning.js";
import { notify } from "./ledger.js";
import type { AnyScorer } from "./scorer.js";
import { Tabs } from "./tabs.js";
import { type Kept, type Stored, keepOf, kept, plausible } from "./storage.js";
import type { Context, OnScoreOptions, ScoreListener, ShopEvent, Side } from "./types.js";
import { watcherOf } from "./watch.js";

export * from "./adapters.js";
export { googleConsent } from "./consent.js";
export type { Consent, GoogleConsentOptions } from "./consent.js";

/** Makes the visit's scorer. `midway`: a session of an earlier page goes on, so the model should be the same. */
export type LoadVisit = (midway: boolean) => Promise<AnyScorer>;

/** Options of `openVisit`. */
export interface VisitOptions {
  /**
   * `true`: allowed. A function: asked once. `googleConsent()`: as Consent Mode says. Without it: not allowed
   * until `visit.allow(true)`.
   */
  consent?: boolean | (() => boolean | Promise<boolean>) | Consent;
  /** Where the events come from, besides `visit.track`. */
  sources?: readonly Source[];
  /** `session` (default): in sessionStorage, until the tab is closed. `memory`: until the page is left. */
  storage?: "session" | "memory";
  /** Whether tabs of the same shop share a session. Default: true. */
  tabs?: boolean;
  /** What is known of the visitor when a session begins. */
  context?: Context | (() => Context);
  /** Whether another model is waiting for the next session to begin. See `delivery`. */
  newer?: () => boolean;
  /** Learning on the device: `learning()` of `propense/learning`. Default: nothing is learnt. */
  learning?: Learning;
  /** Whatever else is kept (a model's cache) and goes when consent is withdrawn. */
  alsoErase?: () => unknown;
  /** Told when the scorer could not be loaded. Without it the console is warned. */
  onError?: (error: PropenseError) => void;
}

/** Options of a visit's `onScore`. */
export interface VisitScoreOptions extends OnScoreOptions {
  /** With `above`: the side is remembered under this name, so that a new page does not tell it again. */
  name?: string;
}

interface Listener {
  listener: ScoreListener;
  options: VisitScoreOptions;
  end: (() => void) | undefined;
}

/** Follows a visitor over pages and tabs. `load` is called when that is allowed, not before. */
export function openVisit(load: LoadVisit, options: VisitOptions = {}): Visit {
  const { onError, context } = optionsOf(options, "openVisit");
  checkListeners({ onError });
  if (typeof load !== "function") throw new PropenseError("ARGUMENT", "openVisit wants a function that loads a scorer");
  if (typeof context === "object" && context === null) throw new PropenseError("ARGUMENT", "the context is null");
  return new Visit(load, options);
}

/** A visitor's session as this page takes part in it. */
export class Visit {
  /** The scorer, while there is one. */
  scorer: AnyScorer | undefined;
  readonly #load: LoadVisit;
  readonly #options: VisitOptions;
  readonly #listeners = new Set<Listener>();
  readonly #kept: Kept;
  #tabs: Tabs | undefined;
  #session: Stored | undefined;
  /** Whether the session is about to be written. */
  #unwritten = false;
  #allowed = false;
  #closed = false;
  #stopSources: (() => void)[] = [];
  #stopConsent: () => void = () => undefined;
  /** Events of the time while the scorer loads; undefined when it need not be waited for. */
  #early: ShopEvent[] | undefined;
  /** Counts consents: what a load of before finds is no longer wanted. */
  #turn = 0;

  /** @internal Use `openVisit`. */
  constructor(load: LoadVisit, options: VisitOptions) {
    this.#load = load;
    this.#options = options;
    this.#kept = kept(options.storage ?? "session");
    const { consent = false } = options;
    if (typeof consent === "boolean") {
      this.allow(consent);
    } else {
      const source = "subscribe" in consent ? consent : asked(consent);
      this.#stopConsent = source.subscribe((allowed) => {
        this.allow(allowed);
      });
    }
  }

  /** Whether events are looked at. */
  get allowed(): boolean {
    return this.#allowed;
  }

  /** The session as it stands: its name, its start and its number of events. */
  get session(): { id: string; start: number; events: number } | undefined {
    const session = this.#session;
    return session && { id: session.id, start: session.start, events: session.events.length };
  }

  /** Says that the visitor allows it, or no longer does: then all that was kept is erased, in every tab. */
  allow(allowed: boolean): void {
    if (this.#closed || allowed === this.#allowed) {
      // What an earlier page kept under another answer must not stay either.
      if (!allowed) {
        this.#kept.erase();
        this.#options.learning?.end(true);
      }
      return;
    }
    this.#allowed = allowed;
    this.#turn += 1;
    if (allowed) void this.#begin();
    else this.#end(true);
  }

  /** Takes an event. Never throws; does nothing where it is not allowed. */
  readonly track: Sink = (event) => {
    if (!this.#allowed || this.#closed) return;
    if (this.#early !== undefined) this.#early.push(event);
    else this.#take(event);
  };

  /**
   * As a scorer's `onScore`, over all of its life: before the scorer is there, and over the change of a
   * model. With `name`, what has been told in this session is not told again by the next page.
   */
  onScore(listener: ScoreListener, options: VisitScoreOptions = {}): () => void {
    watcherOf(listener, options);
    const entry: Listener = { listener, options, end: undefined };
    this.#listeners.add(entry);
    this.#listen(entry);
    return () => {
      entry.end?.();
      this.#listeners.delete(entry);
    };
  }

  /** Ends the session: the next event begins another one. */
  newSession(): void {
    if (this.scorer) this.#start(Date.now());
  }

  /** Stops following on this page. What is kept stays for the next one. */
  close(): void {
    if (this.#closed) return;
    this.#turn += 1;
    this.#end(false);
    this.#stopConsent();
    this.#closed = true;
  }

  async #begin(): Promise<void> {
    const turn = this.#turn;
    this.#early = [];
    this.#stopSources = (this.#options.sources ?? []).map((source) => source(this.track));
    if (this.#options.tabs !== false && this.#options.storage !== "memory") {
      this.#tabs = new Tabs({
        session: () => this.#session,
        take: (session) => {
          this.#merge(session);
        },
        erase: () => {
          this.allow(false);
        },
      });
    }
    await this.#renew(turn, this.#kept.read());
  }

  /** Loads the scorer; the session that is given goes on with it. */
  async #renew(turn: number, session: Stored | undefined): Promise<void> {
    this.#early ??= [];
    let scorer: AnyScorer;
    try {
      scorer = await this.#load(session !== undefined);
    } catch (thrown) {
      if (turn === this.#turn) this.#fail(asPropenseError(thrown));
      return;
    }
    if (turn !== this.#turn) {
      scorer.dispose();
      return;
    }
    this.scorer?.dispose();
    this.scorer = scorer;
    const over = session === undefined || Date.now() - session.last > scorer.model.sessionGap;
    if (over) this.#start(Date.now(), session === undefined ? undefined : this.#kept);
    else this.#replay(session);
    this.#options.learning?.begin(scorer, over ? undefined : session.id);
    for (const entry of this.#listeners) this.#listen(entry);
    const early = this.#early;
    this.#early = undefined;
    for (const event of early) this.#take(event);
    this.#tabs?.ask();
  }

  #take(event: ShopEvent): void {
    const { scorer } = this;
    if (scorer === undefined) return;
    if (!plausible(event)) {
      // Said by the scorer's rules; nothing to keep.
      scorer.track(event);
      return;
    }
    const session = this.#session;
    if (session === undefined || (session.events.length > 0 && event.timestamp - session.last > scorer.model.sessionGap)) {
      this.#start(event.timestamp);
      if (this.#options.newer?.() === true) {
        this.#early = [event];
        void this.#renew(this.#turn, undefined);
        return;
      }
    }
    const keep = keepOf(event);
    this.#add(keep);
    scorer.track(keep);
    this.#options.learning?.took(scorer, this.#session as Stored, keep.event);
    this.#tabs?.tell(this.#session as Stored, [keep]);
  }

  #add(event: ShopEvent & { uid: string }): void {
    const session = this.#session as Stored;
    if (session.events.length === 0) session.start = session.last = event.timestamp;
    session.events.push(event);
    session.last = Math.max(session.last, event.timestamp);
    this.#write();
  }

  /**
   * Writes the session once what is running now is done, before anything else can happen: many events at
   * once, as when a page starts, are one write.
   */
  #write(): void {
    if (this.#unwritten) return;
    this.#unwritten = true;
    queueMicrotask(() => {
      this.#unwritten = false;
      if (this.#session !== undefined) this.#kept.write(this.#session);
    });
  }

  /** Begins a session without events. */
  #start(now: number, stale?: Kept): void {
    stale?.erase();
    const { context } = this.#options;
    const given = typeof context === "function" ? context() : (context ?? {});
    this.#session = { id: crypto.randomUUID(), start: now, last: now, context: given, events: [], told: {} };
    this.scorer?.reset(given);
    // While the scorer loads, `begin` is still to come.
    if (this.scorer !== undefined && this.#early === undefined) this.#options.learning?.next(this.scorer, this.#session.id);
  }

  /** The scorer's session becomes this one. */
  #replay(session: Stored): void {
    const { scorer } = this;
    this.#session = session;
    this.#write();
    scorer?.reset(session.context);
    for (const event of session.events) scorer?.track(event);
  }

  /** Takes in what another tab has: the same session, or one that was begun there meanwhile. */
  #merge(other: Stored): void {
    const mine = this.#session;
    const gap = this.scorer?.model.sessionGap;
    if (mine === undefined || gap === undefined || this.#early !== undefined) return;
    const known = new Set(mine.events.map(({ uid }) => uid));
    const news = other.events.filter(({ uid }) => !known.has(uid));
    const first = mine.id === other.id || mine.start < other.start || (mine.start === other.start && mine.id < other.id);
    if (mine.id !== other.id) {
      // Too far apart, the later one is another session: it counts.
      if (other.start - mine.last > gap) {
        this.#replay(structuredClone(other));
        return;
      }
      if (mine.start - other.last > gap || other.events.length === 0) return;
    }
    const told = { ...other.told, ...mine.told };
    const late = news.every(({ timestamp }) => timestamp >= mine.last);
    if (first && late && mine.id === other.id) {
      mine.told = told;
      for (const event of news) {
        this.#add(event);
        this.scorer?.track(event);
      }
      return;
    }
    const events = [...mine.events, ...news].sort(
      (a, b) => a.timestamp - b.timestamp || (a.uid < b.uid ? -1 : 1),
    );
    const { id, start, context } = first ? mine : other;
    this.#replay({ id, start, context, events, told, last: Math.max(mine.last, other.last) });
  }

  #listen(entry: Listener): void {
    entry.end?.();
    entry.end = undefined;
    const { scorer } = this;
    if (scorer === undefined) return;
    const { name, ...options } = entry.options;
    if (name === undefined) {
      entry.end = scorer.onScore(entry.listener, options);
      return;
    }
    const told = this.#session?.told[name];
    if (options.once === true && told === "above") return;
    entry.end = scorer.onScore(
      (score, side) => {
        this.#remember(name, side);
        entry.listener(score, side);
      },
      { ...options, ...(told === undefined ? {} : { side: told }) },
    );
  }

  #remember(name: string, side: Side | undefined): void {
    const session = this.#session;
    if (session === undefined || side === undefined) return;
    session.told[name] = side;
    this.#write();
    this.#tabs?.tell(session, []);
  }

  #end(erase: boolean): void {
    for (const stop of this.#stopSources.splice(0)) stop();
    for (const entry of this.#listeners) entry.end = undefined;
    if (!erase && this.#session !== undefined) this.#kept.write(this.#session);
    this.#options.learning?.end(erase);
    this.scorer?.dispose();
    this.scorer = undefined;
    this.#session = undefined;
    this.#early = undefined;
    if (erase) {
      this.#kept.erase();
      this.#tabs?.erase();
      notify(() => this.#options.alsoErase?.());
    }
    this.#tabs?.close();
    this.#tabs = undefined;
  }

  #fail(error: PropenseError): void {
    this.#early = undefined;
    const { onError } = this.#options;
    if (onError) notify(() => onError(error));
    else console.warn(`propense: ${error.message}`);
  }
}
