//! AVX2 with FMA, and AVX-512.

use core::arch::x86_64::*;

use super::{Simd, Task};

#[derive(Clone, Copy)]
pub(in crate::cpu) struct Avx2(());

#[derive(Clone, Copy)]
pub(in crate::cpu) struct Avx512(());

/// Sixteen registers: 3 × 4 sums, a row of weights, and the number that it is multiplied by.
///
/// # Safety
/// The machine has AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(super) fn with_avx2<T: Task>(task: T) -> T::Output {
    task.run::<_, 3, 2>(Avx2(()))
}

/// Thirty-two registers: 6 × 4 sums.
///
/// # Safety
/// The machine has AVX-512F.
#[target_feature(enable = "avx512f,avx2,fma")]
pub(super) fn with_avx512<T: Task>(task: T) -> T::Output {
    task.run::<_, 6, 2>(Avx512(()))
}

/// `x` where `a < b`, else zero.
///
/// # Safety
/// The machine has AVX.
#[inline]
#[target_feature(enable = "avx")]
unsafe fn where_less_256(a: __m256, b: __m256, x: __m256) -> __m256 {
    _mm256_and_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(a, b), x)
}

/// The same.
///
/// # Safety
/// The machine has AVX-512F.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn where_less_512(a: __m512, b: __m512, x: __m512) -> __m512 {
    _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), x)
}

/// The operations of one instruction set by the names of its intrinsics.
macro_rules! operations {
    (
        $name:ty, $vector:ty, $lanes:literal, $splat:ident, $load:ident, $store:ident, $add:ident,
        $mul:ident, $div:ident, $mul_add:ident, $max:ident, $min:ident, $where_less:ident
    ) => {
        // SAFETY (all): a value of this type exists only within `with_avx2` or `with_avx512`,
        // which have the instruction set, and everything here is inlined into them. The
        // pointers' validity is the caller's to see to.
        impl Simd for $name {
            const LANES: usize = $lanes;

            type Vector = $vector;

            #[inline(always)]
            fn splat(self, value: f32) -> $vector {
                unsafe { $splat(value) }
            }

            #[inline(always)]
            unsafe fn load(self, from: *const f32) -> $vector {
                unsafe { $load(from) }
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut f32, vector: $vector) {
                unsafe { $store(to, vector) }
            }

            #[inline(always)]
            fn add(self, a: $vector, b: $vector) -> $vector {
                unsafe { $add(a, b) }
            }

            #[inline(always)]
            fn mul(self, a: $vector, b: $vector) -> $vector {
                unsafe { $mul(a, b) }
            }

            #[inline(always)]
            fn div(self, a: $vector, b: $vector) -> $vector {
                unsafe { $div(a, b) }
            }

            #[inline(always)]
            fn mul_add(self, a: $vector, b: $vector, c: $vector) -> $vector {
                unsafe { $mul_add(a, b, c) }
            }

            // Both give their second operand where one is not a number.
            #[inline(always)]
            fn at_least(self, bound: $vector, x: $vector) -> $vector {
                unsafe { $max(bound, x) }
            }

            #[inline(always)]
            fn at_most(self, bound: $vector, x: $vector) -> $vector {
                unsafe { $min(bound, x) }
            }

            #[inline(always)]
            fn where_less(self, a: $vector, b: $vector, x: $vector) -> $vector {
                unsafe { $where_less(a, b, x) }
            }
        }
    };
}

operations!(
    Avx2,
    __m256,
    8,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_add_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    _mm256_fmadd_ps,
    _mm256_max_ps,
    _mm256_min_ps,
    where_less_256
);

operations!(
    Avx512,
    __m512,
    16,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_add_ps,
    _mm512_mul_ps,
    _mm512_div_ps,
    _mm512_fmadd_ps,
    _mm512_max_ps,
    _mm512_min_ps,
    where_less_512
);
