//! `thirty-day` and `next-day`: users as they stood at certain midnights.

mod continuing;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use propense_events::{DAY, Event, EventKind, Session, format_timestamp, midnight};
use propense_features::{FeatureSpec, FitOptions, fit};

use super::next_day::CutShort;
use super::thirty_day::Snapshot;
use super::timeline::Timelines;
use super::{ExampleOptions, Prepared, Shares, next_day, parts, scheme, thirty_day, unsuited};
use crate::encode::{Encoded, Keep, encode};
use crate::progress::{Observer, Progress};
use crate::segments::of_history;
use crate::split::{by_user, in_share};
use crate::{Task, TrainError};
use propense_prepare::Loaded;

pub(super) use continuing::{continue_from, new_examples};

fn timelines(task: Task, data: &Loaded) -> Result<Timelines, TrainError> {
    let wanted = |event: &&Event| match task {
        Task::ThirtyDay => matches!(event.kind, EventKind::Purchase | EventKind::Refund),
        _ => true,
    };
    let events = data.events.iter();
    let lines = Timelines::new(events.filter(wanted).cloned());
    if lines.users.is_empty() {
        let needs = "events with a user (a customer number on each order)";
        return Err(unsuited(task, data, needs));
    }
    Ok(lines)
}

pub(super) fn prepare(
    task: Task,
    data: &Loaded,
    shares: Shares,
    options: &ExampleOptions,
    observer: &mut dyn Observer,
) -> Result<Prepared, TrainError> {
    let lines = timelines(task, data)?;
    if lines.anonymous > 0 {
        let note = format!(
            "{} events without a user are left out: nobody to follow",
            lines.anonymous
        );
        observer.on(&Progress::Note(&note));
    }
    let mut parts = match task {
        Task::ThirtyDay => split_by_month(&lines, data.utc_offset_minutes, shares)?,
        _ => split_by_user(&lines, data, shares, observer)?,
    };
    parts[0].retain(|snapshot| in_share(&snapshot.user, options.share, options.seed));
    let spec = fit_on(&lines, &parts[0], data.utc_offset_minutes);
    let shared = Arc::new(spec.clone());
    let (weighting, positions) = scheme(task, shares);
    let [train, validation, test] =
        parts.map(|part| encode_snapshots(&shared, &lines, part, options));
    Ok(Prepared {
        spec,
        train,
        validation,
        test,
        test_without_history: Encoded::default(),
        weighting,
        positions,
        dropped: 0,
        same_time: false,
    })
}

/// Whole months: the last two for validation, and before that (for a shop) the last for test.
/// A month whose horizon reaches into the next part (February's does) is left out of its own, so that
/// nothing is seen early.
fn split_by_month(
    lines: &Timelines,
    utc_offset_minutes: i32,
    shares: Shares,
) -> Result<[Vec<Snapshot>; 3], TrainError> {
    let months = lines
        .period()
        .map(|(first, last)| thirty_day::month_starts(first, last, utc_offset_minutes))
        .unwrap_or_default();
    let kept_back = match shares {
        Shares::Shop | Shares::Measured => 3,
        Shares::Protocol => 2,
        Shares::Whole => 0,
    };
    if months.len() <= kept_back {
        return Err(TrainError::Unsuited {
            task: Task::ThirtyDay,
            reason: format!(
                "needs at least {} firsts of a month after the first order, each followed by 30 days of data; found {}: \
                 give a longer stretch of orders",
                kept_back + 1,
                months.len()
            ),
        });
    }
    let (train, rest) = months.split_at(months.len() - kept_back);
    let (validation, test) = rest.split_at(rest.len().min(2));
    let parts = [(train, validation), (validation, test), (test, &[])];
    Ok(parts.map(|(moments, next)| {
        let end = next.first().copied().unwrap_or(i64::MAX);
        moments
            .iter()
            .filter(|at| *at + thirty_day::HORIZON <= end)
            .flat_map(|&at| thirty_day::snapshots(lines, lines, at))
            .collect()
    }))
}

