//! The working memory of the rules, kept from owner to owner so that nothing is allocated anew.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash};
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::events::Events;
use super::sessions::{Session, Sessions};
use super::{CleaningRule, Detail, Removal, Repair};
use crate::table::Lines;

/// A map keyed by hashes. The seed is fixed: the same input gives the same output.
pub(super) type HashedMap<K, V> = HashMap<K, V, FixedState>;
pub(super) type HashedSet<K> = HashSet<K, FixedState>;

/// The 64-bit hash of a value, the same in every run.
pub(super) fn hash(value: impl Hash) -> u64 {
    FixedState::default().hash_one(value)
}

/// Working memory for [`super::clean_owner`]: one for each thread.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Whether each line of the slab is still there.
    pub(super) kept: Vec<bool>,
    /// Lines set aside, in the order of the rules.
    pub(super) removed: Vec<Removal>,
    pub(super) events: Events,
    pub(super) sessions: Sessions,
    /// Hash, line.
    pub(super) hashed: Vec<(u64, u32)>,
    /// Signature, time, event.
    pub(super) fired: Vec<(u64, i64, u32)>,
    /// For each event, the position (from 1) in `findings` of why it is set aside.
    pub(super) event_finding: Vec<u32>,
    pub(super) findings: Vec<Detail>,
    pub(super) pauses: Vec<i64>,
    pub(super) times: Vec<(u32, i64)>,
    /// Changes to lines, in order.
    pub(super) amended: Vec<Repair>,
    pub(super) memory: Memory,
}

/// What is known of an owner from the slabs before this one. Bounded, however long the history.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Events before this slab: makes the events of all slabs distinct.
    pub(super) events: u64,
    pub(super) orders: HashedMap<u64, super::orders::Order>,
    /// Order and item, with the event that had it first.
    pub(super) order_items: HashedMap<u64, u64>,
    /// The last events before the slab: signature, time, source, row.
    pub(super) fired: Vec<super::double_fire::Fired>,
    /// Sessions that may go on.
    pub(super) sessions: Vec<Session>,
    /// Their ids, by hash.
    pub(super) session_ids: HashedMap<u64, Arc<str>>,
    /// The last of them to which an event was added.
    pub(super) latest_session: Option<u32>,
    /// The last number given to a session without an id.
    pub(super) session_number: u32,
}

impl Memory {
    fn forget(&mut self) {
        self.events = 0;
        // Clearing an empty map is not free, and most owners order nothing.
        if !self.orders.is_empty() {
            self.orders.clear();
            self.order_items.clear();
        }
        self.fired.clear();
        self.sessions.clear();
        if !self.session_ids.is_empty() {
            self.session_ids.clear();
        }
        self.latest_session = None;
        self.session_number = 0;
    }
}

impl Scratch {
    /// Forgets the owner before.
    pub(super) fn begin_owner(&mut self) {
        self.memory.forget();
    }

    pub(super) fn begin_slab(&mut self, slab: &Slab<'_>) {
        self.kept.clear();
        self.kept.resize(slab.len, true);
        self.removed.clear();
        self.events.group(slab);
    }

    /// Sets a line aside, once.
    pub(super) fn remove(
        &mut self,
        slab: &Slab<'_>,
        at: usize,
        rule: CleaningRule,
        detail: Detail,
    ) {
        if let Some(kept) = self.kept.get_mut(at)
            && *kept
        {
            *kept = false;
            self.removed.push(Removal {
                line: slab.start + at,
                rule,
                detail,
            });
        }
    }

    /// Whether a line is still there.
    pub(super) fn is_kept(&self, at: usize) -> bool {
        self.kept.get(at).copied().unwrap_or_default()
    }

    /// Begins marking whole events.
    pub(super) fn begin_findings(&mut self) {
        self.findings.clear();
        self.event_finding.clear();
        self.event_finding.resize(self.events.first.len(), 0);
    }

    /// Marks an event; its lines go with [`Self::remove_found`].
    pub(super) fn find(&mut self, event: u32, detail: Detail) {
        if let Some(finding) = self.event_finding.get_mut(event as usize)
            && *finding == 0
        {
            self.findings.push(detail);
            *finding = self.findings.len() as u32;
        }
    }

    /// Sets aside the lines of the marked events.
    pub(super) fn remove_found(&mut self, slab: &Slab<'_>, rule: CleaningRule) {
        if self.findings.is_empty() {
            return;
        }
        for at in 0..slab.len {
            let detail = self
                .events
                .of
                .get(at)
                .and_then(|event| self.event_finding.get(*event as usize))
                .and_then(|finding| (*finding as usize).checked_sub(1))
                .and_then(|finding| self.findings.get(finding))
                .copied();
            if let Some(detail) = detail {
                self.remove(slab, at, rule, detail);
            }
        }
    }
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
