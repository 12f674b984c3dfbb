use std::sync::OnceLock;

use propense_events::{Event, EventKind, Item};
use propense_model::CellActivation;

use super::*;
use crate::progress::Silent;
use crate::{DeviceChoice, ExampleOptions, fit_bundle};

pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const START: i64 = 1_600_000_000_000;

/// How a visit ends, by its number and the price of what was looked at.
pub(crate) type Law = fn(usize, usize) -> bool;

/// Dear things are bought, with one exception in eight.
pub(crate) fn dear(visit: usize, price: usize) -> bool {
    (price >= 4) != (visit % 8 == 3)
}

/// Cheap things are.
pub(crate) fn cheap(visit: usize, price: usize) -> bool {
    !dear(visit, price)
}

/// Whatever.
fn chance(visit: usize, _: usize) -> bool {
    (visit * 7919 + 3) % 101 < 45
}

pub(crate) fn never(_: usize, _: usize) -> bool {
    false
}

/// One visit an hour, each of three looks at things of one price, by a visitor of its own.
pub(crate) fn visits(range: std::ops::Range<usize>, law: Law, factor: f64) -> Vec<Event> {
    let mut events = Vec::new();
    for visit in range {
        let price = 1 + (visit * 5 + visit / 7) % 7;
        for step in 0..4 {
            let order = step == 3;
            if order && !law(visit, price) {
                continue;
            }
            let kind = if order {
                EventKind::Purchase
            } else {
                EventKind::ViewItem
            };
            let mut event = Event::new(kind, START + visit as i64 * HOUR + step * 20_000);
            event.user_id = Some(format!("u{visit}"));
            event.items = vec![Item {
                item_id: format!("i{}", visit % 40),
                price: Some(price as f64 * factor),
                ..Item::default()
            }];
            events.push(event);
        }
    }
    events
}

pub(crate) fn loaded(events: Vec<Event>) -> Loaded {
    Loaded {
        name: "visits".to_owned(),
        events,
        ..Loaded::default()
    }
}

fn device() -> Chosen {
    DeviceChoice::Cpu.open().expect("the CPU")
}

/// How the live model is learnt.
pub(crate) fn live_request() -> FitRequest {
    FitRequest {
        task: Task::InSession,
        preset: Preset::Seed,
        training: TrainOptions {
            epochs: 5,
            batch: 16,
            learning_rate: 0.003,
            ..TrainOptions::default()
        },
        examples: ExampleOptions::default(),
        activation: CellActivation::Tanh,
        sizes: NetworkSizes::default(),
        precision: Precision::F32,
        deciding: crate::Deciding::default(),
        device: device(),
        name: "live".to_owned(),
        licence: "none".to_owned(),
        created_at: "2026-01-01T00:00:00Z".to_owned(),
    }
}

/// A model of the first 600 visits.
pub(crate) fn live() -> &'static Bundle {
    static LIVE: OnceLock<Bundle> = OnceLock::new();
    LIVE.get_or_init(|| {
        let data = loaded(visits(0..600, dear, 1.0));
        let bundle = fit_bundle(&data, &live_request(), &mut Silent)
            .expect("a model")
            .bundle;
        // As it is read back: with its checksum.
        let bytes = bundle.to_bytes(Precision::F32).expect("bytes");
        Bundle::from_bytes(&bytes).expect("a bundle")
    })
}

fn request() -> UpdateRequest {
    UpdateRequest {
        training: TrainOptions {
            epochs: 4,
            batch: 16,
            learning_rate: 0.002,
            patience: 2,
            ..TrainOptions::default()
        },
        draws: 300,
        // What these shops did before holds no longer: as much of it as of the new.
        replay: 1.0,
        created_at: "2026-02-01T00:00:00Z".to_owned(),
        ..UpdateRequest::new(device())
    }
}

/// Old visits, then new ones by a law, of which the last 120 (those sealed) by another.
fn shop(learnt: (Law, f64), sealed: (Law, f64)) -> Loaded {
    let mut events = visits(0..600, dear, 1.0);
    events.extend(visits(600..880, learnt.0, learnt.1));
    events.extend(visits(880..1001, sealed.0, sealed.1));
    loaded(events)
}

#[test]
fn a_changed_shop_is_followed_and_the_position_moves_with_the_bundle() {
    let data = shop((cheap, 1.0), (cheap, 1.0));
    let updated = update(live(), &data, &request(), &mut Silent).expect("an update");
    let judgement = &updated.report.judgement;
    assert_eq!(
        judgement.decision,
        Decision::Replace,
        "{:?}",
        judgement.reasons
    );
    let auc = judgement.whole.auc;
    assert!(auc.after > auc.before + 0.2, "{auc:?}");
    let sizes = updated.report.examples;
    // The last visit's gap has not passed when the data ends.
    assert_eq!((sizes.sealed, sizes.waiting), (120, 1));
    assert_eq!(sizes.fresh + sizes.validation, 280);
    assert!(sizes.replay > 150, "{sizes:?}");
    let lineage = updated.bundle.manifest.lineage.as_ref().expect("a lineage");
    assert_eq!(lineage.parent, live().manifest.sha256);
    assert_eq!(lineage.learnt_until_ms, START + 880 * HOUR);
    assert_eq!(
        updated.bundle.manifest.learnt_until_ms(),
        lineage.learnt_until_ms
    );
    // The specification is part of the model.
    assert_eq!(updated.bundle.manifest.features, live().manifest.features);

    // The same again, to the last bit; and what was learnt is not new any more.
    let again = update(live(), &data, &request(), &mut Silent).expect("an update");
    assert_eq!(again.bundle, updated.bundle);
    // But for the sealed window, which the next update learns from, a third of it sealed again.
    let next = update(&updated.bundle, &data, &request(), &mut Silent).expect("an update");
    let sizes = next.report.examples;
    assert_eq!(
        sizes.fresh + sizes.validation + sizes.sealed,
        120,
        "{sizes:?}"
    );
}

