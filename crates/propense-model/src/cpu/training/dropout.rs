//! What is dropped out in a step.

/// Draws that depend on nothing but the step, the place and the number: no order of computation
/// changes them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dropout {
    share: f64,
    draw: u64,
}

impl Dropout {
    /// Drops this share; none where it is zero.
    pub(super) fn new(share: f64, draw: u64) -> Option<Self> {
        (share > 0.0).then_some(Self { share, draw })
    }

    /// 0 where this number of this vector is dropped, else what keeps the mean: 1 / (1 − share).
    pub(super) fn factor(self, vector: u64, number: usize) -> f32 {
        // SplitMix64's finaliser (Steele, Lea and Flood 2014) over a counter.
        let counter = (vector << 16) ^ number as u64;
        let mut z = self
            .draw
            .wrapping_mul(0xD134_2543_DE82_EF95)
            .wrapping_add(counter.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let uniform = (z >> 11) as f64 / (1u64 << 53) as f64;
        if uniform < self.share {
            0.0
        } else {
            (1.0 / (1.0 - self.share)) as f32
        }
    }
}

/// Number of what is dropped out of: a lesson's context layer (prefix 0), or the output after a prefix.
pub(super) fn vector(lesson: usize, prefix: usize) -> u64 {
    ((lesson as u64) << 32) | prefix as u64
}