/// All days of some users: a user is on one side on every day. A last day that is cut short has no outcomes
/// to learn.
fn split_by_user(
    lines: &Timelines,
    data: &Loaded,
    shares: Shares,
    observer: &mut dyn Observer,
) -> Result<[Vec<Snapshot>; 3], TrainError> {
    let Some((first, last)) = lines.period() else {
        return Err(unsuited(Task::NextDay, data, "events of users"));
    };
    let (train, validation) = shares.parts();
    let cut = next_day::cut_short(lines, first, last, data.utc_offset_minutes);
    if let Some(cut) = cut {
        let note = format!(
            "the last day is {} hours short, and most of its orders may be still to come: it is not learnt from",
            cut.hours
        );
        observer.on(&Progress::Note(&note));
    }
    let whole = cut.map_or(last, |cut| cut.from);
    let mut found = next_day::snapshots(lines, first, whole, data.utc_offset_minutes);
    if shares == Shares::Whole {
        // Nothing here is measured, so that more may be learnt from than the protocol asks about.
        found.extend(next_day::between_midnights(
            lines,
            first,
            last,
            data.utc_offset_minutes,
        ));
    }
    let users = found.iter().map(|snapshot| snapshot.user.as_str());
    let split = by_user(users, train, validation);
    let parts = parts(&found, &split);
    Ok(parts.map(|part| part.into_iter().cloned().collect()))
}

/// Features are fitted on what each training user looked like at their last training moment:
/// each user counts once, whatever the number of moments.
fn fit_on(lines: &Timelines, train: &[Snapshot], utc_offset_minutes: i32) -> FeatureSpec {
    let mut newest: BTreeMap<&str, &Snapshot> = BTreeMap::new();
    for snapshot in train {
        let known = newest.entry(&snapshot.user).or_insert(snapshot);
        if snapshot.at > known.at {
            *known = snapshot;
        }
    }
    let sessions: Vec<Session> = newest
        .into_values()
        .map(|snapshot| {
            let mut session = session_of(lines, snapshot, utc_offset_minutes);
            session.events = history(lines, snapshot).to_vec();
            session
        })
        .collect();
    let mut options = FitOptions {
        utc_offset_minutes,
        whole_history: true,
        // A history begins whenever the data does: its first hour and weekday say nothing.
        context_exclude: vec!["hour".to_owned(), "weekday".to_owned()],
        ..FitOptions::default()
    };
    // A user is in training at many moments; a rate would know the outcome at the others.
    options.measures.retain(|measure| !measure.is_learnt());
    fit(&sessions.iter().collect::<Vec<_>>(), &options).0
}

fn history<'a>(lines: &'a Timelines, snapshot: &Snapshot) -> &'a [Event] {
    lines
        .users
        .get(&snapshot.user)
        .and_then(|events| events.get(..snapshot.events))
        .unwrap_or_default()
}

/// A user on a day, the shop's own that begins or lies at this moment.
fn name(user: &str, at: i64, utc_offset_minutes: i32) -> String {
    format!(
        "{user}@{}",
        day(at + i64::from(utc_offset_minutes) * 60_000)
    )
}

/// The snapshot as a session without its events, named by the user and the day that begins then in the shop.
/// It begins with the first event, so that times count from there.
fn session_of(lines: &Timelines, snapshot: &Snapshot, utc_offset_minutes: i32) -> Session {
    let first = history(lines, snapshot).first();
    Session {
        id: name(&snapshot.user, snapshot.at, utc_offset_minutes),
        user: Some(snapshot.user.clone()),
        start: first.map_or(snapshot.at, |event| event.timestamp),
        events: Vec::new(),
        context: snapshot.context.clone(),
        outcome: Some(snapshot.label),
    }
}

fn encode_snapshots(
    spec: &Arc<FeatureSpec>,
    lines: &Timelines,
    snapshots: Vec<Snapshot>,
    options: &ExampleOptions,
) -> Encoded {
    let examples = snapshots.iter().map(|snapshot| {
        let events = history(lines, snapshot);
        let session = session_of(lines, snapshot, spec.utc_offset_minutes);
        let mut example = encode(
            spec,
            &session,
            events,
            snapshot.label.into(),
            options.max_events,
            Keep::Last,
        );
        example.start = snapshot.at;
        example
    });
    Encoded {
        examples: examples.collect(),
    }
}

