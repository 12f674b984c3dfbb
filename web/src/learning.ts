/**
 * Learning on the device: the model's head adapts to the visitor, and may help to improve everybody's.
 *
 *     import { learning } from "propense/learning";
 *     const visit = openVisit(load, {
 *       consent,
 *       learning: learning({ adapt: true, contribute: { url: "https://models.example/v1/contributions", consent: asks } }),
 *     });
 *
 * Kept are numbers between the network and its last layer, with the outcome, of the newest sessions: no event.
 * They lie in IndexedDB as long as the visitor allows it, and are erased with everything else. Both parts are
 * off unless asked for; a contribution needs a consent of its own.
 */
import { type Consent, asked } from "./consent.js";
import { PropenseError, optionsOf } from "./errors.js";
import { Notebook, type Notes } from "./notebook.js";
import type { AnyScorer } from "./scorer.js";

/** Events after which the head's input is kept: those at which in-session models are measured. */
const MOMENTS: readonly number[] = [2, 3, 5, 10];

/** Sessions that are learnt from, the newest. */
const MOST = 16;

/** Sessions whose outcome is waited for, the newest. */
const MOST_PENDING = 8;

/** Where contributions go, and what they may tell. */
export interface ContributeOptions {
  /** `/v1/contributions` of `propense serve`. */
  url: string | URL;
  /** Whether the visitor allows it; asked for this alone. */
  consent: boolean | (() => boolean | Promise<boolean>) | Consent;
  /** The ε that all contributions of this browser together may reach. Default: 8. */
  epsilon?: number;
  /** δ of that ε. Default: 1e-6. */
  delta?: number;
}

/** Options of `learning`. */
export interface LearningOptions {
  /** Whether the score adapts to the visitor. Default: false. */
  adapt?: boolean;
  /** Whether, and where, the browser contributes to a better model for all. Default: it does not. */
  contribute?: ContributeOptions;
}

/** A session of the visit, as far as learning cares. */
export interface LearningSession {
  id: string;
  last: number;
}

/** What `openVisit` takes as `learning`. */
export function learning(options: LearningOptions = {}): Learning {
  const { contribute } = optionsOf(options, "learning");
  if (contribute !== undefined) {
    const { epsilon = 8, delta = 1e-6 } = contribute;
    if (!(epsilon > 0 && Number.isFinite(epsilon) && delta > 0 && delta < 1)) {
      throw new PropenseError("ARGUMENT", "contribute: epsilon must be above 0, delta between 0 and 1");
    }
  }
  return new Learning(options);
}

/** Learns from a visitor's finished sessions. */
export class Learning {
  readonly #options: LearningOptions;
  readonly #notebook = new Notebook();
  #scorer: AnyScorer | undefined;
  /** Work on the notebook, one after the other. */
  #work: Promise<unknown> = Promise.resolve();
  #maySend = false;
  #stopConsent: (() => void) | undefined;

  /** @internal Use `learning`. */
  constructor(options: LearningOptions) {
    this.#options = options;
  }

  /** What has been learnt from: finished sessions. */
  get lessons(): Promise<number> {
    return this.#notebook.read().then(({ lessons }) => lessons.length);
  }

  /** Forgets all that was learnt and goes back to the shared model. What contributions have told stays noted. */
  async reset(): Promise<void> {
    const forget = (notes: Notes): void => {
      notes.pending = {};
      notes.lessons = [];
    };
    await this.#then(() => (this.#off ? this.#notebook.erase() : this.#notebook.change(forget)));
    await this.#scorer?.adapt([]);
  }

