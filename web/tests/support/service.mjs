// The real service, `propense serve`, as a process of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { repository } from "./server.mjs";

const TOKEN = "a token for the browser tests";

/** The command line: `cargo xtask test` says where it is; else where a release build puts it. */
export const binary = process.env.PROPENSE_BINARY ?? join(repository, "target/release/propense");

/** Why there is no service; undefined where there is one. `cargo xtask test` always has one. */
export const missing =
  process.env.PROPENSE_BINARY !== undefined || existsSync(binary) ? undefined : `there is no ${binary}; cargo build --release makes it`;

/** A service in a folder of its own, not yet running, with these words more. It keeps its folder and its address over kills. */
export async function service(more = []) {
  const dir = await mkdtemp(join(tmpdir(), "propense-"));
  let child;
  let address = "127.0.0.1:0";
  const kill = async () => {
    if (child === undefined) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    child = undefined;
  };
  const post = async (path, body) => {
    const response = await fetch(`http://${address}${path}`, { method: "POST", headers: { authorization: `Bearer ${TOKEN}` }, body });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${answer.message}`);
    return answer;
  };
  return {
    async start() {
      const env = { ...process.env, PROPENSE_TOKEN: TOKEN, PROPENSE_LOG: "warn" };
      child = spawn(binary, ["serve", "--dir", dir, "--listen", address, "--rate", "0", ...more], { env, stdio: ["ignore", "pipe", "inherit"] });
      const failed = once(child, "exit").then(([code]) => Promise.reject(new Error(`the service ended with ${code}`)));
      failed.catch(() => undefined);
      const [line] = await Promise.race([once(createInterface(child.stdout), "line"), failed]);
      address = new URL(line).host;
    },
    kill,
    url: (path) => `http://${address}${path}`,
    /** The registry, the newest first. */
    async bundles() {
      const response = await fetch(`http://${address}/v1/bundles`, { headers: { authorization: `Bearer ${TOKEN}` } });
      return (await response.json()).bundles;
    },
    get manifest() {
      return `http://${address}/manifest.json`;
    },
    /** Publishes a bundle; its checksum. */
    publish: async (bytes) => (await post("/v1/bundles", bytes)).bundle.sha256,
    promote: (sha256, percentage = 100) => post(`/v1/bundles/${sha256}/promote?percentage=${percentage}`),
    rollBack: () => post("/v1/rollback"),
    async close() {
      await kill();
      await rm(dir, { recursive: true });
    },
  };
}
