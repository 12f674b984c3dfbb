/** The books of a scorer: how many events counted, and who is told of those that were wrong. */
import { type EventProblem, PropenseError, asPropenseError } from "./errors.js";
import type { Stats } from "./types.js";

/** A listener that throws must not break the shop, nor go unheard. */
export function notify(listener: () => void): void {
  try {
    listener();
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown;
    });
  }
}

/** Counts events, live and in bulk. */
export class Ledger {
  readonly stats: Stats = { accepted: 0, repaired: 0, rejected: 0 };
  readonly #onInvalid: ((error: PropenseError) => void) | undefined;
  #warned = false;

  constructor(onInvalid: ((error: PropenseError) => void) | undefined) {
    this.#onInvalid = onInvalid;
  }

  /**
   * Enters one event. `work` hands it to the engine and gives its problems as JSON, or nothing;
   * an event that it cannot even hand over is set aside. `session` is its session's place in a list.
   */
  enter(work: () => string | undefined, session?: number): void {
    let outcome: string | undefined;
    try {
      outcome = work();
    } catch (thrown) {
      const error = asPropenseError(thrown);
      if (error.code !== "EVENT_INVALID") throw error;
      this.reject(error);
      return;
    }
    this.#count(outcome === undefined ? [] : (JSON.parse(outcome) as EventProblem[]), session);
  }

  /** Enters an event that was lost to this failure. */
  reject(error: PropenseError): void {
    if (error.code !== "DISPOSED") this.stats.rejected += 1;
    this.tell(error);
  }

  #count(found: EventProblem[], session: number | undefined): void {
    const rejected = found.some((problem) => problem.action === "rejected");
    if (rejected) this.stats.rejected += 1;
    else this.stats.accepted += 1;
    if (found.length === 0) return;
    if (!rejected) this.stats.repaired += 1;
    const problems = found.map((each) => (session === undefined ? each : { ...each, session }));
    const list = problems
      .map(({ rule, action, field, detail }) =>
        [rule, action, field && `field ${field}`, detail].filter(Boolean).join(", "),
      )
      .join("; ");
    const fate = rejected ? "set aside" : "repaired";
    const which = session === undefined ? "an event" : `an event of sessions[${session}]`;
    this.tell(new PropenseError("EVENT_INVALID", `${which} was ${fate}: ${list}`, { problems }));
  }

  /** Tells of an event that another has counted, or of one entered here. */
  tell(error: PropenseError): void {
    const onInvalid = this.#onInvalid;
    if (onInvalid) {
      notify(() => {
        onInvalid(error);
      });
    } else if (!this.#warned) {
      this.#warned = true;
      console.warn(`propense: ${error.message} (later ones are only counted in scorer.stats)`);
    }
  }
}
