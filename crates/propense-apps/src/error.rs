//! What can keep a plan from being made.

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppsError {
    /// No order in the data.
    #[error("no orders of known customers: customers are counted from purchases")]
    NoOrders,
    /// Too short a time.
    #[error("{found} of {wanted} found, at least {least} needed: add older data")]
    TooShort {
        /// What there is too little of.
        wanted: &'static str,
        /// What there is.
        found: usize,
        /// What is needed.
        least: usize,
    },
    /// A setting outside its range.
    #[error("{option}: {reason}")]
    Option {
        /// The setting, as the command line names it.
        option: &'static str,
        /// What it should be.
        reason: String,
    },
}

impl AppsError {
    /// Of a setting and what it should be.
    pub(crate) fn option(option: &'static str, reason: &str) -> Self {
        Self::Option {
            option,
            reason: reason.to_owned(),
        }
    }
}
