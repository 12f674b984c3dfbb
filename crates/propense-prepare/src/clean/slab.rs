//! Some lines of one owner, and maps by hash.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash};
use std::ops::Range;

use foldhash::fast::FixedState;

use crate::table::Lines;

/// A map keyed by hashes. The seed is fixed: the same input gives the same output.
pub(super) type HashedMap<K, V> = HashMap<K, V, FixedState>;
pub(super) type HashedSet<K> = HashSet<K, FixedState>;

/// The 64-bit hash of a value, the same in every run.
pub(super) fn hash(value: impl Hash) -> u64 {
    FixedState::default().hash_one(value)
}

/// Some lines of one owner, in time order. Within the rules a line is numbered from the slab's
/// start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slab<'a> {
    pub(super) lines: Lines<'a>,
    pub(super) start: usize,
    pub(super) len: usize,
}

impl<'a> Slab<'a> {
    /// The range is cut to the lines that there are.
    pub(super) fn new(lines: &Lines<'a>, range: Range<usize>) -> Self {
        let end = range.end.min(lines.len());
        let start = range.start.min(end);
        Self {
            lines: *lines,
            start,
            len: end - start,
        }
    }

    pub(super) const fn range(&self) -> Range<usize> {
        self.start..self.start + self.len
    }

    pub(super) fn timestamps(&self) -> &'a [i64] {
        self.lines.timestamp.get(self.range()).unwrap_or_default()
    }

    pub(super) fn kinds(&self) -> &'a [u8] {
        self.lines.kind.get(self.range()).unwrap_or_default()
    }

    pub(super) fn sources(&self) -> &'a [u16] {
        self.lines.source.get(self.range()).unwrap_or_default()
    }

    pub(super) fn rows(&self) -> &'a [u64] {
        self.lines.row.get(self.range()).unwrap_or_default()
    }

    pub(super) fn time(&self, at: usize) -> i64 {
        self.timestamps().get(at).copied().unwrap_or_default()
    }

    pub(super) fn source(&self, at: usize) -> u16 {
        self.sources().get(at).copied().unwrap_or_default()
    }

    pub(super) fn row(&self, at: usize) -> u64 {
        self.rows().get(at).copied().unwrap_or_default()
    }
}
