//! The dirt of the `taobao` layout, found again by the plainest means.

use std::collections::{BTreeMap, HashSet};

use propense_synth::EventsLayout;

use crate::{count, made};

const ROWS: u64 = 400_000;

#[test]
fn the_dirt_is_what_the_manifest_says() {
    let (text, manifest) = made(EventsLayout::Taobao, ROWS, 11);
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    let mut seen = HashSet::new();
    let mut users: BTreeMap<u64, Vec<(i64, &str, &str)>> = BTreeMap::new();
    let (from, to) = manifest.period;
    for line in text.lines() {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields.len(), 5, "{line}");
        let time = fields[4].parse::<i64>();
        let rule = if fields.contains(&"") {
            "missing_field"
        } else if time.is_err() {
            "malformed"
        } else if !(from / 1_000 + 1..=to / 1_000).contains(time.as_ref().unwrap()) {
            "outside_period"
        } else if !seen.insert(line) {
            "duplicate"
        } else {
            users.entry(fields[0].parse().unwrap()).or_default().push((
                time.unwrap(),
                fields[1],
                fields[3],
            ));
            continue;
        };
        *found.entry(rule).or_default() += 1;
    }
    let mut rule = |name, rows: u64| *found.entry(name).or_default() += rows;
    for events in users.values_mut() {
        rule(
            "out_of_order",
            events.windows(2).filter(|w| w[1].0 < w[0].0).count() as u64,
        );
        events.sort_by_key(|event| event.0);
        let fired = events
            .windows(2)
            .filter(|w| w[1].0 - w[0].0 <= 1 && (w[0].1, w[0].2) == (w[1].1, w[1].2));
        rule("double_fire", fired.count() as u64);
        for session in events.chunk_by(|before, after| after.0 - before.0 <= 1_800) {
            let mut gaps: Vec<i64> = session.windows(2).map(|w| w[1].0 - w[0].0).collect();
            gaps.sort_unstable();
            let median = gaps.get(gaps.len() / 2).copied();
            if session.len() >= 1_000 || session.len() >= 100 && median == Some(0) {
                rule("bot", session.len() as u64);
            }
        }
    }
    found.retain(|_, rows| *rows > 0);
    let mut laid_in = manifest.set_aside.clone();
    laid_in.extend(manifest.repaired.clone());
    let found = found
        .into_iter()
        .map(|(rule, rows)| (rule.to_owned(), rows));
    assert_eq!(found.collect::<BTreeMap<_, _>>(), laid_in);
    assert!(count(&manifest, "bot") > 100);
}
