// Propense by its bindings: rows of numbers in, logits out. (`first.js` goes the way that a shop goes.)
const FEATURES = 16;

/** Its WebAssembly on the CPU. */
export async function wasm(inputs) {
  // The module that the package gives this browser.
  const { glue, module } = await (await import("/propense/dist/wasm.js")).cpu();
  await glue.default({ module_or_path: module });
  const engine = new glue.Engine(await inputs.bytes("network.propense"));
  const prepared = (rows, sessions) =>
    new glue.Prepared(rows, new Uint32Array(sessions).fill(inputs.events), new Float32Array(0));
  const [one, many] = [prepared(inputs.first, 1), prepared(inputs.rows, inputs.sessions)];
  // Sixteen sessions as one long one: its constant costs do not show in a single event.
  const events = inputs.rows.slice(0, 16 * inputs.events * FEATURES);
  return {
    threads: 1,
    one: () => engine.score(one),
    many: () => engine.score(many),
    live: () => engine.logits_of(inputs.first, new Float32Array(0)).at(-1),
    cases: {
      event: { parts: events.length / FEATURES, work: () => engine.logits_of(events, new Float32Array(0)) },
    },
  };
}

/** Its network on WebGPU. */
export async function webgpu(inputs) {
  const glue = await import("/propense/wasm/webgpu/propense_web.js");
  await glue.default({ module_or_path: "/propense/wasm/webgpu/propense_web_bg.wasm" });
  const runtime = await glue.Runtime.create(await inputs.bytes("network.propense"));
  const score = (rows, sessions) =>
    runtime.score(rows, new Uint32Array(sessions).fill(inputs.events), new Float32Array(0));
  const row = inputs.first.slice(0, FEATURES);
  return {
    one: () => score(inputs.first, 1),
    many: () => score(inputs.rows, inputs.sessions),
    cases: {
      event: {
        parts: 1,
        work: async () => {
          runtime.push(row);
          return runtime.logit(new Float32Array(0));
        },
      },
    },
  };
}