/// Snapshots that a model with these features is measured on.
pub(super) fn encode_test(
    task: Task,
    spec: &FeatureSpec,
    data: &Loaded,
    history: Option<&Loaded>,
    options: &ExampleOptions,
) -> Result<Encoded, TrainError> {
    let (lines, found) = measured(task, data, history)?;
    Ok(encode_snapshots(
        &Arc::new(spec.clone()),
        &lines,
        found,
        options,
    ))
}

/// Kind and name of the segments of each of the same snapshots.
pub(super) fn segments(
    task: Task,
    data: &Loaded,
    history: Option<&Loaded>,
) -> Result<Vec<Vec<(&'static str, String)>>, TrainError> {
    let (_, found) = measured(task, data, history)?;
    Ok(found.iter().map(|s| of_history(&s.context)).collect())
}

/// The snapshots that are measured, and the events that each is told from.
fn measured(
    task: Task,
    data: &Loaded,
    history: Option<&Loaded>,
) -> Result<(Timelines, Vec<Snapshot>), TrainError> {
    match task {
        Task::ThirtyDay => thirty_day_measured(data, history),
        _ => next_day_measured(data, history),
    }
}

/// With history: one snapshot at midnight of the first day of `data`, as the protocol says.
/// Without: every month start inside `data`.
fn thirty_day_measured(
    data: &Loaded,
    history: Option<&Loaded>,
) -> Result<(Timelines, Vec<Snapshot>), TrainError> {
    let later = timelines(Task::ThirtyDay, data)?;
    let Some((first, last)) = later.period() else {
        return Ok((later, Vec::new()));
    };
    let Some(history) = history else {
        let moments = thirty_day::month_starts(first, last, data.utc_offset_minutes);
        let found = moments
            .iter()
            .flat_map(|&at| thirty_day::snapshots(&later, &later, at))
            .collect();
        return Ok((later, found));
    };
    in_order(&timelines(Task::ThirtyDay, history)?, first)?;
    // Together: on the first day of the data the history may still hold the morning.
    let events = history.events.iter().chain(&data.events);
    let all = Loaded {
        events: events.cloned().collect(),
        ..Loaded::default()
    };
    let all = timelines(Task::ThirtyDay, &all)?;
    let at = midnight(first, data.utc_offset_minutes);
    let found = thirty_day::snapshots(&all, &all, at);
    Ok((all, found))
}

/// How many days of the thirty after its first midnight `data` does not hold, where these are measured.
pub(super) fn days_short(task: Task, data: &Loaded) -> Result<Option<u32>, TrainError> {
    if task != Task::ThirtyDay {
        return Ok(None);
    }
    let period = timelines(task, data)?.period();
    Ok(period.and_then(|(first, last)| {
        thirty_day::days_short(midnight(first, data.utc_offset_minutes), last)
    }))
}

/// How many hours the last day of the data lacks, where its outcomes are measured.
pub(super) fn hours_short(
    task: Task,
    data: &Loaded,
    history: Option<&Loaded>,
) -> Result<Option<u32>, TrainError> {
    Ok(last_day(task, data, history)?.1.map(|cut| cut.hours))
}

/// The identifiers of the snapshots whose outcome is not known yet.
pub(super) fn open(task: Task, data: &Loaded) -> Result<HashSet<String>, TrainError> {
    let (lines, cut) = last_day(task, data, None)?;
    let ids = cut.into_iter().flat_map(|cut| {
        let users = lines.users.keys();
        users.map(move |user| name(user, cut.from, data.utc_offset_minutes))
    });
    Ok(ids.collect())
}

