//! What reading and cleaning say of themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The accounts from which a report begins.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Intake {
    /// Name for people.
    pub name: String,
    /// The inputs, in the order of the table's `source` column.
    pub files: Vec<FileFigures>,
    /// Records in, out and set aside.
    pub records: Records,
    /// Records set aside, by rule: while reading and while cleaning.
    pub set_aside: Vec<Counted>,
    /// Records kept with a repair, by rule.
    pub repaired: Vec<Counted>,
    /// Joining sources and recognising visitors again.
    pub joins: Vec<Counted>,
}

/// Records in = out + quarantined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Records {
    /// Lines of the event table that came of the inputs, rows that could not become one, and
    /// summary sessions.
    #[serde(rename = "in")]
    pub read: u64,
    /// Lines of the written tables, and summary sessions.
    #[serde(rename = "out")]
    pub written: u64,
    /// Lines of `quarantine.csv`.
    pub quarantined: u64,
    /// Sessions that an input holds only as summaries.
    pub summaries: u64,
}

/// One input.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileFigures {
    /// The file.
    pub path: String,
    /// The format, by its name.
    pub format: String,
    /// The shop's offset from UTC in minutes.
    pub utc_offset_minutes: i32,
    /// Bytes, as they lie on disk.
    pub bytes: u64,
    /// Data rows.
    pub rows: u64,
    /// Rows that became lines of the table or summary sessions.
    pub kept: u64,
    /// Lines that they became.
    pub lines: u64,
    /// Rows set aside while reading, by rule.
    pub quarantined: BTreeMap<String, u64>,
    /// Repairs while reading, by rule; a row can have several.
    pub repaired: BTreeMap<String, u64>,
}

/// How often something was done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counted {
    /// What was done; for a rule its public name.
    pub name: String,
    /// How often.
    pub count: u64,
    /// What that means, in a sentence; empty where nothing is said.
    pub what: String,
}

impl Intake {
    /// Counts as a list, the most frequent first, each with what `what` says of its name. Nothing
    /// that never happened is in it.
    #[must_use]
    pub fn counts(counts: &BTreeMap<String, u64>, what: impl Fn(&str) -> String) -> Vec<Counted> {
        let mut list: Vec<Counted> = counts
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(name, count)| Counted {
                name: name.clone(),
                count: *count,
                what: what(name),
            })
            .collect();
        // Stable: names of equal frequency stay in alphabetical order.
        list.sort_by_key(|counted| std::cmp::Reverse(counted.count));
        list
    }
}
