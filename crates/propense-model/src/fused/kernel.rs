//! The kernel: whole sessions, or one step of them, from rows to logits in one launch.

// Conditions known when the kernel is compiled stand apart from those of its running.
#![allow(clippy::collapsible_if)]

use cubecl::prelude::*;

/// What a kernel is compiled for. Places are counted in numbers from the start of the packed
/// weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Sizes {
    pub(super) features: usize,
    pub(super) kernel: usize,
    pub(super) filters: usize,
    pub(super) columns: usize,
    pub(super) hidden: usize,
    pub(super) context: usize,
    pub(super) context_hidden: usize,
    /// Sessions of one workgroup.
    pub(super) tile: usize,
    /// Pooled columns whose windows are held at a time; divides `columns`.
    pub(super) chunk: usize,
    /// Whether the cell's activation is the rectifier in place of the hyperbolic tangent.
    pub(super) rectified: bool,
    /// Whether the state goes out behind the logit.
    pub(super) stateful: bool,
    /// Whether it comes from `before`, where such a one was left; else it is zero.
    pub(super) resumed: bool,
    pub(super) places: Places,
}

/// Where each weight begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Places {
    /// `[filters, kernel²]`
    pub(super) conv: usize,
    /// `[filters]`
    pub(super) conv_bias: usize,
    /// `[columns × filters, 4 × hidden]`
    pub(super) input: usize,
    /// `[hidden, 4 × hidden]`
    pub(super) recurrent: usize,
    /// `[4 × hidden]`
    pub(super) bias: usize,
    /// `[hidden + context_hidden]`
    pub(super) output: usize,
    /// `[1]`
    pub(super) output_bias: usize,
    /// `[context, context_hidden]`
    pub(super) context: usize,
    /// `[context_hidden]`
    pub(super) context_bias: usize,
}

/// Beyond this the functions are flat in f32; before it nothing overflows, on which drivers differ.
const FLAT: f32 = 30.0;

#[cube]
pub(super) fn logistic(x: f32) -> f32 {
    1.0f32 / (1.0f32 + (-clamp(x, -FLAT, FLAT)).exp())
}

#[cube]
pub(super) fn squash(x: f32, #[comptime] rectified: bool) -> f32 {
    if comptime!(rectified) {
        max(x, 0.0f32)
    } else {
        // tanh, from the exponential: tanh itself overflows to no number on some drivers.
        let x = clamp(x, -FLAT / 2.0f32, FLAT / 2.0f32);
        1.0f32 - 2.0f32 / (1.0f32 + (2.0f32 * x).exp())
    }
}

