//! `future_timestamp` and `outside_period`: times that cannot be, or are not wanted.

use super::scratch::Scratch;
use super::slab::Slab;
use super::{CleaningRule, Detail, Rules};

pub(super) fn judge(slab: &Slab<'_>, rules: &Rules, scratch: &mut Scratch) {
    // The lines are in time order, so each rule takes a part of the beginning or of the end.
    let times = slab.timestamps();
    if let Some(latest) = rules.options.latest
        && rules.applies(CleaningRule::FutureTimestamp)
    {
        let first = times.partition_point(|time| *time <= latest);
        remove(
            slab,
            scratch,
            first..times.len(),
            CleaningRule::FutureTimestamp,
        );
    }
    if let Some(period) = rules.options.period
        && rules.applies(CleaningRule::OutsidePeriod)
    {
        let first = times.partition_point(|time| *time < period.from);
        let end = times.partition_point(|time| *time < period.to);
        remove(slab, scratch, 0..first, CleaningRule::OutsidePeriod);
        remove(slab, scratch, end..times.len(), CleaningRule::OutsidePeriod);
    }
}

fn remove(
    slab: &Slab<'_>,
    scratch: &mut Scratch,
    lines: std::ops::Range<usize>,
    rule: CleaningRule,
) {
    for at in lines {
        let timestamp = slab.time(at);
        scratch.remove(slab, at, rule, Detail::Time { timestamp });
    }
}