  /** Resolves when all that is under way is done. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** @internal The visit has this scorer. `open`: the session that goes on. */
  begin(scorer: AnyScorer, open: string | undefined): void {
    this.#scorer = scorer;
    this.#listen();
    if (this.#off) void this.#then(() => this.#notebook.erase());
    this.next(scorer, open);
  }

  /** @internal The session has another event, and the scorer knows it. */
  took(scorer: AnyScorer, { id, last }: LearningSession, event: string): void {
    if (!this.#wanted) return;
    const now = scorer.headInput();
    void this.#then(async () => {
      const seen = await now.catch(() => undefined);
      const bought = event === "purchase";
      if (!bought && seen === undefined) return;
      await this.#notebook.change((notes) => {
        about(notes, scorer);
        const known = notes.pending[id];
        // After the order another session begins for the model; the visit's is the same.
        if (known?.bought === true) return;
        const pending = (notes.pending[id] = known ?? { last, bought: false, inputs: {} });
        pending.last = Math.max(pending.last, last);
        if (bought) pending.bought = true;
        else if (seen !== undefined && MOMENTS.includes(seen.events)) pending.inputs[seen.events] = seen.input;
        for (const old of Object.keys(notes.pending).slice(0, -MOST_PENDING)) delete notes.pending[old];
      });
    });
  }

  /** @internal Another session has begun. */
  next(scorer: AnyScorer, open: string | undefined): void {
    if (this.#wanted) void this.#then(() => this.#close(scorer, open));
  }

  /** @internal The scorer is gone. */
  end(erase: boolean): void {
    this.#scorer = undefined;
    this.#stopConsent?.();
    this.#stopConsent = undefined;
    this.#maySend = false;
    if (erase) void this.#then(() => this.#notebook.erase());
  }

  /** Whether the shop has turned both parts off: what an earlier page kept goes. */
  get #off(): boolean {
    return this.#options.adapt !== true && this.#options.contribute === undefined;
  }

  /** Whether anything is to be kept. */
  get #wanted(): boolean {
    return this.#options.adapt === true || this.#maySend;
  }

  /** Sessions whose pause has passed are lessons; the head adapts, and may contribute. */
  async #close(scorer: AnyScorer, open: string | undefined): Promise<void> {
    const before = Date.now() - scorer.model.sessionGap;
    const notes = await this.#notebook.change((notes) => {
      about(notes, scorer);
      for (const [id, { last, bought, inputs }] of Object.entries(notes.pending)) {
        if (id === open || last >= before) continue;
        delete notes.pending[id];
        const moments = Object.values(inputs);
        if (moments.length > 0) notes.lessons.push({ inputs: moments, bought });
      }
      notes.lessons.splice(0, notes.lessons.length - MOST);
    });
    if (this.#scorer !== scorer || notes.lessons.length === 0) return;
    if (this.#options.adapt === true) await scorer.adapt(notes.lessons);
    await this.#contribute(scorer, notes);
  }

  async #contribute(scorer: AnyScorer, notes: Notes): Promise<void> {
    const { contribute } = this.#options;
    if (contribute === undefined || !this.#maySend || notes.lessons.length === 0) return;
    const { version } = scorer.model;
    if (notes.contributed === version) return;
    const { epsilon = 8, delta = 1e-6 } = contribute;
    const round = await this.#ask(contribute.url);
    if (round === undefined || round.version !== version) return;
    const { multiplier, bundle } = round;
    const update = await scorer.contribution(notes.lessons, { multiplier, earlier: notes.spent, epsilon, delta });
    if (update === undefined) return;
    // Spent before it is sent: an answer that is lost is no second try.
    let mine = false;
    await this.#notebook.change((now) => {
      mine = now.contributed !== version && now.lessons.length > 0;
      if (!mine) return;
      now.contributed = version;
      now.spent.push(multiplier);
    });
    if (!mine || !this.#maySend) return;
    const body = JSON.stringify({ bundle, multiplier, update });
    await this.#fetch(contribute.url, { method: "POST", body });
  }

  /** The round that is open; nothing where there is none, or the answer is no round. */
  async #ask(url: string | URL): Promise<{ bundle: string; version: string; multiplier: number } | undefined> {
    const answer = (await this.#fetch(url, {}))?.json() as Promise<Record<string, unknown>> | undefined;
    const round = await answer?.catch(() => undefined);
    const { open, bundle, version, multiplier } = round ?? {};
    const sound =
      open === true && typeof bundle === "string" && typeof version === "string" && typeof multiplier === "number" && multiplier > 0;
    return sound ? { bundle, version, multiplier } : undefined;
  }

  /** Nothing that tells who asks: no cookie, no referrer. A failure is silence: there is a next time. */
  async #fetch(url: string | URL, how: RequestInit): Promise<Response | undefined> {
    try {
      const response = await fetch(url, { ...how, credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store" });
      return response.ok ? response : undefined;
    } catch {
      return undefined;
    }
  }

  #listen(): void {
    const { contribute } = this.#options;
    if (contribute === undefined || this.#stopConsent !== undefined) return;
    const { consent } = contribute;
    if (typeof consent === "boolean") {
      this.#maySend = consent;
      return;
    }
    const source = "subscribe" in consent ? consent : asked(consent);
    this.#stopConsent = source.subscribe((allowed) => {
      this.#maySend = allowed;
      const scorer = this.#scorer;
      if (allowed && scorer) void this.#then(async () => this.#contribute(scorer, await this.#notebook.read()));
    });
  }

  /** Does this after what is under way. What fails (a scorer that is gone) ends there. */
  #then(work: () => Promise<unknown>): Promise<unknown> {
    this.#work = this.#work.then(work).catch(() => undefined);
    return this.#work;
  }
}

/** What was noted with another model is of no use to this one. */
function about(notes: Notes, scorer: AnyScorer): void {
  const { version } = scorer.model;
  if (notes.model === version) return;
  notes.model = version;
  notes.pending = {};
  notes.lessons = [];
}
