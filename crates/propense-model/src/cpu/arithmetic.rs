//! Sums over slices, written so that the compiler vectorises them.

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

/// Adds `scale · row` to `out`.
pub(super) fn add_scaled(out: &mut [f32], scale: f32, row: &[f32]) {
    for (out, &value) in out.iter_mut().zip(row) {
        *out += scale * value;
    }
}

/// Adds `inputs · matrix` to `out`. The matrix has one row of `out.len()` numbers for each input;
/// rows whose input is zero (half of them, after a ReLU) are skipped.
pub(super) fn add_product(out: &mut [f32], inputs: &[f32], matrix: &[f32]) {
    for (&input, row) in inputs.iter().zip(matrix.chunks_exact(out.len())) {
        if input != 0.0 {
            add_scaled(out, input, row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{add_product, dot};

    #[test]
    fn a_product_adds_rows_by_their_inputs() {
        let mut out = [1.0, 2.0];
        add_product(
            &mut out,
            &[2.0, 0.0, -1.0],
            &[1.0, 10.0, f32::NAN, 5.0, 3.0, 4.0],
        );
        assert_eq!(out, [0.0, 18.0]);
    }

    #[test]
    fn products_of_every_length_agree_with_the_plain_sum() {
        for length in 0..40 {
            let values: Vec<f32> = (0..length).map(|i| (i % 5) as f32).collect();
            let expected: f32 = values.iter().map(|v| v * v).sum();
            assert_eq!(dot(&values, &values), expected, "{length}");
        }
    }
}
