//! Hyperbolic tangent and logistic function of vectors.

use super::simd::Simd;

/// Beyond it the hyperbolic tangent is ±1 to 2.8e-7.
const LIMIT: f32 = 7.9;

/// `tanh(x) ≈ x · P(x²) / Q(x²)` within ±[`LIMIT`], both polynomials of degree four with constant
/// term one. Minimax in absolute terms, found by iteratively reweighted least squares (Lawson
/// 1961) on 6,000 Chebyshev points: 5e-9 in exact arithmetic.
const NUMERATOR: [f32; 4] = [0.134_444_52, 3.571_696_3e-3, 2.190_342_3e-5, 1.525_968_9e-8];
const DENOMINATOR: [f32; 4] = [0.467_777_73, 2.616_441_4e-2, 3.411_743_7e-4, 8.530_551e-7];

/// The hyperbolic tangent, to 5e-7 in absolute terms.
#[inline(always)]
pub(super) fn tanh<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let x = simd.at_most(simd.splat(LIMIT), x);
    let x = simd.at_least(simd.splat(-LIMIT), x);
    let square = simd.mul(x, x);
    let numerator = simd.mul(x, polynomial(simd, &NUMERATOR, square));
    simd.div(numerator, polynomial(simd, &DENOMINATOR, square))
}

/// The logistic function, to 3e-7 in absolute terms: half a hyperbolic tangent.
#[inline(always)]
pub(super) fn sigmoid<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let half = simd.splat(0.5);
    let tanh = tanh(simd, simd.mul(half, x));
    simd.mul_add(half, tanh, half)
}

/// What is positive of it, else zero.
#[inline(always)]
pub(super) fn relu<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    simd.at_least(simd.splat(0.0), x)
}

/// `1 + c₀ y + c₁ y² + …`.
#[inline(always)]
fn polynomial<S: Simd>(simd: S, coefficients: &[f32; 4], y: S::Vector) -> S::Vector {
    let [a, b, c, d] = *coefficients;
    let [a, b, c, d] = [simd.splat(a), simd.splat(b), simd.splat(c), simd.splat(d)];
    let sum = simd.mul_add(d, y, c);
    let sum = simd.mul_add(sum, y, b);
    let sum = simd.mul_add(sum, y, a);
    simd.mul_add(sum, y, simd.splat(1.0))
}

#[cfg(test)]
mod tests {
    use super::super::simd::{Level, Task};
    use super::*;

    struct Both<'a>(&'a [f32], &'a mut [f32], &'a mut [f32]);

    impl Task for Both<'_> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd, const ROWS: usize, const PANELS: usize>(self, simd: S) {
            let Self(arguments, tangents, sigmoids) = self;
            let chunks = arguments
                .chunks_exact(S::LANES)
                .zip(tangents.chunks_exact_mut(S::LANES))
                .zip(sigmoids.chunks_exact_mut(S::LANES));
            for ((arguments, tangents), sigmoids) in chunks {
                // SAFETY: each chunk is one vector long.
                unsafe {
                    let x = simd.load(arguments.as_ptr());
                    simd.store(tangents.as_mut_ptr(), tanh(simd, x));
                    simd.store(sigmoids.as_mut_ptr(), sigmoid(simd, x));
                }
            }
        }
    }

    fn both(level: Level, arguments: &[f32]) -> (Vec<f32>, Vec<f32>) {
        assert_eq!(arguments.len() % 16, 0);
        let mut tangents = vec![0.0; arguments.len()];
        let mut sigmoids = tangents.clone();
        level.run(Both(arguments, &mut tangents, &mut sigmoids));
        (tangents, sigmoids)
    }

    #[test]
    fn tanh_and_sigmoid_agree_with_double_precision_over_the_range() {
        let wide = (-100_000..=100_000).map(|i| i as f32 / 1e3);
        let near = (-10_000..10_000).map(|i| i as f32 / 1e7);
        let mut arguments: Vec<f32> = wide.chain(near).collect();
        arguments.resize(arguments.len().next_multiple_of(16), 0.0);
        for level in Level::available() {
            let (tangents, sigmoids) = both(level, &arguments);
            let mut worst = (0.0f64, 0.0f64);
            for ((&x, &tangent), &sigmoid) in arguments.iter().zip(&tangents).zip(&sigmoids) {
                let x = f64::from(x);
                worst.0 = worst.0.max((f64::from(tangent) - x.tanh()).abs());
                let exact = 1.0 / (1.0 + (-x).exp());
                worst.1 = worst.1.max((f64::from(sigmoid) - exact).abs());
            }
            println!("{level:?}: tanh {:.1e}, sigmoid {:.1e}", worst.0, worst.1);
            assert!(worst.0 < 5e-7 && worst.1 < 3e-7, "{level:?}: {worst:?}");
        }
    }

    #[test]
    fn the_ends_are_finite_and_what_is_no_number_stays_none() {
        let mut arguments = [f32::NAN; 16];
        arguments[..4].copy_from_slice(&[f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0]);
        for level in Level::available() {
            let (tangents, sigmoids) = both(level, &arguments);
            assert!(tangents[0] <= 1.0 && tangents[0] > 0.999_999, "{level:?}");
            assert!(tangents[1] >= -1.0 && tangents[1] < -0.999_999, "{level:?}");
            assert_eq!((tangents[2], sigmoids[2]), (0.0, 0.5), "{level:?}");
            assert!(tangents[4..].iter().all(|x| x.is_nan()), "{level:?}");
            assert!(sigmoids[4..].iter().all(|x| x.is_nan()), "{level:?}");
        }
    }
}