#[test]
fn broken_off_there_is_no_candidate() {
    /// Asks to stop after the first epoch.
    struct Once(bool);
    impl Observer for Once {
        fn on(&mut self, progress: &Progress<'_>) {
            self.0 |= matches!(progress, Progress::Epoch { .. });
        }
        fn stop(&self) -> bool {
            self.0
        }
    }
    let data = shop((dear, 1.0), (dear, 1.0));
    let error = update(live(), &data, &request(), &mut Once(false)).map(|_| ());
    let error = error.expect_err("interrupted");
    assert!(matches!(error, TrainError::Interrupted(_)), "{error}");
}

#[test]
fn what_arrives_late_is_learnt_once() {
    // Visits 700 to 760 arrive with the last part, their hours long learnt; of visit 650 a look.
    let is_late = |event: &Event| {
        let visit = (event.timestamp - START) / HOUR;
        (700..760).contains(&visit) || (visit == 650 && (event.timestamp - START) % HOUR == 20_000)
    };
    let all = visits(600..1400, cheap, 1.0);
    let until = START + 1001 * HOUR;
    let (mut arrived, mut rest): (Vec<Event>, Vec<Event>) = all
        .into_iter()
        .partition(|event| event.timestamp < until && !is_late(event));
    let first = update(live(), &loaded(arrived.clone()), &request(), &mut Silent);
    let first = first.expect("an update");
    assert_eq!(first.report.examples.late, 0);
    let bytes = first.bundle.to_bytes(Precision::F32).expect("bytes");
    let next = Bundle::from_bytes(&bytes).expect("a bundle");
    let count = arrived.len();
    arrived.append(&mut rest);
    let data = loaded(arrived);
    let by_time = new_examples(&next, &data, &request()).expect("a number");
    let request = UpdateRequest {
        arrived: Some(count),
        ..request()
    };
    let by_arrival = new_examples(&next, &data, &request).expect("a number");
    // Not visit 650, which was learnt without that look.
    assert_eq!(by_arrival, by_time + 60);
    let second = update(&next, &data, &request, &mut Silent).expect("an update");
    let sizes = second.report.examples;
    // One in five validates.
    assert!((35..60).contains(&sizes.late), "{sizes:?}");

    // Each visit once: learnt or validated in the first, or in the second, or sealed, or waiting.
    let learnt = |sizes: Sizes| sizes.fresh + sizes.validation;
    let once = learnt(first.report.examples) + learnt(sizes) + sizes.sealed + sizes.waiting;
    assert_eq!(once, 800);
}

#[test]
fn a_worse_candidate_never_replaces() {
    // What was done to the data that is learnt from; the sealed window is honest.
    let sabotaged: [(&str, Law, f64); 4] = [
        ("labels turned around", cheap, 1.0),
        ("labels by chance", chance, 1.0),
        ("prices doubled", dear, 2.0),
        ("prices in pence", dear, 100.0),
    ];
    for (what, law, factor) in sabotaged {
        let data = shop((law, factor), (dear, 1.0));
        let request = UpdateRequest {
            replay: 0.0,
            ..request()
        };
        let updated = update(live(), &data, &request, &mut Silent).expect(what);
        let judgement = updated.report.judgement;
        let whole = judgement.whole;
        assert_eq!(judgement.decision, Decision::Keep, "{what}: {whole:?}");
        assert!(!judgement.reasons.is_empty());
    }
    let data = shop((never, 1.0), (dear, 1.0));
    let fresh_alone = UpdateRequest {
        replay: 0.0,
        ..request()
    };
    let error = update(live(), &data, &fresh_alone, &mut Silent).expect_err("one class");
    assert!(matches!(error, TrainError::OneClass { .. }), "{error}");
}

#[test]
fn what_cannot_be_updated_is_refused_with_the_remedy() {
    let check = |live: &Bundle, events: Vec<Event>, request: &UpdateRequest, expected: &str| {
        let error = update(live, &loaded(events), request, &mut Silent);
        let error = error.map(|_| ()).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(live(), visits(0..640, dear, 1.0), &request(), "--since");
    let mut summaries = live().clone();
    summaries.manifest.task = "shoppers".to_owned();
    check(
        &summaries,
        visits(0..700, dear, 1.0),
        &request(),
        "no times",
    );
    let odd = UpdateRequest {
        sealed: 1.5,
        ..request()
    };
    check(live(), Vec::new(), &odd, "--sealed");
    // With an earlier moment, what was known becomes new.
    let since = UpdateRequest {
        since: Some(START + 200 * HOUR),
        ..request()
    };
    let data = loaded(visits(0..600, dear, 1.0));
    update(live(), &data, &since, &mut Silent).expect("an update");
}
