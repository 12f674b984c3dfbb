//! Identity: sightings in, owners out.

use propense_prepare::stitch::{Pairs, StitchCounts, Stitching};
use proptest::prelude::*;

/// Reads `device user time, …`.
fn pairs(text: &str) -> Vec<(String, String, i64)> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            let mut words = part.split_whitespace();
            let mut word = || words.next().expect("device user time").to_owned();
            (word(), word(), word().parse().expect("a time"))
        })
        .collect()
}

fn stitch(sightings: &[(String, String, i64)]) -> Stitching {
    let mut pairs = Pairs::default();
    for (device, user, time) in sightings {
        pairs.add(device, user, *time);
    }
    pairs.resolve()
}

#[test]
fn an_anonymous_event_belongs_to_the_user_last_seen() {
    let rows = [
        // sightings, device, time, owner
        ("", "d", 0, None),
        ("d a 10", "e", 10, None),
        ("d a 10", "d", 0, Some("a")),
        ("d a 10", "d", 10, Some("a")),
        ("d a 10", "d", 99, Some("a")),
        ("d a 10, d b 20", "d", 5, Some("a")),
        ("d a 10, d b 20", "d", 19, Some("a")),
        ("d a 10, d b 20", "d", 20, Some("b")),
        ("d a 10, d b 20", "d", 99, Some("b")),
        ("d b 20, d a 10", "d", 15, Some("a")),
        ("d a 10, d b 20, d a 30", "d", 25, Some("b")),
        ("d a 10, d b 20, d a 30", "d", 30, Some("a")),
        ("d a 10, d a 14, d b 15, d a 16, d a 30", "d", 17, Some("a")),
        ("d a 10, d a 14, d b 15, d a 16, d a 30", "d", 15, Some("b")),
        ("d a 10, d b 20, d c 30", "d", 99, Some("c")),
        ("d a 10, d b 20, d c 30, d x 40", "d", 15, None),
        ("d a 10, d b 20, d c 30, d x 40, e a 5", "e", 15, Some("a")),
        ("d a 10, d b 10", "d", 10, Some("b")),
        ("d b 10, d a 10", "d", 10, Some("b")),
    ];
    for (sightings, device, time, expected) in rows {
        let stitching = stitch(&pairs(sightings));
        assert_eq!(
            stitching.owner(device, time),
            expected,
            "{sightings} / {device} {time}"
        );
    }
}

#[test]
fn devices_are_counted() {
    let stitching = stitch(&pairs(
        "d a 1, d a 2, e a 1, e b 2, f a 1, f b 2, f c 3, g a 1, g b 2, g c 3, g x 4",
    ));
    let expected = StitchCounts {
        stitched: 3,
        changed_hands: 2,
        shared: 1,
        users: 4,
        left_out: 0,
    };
    assert_eq!(stitching.counts(), expected);
    assert!(!stitching.is_empty());
    assert!(Pairs::default().resolve().is_empty());
}

#[test]
fn memory_is_bounded() {
    // A thousand devices of one user each, seen in a hundred hours each: 100,000 sightings.
    let add = |pairs: &mut Pairs| {
        for hour in 0..100i64 {
            for device in 0..1000 {
                let user = format!("user {device}");
                pairs.add(&format!("device {device}"), &user, hour * 3_600_000);
            }
        }
    };
    let mut enough = Pairs::with_most_sightings(1000);
    add(&mut enough);
    let stitching = enough.resolve();
    assert_eq!(stitching.counts().stitched, 1000);
    assert_eq!(stitching.counts().left_out, 0);
    assert_eq!(stitching.owner("device 7", 0), Some("user 7"));
    // Too little for one span each: some devices are left out, and counted.
    let mut little = Pairs::with_most_sightings(400);
    add(&mut little);
    let stitching = little.resolve();
    let counts = stitching.counts();
    assert!((200..=400).contains(&counts.stitched), "{counts:?}");
    assert!(counts.left_out >= 600, "{counts:?}");
    for device in 0..1000 {
        let owner = stitching.owner(&format!("device {device}"), 0);
        assert!(owner.is_none_or(|owner| owner == format!("user {device}")));
    }
}

/// The rule as it is written, over all sightings.
fn by_the_rule(sightings: &[(String, String, i64)], device: &str, time: i64) -> Option<String> {
    let mut seen: Vec<(i64, &str)> = sightings
        .iter()
        .filter(|(other, _, _)| other == device)
        .map(|(_, user, time)| (*time, user.as_str()))
        .collect();
    seen.sort_unstable();
    let mut users: Vec<&str> = seen.iter().map(|(_, user)| *user).collect();
    users.sort_unstable();
    users.dedup();
    if users.len() > 3 {
        return None;
    }
    let last = seen.iter().rev().find(|(at, _)| *at <= time);
    // At one first time the user whose id comes last.
    let first_time = seen.first().map(|(at, _)| *at);
    let first = seen.iter().rev().find(|(at, _)| Some(*at) == first_time);
    last.or(first).map(|(_, user)| (*user).to_owned())
}

fn sightings() -> impl Strategy<Value = Vec<(String, String, i64)>> {
    let one = (
        proptest::sample::select(vec!["d", "e"]),
        proptest::sample::select(vec!["a", "b", "c", "x"]),
        0..40i64,
    );
    let one = one.prop_map(|(device, user, time)| (device.to_owned(), user.to_owned(), time));
    proptest::collection::vec(one, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn in_any_order_and_any_parts(
        sightings in sightings(),
        turn in 0..12usize,
        cut in 0..12usize,
        time in -5..45i64,
    ) {
        let expected = by_the_rule(&sightings, "d", time);
        let whole = stitch(&sightings);
        prop_assert_eq!(whole.owner("d", time), expected.as_deref());
        let mut turned = sightings.clone();
        turned.rotate_left(turn.min(sightings.len()));
        let (one, other) = turned.split_at(cut.min(turned.len()));
        let collect = |part: &[(String, String, i64)]| {
            let mut pairs = Pairs::with_most_sightings(100);
            for (device, user, time) in part {
                pairs.add(device, user, *time);
            }
            pairs
        };
        let mut merged = collect(one);
        merged.merge(&collect(other));
        let merged = merged.resolve();
        prop_assert_eq!(merged.owner("d", time), expected.as_deref());
        prop_assert_eq!(merged.counts(), whole.counts());
    }
}
