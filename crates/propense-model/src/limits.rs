//! What every WebGPU adapter has, and how a network's sizes go into it: for the kernels in CubeCL and
//! for the page's shader alike.

use crate::ModelConfig;

/// Bytes of workgroup memory.
const SHARED: usize = 16 * 1024;

/// Units of a workgroup.
pub(crate) const UNITS: usize = 256;

/// Bytes that a binding can hold.
#[cfg(feature = "webgpu")]
const BINDING: usize = 128 << 20;

/// Workgroups of a launch.
pub(crate) const WORKGROUPS: usize = 65_535;

/// The widest convolution kernel: the shaders write its loops out in full.
pub(crate) const KERNEL: usize = 5;

/// Sessions of one workgroup, where there are as many: a weight that was read serves all of them.
pub(crate) const TILE: usize = 8;

/// Whether a workgroup can score whole sessions of this network, a tile of them at a time.
pub(crate) const fn fits(config: &ModelConfig) -> bool {
    config.hidden <= UNITS
        && config.kernel <= KERNEL
        && config.pooled_columns() > 0
        && room(config.filters, config.hidden, TILE)
}

/// Whether the windows' part of the gates of so many steps, a workgroup each, can be held.
#[cfg(feature = "webgpu")]
pub(crate) const fn holds_steps(hidden: usize, steps: usize) -> bool {
    steps <= WORKGROUPS && 16 * hidden * steps <= BINDING
}

/// Pooled columns, a divisor of their number, whose windows are held at a time beside the outputs of a
/// tile of so many sessions: as many as there is memory for, and at least one.
pub(crate) fn columns_at_a_time(
    columns: usize,
    filters: usize,
    hidden: usize,
    tile: usize,
) -> usize {
    let held = |part: &usize| columns.is_multiple_of(*part) && room(part * filters, hidden, tile);
    (1..=columns).rev().find(held).unwrap_or(1)
}

/// Of up to [`TILE`] sequences as many as leave so many numbers each in a workgroup's memory; at
/// least one.
#[cfg(feature = "wgpu")]
pub(crate) fn tile(sequences: usize, numbers: usize) -> usize {
    (SHARED / (4 * numbers)).clamp(1, TILE.min(sequences))
}

/// Whether so many windows and outputs of each session of a tile fit.
const fn room(windows: usize, hidden: usize, tile: usize) -> bool {
    4 * tile * (windows + hidden) <= SHARED
}

/// That the network does not fit, for whoever asked.
#[cfg(feature = "webgpu")]
pub(crate) fn too_large() -> crate::ModelError {
    crate::ModelError::NoGpu {
        detail: format!(
            "the network is too large for the shader, which takes up to {UNITS} hidden units, \
             kernels of up to {KERNEL}, and {SHARED} bytes for {TILE} sessions"
        ),
    }
}

#[cfg(all(test, feature = "webgpu"))]
mod tests {
    use super::holds_steps;

    #[test]
    fn steps_are_bounded_by_workgroups_and_by_memory() {
        for (hidden, most) in [(1, 65_535), (128, 65_535), (256, 32_768)] {
            assert!(holds_steps(hidden, most), "{hidden}");
            assert!(!holds_steps(hidden, most + 1), "{hidden}");
        }
    }
}
