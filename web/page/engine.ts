// Where the model runs: the badge, the switch between CPU and WebGPU, and the reason in words.

import { type Backend, type BackendInfo, PropenseError, type Scorer } from "../index.js";
import { byId } from "./dom.js";

const NAMES: Record<Backend, string> = { wasm: "CPU", webgpu: "WebGPU" };

/** The adapter in words, as far as the browser tells. */
function adapterWords(info: BackendInfo): string {
  const { adapter } = info;
  if (adapter === undefined) {
    return "";
  }
  const told = [adapter.description, [adapter.vendor, adapter.architecture].filter((part) => part !== "").join(" ")];
  return told.find((words) => words !== "") ?? "unnamed adapter";
}

/** The part of the panel about backends. */
export class EngineView {
  private readonly badge = byId("badge", HTMLElement);
  private readonly badgeText = byId("badge-text", HTMLElement);
  private readonly reason = byId("engine-reason", HTMLElement);
  private readonly inputs: Record<Backend, HTMLInputElement> = {
    wasm: byId("use-wasm", HTMLInputElement),
    webgpu: byId("use-webgpu", HTMLInputElement),
  };
  private scorer: Scorer | undefined;
  /** The switch under way. A later one overrules it, since starting WebGPU takes a while. */
  private pending: { readonly to: Backend } | undefined;

  constructor(private readonly onSwitched: () => void) {
    for (const backend of ["wasm", "webgpu"] as const) {
      this.inputs[backend].addEventListener("change", () => void this.use(backend));
    }
  }

  /** The scorer is there: the switch can be used. */
  ready(scorer: Scorer): void {
    this.scorer = scorer;
    const gpu = "gpu" in navigator;
    this.inputs.wasm.disabled = false;
    this.inputs.webgpu.disabled = !gpu;
    this.show(scorer.backendInfo);
    if (!gpu) {
      this.reason.textContent = "This browser has no WebGPU, so the model runs on the CPU. That is fast enough for live scores.";
    }
  }

  /** The model could not be loaded. */
  failed(): void {
    this.badge.dataset["backend"] = "none";
    this.badgeText.textContent = "no model";
    this.reason.textContent = "Without a model there is nothing to run.";
  }

  /** Shows where scores are computed now. */
  show(info: BackendInfo): void {
    const adapter = adapterWords(info);
    this.badge.dataset["backend"] = info.backend;
    this.badge.dataset["adapter"] = adapter;
    this.badge.title = info.reason;
    this.badgeText.textContent = info.backend === "webgpu" && adapter !== "" ? `WebGPU · ${adapter}` : NAMES[info.backend];
    this.inputs[info.backend].checked = true;
    const found = info.backend === "wasm" && adapter !== "" ? ` Found: ${adapter}.` : "";
    const slow = info.adapter?.software === true && info.backend === "webgpu" ? " This adapter is a program on the CPU, not a GPU: expect it to be slow." : "";
    this.reason.textContent = `${sentence(info.reason)}${found}${slow}`;
  }

  private async use(backend: Backend): Promise<void> {
    const { scorer } = this;
    if (scorer === undefined || (this.pending?.to ?? scorer.backend) === backend) {
      return;
    }
    const mine = { to: backend };
    this.pending = mine;
    this.badge.dataset["switching"] = backend;
    this.badgeText.textContent = `${NAMES[backend]} …`;
    this.reason.textContent =
      backend === "webgpu" ? "Loading the WebGPU build and checking its numbers. The CPU goes on scoring meanwhile." : "Going back to the CPU.";
    try {
      await scorer.useBackend(backend);
      if (this.pending !== mine) {
        return;
      }
      this.show(scorer.backendInfo);
    } catch (thrown) {
      if (this.pending !== mine) {
        return;
      }
      this.show(scorer.backendInfo);
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      const code = thrown instanceof PropenseError ? ` (${thrown.code})` : "";
      this.reason.textContent = `${NAMES[backend]} could not be used${code}: ${why}. The model goes on on the ${NAMES[scorer.backend]}.`;
    }
    this.pending = undefined;
    delete this.badge.dataset["switching"];
    this.onSwitched();
  }
}

/** A reason as a sentence: with a capital and a full stop. */
function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") {
    return "";
  }
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}
