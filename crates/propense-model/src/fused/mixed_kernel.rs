//! The kernel that makes numbers of 16 bits.

// Conditions known when the kernel is compiled stand apart from those of its running.
#![allow(clippy::collapsible_if)]

use cubecl::prelude::*;
use half::f16;

/// The largest number of 16 bits.
const LARGEST: f32 = 65_504.0;

/// Numbers divided by `scale`, where they are to be, and held within what 16 bits can say.
#[cube(launch_unchecked)]
pub(super) fn narrow(
    numbers: &Tensor<f32>,
    scale: &Tensor<f32>,
    out: &mut Tensor<f16>,
    count: u32,
    #[comptime] scaled: bool,
) {
    let mut place = ABSOLUTE_POS_X as usize;
    while place < count as usize {
        let mut number = numbers[place];
        if comptime!(scaled) {
            number /= scale[0];
        }
        out[place] = f16::cast_from(clamp(number, -LARGEST, LARGEST));
        place += CUBE_COUNT_X as usize * CUBE_DIM_X as usize;
    }
}
