//! Names that are worth a column.

use std::collections::BTreeMap;

use crate::FitOptions;

/// The names with enough support, most frequent first up to the limit; then in the order of the
/// alphabet, so that the specification does not hang on small differences in frequency.
pub(crate) fn most_frequent(
    counts: &BTreeMap<String, usize>,
    support: usize,
    options: &FitOptions,
) -> Vec<String> {
    let mut names: Vec<(&String, usize)> = counts
        .iter()
        .map(|(name, count)| (name, *count))
        .filter(|(_, count)| *count >= support)
        .collect();
    names.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    names.truncate(options.max_categories);
    let mut names: Vec<String> = names.into_iter().map(|(name, _)| name.clone()).collect();
    names.sort();
    names
}
