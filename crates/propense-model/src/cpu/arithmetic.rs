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

#[cfg(test)]
mod tests {
    use super::dot;

    #[test]
    fn products_of_every_length_agree_with_the_plain_sum() {
        for length in 0..40 {
            let values: Vec<f32> = (0..length).map(|i| (i % 5) as f32).collect();
            let expected: f32 = values.iter().map(|v| v * v).sum();
            assert_eq!(dot(&values, &values), expected, "{length}");
        }
    }
}
