//! What can go wrong in recommending.

/// The module's error.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecommendError {
    /// There is no visit to learn from.
    #[error(
        "no visit to learn from: needed are `view_item` events, or orders with items ({shared_visits} visit(s) were \
         left out because the test data holds a part of them)"
    )]
    NothingToLearn {
        /// Visits left out because they are tested.
        shared_visits: usize,
    },
    /// Bytes that are no item table.
    #[error("no item table: {detail}. Give a file written by `propense recommend --export-table`")]
    Table {
        /// What is wrong with it.
        detail: String,
    },
    /// No visit has a next item.
    #[error(
        "nothing to measure: none of the {visits} visit(s) of the test data has two clicks on items that the training \
         data knows; take test data of the same shop"
    )]
    NothingToMeasure {
        /// Visits in the test data.
        visits: usize,
    },
}
