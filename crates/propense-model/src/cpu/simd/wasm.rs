//! WebAssembly's 128-bit vectors, with the fused multiply-add of the relaxed ones where the module
//! is compiled for them.

use core::arch::wasm32::*;

use super::Simd;

#[derive(Clone, Copy)]
pub(in crate::cpu) struct Simd128;

impl Simd for Simd128 {
    const LANES: usize = 4;

    type Vector = v128;

    #[inline(always)]
    fn splat(self, value: f32) -> v128 {
        f32x4_splat(value)
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> v128 {
        // SAFETY: the caller's.
        unsafe { v128_load(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: v128) {
        // SAFETY: the caller's.
        unsafe { v128_store(to.cast(), vector) }
    }

    #[inline(always)]
    fn add(self, a: v128, b: v128) -> v128 {
        f32x4_add(a, b)
    }

    #[inline(always)]
    fn mul(self, a: v128, b: v128) -> v128 {
        f32x4_mul(a, b)
    }

    #[inline(always)]
    fn div(self, a: v128, b: v128) -> v128 {
        f32x4_div(a, b)
    }

    #[cfg(target_feature = "relaxed-simd")]
    #[inline(always)]
    fn mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        f32x4_relaxed_madd(a, b, c)
    }

    #[cfg(not(target_feature = "relaxed-simd"))]
    #[inline(always)]
    fn mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        f32x4_add(f32x4_mul(a, b), c)
    }

    // The pseudo-maximum and -minimum are one instruction on x86; both give their first operand
    // where one is not a number.
    #[inline(always)]
    fn at_least(self, bound: v128, x: v128) -> v128 {
        f32x4_pmax(x, bound)
    }

    #[inline(always)]
    fn at_most(self, bound: v128, x: v128) -> v128 {
        f32x4_pmin(x, bound)
    }
}
