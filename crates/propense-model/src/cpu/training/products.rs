//! The product that all others are made of.

use crate::cpu::simd::{Simd, Task};

/// `out = start + a · b`, a block of rows and four vectors of columns at a time, their sums in
/// registers. Sums run over the depth in order, whatever the block.
pub(super) struct Product<'a> {
    pub(super) rows: usize,
    pub(super) depth: usize,
    /// Columns, in panels of four vectors.
    pub(super) panels: usize,
    /// Element (row, depth) lies at `row · a_row + depth · a_depth`.
    pub(super) a: &'a [f32],
    pub(super) a_row: usize,
    pub(super) a_depth: usize,
    /// The four vectors of (panel, depth) lie at `panel · b_panel + depth · b_depth`.
    pub(super) b: &'a [f32],
    pub(super) b_panel: usize,
    pub(super) b_depth: usize,
    /// What every row's sums start from, `[panels, 4 vectors]`; without it, zero.
    pub(super) start: Option<&'a [f32]>,
    /// Element (row, column) lies at `row · out_row + column`.
    pub(super) out: &'a mut [f32],
    pub(super) out_row: usize,
}

impl Task for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const PANELS: usize>(mut self, simd: S) {
        let width = 4 * S::LANES;
        if self.rows == 0 || self.panels == 0 {
            return;
        }
        let last = self.depth.saturating_sub(1);
        if self.depth > 0 {
            assert!((self.rows - 1) * self.a_row + last * self.a_depth < self.a.len());
            assert!((self.panels - 1) * self.b_panel + last * self.b_depth + width <= self.b.len());
        }
        assert!((self.rows - 1) * self.out_row + self.panels * width <= self.out.len());
        assert!(self.panels == 1 || self.panels * width <= self.out_row || self.rows == 1);
        if let Some(start) = self.start {
            assert!(self.panels * width <= start.len());
        }
        // A panel at a time: it stays in a near cache while all rows use it.
        for panel in 0..self.panels {
            let mut row = 0;
            // SAFETY: the lengths are as asserted.
            unsafe {
                while row + ROWS <= self.rows {
                    self.block::<S, ROWS>(simd, panel, row);
                    row += ROWS;
                }
                while row + 2 <= self.rows {
                    self.block::<S, 2>(simd, panel, row);
                    row += 2;
                }
                if row < self.rows {
                    self.block::<S, 1>(simd, panel, row);
                }
            }
        }
    }
}

impl Product<'_> {
    /// So many neighbouring rows from this one on, in one panel.
    ///
    /// # Safety
    /// What [`Task::run`] asserts; `first + ROWS` is at most the number of rows.
    #[inline(always)]
    unsafe fn block<S: Simd, const ROWS: usize>(&mut self, simd: S, panel: usize, first: usize) {
        let column = panel * 4 * S::LANES;
        // SAFETY (all): the caller's.
        let start = match self.start {
            Some(start) => unsafe { simd.load_four(start.as_ptr().add(column)) },
            None => [simd.splat(0.0); 4],
        };
        let mut sums = [start; ROWS];
        let mut a = unsafe { self.a.as_ptr().add(first * self.a_row) };
        let mut b = unsafe { self.b.as_ptr().add(panel * self.b_panel) };
        for _ in 0..self.depth {
            unsafe {
                let weight = simd.load_four(b);
                for (row, sums) in sums.iter_mut().enumerate() {
                    let value = simd.splat(*a.add(row * self.a_row));
                    for vector in 0..4 {
                        sums[vector] = simd.mul_add(value, weight[vector], sums[vector]);
                    }
                }
                a = a.wrapping_add(self.a_depth);
                b = b.wrapping_add(self.b_depth);
            }
        }
        for (row, sums) in sums.into_iter().enumerate() {
            for (vector, sum) in sums.into_iter().enumerate() {
                let place = (first + row) * self.out_row + column + vector * S::LANES;
                unsafe { simd.store(self.out.as_mut_ptr().add(place), sum) };
            }
        }
    }
}
