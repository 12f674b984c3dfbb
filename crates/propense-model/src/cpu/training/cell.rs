//! The LSTM's cell of several rows, forward and back.

use crate::CellActivation;
use crate::cpu::activation::sigmoid;
use crate::cpu::kernels::squash;
use crate::cpu::simd::{Simd, Task};

/// Applies the gates. What the way back needs is kept: the gates as they are after their
/// activations, the cells, and the cells squashed.
pub(super) struct Advance<'a> {
    pub(super) activation: CellActivation,
    pub(super) rows: usize,
    /// Hidden units made up to whole vectors.
    pub(super) units: usize,
    /// Sums in, activations out: `[rows, units / lanes, 4 (input, forget, candidate, output), lanes]`,
    /// `stride` apart.
    pub(super) gates: &'a mut [f32],
    pub(super) stride: usize,
    /// The cells of the step before, `[rows, units]`; none at the first step, where they are zero.
    pub(super) before: Option<&'a [f32]>,
    /// `[rows, units]` each.
    pub(super) cells: &'a mut [f32],
    pub(super) squashed: &'a mut [f32],
    pub(super) outputs: &'a mut [f32],
}

impl Task for Advance<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const PANELS: usize>(self, simd: S) {
        let (rows, units) = (self.rows, self.units);
        assert!(units.is_multiple_of(S::LANES) && 4 * units <= self.stride);
        assert!(rows * self.stride <= self.gates.len());
        assert!(
            self.before
                .is_none_or(|before| rows * units <= before.len())
        );
        let least = self.cells.len().min(self.squashed.len());
        assert!(rows * units <= least.min(self.outputs.len()));
        for row in 0..rows {
            for panel in 0..units / S::LANES {
                let place = row * units + panel * S::LANES;
                // SAFETY: the lengths are as asserted.
                unsafe {
                    let gates = self.gates.as_mut_ptr();
                    let gates = gates.add(row * self.stride + 4 * panel * S::LANES);
                    let [input, forget, candidate, output] = simd.load_four(gates);
                    let input = sigmoid(simd, input);
                    let forget = sigmoid(simd, forget);
                    let candidate = squash(simd, self.activation, candidate);
                    let output = sigmoid(simd, output);
                    let before = match self.before {
                        Some(before) => simd.load(before.as_ptr().add(place)),
                        None => simd.splat(0.0),
                    };
                    let cell = simd.mul_add(forget, before, simd.mul(input, candidate));
                    let squashed = squash(simd, self.activation, cell);
                    simd.store(gates, input);
                    simd.store(gates.add(S::LANES), forget);
                    simd.store(gates.add(2 * S::LANES), candidate);
                    simd.store(gates.add(3 * S::LANES), output);
                    simd.store(self.cells.as_mut_ptr().add(place), cell);
                    simd.store(self.squashed.as_mut_ptr().add(place), squashed);
                    let outputs = self.outputs.as_mut_ptr().add(place);
                    simd.store(outputs, simd.mul(output, squashed));
                }
            }
        }
    }
}

/// From the outputs' gradients to the gates'.
pub(super) struct Retreat<'a> {
    pub(super) activation: CellActivation,
    pub(super) rows: usize,
    pub(super) units: usize,
    /// As [`Advance`] left them; out come the gradients of the gates' sums.
    pub(super) gates: &'a mut [f32],
    pub(super) stride: usize,
    pub(super) before: Option<&'a [f32]>,
    pub(super) squashed: &'a [f32],
    /// Gradients of the outputs, `[rows, units]`, `outputs_row` apart.
    pub(super) outputs: &'a [f32],
    pub(super) outputs_row: usize,
    /// Gradients of the cells, `[rows, units]`: in what the step after gives, out what the step
    /// before is given.
    pub(super) cells: &'a mut [f32],
}

impl Task for Retreat<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const PANELS: usize>(self, simd: S) {
        let (rows, units) = (self.rows, self.units);
        assert!(rows > 0 && units.is_multiple_of(S::LANES) && 4 * units <= self.stride);
        assert!(rows * self.stride <= self.gates.len());
        assert!(
            self.before
                .is_none_or(|before| rows * units <= before.len())
        );
        assert!(rows * units <= self.squashed.len().min(self.cells.len()));
        assert!((rows - 1) * self.outputs_row + units <= self.outputs.len());
        for row in 0..rows {
            for panel in 0..units / S::LANES {
                let place = row * units + panel * S::LANES;
                // SAFETY: the lengths are as asserted.
                unsafe {
                    let gates = self.gates.as_mut_ptr();
                    let gates = gates.add(row * self.stride + 4 * panel * S::LANES);
                    let [input, forget, candidate, output] = simd.load_four(gates);
                    let squashed = simd.load(self.squashed.as_ptr().add(place));
                    let before = match self.before {
                        Some(before) => simd.load(before.as_ptr().add(place)),
                        None => simd.splat(0.0),
                    };
                    let from_output = self.outputs.as_ptr();
                    let from_output = from_output.add(row * self.outputs_row + panel * S::LANES);
                    let from_output = simd.load(from_output);
                    let cells = self.cells.as_mut_ptr().add(place);
                    let slope = slope(simd, self.activation, squashed);
                    let through = simd.mul(simd.mul(from_output, output), slope);
                    let cell = simd.add(simd.load(cells), through);
                    let logistic = |value| simd.mul_add(simd.mul(value, value), minus(simd), value);
                    let candidate_slope = self::slope(simd, self.activation, candidate);
                    let own = [
                        simd.mul(simd.mul(cell, candidate), logistic(input)),
                        simd.mul(simd.mul(cell, before), logistic(forget)),
                        simd.mul(simd.mul(cell, input), candidate_slope),
                        simd.mul(simd.mul(from_output, squashed), logistic(output)),
                    ];
                    for (gate, gradient) in own.into_iter().enumerate() {
                        simd.store(gates.add(gate * S::LANES), gradient);
                    }
                    simd.store(cells, simd.mul(cell, forget));
                }
            }
        }
    }
}

#[inline(always)]
fn minus<S: Simd>(simd: S) -> S::Vector {
    simd.splat(-1.0)
}

/// The slope of the activation where it has this value.
#[inline(always)]
fn slope<S: Simd>(simd: S, activation: CellActivation, value: S::Vector) -> S::Vector {
    let one = simd.splat(1.0);
    match activation {
        CellActivation::Tanh => simd.mul_add(simd.mul(value, minus(simd)), value, one),
        CellActivation::Relu => simd.where_less(simd.splat(0.0), value, one),
    }
}
