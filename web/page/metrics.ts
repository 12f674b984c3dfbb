// What the page computes from a thousand scored sessions.

/**
 * The area under the ROC curve: the chance that a session with an order has a higher score than one
 * without, ties counting half (Mann and Whitney's U over the number of pairs). `undefined` where one of
 * the outcomes is missing.
 */
export function auc(scores: ArrayLike<number>, outcomes: readonly boolean[]): number | undefined {
  const order = outcomes.map((_, i) => i).sort((a, b) => at(scores, a) - at(scores, b));
  let buyers = 0;
  let rankSum = 0;
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && at(scores, order[to] ?? 0) === at(scores, order[from] ?? 0)) {
      to += 1;
    }
    // Ranks count from 1; tied scores share the mean of theirs.
    const rank = (from + 1 + to) / 2;
    for (let i = from; i < to; i += 1) {
      if (outcomes[order[i] ?? 0] === true) {
        buyers += 1;
        rankSum += rank;
      }
    }
    from = to;
  }
  const others = outcomes.length - buyers;
  if (buyers === 0 || others === 0) {
    return undefined;
  }
  return (rankSum - (buyers * (buyers + 1)) / 2) / (buyers * others);
}

function at(values: ArrayLike<number>, i: number): number {
  return values[i] ?? Number.NaN;
}

/** How many of the scores fall into each of `bins` equal parts of 0 to `top`, by outcome, as shares. */
export function histogram(
  scores: ArrayLike<number>,
  outcomes: readonly boolean[],
  bins: number,
  top: number,
): { bought: number[]; left: number[] } {
  const bought = new Array<number>(bins).fill(0);
  const left = new Array<number>(bins).fill(0);
  outcomes.forEach((outcome, i) => {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor((at(scores, i) / top) * bins)));
    const side = outcome ? bought : left;
    side[bin] = (side[bin] ?? 0) + 1;
  });
  return { bought: shares(bought), left: shares(left) };
}

function shares(counts: readonly number[]): number[] {
  const all = counts.reduce((sum, n) => sum + n, 0);
  return counts.map((n) => (all === 0 ? 0 : n / all));
}
