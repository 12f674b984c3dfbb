//! The few vector operations that the kernels are written in, for each instruction set, and the
//! choice among them.
//!
//! A kernel is a [`Task`]: code that is generic over [`Simd`]. [`Level::run`] compiles it once for
//! each instruction set and calls the copy that this machine can run. A kernel's inner loops call
//! nothing that is not `inline(always)`: no closures, and no iterator or array method that takes
//! one, since a function compiled without the instruction set cannot be inlined into one with it.

#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Vectors of `f32`. Every function is inlined into a caller that may use the instruction set.
pub(super) trait Simd: Copy {
    /// Numbers in a vector.
    const LANES: usize;

    /// A vector.
    type Vector: Copy;

    /// One number in every lane.
    fn splat(self, value: f32) -> Self::Vector;

    /// The numbers from here on.
    ///
    /// # Safety
    /// `LANES` numbers can be read there. No alignment is needed.
    unsafe fn load(self, from: *const f32) -> Self::Vector;

    /// Four vectors from here on.
    ///
    /// # Safety
    /// `4 · LANES` numbers can be read there.
    #[inline(always)]
    unsafe fn load_four(self, from: *const f32) -> [Self::Vector; 4] {
        // SAFETY: the caller's.
        unsafe {
            [
                self.load(from),
                self.load(from.add(Self::LANES)),
                self.load(from.add(2 * Self::LANES)),
                self.load(from.add(3 * Self::LANES)),
            ]
        }
    }

    /// Writes the numbers from here on.
    ///
    /// # Safety
    /// `LANES` numbers can be written there. No alignment is needed.
    unsafe fn store(self, to: *mut f32, vector: Self::Vector);

    /// Sums.
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// Products.
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// Quotients.
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// `a · b + c`, rounded once where there is an instruction for it, else twice.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;

    /// The larger of each pair; what `x` holds where that is not a number.
    fn at_least(self, bound: Self::Vector, x: Self::Vector) -> Self::Vector;

    /// The smaller of each pair; what `x` holds where that is not a number.
    fn at_most(self, bound: Self::Vector, x: Self::Vector) -> Self::Vector;

    /// `x` where `a < b`, else zero.
    #[cfg(not(target_family = "wasm"))]
    fn where_less(self, a: Self::Vector, b: Self::Vector, x: Self::Vector) -> Self::Vector;
}

/// Work to be done in vectors.
pub(super) trait Task {
    /// What it gives.
    type Output;

    /// Does it. `ROWS` sessions at a time leave all sums of the batch kernel in registers, and so
    /// do `PANELS` panels at a time those of the live one. Implementations are `inline(always)`.
    fn run<S: Simd, const ROWS: usize, const PANELS: usize>(self, simd: S) -> Self::Output;
}

/// An instruction set that this machine has: made by [`Level::best`] (and by tests through
/// [`Level::available`]) only, since running code for another one is undefined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// What every target has; the compiler makes vectors of it where it can.
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    Portable,
    /// x86-64 with 256-bit vectors and fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// x86-64 with 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 64-bit Arm.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// WebAssembly, chosen when it is compiled.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128,
}

impl Level {
    /// The widest vectors of this machine.
    pub(super) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Self::Avx2;
            }
        }
        #[cfg(target_arch = "aarch64")]
        return Self::Neon;
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        return Self::Simd128;
        #[cfg(not(any(
            target_arch = "aarch64",
            all(target_arch = "wasm32", target_feature = "simd128")
        )))]
        Self::Portable
    }

    /// Every level of this machine, for tests.
    #[cfg(test)]
    pub(super) fn available() -> Vec<Self> {
        let mut levels = Vec::new();
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        levels.push(Self::Portable);
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            levels.push(Self::Avx2);
        }
        if !levels.contains(&Self::best()) {
            levels.push(Self::best());
        }
        levels
    }

    /// Numbers in a vector.
    pub(super) const fn lanes(self) -> usize {
        match self {
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            Self::Portable => portable::Portable::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::Avx2::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => x86::Avx512::LANES,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => neon::Neon::LANES,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => wasm::Simd128::LANES,
        }
    }

    /// Does the work with this instruction set.
    pub(super) fn run<T: Task>(self, task: T) -> T::Output {
        match self {
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            Self::Portable => task.run::<_, 2, 2>(portable::Portable),
            // SAFETY (both): a level is only made where the machine has it.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { x86::with_avx2(task) },
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { x86::with_avx512(task) },
            #[cfg(target_arch = "aarch64")]
            Self::Neon => task.run::<_, 4, 2>(neon::Neon),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => task.run::<_, 2, 2>(wasm::Simd128),
        }
    }
}
