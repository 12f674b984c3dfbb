//! Data whose visitors all come on the first days: the parts go by visitor, and the bundle is learnt
//! twice.

use super::*;
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
