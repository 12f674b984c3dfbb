// The buttons of the panel: replay a real session, score a thousand, begin a new visit.

import type { Context, Scorer } from "../index.js";
import { drawResult, scoreAll } from "./bulk.js";
import type { Catalogue } from "./catalogue.js";
import { byId, el, refill } from "./dom.js";
import { count, percent } from "./format.js";
import { type Stage, chooseSample, replay } from "./replay.js";
import { type Sample, loadSamples } from "./samples.js";
import type { VisitState } from "./visit.js";

/** What the buttons need of the page. */
export interface Tries extends Stage {
  scorer: Scorer;
  catalogue: Catalogue;
  samplesUrl: URL;
  state(): VisitState;
  /** Begins a visit of the person at the screen. */
  beginOwn(context?: Context): void;
}

/** The running work of one button, so that a second press stops it. */
class Work {
  private control: AbortController | undefined;

  constructor(
    private readonly button: HTMLButtonElement,
    private readonly idle: string,
    private readonly stopWord: string,
  ) {}

  get running(): boolean {
    return this.control !== undefined;
  }

  stop(): void {
    this.control?.abort(new DOMException("Stopped.", "AbortError"));
  }

  /** Runs the task; a stop is no failure. */
  async run(task: (signal: AbortSignal) => Promise<void>, onFailure: (thrown: unknown) => void, onStop: () => void): Promise<void> {
    const control = new AbortController();
    this.control = control;
    this.button.textContent = this.stopWord;
    this.button.setAttribute("aria-pressed", "true");
    try {
      await task(control.signal);
    } catch (thrown) {
      if (control.signal.aborted) {
        onStop();
      } else {
        onFailure(thrown);
      }
    } finally {
      this.control = undefined;
      this.button.textContent = this.idle;
      this.button.removeAttribute("aria-pressed");
    }
  }
}

const words = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** The buttons, bound to the page. */
export class TryButtons {
  private readonly replayWork: Work;
  private readonly bulkWork: Work;
  private readonly replayBox = byId("replay-outcome", HTMLElement);
  private readonly bulkBox = byId("bulk-outcome", HTMLElement);
  private replays = 0;

  constructor(private readonly page: Tries) {
    const replayButton = byId("replay", HTMLButtonElement);
    const bulkButton = byId("bulk", HTMLButtonElement);
    this.replayWork = new Work(replayButton, "Replay a real session", "Stop the replay");
    this.bulkWork = new Work(bulkButton, "Score 1,000 sessions", "Cancel");
    replayButton.addEventListener("click", () => {
      if (this.replayWork.running) {
        this.replayWork.stop();
      } else {
        void this.startReplay();
      }
    });
    bulkButton.addEventListener("click", () => {
      if (this.bulkWork.running) {
        this.bulkWork.stop();
      } else {
        void this.startBulk();
      }
    });
    byId("new-visit", HTMLButtonElement).addEventListener("click", () => {
      this.stopReplay();
      page.beginOwn();
    });
  }

  /** Stops a replay and clears what it said. */
  stopReplay(): void {
    this.replayWork.stop();
    this.replayBox.hidden = true;
  }

  private async startReplay(): Promise<void> {
    const box = this.replayBox;
    await this.replayWork.run(
      async (signal) => {
        const samples = await loadSamples(this.page.samplesUrl, this.page.catalogue);
        // The person may have gone on with their own visit meanwhile.
        signal.throwIfAborted();
        const sample = chooseSample(samples, this.replays);
        this.replays += 1;
        if (sample === undefined) {
          throw new Error("There is no session to replay.");
        }
        const progress = el("progress", { max: sample.events.length, value: 0, "aria-label": "Replay" });
        box.hidden = false;
        box.removeAttribute("data-bought");
        refill(box, el("p", {}, "Did this visitor buy? Watch first."), progress);
        await replay(sample, this.page.catalogue, this.page, (done) => (progress.value = done), signal);
        signal.throwIfAborted();
        this.reveal(sample);
      },
      (thrown) => {
        box.hidden = false;
        refill(box, el("p", {}, `The replay did not work: ${words(thrown)}`));
      },
      () => undefined,
    );
  }

  private reveal(sample: Sample): void {
    const { latest } = this.page.state();
    this.replayBox.dataset["bought"] = String(sample.bought);
    refill(
      this.replayBox,
      el("p", {}, el("b", {}, sample.bought ? "This visitor bought." : "This visitor left without an order.")),
      latest === undefined
        ? undefined
        : el(
            "p",
            {},
            `The model's last word was ${percent(latest.propensity)}, from ${percent(this.page.scorer.model.threshold)} on it calls a visit a buyer's. The order itself is never shown to it.`,
          ),
    );
  }

  private async startBulk(): Promise<void> {
    const box = this.bulkBox;
    box.hidden = false;
    const progress = el("progress", { max: 1000, value: 0, "aria-label": "Sessions scored" });
    const said = el("p", { role: "status" }, "Reading the sessions …");
    refill(box, said, progress);
    await this.bulkWork.run(
      async (signal) => {
        const samples = await loadSamples(this.page.samplesUrl, this.page.catalogue);
        progress.max = samples.length;
        said.textContent = `Scoring ${count(samples.length)} real sessions …`;
        const result = await scoreAll(this.page.scorer, samples, (done) => (progress.value = done), signal);
        refill(box, drawResult(result));
      },
      (thrown) => refill(box, el("p", {}, `The sessions could not be scored: ${words(thrown)}`)),
      () => refill(box, el("p", {}, `Stopped after ${count(progress.value)} sessions.`)),
    );
  }
}
