//! Which lines are one event.

use super::slab::{HashedMap, Slab};
use crate::table::group;

/// The events of a slab, numbered by their first lines.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The event of each line.
    pub(super) of: Vec<u32>,
    /// The first line of each event that is still there, or [`GONE`].
    pub(super) first: Vec<u32>,
    /// The events whose lines may stand apart: source, group and kind.
    apart: HashedMap<(u16, u64, u8), u32>,
}

/// In place of a first line: every line of the event was set aside.
pub(super) const GONE: u32 = u32::MAX;

impl Events {
    pub(super) fn group(&mut self, slab: &Slab<'_>) {
        self.of.clear();
        self.first.clear();
        if !self.apart.is_empty() {
            self.apart.clear();
        }
        let groups = slab.lines.group.get(slab.range()).unwrap_or_default();
        let rows = slab.rows();
        let mut before = None;
        for (at, (row, group)) in rows.iter().zip(groups).enumerate() {
            // The two cheap questions answer nearly always.
            let may_go_on = before == Some(*row) || group::kind(*group) != group::OWN;
            before = Some(*row);
            let event = match may_go_on.then(|| self.same(slab, at, *group)).flatten() {
                Some(event) => event,
                None => {
                    self.first.push(at as u32);
                    (self.first.len() - 1) as u32
                }
            };
            self.of.push(event);
        }
    }

    /// The event that line `at` goes on with, if it does.
    fn same(&mut self, slab: &Slab<'_>, at: usize, group: u64) -> Option<u32> {
        if let Some(before) = at.checked_sub(1)
            && slab.lines.same_event(slab.start + before, slab.start + at)
        {
            return self.of.get(before).copied();
        }
        if group::kind(group) != group::ANYWHERE {
            return None;
        }
        let kind = slab.kinds().get(at).copied().unwrap_or_default();
        let key = (slab.source(at), group, kind);
        let known = self.apart.get(&key).copied().filter(|event| {
            self.first.get(*event as usize).is_some_and(|first| {
                let first = slab.start + *first as usize;
                slab.lines.same_event(first, slab.start + at)
            })
        });
        if known.is_none() {
            self.apart.insert(key, self.first.len() as u32);
        }
        known
    }

    /// Finds the first lines anew after some were set aside.
    pub(super) fn find_first(&mut self, kept: &[bool]) {
        self.first.fill(GONE);
        for (at, (event, kept)) in self.of.iter().zip(kept).enumerate() {
            if *kept
                && let Some(first) = self.first.get_mut(*event as usize)
                && *first == GONE
            {
                *first = at as u32;
            }
        }
    }
}
