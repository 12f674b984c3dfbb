//! The kernels of convolution, pooling and ReLU in training: one forward, three back.
//!
//! A position is a pooled column of a window of a session, a cell one filter at a position; cells are
//! laid out as `[batch, windows, columns, filters]`. A cell's patch of `kernel + 1` rows and columns of
//! the plane holds the four places of the kernel of which pooling takes the highest.

// Conditions known when the kernel is compiled stand apart from those of its running; CubeCL has no `is_multiple_of`.
#![allow(clippy::collapsible_if, clippy::manual_is_multiple_of)]

use cubecl::prelude::*;

use super::kernel::add_to_places;
use crate::limits::UNITS;

/// What a kernel is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Sizes {
    pub(super) features: usize,
    pub(super) kernel: usize,
    pub(super) filters: usize,
    pub(super) columns: usize,
    /// Whether the way forward leaves what the way back needs.
    pub(super) kept: bool,
}

impl Sizes {
    /// Positions that a workgroup takes at a time: each unit has a filter, and keeps it.
    pub(super) const fn rows(self) -> usize {
        UNITS / self.filters
    }

    /// Weights of a filter.
    const fn area(self) -> usize {
        self.kernel * self.kernel
    }
}

/// The place that was chosen of a cell which the rectifier cut off: none of the four.
const NONE: u32 = 4;

/// What a unit of a workgroup works on: one filter at every [`Sizes::rows`]th of the workgroup's `span` positions.
#[derive(CubeType)]
struct Seat {
    filter: usize,
    /// Which of the positions that the workgroup takes at a time.
    row: usize,
    /// The unit's first position, and the end of the workgroup's.
    first: usize,
    end: usize,
    /// Of each session.
    windows: usize,
    height: usize,
    /// Rows from one window to the next.
    stride: usize,
    #[cube(comptime)]
    sizes: Sizes,
}

#[cube]
impl Seat {
    fn new(
        positions: u32,
        span: u32,
        windows: u32,
        height: u32,
        stride: u32,
        #[comptime] sizes: Sizes,
    ) -> Seat {
        let row = UNIT_POS_X as usize / sizes.filters;
        let first = CUBE_POS_X as usize * span as usize;
        Seat {
            filter: UNIT_POS_X as usize % sizes.filters,
            row,
            first: first + row,
            end: min(first + span as usize, positions as usize),
            windows: windows as usize,
            height: height as usize,
            stride: stride as usize,
            sizes,
        }
    }

    /// Whether the unit has a filter, which the last ones of a workgroup may lack.
    fn works(&self) -> bool {
        self.row < comptime!(self.sizes.rows())
    }

    /// The unit's cell at a position.
    fn cell(&self, position: usize) -> usize {
        position * self.sizes.filters + self.filter
    }

    /// Where the patch of a position begins in the planes, `[batch, height, features]`.
    fn corner(&self, position: usize) -> usize {
        let column = position % self.sizes.columns;
        let window = position / self.sizes.columns;
        let session = window / self.windows;
        let row = session * self.height + window % self.windows * self.stride;
        row * self.sizes.features + 2 * column
    }
}

/// Forward: a cell is the highest of the kernel's four places, plus the bias, rectified. Of equal places
/// the first counts, in the order of rows, then of columns.
///
/// A workgroup takes `span` positions. `plane` is `[batch, height, features]`, `weights`
/// `[filters, kernel²]`, `bias` `[filters]`, `cells` as above. Where the sizes say so, `chosen` becomes
/// each cell's place, or [`NONE`].
#[cube(launch_unchecked)]
pub(super) fn forward(
    plane: &Tensor<f32>,
    weights: &Tensor<f32>,
    bias: &Tensor<f32>,
    cells: &mut Tensor<f32>,
    chosen: &mut Tensor<u32>,
    positions: u32,
    span: u32,
    windows: u32,
    height: u32,
    stride: u32,
    #[comptime] sizes: Sizes,
) {
    let seat = Seat::new(positions, span, windows, height, stride, sizes);
    let area = comptime!(sizes.area());
    let rows = comptime!(sizes.rows());

    if seat.works() {
        let mut own = Array::<f32>::new(area);
        #[unroll]
        for place in 0..area {
            own[place] = weights[seat.filter * area + place];
        }
        let own_bias = bias[seat.filter];
        let mut places = Array::<f32>::new(4usize);
        let mut position = seat.first;
        while position < seat.end {
            let corner = seat.corner(position);
            #[unroll]
            for p in 0..4usize {
                places[p] = 0.0f32;
            }
            #[unroll]
            for i in 0..sizes.kernel {
                #[unroll]
                for j in 0..sizes.kernel {
                    let weight = own[comptime!(i * sizes.kernel + j)];
                    let at = corner + comptime!(i * sizes.features + j);
                    add_to_places(plane, at, weight, &mut places, sizes.features);
                }
            }
            let mut highest = places[0];
            let mut choice = 0u32;
            #[unroll]
            for p in 1..4usize {
                if highest < places[p] {
                    highest = places[p];
                    choice = comptime!(p as u32).runtime();
                }
            }
            let cell = max(highest + own_bias, 0.0f32);
            if cell <= 0.0f32 {
                choice = comptime!(NONE).runtime();
            }
            cells[seat.cell(position)] = cell;
            if comptime!(sizes.kept) {
                chosen[seat.cell(position)] = choice;
            }
            position += rows;
        }
    }
}

