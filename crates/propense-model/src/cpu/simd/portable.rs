//! Four numbers at a time in plain Rust.

use super::Simd;

#[derive(Clone, Copy)]
pub(in crate::cpu) struct Portable;

impl Simd for Portable {
    const LANES: usize = 4;

    type Vector = [f32; 4];

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; 4] {
        [value; 4]
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> [f32; 4] {
        // SAFETY: the caller's.
        unsafe { from.cast::<[f32; 4]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: [f32; 4]) {
        // SAFETY: the caller's.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(vector) }
    }

    #[inline(always)]
    fn add(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]]
    }

    #[inline(always)]
    fn mul(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        [a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3]]
    }

    #[inline(always)]
    fn div(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        [a[0] / b[0], a[1] / b[1], a[2] / b[2], a[3] / b[3]]
    }

    #[inline(always)]
    fn mul_add(self, a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        // Not `f32::mul_add`: without an instruction for it, that is a call.
        self.add(self.mul(a, b), c)
    }

    #[inline(always)]
    fn at_least(self, bound: [f32; 4], x: [f32; 4]) -> [f32; 4] {
        let larger = |bound, x| if bound > x { bound } else { x };
        [
            larger(bound[0], x[0]),
            larger(bound[1], x[1]),
            larger(bound[2], x[2]),
            larger(bound[3], x[3]),
        ]
    }

    #[inline(always)]
    fn at_most(self, bound: [f32; 4], x: [f32; 4]) -> [f32; 4] {
        let smaller = |bound, x| if bound < x { bound } else { x };
        [
            smaller(bound[0], x[0]),
            smaller(bound[1], x[1]),
            smaller(bound[2], x[2]),
            smaller(bound[3], x[3]),
        ]
    }

    #[cfg(not(target_family = "wasm"))]
    #[inline(always)]
    fn where_less(self, a: [f32; 4], b: [f32; 4], x: [f32; 4]) -> [f32; 4] {
        let or_zero = |a, b, x| if a < b { x } else { 0.0 };
        [
            or_zero(a[0], b[0], x[0]),
            or_zero(a[1], b[1], x[1]),
            or_zero(a[2], b[2], x[2]),
            or_zero(a[3], b[3], x[3]),
        ]
    }
}
