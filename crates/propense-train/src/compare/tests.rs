//! What a comparison promises: the same parts for all, a choice by validation, nothing from chance.

use propense_events::{Event, EventKind, Item};
use propense_model::StructureKind;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;

use super::*;
use crate::device::DeviceChoice;
use crate::options::{Preset, TrainOptions};
use crate::progress::Silent;

/// Visits of two to six views an hour apart; with `telling`, those that put something into the cart
/// order, else the same outcomes are dealt out at random.
fn shop(visits: usize, telling: bool) -> Loaded {
    let mut data = Loaded::default();
    let mut outcomes: Vec<bool> = (0..visits).map(|v| v % 3 == 0 && v % 12 != 0).collect();
    if !telling {
        outcomes.shuffle(&mut ChaCha12Rng::seed_from_u64(5));
    }
    for (visit, orders) in outcomes.into_iter().enumerate() {
        let begin = 1_600_000_000_000 + visit as i64 * 3_600_000;
        let keen = visit % 3 == 0;
        let mut kinds = vec![EventKind::ViewItem; 2 + visit % 5];
        if keen {
            kinds.insert(1, EventKind::AddToCart);
        }
        if orders {
            kinds.push(EventKind::Purchase);
        }
        for (place, kind) in kinds.into_iter().enumerate() {
            let mut event = Event::new(kind, begin + place as i64 * 20_000);
            event.user_id = Some(format!("u{visit}"));
            event.session_id = Some(format!("s{visit}"));
            event.items = vec![Item {
                item_id: format!("i{}", (visit * 5 + place * 3) % 17),
                ..Item::default()
            }];
            data.events.push(event);
        }
    }
    data
}

fn request(learners: &[Learner], seeds: usize) -> CompareRequest {
    CompareRequest {
        fit: FitRequest {
            task: Task::InSession,
            preset: Preset::Seed,
            training: TrainOptions {
                epochs: 2,
                batch: 64,
                ..TrainOptions::default()
            },
            examples: ExampleOptions::default(),
            activation: Default::default(),
            sizes: crate::NetworkSizes {
                filters: Some(2),
                hidden: Some(8),
                dropout: None,
            },
            precision: propense_model::Precision::F32,
            deciding: crate::Deciding::default(),
            device: DeviceChoice::Cpu.open().expect("a CPU"),
            name: String::new(),
            licence: String::new(),
            created_at: String::new(),
        },
        contenders: learners.iter().map(|l| Contender::plain(*l)).collect(),
        seeds,
        shifts: Vec::new(),
        measuring: MeasureOptions {
            resamples: 50,
            seed: 1,
        },
    }
}

#[test]
fn all_take_part_and_what_tells_is_found() {
    let data = shop(420, true);
    let learners = Learner::all();
    let made = compare(&data, None, &request(&learners, 1), &mut Silent).expect("a comparison");
    assert_eq!(made.rows.len(), learners.len());
    for (row, learner) in made.rows.iter().zip(&learners) {
        assert_eq!(row.name, learner.name());
        assert_eq!(
            row.bundle_bytes.is_some(),
            matches!(learner, Learner::Seed | Learner::Base)
        );
        let interval = row.auc.interval.expect("an interval");
        assert!(
            interval.0 <= row.auc.mean && row.auc.mean <= interval.1,
            "{row:?}"
        );
    }
    let auc = |learner: Learner| {
        let row = made.rows.iter().find(|row| row.name == learner.name());
        row.map_or(0.0, |row| row.auc.mean)
    };
    assert_eq!(auc(Learner::BaseRate), 0.5);
    // Two epochs are few for a network.
    for (learner, least) in [
        (Learner::Base, 0.7),
        (Learner::Trees, 0.85),
        (Learner::Logistic, 0.85),
    ] {
        assert!(auc(learner) > least, "{learner}: {}", auc(learner));
    }
    let lowest = made.rows.iter().map(|row| row.validation_log_loss);
    let lowest = lowest.fold(f64::INFINITY, f64::min);
    assert_eq!(made.rows[made.best].validation_log_loss, lowest);
    assert!(made.choice[0].contains(&made.rows[made.best].name));
    assert!(made.rows[made.best].behind.is_none());
}

#[test]
fn shuffled_outcomes_teach_the_baselines_nothing() {
    let data = shop(16_000, false);
    let request = request(&[Learner::Trees, Learner::Logistic], 1);
    let made = compare(&data, None, &request, &mut Silent).expect("a comparison");
    assert!(made.n > 4_000, "{} scores", made.n);
    for row in &made.rows {
        let auc = row.auc.mean;
        assert!((auc - 0.5).abs() < 0.03, "{}: {auc}", row.name);
    }
}

