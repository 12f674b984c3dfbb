//! The kernels of the LSTM in training: all steps forward in one launch, all steps back in another.
//! Weights are of 16 bits or of 32, everything else of 32.

// Conditions known when the kernel is compiled stand apart from those of its running.
#![allow(clippy::collapsible_if)]

use cubecl::prelude::*;

use super::kernel::{logistic, squash};

/// What a kernel is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Sizes {
    pub(super) hidden: usize,
    /// Sequences of one workgroup.
    pub(super) tile: usize,
    /// Whether the cell's activation is the rectifier in place of the hyperbolic tangent.
    pub(super) rectified: bool,
    /// Whether the way forward leaves what the way back needs.
    pub(super) kept: bool,
}

/// Numbers that a step leaves of each hidden unit: its four gates after their activation, its cell.
pub(super) const KEPT: usize = 5;

/// What a unit of a workgroup works on: one hidden unit of each sequence of the workgroup's tile.
#[derive(CubeType)]
struct Seat {
    unit: usize,
    /// The tile's first sequence.
    first: usize,
    /// All sequences, and how many of them lie side by side.
    sequences: usize,
    lanes: usize,
    steps: usize,
    #[cube(comptime)]
    hidden: usize,
}

#[cube]
impl Seat {
    fn new(sequences: u32, steps: u32, lanes: u32, #[comptime] sizes: Sizes) -> Seat {
        Seat {
            unit: UNIT_POS_X as usize,
            first: CUBE_POS_X as usize * sizes.tile,
            sequences: sequences as usize,
            lanes: lanes as usize,
            steps: steps as usize,
            hidden: sizes.hidden,
        }
    }

    /// Whether there is this unit, which a workgroup rounded up may lack.
    fn works(&self) -> bool {
        self.unit < self.hidden
    }

    /// Whether there is this sequence of the tile.
    fn has(&self, sequence: usize) -> bool {
        self.first + sequence < self.sequences
    }

    /// Where a step of a sequence of the tile stands among all steps of all sequences, which are laid
    /// out as `[batch, steps, lanes]`: the step before stands `lanes` earlier.
    fn place(&self, sequence: usize, step: u32) -> usize {
        let sequence = self.first + sequence;
        (sequence / self.lanes * self.steps + step as usize) * self.lanes + sequence % self.lanes
    }
}

/// Forward. One workgroup takes `tile` sequences, a unit of it one hidden unit of all of them, so
/// that a weight that was read serves the whole tile.
///
/// `inputs` is `[places, 4 × hidden]`, places being all steps of all sequences as [`Seat::place`] says,
/// `recurrent` `[hidden, 4 × hidden]`, `outputs` `[places, hidden]`. Where the sizes say so, `kept`
/// becomes `[places, KEPT × hidden]` and `earlier` the output of the step before, zero at the first:
/// `[places, hidden]`.
#[cube(launch_unchecked)]
pub(super) fn forward<W: Float>(
    inputs: &Tensor<f32>,
    recurrent: &Tensor<W>,
    outputs: &mut Tensor<f32>,
    kept: &mut Tensor<f32>,
    earlier: &mut Tensor<f32>,
    sequences: u32,
    steps: u32,
    lanes: u32,
    #[comptime] sizes: Sizes,
) {
    let seat = Seat::new(sequences, steps, lanes, sizes);
    let unit = seat.unit;
    let tile = comptime!(sizes.tile);
    let hidden = comptime!(sizes.hidden);
    let gates = comptime!(4 * sizes.hidden);

    let mut output = Shared::<[f32]>::new_slice(comptime!(sizes.tile * sizes.hidden));
    let mut cell = Array::<f32>::new(tile);
    let mut sums = Array::<f32>::new(comptime!(4 * sizes.tile));
    #[unroll]
    for s in 0..tile {
        cell[s] = 0.0f32;
        if seat.works() {
            output[s * hidden + unit] = 0.0f32;
        }
    }
    sync_cube();

    for step in 0..steps {
        if seat.works() {
            #[unroll]
            for s in 0..tile {
                let at = seat.place(s, step) * gates + unit;
                #[unroll]
                for g in 0..4usize {
                    sums[s * 4 + g] = 0.0f32;
                    if seat.has(s) {
                        sums[s * 4 + g] = inputs[at + g * hidden];
                    }
                }
            }
            for k in 0..hidden {
                let from = k * gates + unit;
                let a = f32::cast_from(recurrent[from]);
                let b = f32::cast_from(recurrent[from + hidden]);
                let c = f32::cast_from(recurrent[from + 2 * hidden]);
                let d = f32::cast_from(recurrent[from + 3 * hidden]);
                #[unroll]
                for s in 0..tile {
                    let before = output[s * hidden + k];
                    sums[s * 4] += a * before;
                    sums[s * 4 + 1] += b * before;
                    sums[s * 4 + 2] += c * before;
                    sums[s * 4 + 3] += d * before;
                }
            }
        }
        // Everybody has read the outputs of the step before.
        sync_cube();
        if seat.works() {
            #[unroll]
            for s in 0..tile {
                if seat.has(s) {
                    let place = seat.place(s, step);
                    let admits = logistic(sums[s * 4]);
                    let keeps = logistic(sums[s * 4 + 1]);
                    let candidate = squash(sums[s * 4 + 2], sizes.rectified);
                    let shows = logistic(sums[s * 4 + 3]);
                    let next = keeps * cell[s] + admits * candidate;
                    let shown = shows * squash(next, sizes.rectified);
                    if comptime!(sizes.kept) {
                        let at = place * comptime!(KEPT * sizes.hidden) + unit;
                        kept[at] = admits;
                        kept[at + hidden] = keeps;
                        kept[at + 2 * hidden] = candidate;
                        kept[at + 3 * hidden] = shows;
                        kept[at + 4 * hidden] = next;
                        earlier[place * hidden + unit] = output[s * hidden + unit];
                    }
                    outputs[place * hidden + unit] = shown;
                    cell[s] = next;
                    output[s * hidden + unit] = shown;
                }
            }
        }
        sync_cube();
    }
}

