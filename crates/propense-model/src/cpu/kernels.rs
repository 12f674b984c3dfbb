//! The arithmetic of a step, generic over the instruction set: convolution, pooling, LSTM.
//!
//! Every sum runs over its inputs in the same order whether one session is computed or many, so
//! that a session's logit is the same to the last bit by each way. Between instruction sets bits
//! differ, since some round a multiply-add once and others twice.

use super::activation::{relu, sigmoid, tanh};
use super::pack::{Filters, Panels};
use super::simd::{Simd, Task};
use crate::CellActivation;

/// One row of the convolution before bias and ReLU: of each pair of columns the larger, or, where
/// `APART`, both, for the gradient to find its way back.
pub(super) struct Convolve<'a, const APART: bool = false> {
    pub(super) filters: &'a Filters,
    /// The last `kernel` rows of a session, `[kernel, features]`.
    pub(super) rows: &'a [f32],
    /// `[cells, filters made up to whole vectors]`; where `APART`, `[cells, 2, …]`.
    pub(super) out: &'a mut [f32],
}

impl<const APART: bool> Task for Convolve<'_, APART> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const PANELS: usize>(mut self, simd: S) {
        let Filters { kernel, lanes, .. } = *self.filters;
        let features = self.rows.len() / kernel;
        let cells = self.out.len() / (self.filters.padded() * Self::KEPT);
        assert_eq!(lanes, S::LANES);
        assert!(2 * cells + kernel <= features + 1);
        let mut cell = 0;
        // SAFETY: the weights are `[blocks, kernel², lanes]` by construction, `out` holds `cells`
        // rows of `blocks · lanes` (two where apart), and the last cell's window ends within the row as asserted.
        unsafe {
            while cell + 4 <= cells {
                self.cells::<S, 4>(simd, features, cell);
                cell += 4;
            }
            while cell < cells {
                self.cells::<S, 1>(simd, features, cell);
                cell += 1;
            }
        }
    }
}

impl<const APART: bool> Convolve<'_, APART> {
    /// Columns of a pair that are kept.
    const KEPT: usize = if APART { 2 } else { 1 };

    /// So many neighbouring cells from this one on, each the larger of two columns.
    ///
    /// # Safety
    /// What [`Task::run`] asserts, and `first + CELLS` is at most the number of cells.
    #[inline(always)]
    unsafe fn cells<S: Simd, const CELLS: usize>(
        &mut self,
        simd: S,
        features: usize,
        first: usize,
    ) {
        let Filters { kernel, .. } = *self.filters;
        let padded = self.filters.padded();
        let mut weights = self.filters.weights.as_ptr();
        for block in 0..padded / S::LANES {
            let mut sums = [[simd.splat(0.0); 2]; CELLS];
            for down in 0..kernel {
                for right in 0..kernel {
                    // SAFETY: the caller's.
                    unsafe {
                        let inputs = self.rows.as_ptr().add(down * features + 2 * first + right);
                        let weight = simd.load(weights);
                        weights = weights.add(S::LANES);
                        for (cell, sums) in sums.iter_mut().enumerate() {
                            let left = simd.splat(*inputs.add(2 * cell));
                            let right = simd.splat(*inputs.add(2 * cell + 1));
                            sums[0] = simd.mul_add(left, weight, sums[0]);
                            sums[1] = simd.mul_add(right, weight, sums[1]);
                        }
                    }
                }
            }
            for (cell, [left, right]) in sums.into_iter().enumerate() {
                let place = (first + cell) * Self::KEPT * padded + block * S::LANES;
                // SAFETY: the caller's.
                unsafe {
                    let out = self.out.as_mut_ptr().add(place);
                    if APART {
                        simd.store(out, left);
                        simd.store(out.add(padded), right);
                    } else {
                        simd.store(out, simd.at_least(left, right));
                    }
                }
            }
        }
    }
}

/// Pooling in time, bias and ReLU: two rows of the convolution make a window. Bias and ReLU are
/// monotone: after the maximum they give what they give before it.
pub(super) struct Pool<'a> {
    pub(super) filters: &'a Filters,
    /// Both as [`Convolve`] gives them.
    pub(super) rows: [&'a [f32]; 2],
    /// `[cells, filters]`, and room for a vector beyond it, where anything may be written.
    pub(super) window: &'a mut [f32],
}

