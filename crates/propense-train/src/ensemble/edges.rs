//! The bins on which the ensemble's inputs are laid out.

use super::table::Table;

/// The least width of a bin, in standard deviations.
const NARROWEST: f32 = 1e-4;

/// Edges for each input, of at most so many bins: every value where there are few, else quantiles,
/// each once. An input that is the same everywhere has none.
pub(crate) fn edges(table: &Table, bins: impl Fn(usize) -> usize) -> Vec<Vec<f32>> {
    (0..table.width)
        .map(|column| {
            let values = (0..table.len()).filter_map(|row| table.row(row).get(column).copied());
            of_column(values.collect(), bins(column).max(1))
        })
        .collect()
}

/// The edges of one column.
pub(crate) fn of_column(mut values: Vec<f32>, bins: usize) -> Vec<f32> {
    values.sort_by(f32::total_cmp);
    let mut distinct = values.clone();
    distinct.dedup_by(|next, kept| *next - *kept < NARROWEST);
    if distinct.len() < 2 {
        return Vec::new();
    }
    if distinct.len() <= bins + 1 {
        return distinct;
    }
    let last = values.len() - 1;
    let mut edges: Vec<f32> = (0..=bins)
        .filter_map(|bin| values.get(last * bin / bins).copied())
        .collect();
    // Bins narrower than that are rounding, and their reciprocals no numbers to compute with.
    edges.dedup_by(|next, kept| *next - *kept < NARROWEST);
    // Nearly all values are one: the ends still tell it from the rest.
    match edges.len() {
        0 | 1 => distinct
            .first()
            .into_iter()
            .chain(distinct.last())
            .copied()
            .collect(),
        _ => edges,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_of_columns() {
        let check = |values: &[f32], bins: usize, expected: &[f32]| {
            assert_eq!(of_column(values.to_vec(), bins), expected);
        };
        check(&[], 4, &[]);
        check(&[3.0; 9], 4, &[]);
        check(&[1.0, 0.0, 1.0, 1.0], 4, &[0.0, 1.0]);
        check(&[4.0, 2.0, 0.0, 1.0, 3.0], 4, &[0.0, 1.0, 2.0, 3.0, 4.0]);
        check(&[4.0, 2.0, 0.0, 1.0, 3.0], 2, &[0.0, 2.0, 4.0]);
        let mut skewed = vec![0.0; 100];
        skewed.extend([1.0, 2.0, 5.0]);
        check(&skewed, 2, &[0.0, 5.0]);
    }
}
