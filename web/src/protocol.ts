/** What a page and the worker that scores for it say to each other. */
import { type EventProblem, PropenseError, type PropenseErrorCode, asPropenseError } from "./errors.js";
import type { BackendInfo, LoadOptions, ModelInfo, OnScoreOptions, Score, Side, Stats } from "./types.js";

/** A failure without its class, which does not survive the crossing. */
export interface Failure {
  code: PropenseErrorCode;
  message: string;
  problems: readonly EventProblem[];
}

/** What of `loadScorer`'s options crosses: all but the listeners. */
export type Settings = Omit<LoadOptions, "onBackend" | "onInvalid">;

/** From the page. Calls have a number, under which their answer comes. */
export type Call =
  | { call: "load"; id: number; model: string | Uint8Array; options: Settings }
  | { call: "track"; json: string }
  | { call: "watch"; watch: number; options: OnScoreOptions }
  | { call: "unwatch"; watch: number }
  | { call: "abort"; id: number }
  | { call: "reset"; id: number; args: readonly unknown[] }
  | { call: "score" | "features" | "explain" | "rank" | "scoreItem" | "useBackend" | "scoreSessions" | "headInput" | "adapt" | "contribution"; id: number; args: readonly unknown[] };

/** What the page keeps of the scorer, so that it need not ask. */
export interface Mirror {
  backend: BackendInfo;
  stats: Stats;
}

/** From the worker. */
export type Answer =
  | { answer: "done"; id: number; value: unknown; mirror?: Mirror }
  | { answer: "failed"; id: number; failure: Failure }
  | { answer: "loaded"; id: number; model: ModelInfo; mirror: Mirror }
  | { answer: "backend"; info: BackendInfo }
  | { answer: "invalid"; failure: Failure; stats: Stats }
  | { answer: "score"; watch: number; score: Score; side: Side | undefined }
  | { answer: "progress"; id: number; done: number; total: number };

/** A failure, ready to cross. */
export function failureOf(thrown: unknown): Failure {
  const { code, message, problems } = asPropenseError(thrown);
  return { code, message, problems };
}

/** The failure as it is thrown on the other side. */
export function errorOf({ code, message, problems }: Failure): PropenseError {
  return new PropenseError(code, message, { problems });
}
