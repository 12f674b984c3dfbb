//! Data whose visitors all come on the first days: the parts go by visitor, and the bundle is learnt
//! twice.

use propense_events::{Session, Value};

use super::*;
use crate::Task;
use crate::progress::Silent;
use crate::update::tests::{dear, live_request, loaded, visits};

/// Fifty visitors who come back again and again.
fn shop() -> Loaded {
    let mut events = visits(0..500, dear, 1.0);
    for event in &mut events {
        let visit: usize = event
            .user_id
            .as_deref()
            .and_then(|user| user.strip_prefix('u')?.parse().ok())
            .expect("a number");
        event.user_id = Some(format!("u{}", visit % 50));
    }
    loaded(events)
}

/// Stops the training with this number, from 0, after so many epochs.
struct Until {
    training: usize,
    epochs: usize,
    begun: usize,
    done: usize,
}

impl Until {
    fn new(training: usize, epochs: usize) -> Self {
        let (begun, done) = (0, 0);
        Self {
            training,
            epochs,
            begun,
            done,
        }
    }
}

impl Observer for Until {
    fn on(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Start { .. } => {
                self.begun += 1;
                self.done = 0;
            }
            Progress::Epoch { .. } => self.done += 1,
            _ => {}
        }
    }

    fn stop(&self) -> bool {
        self.begun == self.training + 1 && self.done == self.epochs
    }
}

#[test]
fn a_second_training_that_is_broken_off_takes_nothing_away() {
    let (data, request) = (shop(), live_request());
    let fitted = |observer: &mut Until| fit_bundle(&data, &request, observer).expect("a bundle");
    let whole = fitted(&mut Until::new(9, 0));
    let parts = whole.report.examples;
    assert!(whole.report.stopped.is_whole());
    assert!(parts.same_time && parts.test_learnt, "{parts:?}");

    // In the first training there is nothing else to keep.
    let first = fitted(&mut Until::new(0, 2));
    assert_eq!(first.report.history.len(), 2);
    assert_eq!(first.report.stopped, StopReason::Interrupted);

    let at_once = fitted(&mut Until::new(1, 0));
    let after_one = fitted(&mut Until::new(1, 1));
    for kept in [&at_once, &after_one] {
        let examples = kept.report.examples;
        assert_eq!(kept.report.stopped, StopReason::Interrupted);
        assert!(examples.same_time && !examples.test_learnt);
        assert_eq!(examples.test, parts.test);
        // What was measured is what is kept.
        assert_eq!(kept.bundle.weights, at_once.bundle.weights);
        assert!(kept.report.history.len() > 2);
        assert_ne!(kept.bundle.weights, whole.bundle.weights);
    }
    // Learnt from the test part, too.
    assert!(parts.train > at_once.report.examples.train);
    let tested = |fitted: &Fitted| {
        let parts = fitted.report.metrics.iter();
        let test = parts.filter(|named| named.part == "test");
        test.map(|named| named.metrics.log_loss).collect::<Vec<_>>()
    };
    assert_eq!(tested(&whole), tested(&at_once));
}

/// Summaries of which those with more hits end in an order more often.
fn summaries(numbers: std::ops::Range<usize>) -> Loaded {
    let session = |number: usize| {
        let mut session = Session {
            id: format!("s{number}"),
            outcome: Some(number % 10 > 6 || number.is_multiple_of(7)),
            ..Session::default()
        };
        for (name, value) in [("hits", number % 10), ("Region", number % 4)] {
            let value = Value::Number(value as f64 + number as f64 / 1e6);
            session.context.insert(name.to_owned(), value);
        }
        session
    };
    Loaded {
        sessions: numbers.map(session).collect(),
        ..Loaded::default()
    }
}

#[test]
fn what_is_wrong_with_test_data_is_said() {
    let train = summaries(0..400);
    let mut request = FitRequest {
        task: Task::Shoppers,
        preset: Preset::Base,
        ..live_request()
    };
    request.training.epochs = 2;
    let of = |test: &Loaded| {
        let measuring = MeasureOptions {
            resamples: 20,
            seed: 1,
        };
        eval(&train, test, &request, &measuring, &mut Silent)
    };
    let good = of(&summaries(400..600)).expect("figures");
    assert_eq!(good.remarks(), [""; 0]);
    assert!(good.metrics.intervals.is_some() && good.calibrated_by.is_some());
    assert_eq!(good.percentiles.len(), 5);

    let says = |found: &Evaluation, words: &str| {
        let remarks = found.remarks();
        assert!(remarks.iter().any(|r| r.contains(words)), "{remarks:?}");
    };
    says(
        &of(&summaries(300..500)).expect("figures"),
        "100 of 200 lines",
    );
    let mut lacking = summaries(400..600);
    for session in &mut lacking.sessions {
        session.context.remove("hits");
    }
    says(
        &of(&lacking).expect("figures"),
        "no line of these data has `hits`",
    );
    let mut few = summaries(400..600);
    let mut orders = 0;
    few.sessions.retain(|session| {
        orders += usize::from(session.outcome == Some(true));
        session.outcome == Some(false) || orders <= 9
    });
    let found = of(&few).expect("figures");
    assert_eq!((found.rarer_users, found.metrics.intervals), (9, None));
    says(&found, "rarer outcome: 9, too few");

    let mut one = summaries(400..600);
    one.sessions
        .retain(|session| session.outcome == Some(false));
    let error = of(&one).expect_err("one class");
    assert!(matches!(error, TrainError::OneClass { .. }), "{error}");
    for session in &mut one.sessions {
        session.outcome = None;
    }
    let error = of(&one).expect_err("no outcome");
    assert!(error.to_string().contains("Revenue"), "{error}");
}