/// The users, and of `next-day` the last day where it is cut short.
fn last_day(
    task: Task,
    data: &Loaded,
    history: Option<&Loaded>,
) -> Result<(Timelines, Option<CutShort>), TrainError> {
    let mut lines = timelines(task, data)?;
    if task != Task::NextDay {
        return Ok((lines, None));
    }
    if let Some((history, (first, _))) = history.zip(lines.period())
        && let Some((start, until)) = timelines(task, history)?.period()
        // As the days are measured: where one continues the other, or both cover the same.
        && (until < first || same_period(start, first))
    {
        let events = history.events.iter().chain(&data.events);
        lines = Timelines::new(events.cloned());
    }
    let cut = lines.period().and_then(|(first, last)| {
        next_day::cut_short(&lines, first, last, data.utc_offset_minutes)
    });
    Ok((lines, cut))
}

/// Whether the test data begins after the training data ends.
pub(super) fn check_continues(train: &Loaded, test: &Loaded) -> Result<(), TrainError> {
    let later = timelines(Task::ThirtyDay, test)?;
    let earlier = timelines(Task::ThirtyDay, train)?;
    later
        .period()
        .map_or(Ok(()), |(first, _)| in_order(&earlier, first))
}

fn in_order(earlier: &Timelines, test_from: i64) -> Result<(), TrainError> {
    match earlier.period() {
        Some((_, train_to)) if train_to >= test_from => Err(TrainError::Overlap {
            train_to: format_timestamp(train_to),
            test_from: format_timestamp(test_from),
        }),
        _ => Ok(()),
    }
}

fn next_day_measured(
    data: &Loaded,
    history: Option<&Loaded>,
) -> Result<(Timelines, Vec<Snapshot>), TrainError> {
    let lines = timelines(Task::NextDay, data)?;
    let Some((first, last)) = lines.period() else {
        return Ok((lines, Vec::new()));
    };
    if let Some(history) = history {
        let earlier = timelines(Task::NextDay, history)?;
        if let Some((from, until)) = earlier.period()
            && until < first
        {
            // The data continue the history: their days, known what was before them.
            let all = Timelines::new(history.events.iter().chain(&data.events).cloned());
            let mut found = next_day::snapshots(&all, from, last, data.utc_offset_minutes);
            let begin = midnight(first, data.utc_offset_minutes);
            found.retain(|snapshot| snapshot.at >= begin);
            return Ok((all, found));
        }
    }
    // Both sets cover one period; the users of a small set may begin late or end early.
    let times = |loaded: &Loaded| -> Option<(i64, i64)> {
        let times = loaded.events.iter().map(|event| event.timestamp);
        Some((times.clone().min()?, times.max()?))
    };
    let (from, end) = history
        .and_then(times)
        .filter(|(start, _)| same_period(*start, first))
        .map_or((first, last), |(start, end)| {
            (start.min(first), end.max(last))
        });
    let found = next_day::snapshots(&lines, from, end, data.utc_offset_minutes);
    Ok((lines, found))
}

/// Whether two sets that begin then are of one period: that of the protocol has nine days.
const fn same_period(a: i64, b: i64) -> bool {
    (a - b).abs() < 9 * DAY
}

/// Every user as of the midnight after the last event; `seen` is shown the events behind the rows.
/// A network of `next-day` has never seen a day with less than three before it, whose rates it would
/// be given: of a shorter period nobody is scored.
pub(super) fn encode_now(
    task: Task,
    spec: &FeatureSpec,
    data: &Loaded,
    options: &ExampleOptions,
    seen: &mut dyn FnMut(&[Event]),
) -> Result<Encoded, TrainError> {
    let lines = timelines(task, data)?;
    let Some((first, last)) = lines.period() else {
        return Ok(Encoded::default());
    };
    let now = midnight(last, data.utc_offset_minutes) + DAY;
    let found = match task {
        Task::ThirtyDay => thirty_day::snapshots(&lines, &lines, now),
        _ => {
            let days = (now - midnight(first, data.utc_offset_minutes)) / DAY;
            if days < next_day::FIRST_DAY {
                let reason = format!(
                    "forecasts a day from the {} before it, as it has learnt to, and {} holds {days}; give the \
                     earlier days, too",
                    next_day::FIRST_DAY,
                    data.places()
                );
                return Err(TrainError::Unsuited { task, reason });
            }
            let mut all = next_day::snapshots(&lines, first, now + DAY, data.utc_offset_minutes);
            all.retain(|snapshot| snapshot.at == now);
            all
        }
    };
    for snapshot in &found {
        let events = history(&lines, snapshot);
        let skipped = events.len().saturating_sub(options.max_events);
        seen(events.get(skipped..).unwrap_or_default());
    }
    Ok(encode_snapshots(
        &Arc::new(spec.clone()),
        &lines,
        found,
        options,
    ))
}

