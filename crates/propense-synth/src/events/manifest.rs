//! What was made, and what dirt was laid in: the truth that a test of the cleaning is held to.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// The counts of a file that [`crate::events()`] wrote; written beside it as JSON.
///
/// A row is counted under one rule in [`Self::set_aside`] at most, and then under no repair. Rules
/// have the names that `propense prepare` counts by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EventsManifest {
    /// The layout: `events` or `taobao`.
    pub layout: String,
    /// The seed.
    pub seed: u64,
    /// Data rows (records; a quoted line break makes a record of two lines).
    pub rows: u64,
    /// Bytes before compression.
    pub bytes: u64,
    /// The period of all clean rows in milliseconds since 1970, from and up to.
    pub period: (i64, i64),
    /// Users that sessions were drawn from.
    pub users: u64,
    /// Sessions begun.
    pub sessions: u64,
    /// Rows by kind of event, under GA4 names, dirty ones included.
    pub kinds: BTreeMap<String, u64>,
    /// Rows that must be set aside, by rule.
    pub set_aside: BTreeMap<String, u64>,
    /// Rows that stay and must be repaired, by rule.
    pub repaired: BTreeMap<String, u64>,
    /// Rows that are unusual but right, by what is unusual: names with a comma, a quotation mark
    /// or a line break, rows without a name; rows of visitors who are never known, and rows
    /// without a user whose device logs in later.
    pub unusual: BTreeMap<String, u64>,
}

impl EventsManifest {
    /// Rows that cleaning must leave: all but those set aside.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.rows - self.set_aside.values().sum::<u64>().min(self.rows)
    }
}

impl fmt::Display for EventsManifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "rows {}", self.rows)?;
        writeln!(f, "sessions {}, users {}", self.sessions, self.users)?;
        for (what, counts) in [
            ("kind", &self.kinds),
            ("to set aside", &self.set_aside),
            ("to repair", &self.repaired),
            ("unusual", &self.unusual),
        ] {
            for (name, rows) in counts {
                writeln!(f, "{what}: {name} {rows}")?;
            }
        }
        write!(f, "rows to keep {}", self.kept())
    }
}
