//! One pass of all rules over the lines of an owner.

use std::ops::Range;

use super::equal::AsWritten;
use super::scratch::Scratch;
use super::slab::{HashedMap, Slab, hash};
use super::{
    Rules, SessionPlace, Verdicts, double_fire, equal, judge as sessions_judge, orders, repairs,
    sessions, times, words,
};
use crate::table::{Lines, text_at};

/// Applies the rules to the lines of one owner, which stand at `owner` in `lines`, sorted by
/// time, source and row. The verdicts are added to those of the owners before.
pub fn clean_owner(
    lines: &Lines<'_>,
    owner: Range<usize>,
    rules: &Rules,
    scratch: &mut Scratch,
    verdicts: &mut Verdicts,
) {
    begin_owner(scratch);
    judge(
        &Slab::new(lines, owner),
        rules,
        scratch,
        verdicts,
        Rest::None,
    );
}

/// Forgets the owner before: to be called before the first slab of an owner.
pub fn begin_owner(scratch: &mut Scratch) {
    scratch.begin_owner();
}

/// Applies the rules to a part of one owner's lines, from its beginning up to the last point
/// where no session goes on. Returns how many lines were judged, at least one of a slab that is
/// not empty: the others are to be given again, at the front of the next slab. The `last` slab of
/// an owner is judged to its end.
///
/// [`begin_owner`] is to be called before the first slab.
pub fn clean_slab(
    lines: &Lines<'_>,
    slab: Range<usize>,
    last: bool,
    rules: &Rules,
    scratch: &mut Scratch,
    verdicts: &mut Verdicts,
) -> usize {
    let mut slab = Slab::new(lines, slab);
    let rest = if last {
        Rest::None
    } else {
        slab.len = border(&slab, rules.options.sessions.gap_ms);
        Rest::Follows
    };
    judge(&slab, rules, scratch, verdicts, rest);
    slab.len
}

/// Whether more of the owner follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    None,
    Follows,
}

fn judge(
    slab: &Slab<'_>,
    rules: &Rules,
    scratch: &mut Scratch,
    verdicts: &mut Verdicts,
    rest: Rest,
) {
    if slab.len == 0 {
        return;
    }
    scratch.begin_slab(slab);
    times::judge(slab, rules, scratch);
    words::judge(slab, rules, scratch);
    equal::judge(slab, rules, scratch);
    orders::judge(slab, rules, scratch);
    double_fire::judge(slab, rules, scratch);
    sessions::cut(slab, rules, scratch);
    repairs::amend(slab, rules, scratch);
    // Two lines may have become equal by a repair, or by coming into one session. Without them
    // the sessions may be other ones: once more, until nothing changes. Mostly that is at once.
    while AsWritten::may_differ(slab, scratch) && equal::judge_as_written(slab, rules, scratch) {
        sessions::cut(slab, rules, scratch);
        repairs::amend(slab, rules, scratch);
    }
    sessions_judge::judge(slab, rules, scratch);
    repairs::write(slab, rules, scratch, verdicts);
    write(slab, scratch, verdicts);
    if rest == Rest::Follows {
        double_fire::remember(slab, rules, scratch);
        sessions::remember(slab, rules, scratch);
        scratch.memory.events += scratch.events.first.len() as u64;
    }
}

/// How many lines of the slab to judge where more follow: up to the last pause longer than the
/// gap that no session id spans. Without one, up to the last change of time, so that equal lines
/// stay together; without even that, all.
fn border(slab: &Slab<'_>, gap: i64) -> usize {
    let id = |at: usize| text_at(slab.lines.session_id, slab.start + at).map(hash);
    let mut last_of: HashedMap<u64, usize> = HashedMap::default();
    for at in 0..slab.len {
        if let Some(id) = id(at) {
            last_of.insert(id, at);
        }
    }
    let (mut border, mut change, mut spanned) = (0, 0, 0);
    for (at, pair) in slab.timestamps().windows(2).enumerate() {
        if let Some(last) = id(at).and_then(|id| last_of.get(&id)) {
            spanned = spanned.max(*last);
        }
        let &[before, after] = pair else { continue };
        if after != before {
            change = at + 1;
        }
        if spanned <= at && after.saturating_sub(before) > gap {
            border = at + 1;
        }
    }
    [border, change]
        .into_iter()
        .find(|lines| *lines > 0)
        .unwrap_or(slab.len)
}

/// Adds what was found to the verdicts.
fn write(slab: &Slab<'_>, scratch: &mut Scratch, verdicts: &mut Verdicts) {
    move_contexts(slab, scratch, verdicts);
    scratch.removed.sort_unstable_by_key(|removal| removal.line);
    for removal in &scratch.removed {
        verdicts.counts.add(removal.rule, 1);
    }
    verdicts.removed.append(&mut scratch.removed);

    let base = verdicts.sessions.len() as u32;
    sessions::names(slab, scratch, &mut verdicts.sessions);
    let places = scratch.events.of.iter().zip(&scratch.kept);
    verdicts.places.extend(places.map(|(event, kept)| {
        let place = scratch.sessions.of.get(*event as usize);
        match place.filter(|_| *kept) {
            Some((session, event_no)) => SessionPlace {
                session: base + session,
                event_no: *event_no,
            },
            None => SessionPlace::NONE,
        }
    }));
}

/// The context of an event stands on its first line. Where that line is set aside and others
/// stay, the context goes to the first of them.
fn move_contexts(slab: &Slab<'_>, scratch: &mut Scratch, verdicts: &mut Verdicts) {
    if slab.lines.context.is_none() || scratch.removed.is_empty() {
        return;
    }
    scratch.events.find_first(&scratch.kept);
    let mut seen = u32::MAX;
    for (at, event) in scratch.events.of.iter().enumerate() {
        // Events are numbered by their first lines, so a higher number is a first line.
        let is_first = seen == u32::MAX || *event > seen;
        if !is_first {
            continue;
        }
        seen = *event;
        let heir = scratch.events.first.get(*event as usize).copied();
        let heir = heir.map_or(usize::MAX, |heir| heir as usize);
        let context = |at: usize| text_at(slab.lines.context, slab.start + at);
        if heir != at && heir < slab.len && context(at).is_some() && context(heir).is_none() {
            verdicts.contexts.push((slab.start + heir, slab.start + at));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::clean::CleaningRule;

    #[test]
    fn every_rule_is_named_once() {
        for rule in CleaningRule::ALL {
            assert_eq!(CleaningRule::from_name(rule.name()), Some(rule));
            let serialised = serde_json::to_string(&rule).ok();
            assert_eq!(serialised, Some(format!("\"{}\"", rule.name())));
        }
    }
}