fn day(milliseconds: i64) -> String {
    format_timestamp(milliseconds).chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::progress::Silent;

    const START: i64 = 1_511_539_200_000; // 2017-11-25 00:00 UTC+8

    fn shop(events: &[(&str, EventKind, i64)]) -> Loaded {
        Loaded {
            utc_offset_minutes: 480,
            events: events
                .iter()
                .map(|&(user, kind, at)| Event {
                    user_id: Some(user.to_owned()),
                    ..Event::new(kind, START + at)
                })
                .collect(),
            ..Loaded::default()
        }
    }

    fn days(encoded: &Encoded) -> Vec<i64> {
        let starts = encoded.examples.iter().map(|example| example.start);
        starts.map(|start| (start - START) / DAY).collect()
    }

    #[test]
    fn a_last_day_that_is_cut_short_is_not_learnt_from() {
        let names: Vec<String> = (0..30).map(|user| format!("u{user}")).collect();
        let hour = DAY / 24;
        let of = |hours: i64| {
            let events: Vec<_> = (0..hours)
                .flat_map(|place| names.iter().map(move |name| (name, place)))
                .map(|(name, place)| (name.as_str(), EventKind::ViewItem, place * hour))
                .collect();
            shop(&events)
        };
        let learnt = |data: &Loaded| -> BTreeSet<i64> {
            let lines = timelines(Task::NextDay, data).expect("users");
            let parts = split_by_user(&lines, data, Shares::Shop, &mut Silent).expect("a period");
            let all = parts.into_iter().flatten();
            all.map(|snapshot| (snapshot.at - START) / DAY).collect()
        };
        let short = |data: &Loaded| hours_short(Task::NextDay, data, None).expect("users");
        let open = |data: &Loaded| open(Task::NextDay, data).expect("users");
        let (whole, cut) = (of(5 * 24), of(5 * 24 + 13));
        assert_eq!(learnt(&whole), BTreeSet::from([3, 4]));
        assert_eq!((short(&whole), open(&whole).len()), (None, 0));
        assert_eq!(learnt(&cut), BTreeSet::from([3, 4]));
        assert_eq!(short(&cut), Some(12));
        assert!(open(&cut).len() == 30 && open(&cut).contains("u7@2017-11-30"));
        // What the other set tells: alone, two days say nothing.
        let mut later = cut.clone();
        later
            .events
            .retain(|event| event.timestamp >= START + 4 * DAY);
        assert_eq!(short(&later), None);
        let both = hours_short(Task::NextDay, &later, Some(&whole)).expect("users");
        assert_eq!(both, Some(12));
    }

    #[test]
    fn the_period_is_that_of_both_sets() {
        let view = EventKind::ViewItem;
        let early = shop(&[("a", view, 1), ("a", view, 9 * DAY)]);
        let late = shop(&[("b", view, DAY + 1), ("b", view, 6 * DAY)]);
        let lines = timelines(Task::NextDay, &early).expect("users");
        let parts = split_by_user(&lines, &early, Shares::Protocol, &mut Silent).expect("a period");
        let learnt: Vec<Snapshot> = parts.into_iter().flatten().collect();
        let spec = fit_on(&lines, &learnt, 480);
        let options = ExampleOptions::default();
        let of = |history| {
            encode_test(Task::NextDay, &spec, &late, history, &options).expect("examples")
        };
        // To the ninth day, though nothing happens in the set after the sixth midnight; the event
        // of the other set at the ninth midnight opens no tenth day.
        assert_eq!(days(&of(Some(&early))), [3, 4, 5, 6, 7, 8]);
        // Alone, the set is all that is known: days count from its own first one.
        assert_eq!(days(&of(None)), [4, 5]);
        let names = segments(Task::NextDay, &late, Some(&early)).expect("users");
        assert_eq!(
            names,
            vec![vec![("visitor", "no order yet".to_owned())]; 6],
            "one for each example"
        );
        // What ends before the set begins is its past: days of the set alone, users of both known.
        let past = shop(&[("a", view, 1), ("b", view, DAY / 2)]);
        let continued = of(Some(&past));
        assert_eq!(days(&continued), [3, 4, 5, 3, 4, 5]);
        let users: Vec<_> = continued
            .examples
            .iter()
            .map(|e| e.user.as_deref())
            .collect();
        // In the shop's own days: the fourth after the 25th.
        assert_eq!(continued.examples[0].id, "a@2017-11-28");
        assert_eq!(users[..3], [Some("a"); 3]);
        assert_eq!(users[3..], [Some("b"); 3]);
        let events: Vec<usize> = continued.examples.iter().map(|e| e.events).collect();
        assert_eq!(events, [1, 1, 1, 2, 2, 2]);
        let names = segments(Task::NextDay, &late, Some(&past)).expect("users");
        assert_eq!(names.len(), continued.examples.len());
    }

    #[test]
    fn no_horizon_reaches_into_the_next_part() {
        // One order a day, from 2011-01-10 to 2011-04-15: known outcomes of February and March.
        let first = 1_294_617_600_000;
        let events = (0..96).map(|day| Event {
            user_id: Some(format!("u{}", day % 7)),
            ..Event::new(EventKind::Purchase, first + day * DAY)
        });
        let lines = Timelines::new(events.chain([Event {
            user_id: Some("late".to_owned()),
            ..Event::new(EventKind::Purchase, first + 150 * DAY)
        }]));
        let parts = split_by_month(&lines, 0, Shares::Protocol).expect("months");
        let days = |part: &[Snapshot]| {
            let all: BTreeSet<String> = part.iter().map(|snapshot| day(snapshot.at)).collect();
            all.into_iter().collect::<Vec<_>>()
        };
        // The 30 days from 1 February end on 3 March, those from 1 April on 1 May.
        let [train, validation, test] = parts;
        assert_eq!(days(&train), ["2011-02-01", "2011-03-01"]);
        assert_eq!(days(&validation), ["2011-04-01", "2011-05-01"]);
        assert!(test.is_empty());
        let parts = split_by_month(&lines, 0, Shares::Shop).expect("months");
        let [train, validation, test] = parts;
        assert_eq!(days(&train), Vec::<String>::new());
        assert_eq!(days(&validation), ["2011-03-01", "2011-04-01"]);
        assert_eq!(days(&test), ["2011-05-01"]);
    }

    #[test]
    fn scoring_looks_at_the_midnight_after_the_last_event() {
        let view = EventKind::ViewItem;
        let data = shop(&[("a", view, 1), ("a", view, 4 * DAY + 7)]);
        let lines = timelines(Task::NextDay, &data).expect("users");
        let parts = split_by_user(&lines, &data, Shares::Protocol, &mut Silent).expect("a period");
        let learnt: Vec<Snapshot> = parts.into_iter().flatten().collect();
        let spec = fit_on(&lines, &learnt, 480);
        let options = ExampleOptions::default();
        let now = encode_now(Task::NextDay, &spec, &data, &options, &mut |_| ()).expect("examples");
        assert_eq!(days(&now), [5]);
        // A user of one day in a period of three is scored; of a period of two nobody is.
        for (second, scored) in [(2 * DAY, true), (2 * DAY - 1, false)] {
            let data = shop(&[("a", view, 1), ("b", view, second)]);
            match encode_now(Task::NextDay, &spec, &data, &options, &mut |_| ()) {
                Ok(now) => assert!(scored && days(&now) == [3, 3]),
                Err(error) => assert!(!scored && error.to_string().contains("holds 2; give")),
            }
        }
    }
}
