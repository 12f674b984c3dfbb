//! What a search promises: the test part stays sealed, a stopped search goes on to the same result,
//! and the result does not hang on how many trials run at once.

use propense_events::{Event, EventKind};

use super::*;
use crate::device::DeviceChoice;
use crate::options::Preset;
use crate::progress::Silent;
use crate::tasks::ExampleOptions;

fn shop(visits: usize, flip_from: usize) -> Loaded {
    let mut data = Loaded {
        sha256: "of the shop".to_owned(),
        ..Loaded::default()
    };
    for visit in 0..visits {
        let begin = 1_600_000_000_000 + visit as i64 * 3_600_000;
        let keen = visit % 3 == 0;
        let mut kinds = vec![EventKind::ViewItem; 2 + visit % 4];
        if keen {
            kinds.insert(1, EventKind::AddToCart);
        }
        if (keen && visit % 12 != 0) != (visit >= flip_from) {
            kinds.push(EventKind::Purchase);
        }
        for (place, kind) in kinds.into_iter().enumerate() {
            let mut event = Event::new(kind, begin + place as i64 * 20_000);
            event.user_id = Some(format!("u{visit}"));
            event.session_id = Some(format!("s{visit}"));
            data.events.push(event);
        }
    }
    data
}

fn request(out: &std::path::Path, search: Search, jobs: usize) -> TuneRequest {
    let text = r#"{"filters": [1, 2], "hidden": [4, 6], "learning_rate": [0.003, 0.01]}"#;
    TuneRequest {
        fit: FitRequest {
            task: Task::InSession,
            preset: Preset::Seed,
            training: TrainOptions {
                epochs: 3,
                batch: 64,
                ..TrainOptions::default()
            },
            examples: ExampleOptions::default(),
            activation: Default::default(),
            sizes: Default::default(),
            precision: propense_model::Precision::F32,
            deciding: crate::Deciding::default(),
            device: DeviceChoice::Cpu.open().expect("a CPU"),
            name: String::new(),
            licence: String::new(),
            created_at: String::new(),
        },
        space: Space::from_json(text).expect("a space"),
        search,
        trials: 6,
        jobs,
        out: out.to_owned(),
        resume: false,
    }
}

/// Without the times, which differ.
fn timeless(mut tuned: Tuned) -> Tuned {
    tuned.finished.iter_mut().for_each(|one| one.seconds = 0.0);
    tuned
}

fn run(
    data: &Loaded,
    request: &TuneRequest,
    observer: &mut dyn Observer,
) -> Result<Tuned, TrainError> {
    tune(data, request, observer).map(timeless)
}

/// Stops after so many finished trials.
struct Until(usize);

impl Observer for Until {
    fn on(&mut self, progress: &Progress<'_>) {
        if matches!(progress, Progress::Note(text) if text.starts_with("trial ")) {
            self.0 = self.0.saturating_sub(1);
        }
    }

    fn stop(&self) -> bool {
        self.0 == 0
    }
}

#[test]
fn a_stopped_search_goes_on_to_the_same_result_with_any_number_of_jobs() {
    let data = shop(300, usize::MAX);
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let whole = run(&data, &request(&at("whole"), Search::Asha, 1), &mut Silent).expect("a result");
    assert_eq!(whole.rungs, [1, 3]);
    assert!(whole.winner().is_some_and(|winner| winner.rung == 1));

    let mut parts = request(&at("parts"), Search::Asha, 2);
    let error = run(&data, &parts, &mut Until(2)).expect_err("stopped");
    assert!(error.to_string().contains("--resume"), "{error}");
    let again = run(&data, &parts, &mut Silent).expect_err("a search is there");
    assert!(again.to_string().contains("--resume goes on"), "{again}");
    parts.resume = true;
    assert_eq!(run(&data, &parts, &mut Silent).expect("a result"), whole);
    // Of a finished search there is nothing left to train.
    assert_eq!(run(&data, &parts, &mut Silent).expect("a result"), whole);

    // The same bytes by another mapping: of one visit in three the first look is a wish.
    let mut read_otherwise = data.clone();
    for event in read_otherwise.events.iter_mut().step_by(3) {
        if event.kind == EventKind::ViewItem {
            event.kind = EventKind::AddToWishlist;
        }
    }
    let other = run(&read_otherwise, &parts, &mut Silent).expect_err("other data");
    assert!(other.to_string().contains("of other data"), "{other}");

    parts.trials = 5;
    let fewer = run(&data, &parts, &mut Silent).expect_err("fewer trials");
    assert!(fewer.to_string().contains("--trials 6 or more"), "{fewer}");
    parts.fit.training.patience += 1;
    let other = run(&data, &parts, &mut Silent).expect_err("another search");
    assert!(other.to_string().contains("other options"), "{other}");
}

