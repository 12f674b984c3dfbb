//! The tasks that this version learns, under the names that the command line uses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::TrainError;

/// What is predicted, from what. Exact definitions: `docs/cli.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// An order, from the summary of a session.
    Shoppers,
    /// The same without `PageValues`, which is computed from transactions.
    ShoppersNoPagevalues,
    /// An order later in the session, from its first events.
    InSession,
    /// An order on a given day, from the user's history up to its midnight.
    NextDay,
    /// An invoice in the next thirty days, from the customer's history.
    ThirtyDay,
}

impl Task {
    /// Every task of this version.
    pub const ALL: [Self; 5] = [
        Self::Shoppers,
        Self::ShoppersNoPagevalues,
        Self::InSession,
        Self::NextDay,
        Self::ThirtyDay,
    ];

    /// The name on the command line and in a bundle.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shoppers => "shoppers",
            Self::ShoppersNoPagevalues => "shoppers-no-pagevalues",
            Self::InSession => "in-session",
            Self::NextDay => "next-day",
            Self::ThirtyDay => "thirty-day",
        }
    }

    /// The names, for messages.
    pub(crate) fn list() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// Whether an example is one summary without events.
    #[must_use]
    pub const fn is_summary(self) -> bool {
        matches!(self, Self::Shoppers | Self::ShoppersNoPagevalues)
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Task {
    type Err = TrainError;

    fn from_str(name: &str) -> Result<Self, TrainError> {
        if name == "next-item" {
            return Err(TrainError::TaskAbsent("next-item"));
        }
        Self::ALL
            .into_iter()
            .find(|task| task.name() == name)
            .ok_or_else(|| TrainError::UnknownTask(name.to_owned()))
    }
}
