//! Loops over slices, written so that the compiler vectorises them.

/// Adds `inputs · matrix` to `out`. The matrix has one row of `out.len()` numbers for each input;
/// rows whose input is zero (half of them, after a ReLU) are skipped, the others taken four at a
/// time, so that `out` is read and written once for four rows.
pub(super) fn add_product(out: &mut [f32], inputs: &[f32], matrix: &[f32]) {
    let width = out.len();
    let mut rows = inputs
        .iter()
        .zip(matrix.chunks_exact(width))
        .filter(|(input, _)| **input != 0.0);
    loop {
        match (rows.next(), rows.next(), rows.next(), rows.next()) {
            (Some(a), Some(b), Some(c), Some(d)) => add_four(out, [a, b, c, d]),
            (a, b, c, _) => {
                for (&input, row) in [a, b, c].into_iter().flatten() {
                    add_scaled(out, input, row);
                }
                return;
            }
        }
    }
}

fn add_four(out: &mut [f32], [a, b, c, d]: [(&f32, &[f32]); 4]) {
    let rows = a.1.iter().zip(b.1).zip(c.1).zip(d.1);
    for (out, (((&ra, &rb), &rc), &rd)) in out.iter_mut().zip(rows) {
        *out += (a.0 * ra + b.0 * rb) + (c.0 * rc + d.0 * rd);
    }
}

/// Adds `scale · row` to `out`.
pub(super) fn add_scaled(out: &mut [f32], scale: f32, row: &[f32]) {
    for (out, &value) in out.iter_mut().zip(row) {
        *out += scale * value;
    }
}

/// The larger of each pair, written into the first.
pub(super) fn keep_larger(out: &mut [f32], other: &[f32]) {
    for (out, &other) in out.iter_mut().zip(other) {
        *out = larger(*out, other);
    }
}

/// `f32::max` without its care for NaN, which stands in the way of a single instruction.
pub(super) fn larger(a: f32, b: f32) -> f32 {
    if a < b { b } else { a }
}

/// Sum of the products of pairs.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Eight partial sums: one SIMD register of each width, and less rounding than a single sum.
    let mut sums = [0.0f32; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_chunks
        .remainder()
        .iter()
        .zip(b_chunks.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// The logistic function, to about 1e-7.
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent, to about 2e-7 in absolute terms.
pub(super) fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (1.0 + exp(2.0 * x))
}

/// The exponential function without branches or library calls, to two units in the last place:
/// `x = k ln 2 + r`, then the polynomial of the Cephes library (Moshier, `expf`) for `e^r`.
/// Arguments beyond ±87, where the result leaves the normal numbers, are taken as ±87.
#[allow(clippy::excessive_precision)] // Constants as published, and 0.693359375 is exact.
fn exp(x: f32) -> f32 {
    // Added to a small number, 1.5·2²³ rounds it to an integer, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts: the first has few enough bits for k·LN2_HIGH to be exact.
    const LN2_HIGH: f32 = 0.693_359_375;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 87.0 { 87.0 } else { x };
    let shifted = x * core::f32::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (x - k * LN2_HIGH) - k * LN2_LOW;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 5.000_000_1e-1;
    let fraction = p * (r * r) + r + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits());
    fraction * f32::from_bits(exponent.wrapping_add(127) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every hundredth from −100 to 100, and the neighbourhood of zero more closely.
    fn arguments() -> impl Iterator<Item = f32> {
        let wide = (-10_000..=10_000).map(|i| i as f32 / 100.0);
        let near = (-10_000..=10_000).map(|i| i as f32 / 1e7);
        wide.chain(near)
    }

    #[test]
    fn the_exponential_agrees_with_double_precision() {
        for x in arguments().filter(|x| x.abs() <= 87.0) {
            let exact = f64::from(x).exp();
            let relative = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(relative < 3e-7, "exp({x}): {relative:e}");
        }
    }

    #[test]
    fn sigmoid_and_tanh_agree_with_double_precision() {
        for x in arguments() {
            let exact = 1.0 / (1.0 + (-f64::from(x)).exp());
            let error = (f64::from(sigmoid(x)) - exact).abs();
            assert!(error < 2e-7, "sigmoid({x}): {error:e}");
            let error = (f64::from(tanh(x)) - f64::from(x).tanh()).abs();
            assert!(error < 3e-7, "tanh({x}): {error:e}");
        }
        assert_eq!(sigmoid(f32::INFINITY), 1.0);
        assert_eq!(tanh(f32::NEG_INFINITY), -1.0);
        assert!(sigmoid(f32::NAN).is_nan());
    }

    #[test]
    fn products_of_every_length_agree_with_the_plain_sum() {
        for inputs in 0..20 {
            for width in 1..20 {
                let values: Vec<f32> = (0..inputs).map(|i| (i % 3) as f32).collect();
                let matrix: Vec<f32> = (0..inputs * width).map(|i| i as f32).collect();
                let mut out = vec![1.0; width];
                add_product(&mut out, &values, &matrix);
                for (column, found) in out.iter().enumerate() {
                    let expected = 1.0
                        + (0..inputs)
                            .map(|row| values[row] * matrix[row * width + column])
                            .sum::<f32>();
                    assert_eq!(*found, expected, "{inputs} × {width}");
                }
                let expected: f32 = values.iter().map(|v| v * v).sum();
                assert_eq!(dot(&values, &values), expected);
            }
        }
    }
}
