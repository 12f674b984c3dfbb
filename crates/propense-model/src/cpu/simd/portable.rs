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
        pairs(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn mul(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        pairs(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        pairs(a, b, |a, b| a / b)
    }

    #[inline(always)]
    fn mul_add(self, a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        // Not `f32::mul_add`: without an instruction for it, that is a call.
        self.add(self.mul(a, b), c)
    }

    #[inline(always)]
    fn at_least(self, bound: [f32; 4], x: [f32; 4]) -> [f32; 4] {
        pairs(bound, x, |bound, x| if bound > x { bound } else { x })
    }

    #[inline(always)]
    fn at_most(self, bound: [f32; 4], x: [f32; 4]) -> [f32; 4] {
        pairs(bound, x, |bound, x| if bound < x { bound } else { x })
    }
}

#[inline(always)]
fn pairs(a: [f32; 4], b: [f32; 4], operation: impl Fn(f32, f32) -> f32) -> [f32; 4] {
    [
        operation(a[0], b[0]),
        operation(a[1], b[1]),
        operation(a[2], b[2]),
        operation(a[3], b[3]),
    ]
}
