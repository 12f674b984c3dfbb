// Replaying a real session: its events with their own times, played faster than they happened.

import type { Context, ShopEvent } from "../index.js";
import type { Catalogue } from "./catalogue.js";
import { pause } from "./dom.js";
import type { Sample } from "./samples.js";
import { type Told, contextWords } from "./shop-events.js";

/** Seconds of a visit that pass in one second of the replay. */
const SPEED = 60;
/** Milliseconds between two events: long enough to see, short enough not to bore. */
const LEAST = 140;
const MOST = 900;
/** Sessions shorter than this show nothing, longer ones take too long. */
const EVENTS = { least: 8, most: 60 };

/** What a replay needs of the page. */
export interface Stage {
  begin(context: Context, title: string, note: string): void;
  track(told: Told): void;
  /** Resolves when the score after the newest event is there. */
  settled(): Promise<void>;
}

/** Draws one of the samples; every second one bought, since buyers are rare and worth seeing. */
export function chooseSample(samples: readonly Sample[], nth: number): Sample | undefined {
  const wanted = nth % 2 === 0;
  const able = samples.filter(
    ({ events, bought }) => bought === wanted && events.length >= EVENTS.least && events.length <= EVENTS.most,
  );
  const pool = able.length > 0 ? able : samples;
  return pool[Math.floor(Math.random() * pool.length)];
}

/** Plays a session. Rejects when the signal says stop. */
export async function replay(
  sample: Sample,
  catalogue: Catalogue,
  stage: Stage,
  onStep: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<void> {
  stage.begin(sample.context, `Replay, ${SPEED}× speed`, contextWords(sample.context));
  await stage.settled();
  let before = sample.events[0]?.timestamp ?? 0;
  for (const [i, event] of sample.events.entries()) {
    await pause(Math.min(MOST, Math.max(LEAST, (event.timestamp - before) / SPEED)), signal);
    before = event.timestamp;
    const id = event.items?.[0]?.item_id;
    const name = id === undefined ? undefined : (catalogue.get(id)?.name ?? id);
    stage.track({ event, label: name ?? wordsOf(event) });
    onStep(i + 1, sample.events.length);
  }
  await stage.settled();
}

/** What an event without an item was about. */
function wordsOf({ event, page_type }: ShopEvent): string {
  switch (event) {
    case "view_cart":
      return "The cart";
    case "begin_checkout":
      return "The checkout";
    case "view_item_list":
      return "A list of products";
    default:
      return page_type === "administrative" ? "An account page" : page_type === "informational" ? "A page of information" : "The landing page";
  }
}
