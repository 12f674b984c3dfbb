//! Weights in the order in which the kernels read them, from a cache line's start on.

use core::ops::{Deref, DerefMut};

use super::simd::Simd;

/// One cache line of nearly every processor.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// Numbers that begin at the start of a cache line, so that a vector of weights never straddles
/// two.
#[derive(Debug, Clone)]
pub(super) struct Aligned {
    lines: Vec<Line>,
    length: usize,
}

impl Aligned {
    /// So many zeros.
    pub(super) fn zeros(length: usize) -> Self {
        Self {
            lines: vec![Line([0.0; 16]); length.div_ceil(16)],
            length,
        }
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: a line is sixteen numbers without padding, and `length` numbers fit the lines.
        unsafe { core::slice::from_raw_parts(self.lines.as_ptr().cast(), self.length) }
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above.
        unsafe { core::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.length) }
    }
}

/// The LSTM's weights in panels of as many hidden units as a vector has lanes. A row of a panel
/// holds what one input gives to the four gates of these units, `[gate, lane]`: a kernel that goes
/// through a panel's rows keeps all its sums in registers, and applies the gates there too.
///
/// The first rows belong to the units' outputs of the step before, the others to the pooled
/// window, by column, then by filter. Units beyond the last are made of zeros.
#[derive(Debug, Clone)]
pub(super) struct Panels {
    lanes: usize,
    /// Rows of a panel: hidden units, then inputs.
    rows: usize,
    /// `[panels, rows, 4, lanes]`.
    weights: Aligned,
    /// `[panels, 4, lanes]`.
    bias: Aligned,
}

impl Panels {
    /// Packs `recurrent`, `[hidden, 4 × hidden]`, `input`, `[step inputs, 4 × hidden]` in the order
    /// of the rows above, and `bias`, `[4 × hidden]`.
    pub(super) fn new(lanes: usize, recurrent: &[f32], input: &[f32], bias: &[f32]) -> Self {
        let width = bias.len();
        let hidden = width / 4;
        let rows = (recurrent.len() + input.len()) / width;
        let panels = hidden.div_ceil(lanes);
        let mut packed = Self {
            lanes,
            rows,
            weights: Aligned::zeros(panels * rows * 4 * lanes),
            bias: Aligned::zeros(panels * 4 * lanes),
        };
        let sources = recurrent
            .chunks_exact(width)
            .chain(input.chunks_exact(width));
        for (row, source) in sources.enumerate() {
            for (panel, target) in packed
                .weights
                .chunks_exact_mut(rows * 4 * lanes)
                .enumerate()
            {
                let target = &mut target[row * 4 * lanes..(row + 1) * 4 * lanes];
                gather(target, source, panel, lanes);
            }
        }
        for (panel, target) in packed.bias.chunks_exact_mut(4 * lanes).enumerate() {
            gather(target, bias, panel, lanes);
        }
        packed
    }

    /// Number of panels.
    pub(super) fn count(&self) -> usize {
        self.bias.len() / (4 * self.lanes)
    }

    /// Rows of a panel.
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// Numbers of a row.
    pub(super) const fn width(&self) -> usize {
        4 * self.lanes
    }

    /// All weights.
    pub(super) fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// All biases, `[panels, 4, lanes]`.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// The biases of a panel's gates, from which its sums start.
    ///
    /// # Safety
    /// A vector of `S` has as many lanes as the panels were made for, and `panel` is one of them.
    #[inline(always)]
    pub(super) unsafe fn start<S: Simd>(&self, simd: S, panel: usize) -> [S::Vector; 4] {
        // SAFETY: the caller's.
        unsafe { simd.load_four(self.bias.as_ptr().add(4 * panel * S::LANES)) }
    }
}

/// The numbers of one panel's units from a row of all four gates.
fn gather(target: &mut [f32], source: &[f32], panel: usize, lanes: usize) {
    let hidden = source.len() / 4;
    let first = panel * lanes;
    let units = lanes.min(hidden - first);
    for (target, gate) in target
        .chunks_exact_mut(lanes)
        .zip(source.chunks_exact(hidden))
    {
        target[..units].copy_from_slice(&gate[first..first + units]);
    }
}

/// The convolution's weights in blocks of as many filters as a vector has lanes. Filters beyond the
/// last are made of zeros.
#[derive(Debug, Clone)]
pub(super) struct Filters {
    pub(super) lanes: usize,
    pub(super) kernel: usize,
    /// Number of filters.
    pub(super) count: usize,
    /// `[blocks, kernel × kernel, lanes]`.
    pub(super) weights: Aligned,
    /// `[blocks, lanes]`.
    pub(super) bias: Aligned,
}

impl Filters {
    /// Packs `weights`, `[filters, kernel × kernel]`, and `bias`, `[filters]`.
    pub(super) fn new(lanes: usize, kernel: usize, weights: &[f32], bias: &[f32]) -> Self {
        let (count, taps) = (bias.len(), kernel * kernel);
        let mut packed = Self {
            lanes,
            kernel,
            count,
            weights: Aligned::zeros(count.next_multiple_of(lanes) * taps),
            bias: Aligned::zeros(count.next_multiple_of(lanes)),
        };
        packed.bias[..count].copy_from_slice(bias);
        for (filter, of_filter) in weights.chunks_exact(taps).enumerate() {
            let (block, lane) = (filter / lanes, filter % lanes);
            for (tap, &weight) in of_filter.iter().enumerate() {
                packed.weights[(block * taps + tap) * lanes + lane] = weight;
            }
        }
        packed
    }

    /// Number of filters, made up to whole vectors.
    pub(super) const fn padded(&self) -> usize {
        self.count.next_multiple_of(self.lanes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_holds_each_weight_once_and_zeros_beyond() {
        for (lanes, hidden, inputs) in [(4, 4, 3), (8, 5, 2), (4, 9, 1), (16, 3, 7)] {
            let width = 4 * hidden;
            let value = |row: usize, column: usize| (1 + row * width + column) as f32;
            let matrix = |rows: core::ops::Range<usize>| -> Vec<f32> {
                rows.flat_map(|row| (0..width).map(move |column| value(row, column)))
                    .collect()
            };
            let bias: Vec<f32> = matrix(hidden + inputs..hidden + inputs + 1);
            let panels = Panels::new(
                lanes,
                &matrix(0..hidden),
                &matrix(hidden..hidden + inputs),
                &bias,
            );
            let mut found = 0;
            for (place, &weight) in panels.weights().iter().enumerate() {
                let (rest, lane) = (place / lanes, place % lanes);
                let (rest, gate) = (rest / 4, rest % 4);
                let (panel, row) = (rest / panels.rows(), rest % panels.rows());
                let unit = panel * lanes + lane;
                let expected = match unit < hidden {
                    true => value(row, gate * hidden + unit),
                    false => 0.0,
                };
                assert_eq!(weight, expected, "{lanes} lanes, {hidden} units");
                found += usize::from(weight != 0.0);
            }
            assert_eq!(found, (hidden + inputs) * width);
            assert_eq!(panels.bias.iter().sum::<f32>(), bias.iter().sum::<f32>());
            assert_eq!(panels.weights().as_ptr() as usize % 64, 0);
        }
    }
}
