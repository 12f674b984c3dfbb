// TensorFlow.js: a layers model on one of its backends. The page has its scripts as tags.
async function start(backend, inputs) {
  const { tf } = globalThis;
  tf.wasm?.setWasmPaths("/peers/@tensorflow/tfjs-backend-wasm/dist/");
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend} here`);
  await tf.ready();
  const model = await tf.loadLayersModel(inputs.address("tfjs.json"));
  const plane = (numbers, sessions) =>
    tf.tensor4d(numbers, [sessions, inputs.height, inputs.features, 1]);
  const run = async (numbers, sessions) => {
    const input = plane(numbers, sessions);
    const output = model.predict(input, { batchSize: sessions });
    const logits = await output.data();
    tf.dispose([input, output]);
    return logits;
  };
  return {
    threads: backend === "wasm" ? 1 : undefined,
    one: () => run(inputs.firstPadded, 1),
    many: () => run(inputs.padded, inputs.sessions),
    cases: {},
  };
}

/** WebAssembly with SIMD, one thread. */
export const wasm = (inputs) => start("wasm", inputs);

/** WebGPU. */
export const webgpu = (inputs) => start("webgpu", inputs);

/** WebGL. */
export const webgl = (inputs) => start("webgl", inputs);
