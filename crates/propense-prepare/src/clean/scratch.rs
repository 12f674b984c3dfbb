//! The working memory of the rules, kept from owner to owner so that nothing is allocated anew.

use super::events::Events;
use super::memory::{Memory, Sessions};
use super::slab::Slab;
use super::{CleaningRule, Detail, Removal, Repair};

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
