//! How often `drift` raises an alert where nothing was changed, and how soon where something was.

use std::collections::{BTreeMap, HashSet};

use propense_events::{DAY, Event, EventKind};
use propense_model::Bundle;
use propense_train::{DriftOptions, DriftReport, Loaded, Task, drift};

use crate::Done;
use crate::fitting::{fit, part};

/// Random halves of the users.
const SPLITS: u64 = 200;

/// Looks at growing data after a change, at least this many hours apart.
const STEP_HOURS: i64 = 6;

fn model(data: &Loaded, path: Option<String>) -> Result<Bundle, Box<dyn std::error::Error>> {
    match path {
        Some(path) => Ok(Bundle::from_bytes(&std::fs::read(path)?)?),
        // The first four days.
        None => {
            let first = first(data);
            Ok(fit(Task::InSession, &part(data, first, first + 4 * DAY), 1)?.0)
        }
    }
}

fn first(data: &Loaded) -> i64 {
    data.events
        .iter()
        .map(|event| event.timestamp)
        .min()
        .unwrap_or_default()
}

fn last(data: &Loaded) -> i64 {
    data.events
        .iter()
        .map(|event| event.timestamp)
        .max()
        .unwrap_or_default()
}

/// A fixed hash (splitmix64) of a user, for halves.
fn hash(text: &str, seed: u64) -> u64 {
    let start = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    text.bytes().fold(start, |hash, byte| {
        let mixed = (hash ^ u64::from(byte)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

fn who(event: &Event) -> &str {
    let session = event.session_id.as_deref();
    event.user_id.as_deref().or(session).unwrap_or_default()
}

fn keep(data: &Loaded, wanted: impl Fn(&Event) -> bool) -> Loaded {
    Loaded {
        events: data
            .events
            .iter()
            .filter(|event| wanted(event))
            .cloned()
            .collect(),
        files: Vec::new(),
        // A part is not what a model of the whole has learnt from.
        sha256: String::new(),
        ..data.clone()
    }
}

fn kinds(report: &DriftReport) -> HashSet<&str> {
    report
        .alerts
        .iter()
        .map(|alert| alert.kind.as_str())
        .collect()
}

/// Random halves of the users of the later days: nothing differs but chance. Then each day beside the
/// day before it: nothing was changed, but days differ.
pub(crate) fn quiet(data: &Loaded, path: Option<String>) -> Done {
    let bundle = model(data, path)?;
    let (begin, end) = (first(data), last(data));
    let later = part(data, begin + (end - begin) / 2, end + 1);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let (mut any, mut columns, mut tested) = (0, 0, 0);
    for seed in 0..SPLITS {
        let half = |event: &Event| hash(who(event), seed).is_multiple_of(2);
        let (one, two) = (keep(&later, half), keep(&later, |event| !half(event)));
        let options = DriftOptions {
            seed,
            ..DriftOptions::default()
        };
        let found = drift(&bundle, &two, Some(&one), &options)?.report;
        for kind in kinds(&found) {
            *counts.entry(kind.to_owned()).or_default() += 1;
        }
        // What the halves share (a model that is off on both) is no false alarm of a comparison.
        let compared = ["feature", "scores", "labels"];
        any += usize::from(kinds(&found).iter().any(|kind| compared.contains(kind)));
        columns += found.columns.iter().filter(|column| column.alert).count();
        tested += found.columns.iter().filter(|column| column.watched).count();
    }
    println!(
        "random halves: {any} of {SPLITS} runs with an alert of features, scores or labels; {columns} of {tested} columns; by kind {counts:?}"
    );
    let days = (end - begin) / DAY;
    for day in 1..days.min(60) {
        let of = |day: i64| part(data, begin + day * DAY, begin + (day + 1) * DAY);
        match drift(
            &bundle,
            &of(day),
            Some(&of(day - 1)),
            &DriftOptions::default(),
        ) {
            Ok(found) => {
                let found = found.report;
                let alerts: Vec<String> = found
                    .alerts
                    .iter()
                    .map(|a| format!("{}: {}", a.kind, a.detail))
                    .collect();
                println!(
                    "day {day} beside the day before, {} sessions: {alerts:?}",
                    found.sessions
                );
            }
            Err(error) => println!("day {day}: {error}"),
        }
    }
    Ok(())
}

/// Changes laid into the data from the middle on: how many hours and sessions until the first alert
/// that names it, with all data before as the reference.
pub(crate) fn shift(data: &Loaded, path: Option<String>) -> Done {
    let bundle = model(data, path)?;
    let (begin, end) = (first(data), last(data));
    let middle = begin + (end - begin) / 2;
    let reference = part(data, begin, middle);
    type Change = fn(&mut Event) -> bool;
    let changes: [(&str, Change); 6] = [
        ("nothing", |_| true),
        ("prices times 1.5", |event| {
            for item in &mut event.items {
                item.price = item.price.map(|price| price * 1.5);
            }
            true
        }),
        ("a fifth of the items in a new category", |event| {
            for item in &mut event.items {
                if hash(&item.item_id, 3).is_multiple_of(5) {
                    item.item_category = Some("a new category".to_owned());
                }
            }
            true
        }),
        ("carts not tracked", |event| {
            event.kind != EventKind::AddToCart
        }),
        ("wish lists not tracked", |event| {
            event.kind != EventKind::AddToWishlist
        }),
        ("half of the views not tracked", |event| {
            event.kind != EventKind::ViewItem
                || hash(who(event), event.timestamp as u64).is_multiple_of(2)
        }),
    ];
    for (name, change) in changes {
        let mut changed = part(data, middle, end + 1);
        changed.events.retain_mut(change);
        let mut said = format!("{name}: no alert of a feature to the end");
        let step = STEP_HOURS.max((end - middle) / (DAY / 24) / 40);
        let mut hours = step;
        while middle + hours * DAY / 24 <= end {
            let recent = part(&changed, middle, middle + hours * DAY / 24);
            if let Ok(found) = drift(&bundle, &recent, Some(&reference), &DriftOptions::default()) {
                let found = found.report;
                let mut features = found.alerts.iter().filter(|alert| alert.kind == "feature");
                if let Some(alert) = features.next() {
                    let more = features.count();
                    said = format!(
                        "{name}: after {hours} h, {} sessions: {} (and {more} more)",
                        found.sessions, alert.detail
                    );
                    break;
                }
            }
            hours += step;
        }
        println!("{said}");
    }
    Ok(())
}