#[test]
fn a_finished_search_goes_on_with_more_trials() {
    let data = shop(300, usize::MAX);
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let of = |name: &str, trials, resume| {
        let request = TuneRequest {
            trials,
            resume,
            ..request(&at(name), Search::Random, 1)
        };
        run(&data, &request, &mut Silent).expect("a result")
    };
    let few = of("parts", 2, false);
    assert_eq!(few.finished.len(), 2);
    let more = of("parts", 4, true);
    assert_eq!(more.finished[..2], few.finished[..]);
    assert_eq!(more, of("whole", 4, false));
}

#[test]
fn the_ensemble_is_searched_and_judged_by_what_it_has_not_seen() {
    let data = shop(300, usize::MAX);
    let folder = tempfile::tempdir().expect("a folder");
    let text = r#"{"hidden": [2, 8], "learning_rate": [0.01], "decay": [0, 0.1]}"#;
    let of = |name: &str, observer: &mut dyn Observer, resume| {
        let mut request = TuneRequest {
            space: Space::from_json(text).expect("a space"),
            trials: 4,
            resume,
            ..request(&folder.path().join(name), Search::Asha, 1)
        };
        request.fit.preset = Preset::Base;
        request.fit.examples.summed = true;
        request.fit.training = TrainOptions {
            epochs: 6,
            ..TrainOptions::of(Preset::Base)
        };
        (run(&data, &request, observer), request)
    };
    let (whole, request) = of("whole", &mut Silent, false);
    let whole = whole.expect("a result");
    assert_eq!(
        (whole.rungs.as_slice(), whole.preset),
        (&[2, 6][..], Preset::Base)
    );
    let winner = whole.winner().expect("a winner");
    assert_eq!(winner.rung, 1);
    assert_eq!(winner.choice.learning_rate, Some(0.01));
    let loss = winner.validation_loss.expect("a loss");
    // The base rate of one in four has 0.56; the cart tells nearly all.
    assert!(loss < 0.45, "{loss}");
    let of_trial = |trial| whole.finished.iter().find(|one| one.trial == trial);
    let losses: Vec<_> = (0..4)
        .map(|trial| of_trial(trial).map(|one| one.validation_loss))
        .collect();
    for (place, one) in losses.iter().enumerate() {
        assert!(
            !losses[..place].contains(one),
            "the options change nothing: {losses:?}"
        );
    }

    let (stopped, _) = of("parts", &mut Until(2), false);
    assert!(stopped.is_err());
    assert_eq!(of("parts", &mut Silent, true).0.expect("a result"), whole);

    // What the winner's options give, trained by themselves.
    let won = fit(&request, &winner.choice);
    let again = crate::fit_bundle(&data, &won, &mut Silent).expect("a bundle");
    let curve: Vec<f64> = again
        .report
        .history
        .iter()
        .map(|e| e.validation_loss)
        .collect();
    assert_eq!(winner.curve, curve);
}

#[test]
fn the_best_training_wins_whatever_its_rung() {
    let one = |trial, rung, validation_loss| Finished {
        trial,
        rung,
        epochs: 3 * (rung + 1),
        choice: Choice::default(),
        parameters: 1,
        validation_loss,
        validation_auc: None,
        best_epoch: 1,
        curve: Vec::new(),
        seconds: 0.0,
    };
    let finished = [
        one(0, 0, Some(0.5)),
        one(0, 1, Some(0.6)),
        one(1, 0, Some(0.4)),
        one(1, 1, Some(0.4)),
        one(2, 0, None),
        one(3, 0, Some(0.45)),
    ];
    assert_eq!(ranking(&finished), [3, 5, 0]);
}

#[test]
fn what_is_in_the_test_part_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let of = |name: &str, data: &Loaded| {
        let request = request(&folder.path().join(name), Search::Random, 1);
        run(
            data,
            &TuneRequest {
                trials: 2,
                ..request
            },
            &mut Silent,
        )
        .expect("a result")
    };
    // The last seventh is the test part: there every outcome is turned around.
    assert_eq!(of("a", &shop(300, usize::MAX)), of("b", &shop(300, 260)));
}
