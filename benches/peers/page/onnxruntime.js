// ONNX Runtime Web, as its documentation says.
async function start(file, provider, inputs) {
  const ort = await import(`/peers/onnxruntime-web/dist/${file}`);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = "/peers/onnxruntime-web/dist/";
  const session = await ort.InferenceSession.create(await inputs.bytes("network.onnx"), {
    executionProviders: [provider],
    graphOptimizationLevel: "all",
  });
  const tensor = (numbers, sessions) =>
    new ort.Tensor("float32", numbers, [sessions, 1, inputs.height, inputs.features]);
  const [one, many] = [tensor(inputs.firstPadded, 1), tensor(inputs.padded, inputs.sessions)];
  const run = async (sessions) => (await session.run({ sessions })).logits.data;
  return { threads: provider === "wasm" ? 1 : undefined, one: () => run(one), many: () => run(many), cases: {} };
}

/** WebAssembly with SIMD, one thread. */
export const wasm = (inputs) => start("ort.wasm.min.mjs", "wasm", inputs);

/** WebGPU. */
export const webgpu = (inputs) => start("ort.webgpu.min.mjs", "webgpu", inputs);
