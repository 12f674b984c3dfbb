//! Pooling, bias and ReLU of the convolution's rows, forward and back.

use crate::cpu::activation::relu;
use crate::cpu::pack::Filters;
use crate::cpu::simd::{Simd, Task};

/// Two neighbouring rows of the convolution, `[cells, 2, filters made up to whole vectors]` each,
/// make a window.
pub(super) struct PoolApart<'a> {
    pub(super) filters: &'a Filters,
    pub(super) rows: [&'a [f32]; 2],
    /// `[cells, filters]`, and room for a vector beyond it, where anything may be written.
    pub(super) window: &'a mut [f32],
}

impl Task for PoolApart<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const PANELS: usize>(self, simd: S) {
        let (filters, padded) = (self.filters, self.filters.padded());
        let cells = checked::<S>(filters, self.rows);
        assert!(self.window.len() >= cells * filters.count + S::LANES);
        // Cells and filters ascend: what a vector writes beyond a cell's last filter, the next cell
        // writes over.
        for cell in 0..cells {
            for lane in (0..padded).step_by(S::LANES) {
                // SAFETY: the lengths are as asserted.
                unsafe {
                    let four = corners(simd, filters, self.rows, cell, lane);
                    let bias = simd.load(filters.bias.as_ptr().add(lane));
                    let pooled = relu(simd, simd.add(largest(simd, four), bias));
                    let out = self.window.as_mut_ptr();
                    simd.store(out.add(cell * filters.count + lane), pooled);
                }
            }
        }
    }
}

/// From a window's gradient to those of the convolution's kernel and bias, which it adds to. A maximum
/// passes its gradient to the first that reaches it.
pub(super) struct Unpool<'a> {
    pub(super) filters: &'a Filters,
    pub(super) rows: [&'a [f32]; 2],
    /// The session's rows under the window, `[kernel + 1, features]`.
    pub(super) session: &'a [f32],
    /// Gradient, `[cells, filters]`, and room for a vector beyond it.
    pub(super) window: &'a [f32],
    /// `[kernel × kernel, filters made up]`.
    pub(super) kernel: &'a mut [f32],
    /// `[filters made up]`.
    pub(super) bias: &'a mut [f32],
}

impl Task for Unpool<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const PANELS: usize>(self, simd: S) {
        let (filters, padded) = (self.filters, self.filters.padded());
        let cells = checked::<S>(filters, self.rows);
        let side = filters.kernel;
        let features = self.session.len() / (side + 1);
        assert!(self.window.len() >= cells * filters.count + S::LANES);
        assert!(2 * cells + side <= features + 1);
        assert_eq!(self.kernel.len(), side * side * padded);
        assert_eq!(self.bias.len(), padded);
        for lane in (0..padded).step_by(S::LANES) {
            for cell in 0..cells {
                // SAFETY: the lengths are as asserted; the last cell's patch is `side + 1` wide and
                // ends at column `2 · cells + side − 1`.
                unsafe {
                    let four = corners(simd, filters, self.rows, cell, lane);
                    let most = largest(simd, four);
                    let bias = simd.load(filters.bias.as_ptr().add(lane));
                    let window = self.window.as_ptr().add(cell * filters.count + lane);
                    // Nothing where ReLU cuts, and so nothing for filters beyond the last.
                    let given =
                        simd.where_less(simd.splat(0.0), simd.add(most, bias), simd.load(window));
                    let own = self.bias.as_mut_ptr().add(lane);
                    simd.store(own, simd.add(simd.load(own), given));
                    let minus = simd.splat(-1.0);
                    let mut rest = given;
                    let mut shares = [simd.splat(0.0); 4];
                    for (share, corner) in shares.iter_mut().zip(four) {
                        let others = simd.where_less(corner, most, rest);
                        *share = simd.mul_add(others, minus, rest);
                        rest = others;
                    }
                    let patch = self.session.as_ptr().add(2 * cell);
                    for down in 0..side {
                        for right in 0..side {
                            let tap = self.kernel.as_mut_ptr();
                            let tap = tap.add((down * side + right) * padded + lane);
                            let mut sum = simd.load(tap);
                            for (corner, share) in shares.into_iter().enumerate() {
                                let place = (down + corner / 2) * features + right + corner % 2;
                                let input = simd.splat(*patch.add(place));
                                sum = simd.mul_add(share, input, sum);
                            }
                            simd.store(tap, sum);
                        }
                    }
                }
            }
        }
    }
}

/// Cells of a row, after checking that vectors fit.
#[inline(always)]
fn checked<S: Simd>(filters: &Filters, rows: [&[f32]; 2]) -> usize {
    assert_eq!(filters.lanes, S::LANES);
    assert_eq!(rows[0].len(), rows[1].len());
    let cells = rows[0].len() / (2 * filters.padded());
    assert_eq!(rows[0].len(), cells * 2 * filters.padded());
    cells
}

/// The four places that a pooled cell covers: the older row's left and right, the newer row's.
///
/// # Safety
/// The cell is one of the rows', and `lane` begins one of the filters' vectors.
#[inline(always)]
unsafe fn corners<S: Simd>(
    simd: S,
    filters: &Filters,
    [older, newer]: [&[f32]; 2],
    cell: usize,
    lane: usize,
) -> [S::Vector; 4] {
    let padded = filters.padded();
    let left = 2 * cell * padded + lane;
    // SAFETY: the caller's.
    unsafe {
        [
            simd.load(older.as_ptr().add(left)),
            simd.load(older.as_ptr().add(left + padded)),
            simd.load(newer.as_ptr().add(left)),
            simd.load(newer.as_ptr().add(left + padded)),
        ]
    }
}

#[inline(always)]
fn largest<S: Simd>(simd: S, [a, b, c, d]: [S::Vector; 4]) -> S::Vector {
    simd.at_least(simd.at_least(a, b), simd.at_least(c, d))
}