/// Back to weights and bias, in parts: each unit adds up those of its positions, in their order.
///
/// `given` is the loss's gradient by the cells. A workgroup takes `span` positions and leaves
/// [`Sizes::rows`] parts; `parts` is `[filters, kernel² + 1, all parts]`, the bias behind the weights.
#[cube(launch_unchecked)]
pub(super) fn by_weights(
    plane: &Tensor<f32>,
    chosen: &Tensor<u32>,
    given: &Tensor<f32>,
    parts: &mut Tensor<f32>,
    positions: u32,
    span: u32,
    windows: u32,
    height: u32,
    stride: u32,
    #[comptime] sizes: Sizes,
) {
    let seat = Seat::new(positions, span, windows, height, stride, sizes);
    let area = comptime!(sizes.area());
    let rows = comptime!(sizes.rows());

    if seat.works() {
        let mut sums = Array::<f32>::new(comptime!(sizes.area() + 1));
        #[unroll]
        for place in 0..comptime!(sizes.area() + 1) {
            sums[place] = 0.0f32;
        }
        let mut position = seat.first;
        while position < seat.end {
            let choice = chosen[seat.cell(position)];
            if choice < NONE {
                let slope = given[seat.cell(position)];
                let corner = seat.corner(position)
                    + choice as usize / 2 * sizes.features
                    + choice as usize % 2;
                #[unroll]
                for i in 0..sizes.kernel {
                    #[unroll]
                    for j in 0..sizes.kernel {
                        let at = comptime!(i * sizes.features + j);
                        sums[comptime!(i * sizes.kernel + j)] += slope * plane[corner + at];
                    }
                }
                sums[area] += slope;
            }
            position += rows;
        }
        let all = CUBE_COUNT_X as usize * rows;
        let part = CUBE_POS_X as usize * rows + seat.row;
        #[unroll]
        for place in 0..comptime!(sizes.area() + 1) {
            parts[(seat.filter * comptime!(sizes.area() + 1) + place) * all + part] = sums[place];
        }
    }
}

/// The parts of a gradient added up, always in the same order: a workgroup for each number, [`UNITS`]
/// units, a power of two. `weights` is `[filters, kernel²]`, `bias` `[filters]`.
#[cube(launch_unchecked)]
pub(super) fn add_up(
    parts: &Tensor<f32>,
    weights: &mut Tensor<f32>,
    bias: &mut Tensor<f32>,
    count: u32,
    #[comptime] sizes: Sizes,
) {
    let unit = UNIT_POS_X as usize;
    let number = CUBE_POS_X as usize;
    let area = comptime!(sizes.area());
    let count = count as usize;
    let mut sums = Shared::<[f32]>::new_slice(UNITS);
    let mut sum = 0.0f32;
    let mut part = unit;
    while part < count {
        sum += parts[number * count + part];
        part += UNITS;
    }
    sums[unit] = sum;
    sync_cube();
    let mut half = comptime!(UNITS / 2).runtime();
    while half > 0 {
        if unit < half {
            sums[unit] += sums[unit + half];
        }
        sync_cube();
        half /= 2;
    }
    if unit == 0 {
        let filter = number / (area + 1);
        let place = number % (area + 1);
        if place < area {
            weights[filter * area + place] = sums[0];
        } else {
            bias[filter] = sums[0];
        }
    }
}

/// Back to the plane: a unit for each of its numbers adds up what the cells make of it whose patch it
/// lies in.
#[cube(launch_unchecked)]
pub(super) fn by_plane(
    weights: &Tensor<f32>,
    chosen: &Tensor<u32>,
    given: &Tensor<f32>,
    gradient: &mut Tensor<f32>,
    numbers: u32,
    windows: u32,
    height: u32,
    stride: u32,
    #[comptime] sizes: Sizes,
) {
    let area = comptime!(sizes.area());
    let windows = windows as usize;
    let height = height as usize;
    let stride = stride as usize;
    let mut number = ABSOLUTE_POS_X as usize;
    while number < numbers as usize {
        let x = number % sizes.features;
        let y = number / sizes.features % height;
        let session = number / sizes.features / height;
        let mut sum = 0.0f32;
        for down in 0..sizes.kernel + 1 {
            let top = y - down;
            let window = top / stride;
            if y >= down && top % stride == 0 && window < windows {
                for right in 0..sizes.kernel + 1 {
                    let left = x - right;
                    let column = left / 2;
                    if x >= right && left % 2 == 0 && column < sizes.columns {
                        let from =
                            ((session * windows + window) * sizes.columns + column) * sizes.filters;
                        for filter in 0..sizes.filters {
                            let choice = chosen[from + filter];
                            let i = down - choice as usize / 2;
                            let j = right - choice as usize % 2;
                            // Below zero a place is beyond every kernel.
                            if choice < NONE && i < sizes.kernel && j < sizes.kernel {
                                sum += given[from + filter]
                                    * weights[filter * area + i * sizes.kernel + j];
                            }
                        }
                    }
                }
            }
        }
        gradient[number] = sum;
        number += CUBE_COUNT_X as usize * CUBE_DIM_X as usize;
    }
}
