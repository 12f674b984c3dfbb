//! The rates are those of the real sets, where these lie beside the project.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Write},
    path::Path,
};

use flate2::read::MultiGzDecoder;
use propense_synth::EventsLayout;

use crate::made;

/// What can be measured on a file in Taobao's layout.
#[derive(Debug)]
struct Measured {
    kinds: BTreeMap<String, f64>,
    events_per_session: f64,
    single: f64,
    sessions_of_20: f64,
    /// Quantiles of the seconds between two events of a session.
    gaps: [f64; 3],
    evening: f64,
    same_category: f64,
    /// Share of pairs of user and item that no other user has.
    of_one_user: f64,
}

fn measured(text: &str, period: (i64, i64)) -> Measured {
    let mut users: BTreeMap<&str, Vec<(i64, &str, &str)>> = BTreeMap::new();
    let mut kinds: BTreeMap<String, f64> = BTreeMap::new();
    let mut items: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let (mut all, mut evening) = (0.0, 0.0);
    for line in text.lines() {
        let fields: Vec<&str> = line.trim_end().split(',').collect();
        let Ok(time) = fields[4].parse::<i64>() else {
            continue;
        };
        if time * 1_000 <= period.0 || time * 1_000 > period.1 || fields[3].is_empty() {
            continue;
        }
        all += 1.0;
        evening += f64::from(u8::from((20..24).contains(&((time / 3_600 + 8) % 24))));
        *kinds.entry(fields[3].to_owned()).or_default() += 1.0;
        items.entry(fields[1]).or_default().push(fields[0]);
        let events = users.entry(fields[0]).or_default();
        events.push((time, fields[2], fields[1]));
    }
    kinds.values_mut().for_each(|share| *share /= all);
    let (mut sizes, mut gaps) = (Vec::new(), Vec::new());
    let (mut same, mut pairs) = (0.0, 0.0);
    for events in users.values_mut() {
        events.sort_unstable();
        events.dedup();
        for session in events.chunk_by(|before, after| after.0 - before.0 <= 1_800) {
            if session.len() >= 140 {
                continue;
            }
            sizes.push(session.len() as f64);
            for pair in session.windows(2) {
                gaps.push((pair[1].0 - pair[0].0) as f64);
                pairs += 1.0;
                same += f64::from(u8::from(pair[0].1 == pair[1].1));
            }
        }
    }
    gaps.sort_by(f64::total_cmp);
    let share = |matches: &dyn Fn(f64) -> bool| {
        sizes.iter().filter(|size| matches(**size)).count() as f64 / sizes.len() as f64
    };
    let (mut of_one, mut of_all) = (0.0, 0.0);
    for users in items.values_mut() {
        users.sort_unstable();
        users.dedup();
        of_all += users.len() as f64;
        of_one += f64::from(u8::from(users.len() == 1));
    }
    Measured {
        kinds,
        events_per_session: sizes.iter().sum::<f64>() / sizes.len() as f64,
        single: share(&|size| size == 1.0),
        sessions_of_20: share(&|size| size >= 20.0),
        gaps: [0.25, 0.5, 0.9].map(|q| gaps[(q * gaps.len() as f64) as usize]),
        evening: evening / all,
        same_category: same / pairs,
        of_one_user: of_one / of_all,
    }
}

#[test]
fn made_up_events_are_like_the_real_ones() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/taobao/UserBehavior.csv.gz");
    let Ok(file) = File::open(&path) else {
        let _ = writeln!(std::io::stderr(), "skipped: {} is missing", path.display());
        return;
    };
    let mut text = String::new();
    MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    let rows = text.lines().count() as u64;
    let (made, manifest) = made(EventsLayout::Taobao, rows, 1);
    let real = measured(&text, manifest.period);
    let made = measured(&made, manifest.period);

    // (what, real, made, relative difference allowed)
    let mut table = vec![
        (
            "events per session",
            real.events_per_session,
            made.events_per_session,
            0.06,
        ),
        ("sessions of one event", real.single, made.single, 0.06),
        (
            "sessions of 20 events",
            real.sessions_of_20,
            made.sessions_of_20,
            0.15,
        ),
        ("a quarter of pauses", real.gaps[0], made.gaps[0], 0.1),
        ("median pause", real.gaps[1], made.gaps[1], 0.1),
        ("nine tenths of pauses", real.gaps[2], made.gaps[2], 0.1),
        ("between 20 and 24 h", real.evening, made.evening, 0.1),
        (
            "same category",
            real.same_category,
            made.same_category,
            0.15,
        ),
        ("items of one user", real.of_one_user, made.of_one_user, 0.1),
    ];
    for (kind, share) in &real.kinds {
        table.push((kind, *share, made.kinds[kind], 0.1));
    }
    for (what, real, made, allowed) in table {
        let difference = (made / real - 1.0).abs();
        assert!(difference <= allowed, "{what}: {real} is real, {made} made");
    }
}