/// One workgroup scores `tile` sessions, a unit of it one hidden unit of all of them, so that a
/// weight that was read serves the whole tile.
///
/// `given` holds for each session the number of steps, the context, and `height` rows as `Batch`
/// lays them out: window t covers `kernel + 1` rows from row 2t on. `out` is `[sessions, 1]` or, with
/// state, `[sessions, 1 + 2 × hidden]`: logit, output, cell.
#[cube(launch_unchecked)]
pub(super) fn sessions(
    given: &Tensor<f32>,
    weights: &Tensor<f32>,
    before: &Tensor<f32>,
    out: &mut Tensor<f32>,
    count: u32,
    height: u32,
    steps: u32,
    #[comptime] sizes: Sizes,
) {
    let unit = UNIT_POS_X as usize;
    let units = CUBE_DIM_X as usize;
    let first = CUBE_POS_X as usize * comptime!(sizes.tile);
    let count = count as usize;
    let height = height as usize;
    let tile = comptime!(sizes.tile);
    let hidden = comptime!(sizes.hidden);
    let gates = comptime!(4 * sizes.hidden);
    let filters = comptime!(sizes.filters);
    // Windows of a chunk, for each session of the tile.
    let inputs = comptime!(sizes.chunk * sizes.filters);
    let known = comptime!(1 + sizes.context);
    // Of a session in `given`.
    let row = known + height * comptime!(sizes.features);
    let width = comptime!(if sizes.stateful {
        1 + 2 * sizes.hidden
    } else {
        1
    });

    let mut windows =
        Shared::<[f32]>::new_slice(comptime!(sizes.tile * sizes.chunk * sizes.filters));
    let mut output = Shared::<[f32]>::new_slice(comptime!(sizes.tile * sizes.hidden));
    let mut cell = Array::<f32>::new(tile);
    let mut own_steps = Array::<f32>::new(tile);
    let mut sums = Array::<f32>::new(comptime!(4 * sizes.tile));

    #[unroll]
    for s in 0..tile {
        let session = first + s;
        cell[s] = 0.0f32;
        own_steps[s] = 0.0f32;
        if session < count {
            own_steps[s] = given[session * row];
        }
        if unit < hidden {
            let mut start = 0.0f32;
            if comptime!(sizes.resumed) {
                if session < count {
                    start = before[session * width + 1 + unit];
                    cell[s] = before[session * width + 1 + hidden + unit];
                }
            }
            output[s * hidden + unit] = start;
        }
    }
    sync_cube();

    for step in 0..steps {
        if unit < hidden {
            #[unroll]
            for g in 0..4usize {
                let bias = weights[comptime!(sizes.places.bias) + g * hidden + unit];
                #[unroll]
                for s in 0..tile {
                    sums[s * 4 + g] = bias;
                }
            }
        }
        for part in 0..comptime!((sizes.columns / sizes.chunk) as u32) {
            let mut place = unit;
            while place < comptime!(sizes.tile * sizes.chunk * sizes.filters) {
                let session = first + place / inputs;
                let rest = place % inputs;
                let column = part as usize * comptime!(sizes.chunk) + rest / filters;
                let mut value = 0.0f32;
                if session < count {
                    let corner = session * row
                        + known
                        + 2 * step as usize * comptime!(sizes.features)
                        + 2 * column;
                    value = pooled(given, weights, corner, rest % filters, sizes);
                }
                windows[place] = value;
                place += units;
            }
            sync_cube();
            if unit < hidden {
                let from = comptime!(sizes.places.input) + part as usize * inputs * gates + unit;
                for k in 0..inputs {
                    accumulate(
                        weights,
                        from + k * gates,
                        &windows,
                        k,
                        inputs,
                        &mut sums,
                        tile,
                        hidden,
                    );
                }
            }
            sync_cube();
        }
        if unit < hidden {
            for k in 0..hidden {
                accumulate(
                    weights,
                    comptime!(sizes.places.recurrent) + k * gates + unit,
                    &output,
                    k,
                    hidden,
                    &mut sums,
                    tile,
                    hidden,
                );
            }
        }
        // Everybody has read the outputs of the step before.
        sync_cube();
        if unit < hidden {
            #[unroll]
            for s in 0..tile {
                if f32::cast_from(step) < own_steps[s] {
                    let admitted = logistic(sums[s * 4]) * squash(sums[s * 4 + 2], sizes.rectified);
                    let kept = logistic(sums[s * 4 + 1]) * cell[s] + admitted;
                    cell[s] = kept;
                    output[s * hidden + unit] =
                        logistic(sums[s * 4 + 3]) * squash(kept, sizes.rectified);
                }
            }
        }
        sync_cube();
    }

    if comptime!(sizes.stateful) {
        if unit < hidden {
            #[unroll]
            for s in 0..tile {
                let session = first + s;
                if session < count {
                    out[session * width + 1 + unit] = output[s * hidden + unit];
                    out[session * width + 1 + hidden + unit] = cell[s];
                }
            }
        }
    }
    if unit < tile {
        let session = first + unit;
        if session < count {
            let mut logit = weights[comptime!(sizes.places.output_bias)];
            for k in 0..hidden {
                logit += output[unit * hidden + k] * weights[comptime!(sizes.places.output) + k];
            }
            for j in 0..comptime!(sizes.context_hidden) {
                let mut sum = weights[comptime!(sizes.places.context_bias) + j];
                for i in 0..comptime!(sizes.context) {
                    sum += given[session * row + 1 + i]
                        * weights[comptime!(sizes.places.context)
                            + i * comptime!(sizes.context_hidden)
                            + j];
                }
                logit +=
                    max(sum, 0.0f32) * weights[comptime!(sizes.places.output + sizes.hidden) + j];
            }
            out[session * width] = logit;
        }
    }
}

/// One cell after convolution, pooling and ReLU: the patch of `kernel + 1` rows and columns from
/// `corner` on holds the four places of the kernel.
#[cube]
fn pooled(
    given: &Tensor<f32>,
    weights: &Tensor<f32>,
    corner: usize,
    filter: usize,
    #[comptime] sizes: Sizes,
) -> f32 {
    let mut places = Array::<f32>::new(4usize);
    #[unroll]
    for p in 0..4usize {
        places[p] = 0.0f32;
    }
    let kernel = comptime!(sizes.kernel);
    #[unroll]
    for i in 0..kernel {
        #[unroll]
        for j in 0..kernel {
            let weight = weights[comptime!(sizes.places.conv + i * sizes.kernel + j)
                + filter * comptime!(sizes.kernel * sizes.kernel)];
            let at = corner + comptime!(i * sizes.features + j);
            add_to_places(given, at, weight, &mut places, sizes.features);
        }
    }
    let highest = max(max(places[0], places[1]), max(places[2], places[3]));
    max(
        highest + weights[comptime!(sizes.places.conv_bias) + filter],
        0.0f32,
    )
}

/// Adds a weight's part to the kernel's four places in a patch, side by side and a row further on. `at` is where the
/// weight lies at the first of them.
#[cube]
pub(super) fn add_to_places(
    plane: &Tensor<f32>,
    at: usize,
    weight: f32,
    places: &mut Array<f32>,
    #[comptime] features: usize,
) {
    #[unroll]
    for p in 0..4usize {
        places[p] += plane[at + comptime!(p / 2 * features + p % 2)] * weight;
    }
}

/// Adds one input's part to the gates of each session.
#[cube]
fn accumulate(
    weights: &Tensor<f32>,
    from: usize,
    inputs: &Shared<[f32]>,
    k: usize,
    stride: usize,
    sums: &mut Array<f32>,
    #[comptime] tile: usize,
    #[comptime] hidden: usize,
) {
    let a = weights[from];
    let b = weights[from + hidden];
    let c = weights[from + 2 * hidden];
    let d = weights[from + 3 * hidden];
    #[unroll]
    for s in 0..tile {
        let input = inputs[s * stride + k];
        sums[s * 4] += a * input;
        sums[s * 4 + 1] += b * input;
        sums[s * 4 + 2] += c * input;
        sums[s * 4 + 3] += d * input;
    }
}
