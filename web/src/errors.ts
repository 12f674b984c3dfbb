/** What went wrong, for code to branch on. */
export type PropenseErrorCode =
  /** The server could not be reached, or answered with an error other than 404. */
  | "NETWORK"
  /** The server has no such file (404). */
  | "NOT_FOUND"
  /** The model's bytes are not those that `integrity` asks for. */
  | "INTEGRITY"
  /** The model is not signed with the key that `publicKey` asks for, or that cannot be checked. */
  | "SIGNATURE"
  /** The manifest of a roll-out cannot be used. */
  | "MANIFEST_INVALID"
  /** The bundle's bytes do not match its checksum. */
  | "BUNDLE_CHECKSUM"
  /** The bundle ends too early. */
  | "BUNDLE_TRUNCATED"
  /** The bundle has a format version that this module does not know. */
  | "BUNDLE_VERSION"
  /** A weight has another shape than the architecture asks for, or is missing. */
  | "BUNDLE_SHAPE"
  /** The bytes are no bundle, or its manifest cannot be used. */
  | "BUNDLE_INVALID"
  /** The WebAssembly module could not be loaded, compiled or started. */
  | "WASM_LOAD"
  /** There is no WebGPU, no adapter, or no device. */
  | "WEBGPU_UNAVAILABLE"
  /** WebGPU gave other numbers than the bundle's golden vector. */
  | "WEBGPU_SELF_CHECK"
  /** The GPU device went away. The session goes on on the CPU. */
  | "DEVICE_LOST"
  /** An event was repaired or set aside; `problems` says why. */
  | "EVENT_INVALID"
  /** A catalogue that cannot be read. */
  | "CATALOGUE_INVALID"
  /** A wrong argument. */
  | "ARGUMENT"
  /** The work was stopped through its `AbortSignal`. */
  | "ABORTED"
  /** The scorer has been disposed of. */
  | "DISPOSED"
  /** A fault of this module: please report it. */
  | "INTERNAL";

/** One thing that was wrong with an event, and what was done about it. */
export interface EventProblem {
  /** The rule that was broken, such as `absurd_price`. */
  rule: string;
  /** `repaired`: the event counts, with the repair that the rule documents. */
  action: "repaired" | "rejected";
  /** Number of the event, from 1: since the scorer was loaded, or with `session` within it. */
  row: number;
  /** From `scoreSessions`: the session's place in the list, from 0. */
  session?: number;
  /** The field to blame, where there is one. */
  field?: string;
  /** The offending value, shortened. */
  detail?: string;
}

/** Every failure of this module. */
export class PropenseError extends Error {
  override readonly name = "PropenseError";
  /** What went wrong. */
  readonly code: PropenseErrorCode;
  /** With `EVENT_INVALID`: every problem of the event. */
  readonly problems: readonly EventProblem[];

  constructor(
    code: PropenseErrorCode,
    message: string,
    options: { cause?: unknown; problems?: readonly EventProblem[] } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.problems = options.problems ?? [];
  }
}

/** The words of any thrown value. */
export function messageOf(thrown: unknown): string {
  try {
    if (typeof thrown === "object" && thrown !== null && "message" in thrown) {
      return String(thrown.message);
    }
    return String(thrown);
  } catch {
    // What a shop's own code throws need not be writable.
    return "something without words was thrown";
  }
}

/** Options as they were given, which a caller without types may have got wrong. */
export function optionsOf<T extends object>(given: T, where: string): T {
  if (typeof given !== "object" || given === null) {
    const found = given === null ? "null" : typeof given;
    throw new PropenseError("ARGUMENT", `the options of ${where} must be an object, not ${found}`);
  }
  return given;
}

/** Listeners that are none fail at once, not when they are first to be told something. */
export function checkListeners(listeners: Record<string, unknown>): void {
  for (const [name, listener] of Object.entries(listeners)) {
    if (listener !== undefined && listener !== null && typeof listener !== "function") {
      throw new PropenseError("ARGUMENT", `${name} must be a function, not ${typeof listener}`);
    }
  }
}

/** A `PropenseError` from whatever was thrown: WebAssembly hands over `{ code, message }`. */
export function asPropenseError(
  thrown: unknown,
  otherwise: PropenseErrorCode = "INTERNAL",
): PropenseError {
  if (thrown instanceof PropenseError) return thrown;
  if (
    typeof thrown === "object" &&
    thrown !== null &&
    !(thrown instanceof Error) &&
    "code" in thrown &&
    typeof thrown.code === "string"
  ) {
    // The codes of the Rust side are a subset of PropenseErrorCode (tested).
    return new PropenseError(thrown.code as PropenseErrorCode, messageOf(thrown));
  }
  return new PropenseError(otherwise, messageOf(thrown), { cause: thrown });
}
