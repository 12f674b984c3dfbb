// The network in plain JavaScript, written from the article's description and by the slow road: the
// whole session for every prefix, pooling after the full convolution. A reference to test against.

/** Numbers in [-1, 1) that look random and are the same every time (mulberry32). */
export function randoms(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/** Name and shape of each weight of a configuration. */
export function shapes({ features, context, filters, kernel, hidden, context_hidden }) {
  const inputs = filters * Math.floor((features + 1 - kernel) / 2);
  const joined = hidden + (context > 0 ? context_hidden : 0);
  return {
    "conv.weight": [filters, 1, kernel, kernel],
    "conv.bias": [filters],
    "lstm.input": [inputs, 4 * hidden],
    "lstm.recurrent": [hidden, 4 * hidden],
    "lstm.bias": [4 * hidden],
    ...(context > 0
      ? { "context.weight": [context, context_hidden], "context.bias": [context_hidden] }
      : {}),
    "output.weight": [joined, 1],
    "output.bias": [1],
  };
}

/** Weights that keep the network in its lively range. */
export function randomWeights(config, seed) {
  const random = randoms(seed);
  return Object.fromEntries(
    Object.entries(shapes(config)).map(([name, shape]) => {
      const size = shape.reduce((product, side) => product * side, 1);
      const fan = shape.length === 4 ? config.kernel ** 2 : shape[0];
      const scale = name.endsWith("bias") ? 0.2 : Math.sqrt(3 / fan);
      return [name, Float32Array.from({ length: size }, () => random() * scale)];
    }),
  );
}

/** The logit of a session of these rows (arrays) with this context, in double precision. */
export function logit(config, weights, rows, context) {
  const { kernel, filters, hidden } = config;
  let sum = weights["output.bias"][0];
  if (config.context > 0) {
    for (let unit = 0; unit < config.context_hidden; unit += 1) {
      let value = weights["context.bias"][unit];
      for (let at = 0; at < config.context; at += 1) {
        value += context[at] * weights["context.weight"][at * config.context_hidden + unit];
      }
      sum += Math.max(0, value) * weights["output.weight"][hidden + unit];
    }
  }
  if (rows.length === 0) return sum;

  const plane = [...Array.from({ length: kernel }, () => new Array(config.features).fill(0)), ...rows];
  const [high, wide] = [plane.length - kernel + 1, config.features - kernel + 1];
  const convolved = Array.from({ length: filters }, (_, filter) =>
    Array.from({ length: high }, (_, row) =>
      Array.from({ length: wide }, (_, column) => {
        let value = weights["conv.bias"][filter];
        for (let i = 0; i < kernel; i += 1) {
          for (let j = 0; j < kernel; j += 1) {
            value += plane[row + i][column + j] * weights["conv.weight"][(filter * kernel + i) * kernel + j];
          }
        }
        return Math.max(0, value);
      }),
    ),
  );
  const state = { output: new Array(hidden).fill(0), cell: new Array(hidden).fill(0) };
  // Pooling is aligned to the session's end.
  for (let row = high % 2; row + 1 < high; row += 2) {
    const input = convolved.flatMap((map) =>
      Array.from({ length: Math.floor(wide / 2) }, (_, at) =>
        Math.max(
          map[row][2 * at],
          map[row][2 * at + 1],
          map[row + 1][2 * at],
          map[row + 1][2 * at + 1],
        ),
      ),
    );
    step(config, weights, input, state);
  }
  return state.output.reduce((total, value, at) => total + value * weights["output.weight"][at], sum);
}

function step({ hidden }, weights, input, state) {
  const width = 4 * hidden;
  const gates = Array.from(weights["lstm.bias"]);
  for (const [vector, matrix] of [
    [input, weights["lstm.input"]],
    [state.output, weights["lstm.recurrent"]],
  ]) {
    vector.forEach((value, row) => {
      if (value === 0) return;
      for (let gate = 0; gate < width; gate += 1) gates[gate] += value * matrix[row * width + gate];
    });
  }
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  for (let unit = 0; unit < hidden; unit += 1) {
    const [admit, keep, candidate, release] = [0, 1, 2, 3].map((gate) => gates[gate * hidden + unit]);
    state.cell[unit] = sigmoid(keep) * state.cell[unit] + sigmoid(admit) * Math.tanh(candidate);
    state.output[unit] = sigmoid(release) * Math.tanh(state.cell[unit]);
  }
}
