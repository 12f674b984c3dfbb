/** The worker's side of `propense/worker`: a scorer, and the messages that drive it. */
import { loadScorer } from "./index.js";
import type { Scorer } from "./scorer.js";
import { type Answer, type Call, type Mirror, failureOf } from "./protocol.js";
import type { Backend, Budget, Context, Lesson, ScoreOptions, ShopEvent, ShopSession } from "./types.js";

let scorer: Scorer | undefined;
const watches = new Map<number, () => void>();
const aborts = new Map<number, AbortController>();

/** The scope of a dedicated worker; the library of types in use is that of pages. */
const page = globalThis as unknown as {
  postMessage(message: Answer): void;
  onmessage: ((event: MessageEvent<Call>) => void) | null;
};
const tell = (answer: Answer): void => page.postMessage(answer);

page.onmessage = ({ data }) => {
  void take(data);
};

async function take(data: Call): Promise<void> {
  switch (data.call) {
    case "track":
      loaded().track(JSON.parse(data.json) as ShopEvent);
      return;
    case "watch": {
      const { watch, options } = data;
      watches.set(watch, loaded().onScore((score, side) => tell({ answer: "score", watch, score, side }), options));
      return;
    }
    case "unwatch":
      watches.get(data.watch)?.();
      watches.delete(data.watch);
      return;
    case "abort":
      aborts.get(data.id)?.abort();
      return;
    default:
      await answer(data);
  }
}

async function answer(data: Extract<Call, { id: number }>): Promise<void> {
  const { id } = data;
  try {
    if (data.call === "load") {
      await load(data);
      return;
    }
    if (data.call === "abort") return;
    const value = await work(loaded(), data);
    tell({ answer: "done", id, value, mirror: mirror(loaded()) });
  } catch (thrown) {
    tell({ answer: "failed", id, failure: failureOf(thrown) });
  } finally {
    aborts.delete(id);
  }
}

async function load({ id, model, options }: Extract<Call, { call: "load" }>): Promise<void> {
  scorer = await loadScorer(model, {
    ...options,
    onBackend: (info) => tell({ answer: "backend", info }),
    onInvalid: (error) => {
      const stats = scorer?.stats ?? { accepted: 0, repaired: 0, rejected: 0 };
      tell({ answer: "invalid", failure: failureOf(error), stats });
    },
  });
  tell({ answer: "loaded", id, model: scorer.model, mirror: mirror(scorer) });
}

function work(on: Scorer, { call, id, args }: Exclude<Extract<Call, { id: number; args: unknown }>, { call: "load" }>): unknown {
  switch (call) {
    case "score":
      return on.score(args[0] as ScoreOptions);
    case "features":
      return on.features();
    case "explain":
      return on.explain();
    case "rank":
      return on.rank();
    case "headInput":
      return on.headInput();
    case "adapt":
      return on.adapt(args[0] as Lesson[]);
    case "contribution":
      return on.contribution(args[0] as Lesson[], args[1] as Budget);
    case "scoreItem":
      return on.scoreItem(args[0] as string);
    case "useBackend":
      return on.useBackend(args[0] as Backend);
    case "reset":
      return on.reset(args[0] as Context | undefined);
    case "scoreSessions": {
      const control = new AbortController();
      aborts.set(id, control);
      return on.scoreSessions(args[0] as ShopSession[], {
        signal: control.signal,
        onProgress: (done, total) => tell({ answer: "progress", id, done, total }),
      });
    }
  }
}

function loaded(): Scorer {
  // The page sends nothing before it has been told that the scorer is there.
  if (scorer === undefined) throw new Error("no model has been loaded");
  return scorer;
}

function mirror({ backendInfo, stats }: Scorer): Mirror {
  return { backend: backendInfo, stats };
}
