//! The accounts: what came in, what went out, what was set aside, by input and by bucket.

use std::collections::BTreeMap;
use std::path::PathBuf;

use propense_events::{Action, Problem};
use serde::{Deserialize, Serialize};

use crate::PrepareError;
use crate::catalogue::FillCounts;
use crate::table::ColumnSet;

/// Counts by the public name of a rule.
pub type Counts = BTreeMap<String, u64>;

/// What reading one input gave.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InputAccount {
    /// The file.
    pub path: PathBuf,
    /// The format in which it was read, by its name.
    pub format: String,
    /// The shop's offset from UTC in minutes.
    pub utc_offset_minutes: i32,
    /// Data rows of the file.
    pub rows: u64,
    /// Rows set aside, each a line of `quarantine.csv`.
    pub rejected: u64,
    /// Lines of the event table that came of the other rows.
    pub lines: u64,
    /// Sessions that the file holds only as summaries.
    pub summaries: u64,
    /// What rows were set aside for.
    pub rejected_by: Counts,
    /// Repairs; a row can have several.
    pub repaired_by: Counts,
    /// Columns in which the input holds anything.
    pub(crate) carried: ColumnSet,
    /// Bytes staged.
    pub(crate) staged: u64,
}

/// What sorting and cleaning one bucket gave.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BucketAccount {
    /// Lines in.
    pub lines: u64,
    /// Lines written.
    pub written: u64,
    /// Lines set aside, each a line of `quarantine.csv`.
    pub removed: u64,
    /// Events written.
    pub events: u64,
    /// Sessions written.
    pub sessions: u64,
    /// Owners (shoppers, browsers, visits) met.
    pub owners: u64,
    /// What lines were set aside for.
    pub removed_by: Counts,
    /// Values that rules changed.
    pub repaired_by: Counts,
    /// What lines lacked and got from the catalogue.
    pub filled: FillCounts,
    /// Events that got attributes of their user.
    pub attributed: u64,
    /// Bytes that the sort had to lay down on disk.
    pub spilled: u64,
}

impl InputAccount {
    pub(crate) fn note(&mut self, problem: &Problem) {
        let counts = match problem.action {
            Action::Rejected => &mut self.rejected_by,
            Action::Repaired => &mut self.repaired_by,
        };
        count(counts, &problem.rule.to_string(), 1);
    }

    /// Adds the accounts of another part of the same input.
    pub(crate) fn add(&mut self, part: &Self) {
        self.rows += part.rows;
        self.rejected += part.rejected;
        self.lines += part.lines;
        self.summaries += part.summaries;
        add_all(&mut self.rejected_by, &part.rejected_by);
        add_all(&mut self.repaired_by, &part.repaired_by);
        self.carried = self.carried.union(part.carried);
    }
}

impl BucketAccount {
    /// Adds the accounts of another bucket.
    pub(crate) fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.written += other.written;
        self.removed += other.removed;
        self.events += other.events;
        self.sessions += other.sessions;
        self.owners += other.owners;
        self.spilled += other.spilled;
        self.filled.merge(&other.filled);
        self.attributed += other.attributed;
        add_all(&mut self.removed_by, &other.removed_by);
        add_all(&mut self.repaired_by, &other.repaired_by);
    }

    /// That every line is accounted for.
    pub(crate) fn balanced(&self, place: &str) -> Result<(), PrepareError> {
        balanced(place, self.lines, self.written, self.removed)
    }
}

/// That in = out + quarantined.
pub(crate) fn balanced(
    place: &str,
    found: u64,
    out: u64,
    quarantined: u64,
) -> Result<(), PrepareError> {
    if out.checked_add(quarantined) == Some(found) {
        return Ok(());
    }
    Err(PrepareError::Unbalanced {
        place: place.to_owned(),
        found,
        out,
        quarantined,
    })
}

/// Adds to a count.
pub(crate) fn count(counts: &mut Counts, name: &str, by: u64) {
    match counts.get_mut(name) {
        Some(count) => *count += by,
        None => {
            counts.insert(name.to_owned(), by);
        }
    }
}

/// Adds counts up.
pub(crate) fn add_all(counts: &mut Counts, others: &Counts) {
    for (name, by) in others {
        count(counts, name, *by);
    }
}
