//! Normalisation of the rate columns.
//!
//! `propense_features::fit` fits their constants on rates from which each session itself is left
//! out, but not the other sessions of its user. Training rows hold rates of other users' sessions
//! only (out of fold), learnt from a tenth fewer of them. The constants are fitted again on the
//! rows as they are, so that what the network learns from has mean 0 and standard deviation 1.

use propense_features::{FeatureSpec, Normal, RowFeature};

use crate::example::Example;

/// Fits mean and standard deviation of each rate's column again on the first rows as they are, and
/// rewrites all rows: changed copies of the first examples, which follow them, are brought to their
/// scale. Missing values stay missing (zero).
pub(crate) fn renormalise(spec: &mut FeatureSpec, examples: &mut [Example], first: usize) {
    let width = spec.row_len();
    let mut column = 0;
    for feature in &mut spec.row {
        let length = feature.len();
        if let RowFeature::Number {
            measure,
            normal,
            flag,
            ..
        } = feature
            && measure.is_learnt()
        {
            let flagged = flag.then_some(column + 1);
            let originals = examples.get(..first).unwrap_or_default();
            if let Some((mean, std)) = moments(originals, width, column, flagged) {
                for row in rows(examples, width) {
                    if flagged.is_none_or(|flag| row[flag] == 0.0) {
                        row[column] = (row[column] - mean) / std;
                    }
                }
                *normal = Normal {
                    mean: normal.mean + normal.std * mean,
                    std: normal.std * std,
                };
            }
        }
        column += length;
    }
}

fn rows(examples: &mut [Example], width: usize) -> impl Iterator<Item = &mut [f32]> {
    examples
        .iter_mut()
        .flat_map(move |example| example.rows.chunks_exact_mut(width))
}

/// Mean and standard deviation of the present values; none where they do not vary.
fn moments(
    examples: &[Example],
    width: usize,
    column: usize,
    flag: Option<usize>,
) -> Option<(f32, f32)> {
    let (mut sum, mut squares, mut count) = (0.0f64, 0.0f64, 0.0f64);
    for row in examples
        .iter()
        .flat_map(|example| example.rows.chunks_exact(width))
    {
        if flag.is_none_or(|flag| row[flag] == 0.0) {
            let value = f64::from(row[column]);
            sum += value;
            squares += value * value;
            count += 1.0;
        }
    }
    if count < 2.0 {
        return None;
    }
    let mean = sum / count;
    let std = (squares / count - mean * mean).max(0.0).sqrt();
    (std > 1e-6).then_some((mean as f32, std as f32))
}
