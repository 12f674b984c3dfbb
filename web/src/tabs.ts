/** Tabs of one shop tell each other of their events, so that they all follow the same session. */
import type { KeptEvent, Stored } from "./storage.js";

const CHANNEL = "propense:visit";

type Message =
  | { type: "ask" }
  | { type: "session"; session: Stored }
  | { type: "erase" };

/** What a tab has and does. */
export interface TabHost {
  session(): Stored | undefined;
  /** Takes in another tab's session, or what is new of it. */
  take(session: Stored): void;
  /** Consent was withdrawn elsewhere. */
  erase(): void;
}

/** The line to the other tabs. Without BroadcastChannel, or where it is denied, a tab is alone. */
export class Tabs {
  readonly #channel: BroadcastChannel | undefined;

  constructor(host: TabHost) {
    try {
      this.#channel = new BroadcastChannel(CHANNEL);
    } catch {
      return;
    }
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.type === "session") host.take(data.session);
      else if (data.type === "erase") host.erase();
      else {
        const session = host.session();
        if (session && session.events.length > 0) this.#post({ type: "session", session });
      }
    };
  }

  /** Asks the others for the session that they have. */
  ask(): void {
    this.#post({ type: "ask" });
  }

  /** Tells the others of these events of the session. */
  tell(session: Stored, events: KeptEvent[]): void {
    this.#post({ type: "session", session: { ...session, events } });
  }

  /** Has the others erase what they have. */
  erase(): void {
    this.#post({ type: "erase" });
  }

  close(): void {
    this.#channel?.close();
  }

  #post(message: Message): void {
    try {
      this.#channel?.postMessage(message);
    } catch {
      // Not told: the others learn it with the next event.
    }
  }
}
