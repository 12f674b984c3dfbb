/** Who is told of scores, and when: after events, and at growing intervals while nothing happens. */
import { PropenseError, asPropenseError, optionsOf } from "./errors.js";
import { notify } from "./ledger.js";
import type { OnScoreOptions, Score, ScoreListener, Side } from "./types.js";

/** Seconds without an event after which the score is told again. From the last on, half as long again. */
const MOMENTS = [1, 2, 3, 5, 8, 12, 18, 27, 40, 60];
const GROWTH = 1.5;

/** A threshold is left at this part of it unless the caller says where. */
const LEAVE = 0.9;

/** What watching needs of its scorer. */
export interface WatchHost {
  /** Milliseconds since the newest event. */
  waited(): number;
  /** The score when nothing has happened for so many milliseconds. */
  score(waited: number): Promise<Score>;
  /** Milliseconds without an event after which the session is over. */
  readonly longest: number;
}

/** A listener, and when it is told. */
interface Watcher {
  tell: ScoreListener;
  above: number | undefined;
  below: number;
  once: boolean;
  dwell: boolean;
  side: Side;
}

/** A listener as its options have it. Throws `ARGUMENT` where they are wrong, whoever asks: page, visit or worker. */
export function watcherOf(tell: ScoreListener, options: OnScoreOptions): Watcher {
  if (typeof tell !== "function") throw new PropenseError("ARGUMENT", "onScore wants a function");
  const { above, once = false, dwell = true, side = "below" } = optionsOf(options, "onScore");
  const below = options.below ?? (above ?? 0) * LEAVE;
  const wrong = [above, below].some((bound) => bound !== undefined && !(bound >= 0 && bound <= 1));
  if (wrong || (above !== undefined && below > above)) {
    throw new PropenseError("ARGUMENT", "above and below are propensities from 0 to 1, below at most above");
  }
  return { tell, above, below, once, dwell, side };
}

/** The listeners of one scorer. */
export class Watch {
  readonly #host: WatchHost;
  readonly #watchers = new Set<Watcher>();
  /** Counts what has happened, so that a score of before is not told after it. */
  #moves = 0;
  #running = false;
  #stale = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: WatchHost) {
    this.#host = host;
  }

  /** Adds a listener; gives what takes it away. It hears of the score as it stands first. */
  add(tell: ScoreListener, options: OnScoreOptions): () => void {
    const watcher = watcherOf(tell, options);
    if (this.#watchers.size === 0) globalThis.document?.addEventListener("visibilitychange", this.#seen);
    this.#watchers.add(watcher);
    this.due();
    return () => {
      this.#remove(watcher);
    };
  }

  /** Something has happened: everybody is to hear of the score. */
  due(): void {
    this.#moves += 1;
    if (this.#watchers.size === 0) return;
    this.#stop();
    this.#stale = true;
    if (!this.#running) void this.#run();
  }

  dispose(): void {
    for (const watcher of this.#watchers) this.#remove(watcher);
  }

  /** Several events at once share a score: it is asked for when they have all been taken. */
  async #run(): Promise<void> {
    this.#running = true;
    try {
      await Promise.resolve();
      while (this.#stale && this.#watchers.size > 0) {
        this.#stale = false;
        await this.#tell(0);
      }
    } finally {
      this.#running = false;
    }
    this.#schedule();
  }

  /** Tells the score after so many milliseconds without an event. */
  async #tell(waited: number): Promise<void> {
    const moves = this.#moves;
    let score: Score;
    try {
      score = await this.#host.score(waited);
    } catch (thrown) {
      const error = asPropenseError(thrown);
      if (error.code === "DISPOSED") return;
      // Nobody waits for this promise: it goes where an uncaught failure goes.
      notify(() => {
        throw error;
      });
      return;
    }
    if (moves !== this.#moves) return;
    for (const watcher of this.#watchers) {
      if (waited === 0 || watcher.dwell) this.#inform(watcher, score);
    }
  }

  #inform(watcher: Watcher, score: Score): void {
    const { above, below, side } = watcher;
    if (above !== undefined) {
      const crossed = side === "below" ? score.propensity >= above : score.propensity < below;
      if (!crossed) return;
      watcher.side = side === "below" ? "above" : "below";
    }
    if (watcher.once) this.#remove(watcher);
    notify(() => {
      watcher.tell(score, above === undefined ? undefined : watcher.side);
    });
  }

  /** Waits for the next moment of the stay at which the score is to be told. */
  #schedule(): void {
    this.#stop();
    const waited = this.#host.waited();
    const moment = nextMoment(waited);
    if (moment > this.#host.longest || !this.#follows()) return;
    this.#timer = setTimeout(this.#dwelt, moment - waited);
    // A program that has nothing else to do need not wait for it.
    (this.#timer as unknown as { unref?: () => void }).unref?.();
  }

  readonly #dwelt = (): void => {
    this.#timer = undefined;
    // A page that nobody sees waits until somebody does.
    if (globalThis.document?.visibilityState === "hidden") return;
    const moves = this.#moves;
    void this.#tell(this.#host.waited()).then(() => {
      if (moves === this.#moves) this.#schedule();
    });
  };

  readonly #seen = (): void => {
    if (this.#timer === undefined && !this.#running && this.#follows()) this.#dwelt();
  };

  /** Whether somebody wants to hear of stays. */
  #follows(): boolean {
    return [...this.#watchers].some((watcher) => watcher.dwell);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #remove(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher) || this.#watchers.size > 0) return;
    this.#stop();
    globalThis.document?.removeEventListener("visibilitychange", this.#seen);
  }
}

/** Milliseconds of the first moment that comes after so many without an event. */
function nextMoment(waited: number): number {
  const listed = MOMENTS.find((seconds) => seconds * 1000 > waited);
  if (listed !== undefined) return listed * 1000;
  let moment = (MOMENTS.at(-1) ?? 60) * 1000;
  while (moment <= waited) moment *= GROWTH;
  return moment;
}
