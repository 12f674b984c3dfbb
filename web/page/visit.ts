// A visit as the panel shows it: every event that was tracked, and the score after it.
//
// Scoring never holds the shop up: `track` returns at once, and one score is asked for at a time. On a
// slow backend several events may share the next score; the curve then spans them.

import type { Context, Reason, Score, Scorer } from "../index.js";
import type { Told } from "./shop-events.js";

/** One event of the visit. */
export interface Point {
  event: string;
  label: string;
  /** Milliseconds since 1970. */
  timestamp: number;
  /** The score after this event, once it is known. */
  score?: Score;
}

/** What the panel draws. */
export interface VisitState {
  /** Events so far, in order. */
  points: readonly Point[];
  /** The score before the first event: what the context alone says. */
  opening?: Score;
  /** The newest score, or the opening one. */
  latest?: Score;
  /** The score now, where the visitor has stayed on a page since the newest event. */
  staying?: Score;
  reasons: readonly Reason[];
  /** A score is being computed. */
  busy: boolean;
  /** The visit ended with an order. */
  ordered: boolean;
}

/** The running visit. */
export class Visit {
  private points: Point[] = [];
  private opening: Score | undefined;
  private latest: Score | undefined;
  private staying: Score | undefined;
  private reasons: readonly Reason[] = [];
  private busy = false;
  private stale = false;
  /** Counts visits, so that a late score of an earlier one is dropped. */
  private number = 0;
  private ended = false;

  constructor(
    private readonly scorer: Scorer,
    private readonly onChange: (state: VisitState) => void,
    private readonly onError: (thrown: unknown) => void,
  ) {}

  /** The visit as it stands. */
  get state(): VisitState {
    return {
      points: this.points,
      ...(this.opening === undefined ? {} : { opening: this.opening }),
      ...(this.latest === undefined ? {} : { latest: this.latest }),
      ...(this.staying === undefined ? {} : { staying: this.staying }),
      reasons: this.reasons,
      busy: this.busy,
      ordered: this.ended,
    };
  }

  /** Takes an event; the score follows by itself. */
  track({ event, label }: Told): void {
    this.scorer.track(event);
    this.points.push({ event: event.event, label, timestamp: event.timestamp });
    if (event.event === "purchase") {
      // What follows an order says nothing about whether there will be one: the gauge stops here.
      this.ended = true;
      this.staying = undefined;
      this.onChange(this.state);
      return;
    }
    this.rescore();
  }

  /** Takes the score of a visitor who has merely stayed since the newest event. */
  stay(score: Score): void {
    if (this.busy || this.ended || this.points.length === 0) {
      return;
    }
    this.staying = score;
    this.onChange(this.state);
  }

  /** The newest event that has a score, or waits for one: an order has none. */
  private get newest(): Point | undefined {
    return this.points.at(this.ended ? -2 : -1);
  }

  /** Starts afresh. */
  begin(context: Context): void {
    this.number += 1;
    this.points = [];
    this.opening = undefined;
    this.latest = undefined;
    this.reasons = [];
    this.ended = false;
    this.scorer.reset(context);
    this.rescore();
  }

  /** Asks for the score again, as after a change of backend. */
  rescore(): void {
    if (this.ended) {
      this.onChange(this.state);
      return;
    }
    this.stale = true;
    this.staying = undefined;
    const idle = !this.busy;
    // Said before the work begins: whoever looks at the visit meanwhile sees that a score is due.
    this.busy = true;
    this.onChange(this.state);
    if (idle) {
      void this.work();
    }
  }

  private async work(): Promise<void> {
    try {
      while (this.stale) {
        this.stale = false;
        const { number, newest: point } = this;
        const score = await this.scorer.score();
        const reasons = await this.scorer.explain();
        if (number !== this.number) {
          continue;
        }
        if (point === undefined) {
          this.opening = score;
        } else {
          point.score = score;
        }
        this.latest = score;
        this.reasons = reasons;
        this.onChange(this.state);
      }
    } catch (thrown) {
      this.onError(thrown);
    } finally {
      this.busy = false;
      this.onChange(this.state);
    }
  }
}
