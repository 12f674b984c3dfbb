//! `double_fire`: a page or a tag that reports one action twice.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use super::events::GONE;
use super::memory::Fired;
use super::scratch::Scratch;
use super::slab::Slab;
use super::{CleaningRule, Detail, Rules};
use crate::table::{Column, text_at};

/// The most events remembered from the slab before.
const MOST: usize = 4096;

pub(super) fn judge(slab: &Slab<'_>, rules: &Rules, scratch: &mut Scratch) {
    if !rules.applies(CleaningRule::DoubleFire) {
        return;
    }
    let bound = rules.options.double_fire_ms;
    scratch.events.find_first(&scratch.kept);
    scratch.begin_findings();
    let mut fired = std::mem::take(&mut scratch.fired);
    fired.clear();
    let mut before: Option<(u32, i64)> = None;
    // Only events that stand close together are looked at: a run of them at a time.
    for event in 0..scratch.events.first.len() as u32 {
        let Some(first) = first_line(scratch, event) else {
            continue;
        };
        let time = slab.time(first);
        let close = before.is_some_and(|(_, before)| time.saturating_sub(before) <= bound);
        match before {
            Some(earlier) if close && fired.is_empty() => {
                push(slab, scratch, &mut fired, earlier);
                push(slab, scratch, &mut fired, (event, time));
            }
            _ if close => push(slab, scratch, &mut fired, (event, time)),
            _ => run(slab, scratch, &mut fired, bound),
        }
        // The first events may repeat the last ones of the slab before.
        let memory = &scratch.memory.fired;
        if before.is_none()
            && memory
                .iter()
                .any(|fired| time.saturating_sub(fired.time) <= bound)
        {
            push(slab, scratch, &mut fired, (event, time));
        }
        before = Some((event, time));
    }
    run(slab, scratch, &mut fired, bound);
    scratch.fired = fired;
    scratch.remove_found(slab, CleaningRule::DoubleFire);
}

fn first_line(scratch: &Scratch, event: u32) -> Option<usize> {
    let first = scratch.events.first.get(event as usize).copied()?;
    (first != GONE).then_some(first as usize)
}

fn push(
    slab: &Slab<'_>,
    scratch: &Scratch,
    fired: &mut Vec<(u64, i64, u32)>,
    (event, time): (u32, i64),
) {
    if let Some(first) = first_line(scratch, event) {
        fired.push((signature(slab, first), time, event));
    }
}

/// Judges a run of events of which each stands close to the one before. What is compared is the
/// last event that stays, so a long burst leaves one event for each span of the bound.
fn run(slab: &Slab<'_>, scratch: &mut Scratch, fired: &mut Vec<(u64, i64, u32)>, bound: i64) {
    fired.sort_unstable();
    for same in fired.chunk_by(|one, other| one.0 == other.0) {
        let mut last: Option<Fired> = None;
        for (signature, time, event) in same.iter().copied() {
            let Some(first) = first_line(scratch, event) else {
                continue;
            };
            let earlier = last.or_else(|| {
                let memory = scratch.memory.fired.iter();
                memory
                    .filter(|fired| fired.signature == signature)
                    .copied()
                    .next_back()
            });
            let again = earlier.filter(|earlier| time.saturating_sub(earlier.time) <= bound);
            match again {
                Some(earlier) => {
                    let detail = Detail::Again {
                        source: earlier.source,
                        row: earlier.row,
                        after: time.saturating_sub(earlier.time),
                    };
                    last = Some(earlier);
                    scratch.find(event, detail);
                }
                None => {
                    last = Some(Fired {
                        signature,
                        time,
                        source: slab.source(first),
                        row: slab.row(first),
                    });
                }
            }
        }
    }
    fired.clear();
}

/// Keeps the events that the next slab may repeat.
pub(super) fn remember(slab: &Slab<'_>, rules: &Rules, scratch: &mut Scratch) {
    let bound = rules.options.double_fire_ms;
    let end = slab.timestamps().last().copied().unwrap_or_default();
    let mut memory = std::mem::take(&mut scratch.memory.fired);
    memory.retain(|fired| end.saturating_sub(fired.time) <= bound);
    let since = slab
        .timestamps()
        .partition_point(|time| end.saturating_sub(*time) > bound);
    for at in since..slab.len {
        let event = scratch.events.of.get(at).copied().unwrap_or_default();
        if scratch.is_kept(at) && first_line(scratch, event) == Some(at) && memory.len() < MOST {
            memory.push(Fired {
                signature: signature(slab, at),
                time: slab.time(at),
                source: slab.source(at),
                row: slab.row(at),
            });
        }
    }
    scratch.memory.fired = memory;
}

/// What makes two events the same action: kind, first item, page; and what else would make them
/// two, where it is known: another search, another order. Two events that name none of these are
/// told apart by their whole context.
fn signature(slab: &Slab<'_>, first: usize) -> u64 {
    let line = slab.start + first;
    let mut hasher = FixedState::default().build_hasher();
    hasher.write_u8(slab.kinds().get(first).copied().unwrap_or_default());
    let mut nothing = true;
    let told_apart_by = [
        Column::ItemId,
        Column::PageType,
        Column::SearchTerm,
        Column::TransactionId,
    ];
    for column in told_apart_by {
        if let Some(text) = text_at(slab.lines.text(column), line) {
            hasher.write(text.as_bytes());
            nothing = false;
        }
        hasher.write_u8(0xff);
    }
    if nothing && let Some(context) = text_at(slab.lines.context, line) {
        hasher.write(context.as_bytes());
    }
    hasher.finish()
}