#[test]
fn seeds_augmentation_and_shares_are_lines_of_their_own() {
    let data = shop(420, true);
    let mut request = request(&[Learner::Structure(StructureKind::Conv)], 2);
    request.contenders.push(Contender {
        augment: vec![Augmentation::Crop, Augmentation::Resample],
        share: 50,
        ..request.contenders[0].clone()
    });
    request.shifts = vec![Shift::NewItems];
    let of = |request: &CompareRequest| {
        let made = compare(&data, None, request, &mut Silent).expect("a comparison");
        let rows = made.rows.iter();
        rows.map(|row| {
            let worth = row.worth.is_some();
            (row.name.clone(), row.auc, row.shifts[0].auc, worth)
        })
        .collect::<Vec<_>>()
    };
    let found = of(&request);
    assert_eq!(found[1].0, "conv + crop,resample on 50 %");
    assert!(found[0].1.seeds.0 < found[0].1.seeds.1, "{found:?}");
    assert_ne!(found[0].1.mean, found[1].1.mean);
    assert_eq!((found[0].3, found[1].3), (false, true));
    assert_eq!(found, of(&request), "the same seed gives the same table");
}

#[test]
fn a_recipe_is_taken_apart_line_by_line() {
    let data = shop(420, true);
    let mut request = request(&[Learner::Base], 1);
    request.fit.training.epochs = 4;
    let changed = RecipeChange::ALL.map(|change| Contender {
        change: Some(change),
        ..Contender::plain(Learner::Base)
    });
    request.contenders.extend(changed);
    let made = compare(&data, None, &request, &mut Silent).expect("a comparison");
    let (plain, rows) = made.rows.split_first().expect("rows");
    assert_eq!(rows.len(), RecipeChange::ALL.len());
    for (row, change) in rows.iter().zip(RecipeChange::ALL) {
        assert_eq!(row.name, format!("base {}", change.name()));
        assert!(row.worth.is_some(), "{}", row.name);
        assert!(row.auc.mean > 0.7, "{}: {}", row.name, row.auc.mean);
        // So short a training leaves trees something to teach, too.
        assert_ne!(row.log_loss.mean, plain.log_loss.mean, "{}", row.name);
    }
}

#[test]
fn what_else_is_forecast_is_a_line_of_its_own() {
    let data = shop(420, true);
    let gru = Learner::Structure(StructureKind::Gru);
    let items = Learner::Structure(StructureKind::ConvLstmItems);
    let mut request = request(&[], 1);
    for learner in [Learner::Seed, gru, items] {
        request.contenders.push(Contender::plain(learner));
        let besides = Objective::ALL.map(|objective| Contender {
            objective: Some(objective),
            ..Contender::plain(learner)
        });
        request.contenders.extend(besides);
    }
    let made = compare(&data, None, &request, &mut Silent).expect("a comparison");
    for rows in made.rows.chunks(1 + Objective::ALL.len()) {
        let (plain, rows) = rows.split_first().expect("rows");
        for (row, objective) in rows.iter().zip(Objective::ALL) {
            assert_eq!(row.name, format!("{} {}", plain.name, objective.name()));
            assert!(row.worth.is_some(), "{}", row.name);
            assert_eq!(row.parameters, plain.parameters, "heads are left behind");
            assert_ne!(row.log_loss.mean, plain.log_loss.mean, "{}", row.name);
        }
    }
}

#[test]
fn what_keeps_no_state_forecasts_nothing_else() {
    let data = shop(420, true);
    let context = Learner::Structure(StructureKind::Context);
    for learner in [Learner::Base, Learner::Trees, context] {
        let mut request = request(&[learner], 1);
        request.contenders[0].objective = Some(Objective::NextEvent);
        let error = compare(&data, None, &request, &mut Silent).expect_err("no state");
        assert!(error.to_string().contains("keeps no state"), "{error}");
    }
}

#[test]
fn a_structure_without_its_columns_says_so() {
    let mut data = shop(300, true);
    data.events.iter_mut().for_each(|event| event.items.clear());
    let learner = Learner::Structure(StructureKind::ConvLstmItems);
    let error = compare(&data, None, &request(&[learner], 1), &mut Silent).expect_err("no items");
    assert!(error.to_string().contains("leave it out"), "{error}");
    let mut request = request(&[Learner::Seed], 1);
    request.contenders[0].objective = Some(Objective::NextItem);
    let error = compare(&data, None, &request, &mut Silent).expect_err("no items");
    assert!(
        error.to_string().contains("needs events with items"),
        "{error}"
    );
}