impl Task for Pool<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const PANELS: usize>(self, simd: S) {
        let padded = self.filters.padded();
        let cells = self.rows[0].len() / padded;
        assert_eq!(self.filters.lanes, S::LANES);
        assert_eq!(self.rows[0].len(), self.rows[1].len());
        assert!(self.window.len() >= cells * self.filters.count + S::LANES);
        let [one, other] = self.rows.map(<[f32]>::as_ptr);
        // Cells and filters ascend: what a vector writes beyond a cell's last filter, the next cell
        // writes over.
        for cell in 0..cells {
            for lane in (0..padded).step_by(S::LANES) {
                let place = cell * padded + lane;
                // SAFETY: the lengths are as asserted; `padded` is less than a vector longer than
                // `count`, which bounds the last store.
                unsafe {
                    let larger =
                        simd.at_least(simd.load(one.add(place)), simd.load(other.add(place)));
                    let bias = simd.load(self.filters.bias.as_ptr().add(lane));
                    let out = self.window.as_mut_ptr();
                    let out = out.add(cell * self.filters.count + lane);
                    simd.store(out, relu(simd, simd.add(larger, bias)));
                }
            }
        }
    }
}

/// A number that is not zero, and the place of its row in a panel.
pub(super) type Given = (u32, f32);

/// One LSTM step of one session. Rows whose input is zero are skipped: many are, after a ReLU,
/// and adding nothing leaves a sum as it is.
pub(super) struct StepOne<'a> {
    pub(super) panels: &'a Panels,
    pub(super) activation: CellActivation,
    /// What [`Self::gather`] made of the output of the step before and the window.
    pub(super) given: &'a [Given],
    /// `[hidden made up to whole vectors]`.
    pub(super) cell: &'a mut [f32],
    /// The new output, `[hidden made up to whole vectors]`.
    pub(super) output: &'a mut [f32],
}

impl StepOne<'_> {
    /// Lists what is not zero among a panel's inputs: the output of the step before, then the
    /// window. The list keeps the size that is needed at most.
    pub(super) fn gather(
        given: &mut [Given],
        output: &[f32],
        window: &[f32],
        width: usize,
    ) -> usize {
        let mut count = 0;
        for (row, &value) in output.iter().chain(window).enumerate() {
            if let Some(place) = given.get_mut(count) {
                *place = ((row * width) as u32, value);
            }
            count += usize::from(value != 0.0);
        }
        count
    }
}

impl Task for StepOne<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const PANELS: usize>(mut self, simd: S) {
        let count = self.panels.count();
        let limit = (self.panels.rows() * self.panels.width()) as u32;
        assert_eq!(self.panels.width(), 4 * S::LANES);
        assert_eq!(self.cell.len(), count * S::LANES);
        assert_eq!(self.output.len(), count * S::LANES);
        assert!(self.given.iter().all(|&(place, _)| place < limit));
        let mut panel = 0;
        // SAFETY: the lengths are as asserted.
        unsafe {
            while panel + PANELS <= count {
                self.panels::<S, PANELS>(simd, panel);
                panel += PANELS;
            }
            while panel < count {
                self.panels::<S, 1>(simd, panel);
                panel += 1;
            }
        }
    }
}

impl StepOne<'_> {
    /// So many neighbouring panels from this one on.
    ///
    /// # Safety
    /// What [`Task::run`] asserts, and `first + PANELS` is at most the number of panels.
    #[inline(always)]
    unsafe fn panels<S: Simd, const PANELS: usize>(&mut self, simd: S, first: usize) {
        let size = self.panels.rows() * self.panels.width();
        // SAFETY (all): the caller's.
        let weights = unsafe { self.panels.weights().as_ptr().add(first * size) };
        let mut sums = [[simd.splat(0.0); 4]; PANELS];
        for (panel, sums) in sums.iter_mut().enumerate() {
            *sums = unsafe { self.panels.start(simd, first + panel) };
        }
        for &(place, value) in self.given {
            let value = simd.splat(value);
            for (panel, sums) in sums.iter_mut().enumerate() {
                let place = panel * size + place as usize;
                let weight = unsafe { simd.load_four(weights.add(place)) };
                for gate in 0..4 {
                    sums[gate] = simd.mul_add(value, weight[gate], sums[gate]);
                }
            }
        }
        for (panel, gates) in sums.into_iter().enumerate() {
            let place = (first + panel) * S::LANES;
            unsafe {
                let cell = self.cell.as_mut_ptr().add(place);
                let output = self.output.as_mut_ptr().add(place);
                advance(simd, self.activation, gates, cell, output);
            }
        }
    }
}

