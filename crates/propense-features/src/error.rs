//! What can be wrong with a specification that comes from outside.

/// Why a [`crate::FeatureSpec`] cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// Written by a version that gives the fields another meaning.
    #[error("feature specification version {found}, but this build reads versions 1 to {known}")]
    Version {
        /// The version found.
        found: u32,
        /// The newest version that is read.
        known: u32,
    },
    /// Too few columns for the model's convolution and pooling.
    #[error("an event's row has {found} numbers, but the model needs at least {needed}")]
    TooNarrow {
        /// The columns found.
        found: usize,
        /// The fewest that work.
        needed: usize,
    },
    /// A constant that is not finite, or a standard deviation that is not above zero.
    #[error("feature `{feature}` has a constant that cannot be used")]
    Constant {
        /// The feature.
        feature: String,
    },
    /// A hash into no columns, or into more than can be meant.
    #[error("`{field}` is hashed into {found} columns; 1 to {most} can be used")]
    Buckets {
        /// The field.
        field: &'static str,
        /// The columns asked for.
        found: u32,
        /// The most that can be used.
        most: u32,
    },
    /// Something listed twice: the second column would never be read.
    #[error("column `{column}` occurs twice")]
    Duplicate {
        /// The column.
        column: String,
    },
    /// An offset from UTC that no place on Earth has.
    #[error("an offset of {minutes} minutes from UTC is impossible")]
    Offset {
        /// The offset found.
        minutes: i32,
    },
}