/// Back: the loss's gradient by `inputs`, from that by `outputs`, over the same tiles.
///
/// `kept` is what [`forward`] left, `transposed` the recurrent weights as `[4 × hidden, hidden]`,
/// `given` the gradient by the outputs, `[places, hidden]`, and `gradients` that by the inputs,
/// `[places, 4 × hidden]`.
#[cube(launch_unchecked)]
pub(super) fn backward<W: Float>(
    kept: &Tensor<f32>,
    transposed: &Tensor<W>,
    given: &Tensor<f32>,
    gradients: &mut Tensor<f32>,
    sequences: u32,
    steps: u32,
    lanes: u32,
    #[comptime] sizes: Sizes,
) {
    let seat = Seat::new(sequences, steps, lanes, sizes);
    let unit = seat.unit;
    let tile = comptime!(sizes.tile);
    let hidden = comptime!(sizes.hidden);
    let gates = comptime!(4 * sizes.hidden);
    let stored = comptime!(KEPT * sizes.hidden);

    // The gates' gradients of the step behind, which the outputs of this step led to.
    let mut behind = Shared::<[f32]>::new_slice(comptime!(4 * sizes.tile * sizes.hidden));
    // What the step behind leaves of the cells' gradients.
    let mut carried = Array::<f32>::new(tile);
    let mut sums = Array::<f32>::new(tile);
    #[unroll]
    for s in 0..tile {
        carried[s] = 0.0f32;
        if seat.works() {
            #[unroll]
            for g in 0..4usize {
                behind[s * gates + g * hidden + unit] = 0.0f32;
            }
        }
    }
    sync_cube();

    for back in 0..steps {
        let step = steps - 1 - back;
        if seat.works() {
            #[unroll]
            for s in 0..tile {
                sums[s] = 0.0f32;
            }
            if back > 0 {
                for k in 0..gates {
                    let weight = f32::cast_from(transposed[k * hidden + unit]);
                    #[unroll]
                    for s in 0..tile {
                        sums[s] += weight * behind[s * gates + k];
                    }
                }
            }
        }
        // Everybody has read the gradients of the step behind.
        sync_cube();
        if seat.works() {
            #[unroll]
            for s in 0..tile {
                if seat.has(s) {
                    let place = seat.place(s, step);
                    let at = place * stored + unit;
                    let admits = kept[at];
                    let keeps = kept[at + hidden];
                    let candidate = kept[at + 2 * hidden];
                    let shows = kept[at + 3 * hidden];
                    let cell = squash(kept[at + 4 * hidden], sizes.rectified);
                    let mut before = 0.0f32;
                    if step > 0 {
                        before = kept[at - seat.lanes * stored + 4 * hidden];
                    }
                    let by_output = given[place * hidden + unit] + sums[s];
                    let by_cell = by_output * shows * slope(cell, sizes.rectified) + carried[s];
                    carried[s] = by_cell * keeps;

                    let by_admits = by_cell * candidate * admits * (1.0f32 - admits);
                    let by_keeps = by_cell * before * keeps * (1.0f32 - keeps);
                    let by_candidate = by_cell * admits * slope(candidate, sizes.rectified);
                    let by_shows = by_output * cell * shows * (1.0f32 - shows);
                    let own = s * gates + unit;
                    behind[own] = by_admits;
                    behind[own + hidden] = by_keeps;
                    behind[own + 2 * hidden] = by_candidate;
                    behind[own + 3 * hidden] = by_shows;
                    let out = place * gates + unit;
                    gradients[out] = by_admits;
                    gradients[out + hidden] = by_keeps;
                    gradients[out + 2 * hidden] = by_candidate;
                    gradients[out + 3 * hidden] = by_shows;
                }
            }
        }
        sync_cube();
    }
}

/// The activation's derivative, from its value; the rectifier's is zero at zero.
#[cube]
fn slope(value: f32, #[comptime] rectified: bool) -> f32 {
    if comptime!(rectified) {
        let mut rises = 0.0f32;
        if value > 0.0f32 {
            rises = 1.0f32;
        }
        rises
    } else {
        1.0f32 - value * value
    }
}
