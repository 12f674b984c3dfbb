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
    /// No line of a log of what was shown can be used.
    #[error(
        "nothing to judge by: none of the {lines} line(s) of the log belongs to a list whose probabilities are all \
         above 0 and at most 1; write down with which probability each item was shown, or show some by lot"
    )]
    NothingUsable {
        /// Lines in the log.
        lines: usize,
    },
    /// A log of what was shown begins before all visits.
    #[error(
        "no visit before the first line of the log: a recommender is not judged by what it has learnt from; give \
         `--data` of earlier days, too"
    )]
    NothingBefore,
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
