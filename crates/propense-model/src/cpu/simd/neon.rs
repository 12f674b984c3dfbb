//! NEON, which every 64-bit Arm has.

use core::arch::aarch64::*;

use super::Simd;

#[derive(Clone, Copy)]
pub(in crate::cpu) struct Neon;

// SAFETY (all): the instruction set is part of the target; the pointers' validity is the caller's
// to see to.
impl Simd for Neon {
    const LANES: usize = 4;

    type Vector = float32x4_t;

    #[inline(always)]
    fn splat(self, value: f32) -> float32x4_t {
        unsafe { vdupq_n_f32(value) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> float32x4_t {
        unsafe { vld1q_f32(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: float32x4_t) {
        unsafe { vst1q_f32(to, vector) }
    }

    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vaddq_f32(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vmulq_f32(a, b) }
    }

    #[inline(always)]
    fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vdivq_f32(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        unsafe { vfmaq_f32(c, a, b) }
    }

    // Both give what is not a number, whichever operand it is.
    #[inline(always)]
    fn at_least(self, bound: float32x4_t, x: float32x4_t) -> float32x4_t {
        unsafe { vmaxq_f32(bound, x) }
    }

    #[inline(always)]
    fn at_most(self, bound: float32x4_t, x: float32x4_t) -> float32x4_t {
        unsafe { vminq_f32(bound, x) }
    }

    #[inline(always)]
    fn where_less(self, a: float32x4_t, b: float32x4_t, x: float32x4_t) -> float32x4_t {
        unsafe { vbslq_f32(vcltq_f32(a, b), x, vdupq_n_f32(0.0)) }
    }
}
