/** Whether a visitor allows their events to be looked at. */
import { listen } from "./adapters.js";

/** A place that knows whether it is allowed. */
export interface Consent {
  /** Tells whether it is allowed, now and whenever that changes; gives what stops it. */
  subscribe(tell: (allowed: boolean) => void): () => void;
}

/** Options of `googleConsent`. */
export interface GoogleConsentOptions {
  /** The data layer: its global name, or the list itself. Default: `dataLayer`. */
  layer?: string | unknown[];
  /** The kind of consent. Default: `personalization_storage`. */
  type?: string;
}

/**
 * Google's Consent Mode, as the data layer has it: `gtag("consent", "default" | "update", { ... })`. Until
 * it has been granted there, it is not.
 */
export function googleConsent({ layer = "dataLayer", type = "personalization_storage" }: GoogleConsentOptions = {}): Consent {
  const subscribe: Consent["subscribe"] = (tell) => {
    let allowed = false;
    let updated = false;
    tell(allowed);
    return listen(layer, (pushed) => {
      const [command, kind, state] = Array.from(pushed as ArrayLike<unknown>);
      if (command !== "consent" || (kind !== "default" && kind !== "update")) return;
      const value = ((state ?? {}) as Record<string, unknown>)[type];
      // A default that comes after an answer does not undo it.
      if (typeof value !== "string" || (kind === "default" && updated)) return;
      updated ||= kind === "update";
      if (allowed === (value === "granted")) return;
      allowed = !allowed;
      tell(allowed);
    });
  };
  return { subscribe };
}

/** Asks once. */
export function asked(question: () => boolean | Promise<boolean>): Consent {
  const subscribe: Consent["subscribe"] = (tell) => {
    let on = true;
    tell(false);
    void Promise.resolve()
      .then(question)
      .then(
        (allowed) => {
          if (on && allowed === true) tell(true);
        },
        // Whoever cannot be asked has not allowed it.
        () => undefined,
      );
    return () => {
      on = false;
    };
  };
  return { subscribe };
}