/// One LSTM step of several sessions.
pub(super) struct StepMany<'a> {
    pub(super) panels: &'a Panels,
    pub(super) activation: CellActivation,
    pub(super) sessions: usize,
    /// Of each session the output of the step before, `[hidden]`, then the window; `stride` apart.
    pub(super) inputs: &'a [f32],
    pub(super) stride: usize,
    /// `[sessions, hidden made up to whole vectors]`.
    pub(super) cells: &'a mut [f32],
    /// The new outputs, `[sessions, hidden made up to whole vectors]`.
    pub(super) outputs: &'a mut [f32],
}

impl Task for StepMany<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const PANELS: usize>(mut self, simd: S) {
        let (count, rows) = (self.panels.count(), self.panels.rows());
        let units = self.sessions * count * S::LANES;
        assert_eq!(self.panels.width(), 4 * S::LANES);
        assert!(rows <= self.stride && self.sessions * self.stride <= self.inputs.len());
        assert!(units <= self.cells.len() && units <= self.outputs.len());
        // A panel at a time: its weights stay in the nearest cache while all sessions use them.
        for panel in 0..count {
            let mut session = 0;
            // SAFETY: the lengths are as asserted.
            unsafe {
                while session + ROWS <= self.sessions {
                    self.rows::<S, ROWS>(simd, panel, session);
                    session += ROWS;
                }
                while session + 2 <= self.sessions {
                    self.rows::<S, 2>(simd, panel, session);
                    session += 2;
                }
                if session < self.sessions {
                    self.rows::<S, 1>(simd, panel, session);
                }
            }
        }
    }
}

impl StepMany<'_> {
    /// One panel for so many neighbouring sessions from this one on.
    ///
    /// # Safety
    /// What [`Task::run`] asserts, and `first + ROWS` is at most the number of sessions.
    #[inline(always)]
    unsafe fn rows<S: Simd, const ROWS: usize>(&mut self, simd: S, panel: usize, first: usize) {
        let (rows, width) = (self.panels.rows(), self.panels.width());
        // SAFETY (all): the caller's.
        let mut weights = unsafe { self.panels.weights().as_ptr().add(panel * rows * width) };
        let inputs = unsafe { self.inputs.as_ptr().add(first * self.stride) };
        let mut sums = [unsafe { self.panels.start(simd, panel) }; ROWS];
        for row in 0..rows {
            unsafe {
                let weight = simd.load_four(weights);
                weights = weights.add(width);
                for (session, sums) in sums.iter_mut().enumerate() {
                    let value = simd.splat(*inputs.add(session * self.stride + row));
                    for gate in 0..4 {
                        sums[gate] = simd.mul_add(value, weight[gate], sums[gate]);
                    }
                }
            }
        }
        let units = self.panels.count() * S::LANES;
        for (session, gates) in sums.into_iter().enumerate() {
            let place = (first + session) * units + panel * S::LANES;
            unsafe {
                let cell = self.cells.as_mut_ptr().add(place);
                let output = self.outputs.as_mut_ptr().add(place);
                advance(simd, self.activation, gates, cell, output);
            }
        }
    }
}

/// Applies the gates (input, forget, candidate, output) to a vector of cells.
///
/// # Safety
/// A vector can be read and written at `cell` and written at `output`.
#[inline(always)]
unsafe fn advance<S: Simd>(
    simd: S,
    activation: CellActivation,
    [input, forget, candidate, output]: [S::Vector; 4],
    cell: *mut f32,
    out: *mut f32,
) {
    let admitted = simd.mul(sigmoid(simd, input), squash(simd, activation, candidate));
    // SAFETY: the caller's.
    unsafe {
        let kept = simd.mul_add(sigmoid(simd, forget), simd.load(cell), admitted);
        simd.store(cell, kept);
        simd.store(
            out,
            simd.mul(sigmoid(simd, output), squash(simd, activation, kept)),
        );
    }
}

/// The LSTM's activation.
#[inline(always)]
pub(super) fn squash<S: Simd>(simd: S, activation: CellActivation, x: S::Vector) -> S::Vector {
    match activation {
        CellActivation::Tanh => tanh(simd, x),
        CellActivation::Relu => relu(simd, x),
    }
}
