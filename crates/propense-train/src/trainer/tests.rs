//! The promises about training: it learns, the same run is the same run, resumed or not.

use burn::tensor::{Tensor, TensorData};
use propense_model::{Arithmetic, CnnLstm, ModelConfig};

use super::*;
use crate::device::DeviceChoice;
use crate::loss::cross_entropy;
use crate::progress::Silent;

const FEATURES: usize = 8;
const CONTEXT: usize = 3;

/// Sessions of 1 to 9 events. The outcome hangs on the sum of one column and on the context, and
/// a little on nothing.
fn examples(count: usize, salt: u32) -> Vec<Example> {
    let mut state = 12345u32.wrapping_add(salt.wrapping_mul(977));
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 * 2.0 - 1.0
    };
    (0..count)
        .map(|index| {
            let events = 1 + index % 9;
            let rows: Vec<f32> = (0..events * FEATURES).map(|_| random()).collect();
            let context: Vec<f32> = (0..CONTEXT).map(|_| random()).collect();
            let sum: f32 = rows.chunks(FEATURES).map(|row| row[2]).sum();
            Example {
                id: index.to_string(),
                user: None,
                start: index as i64,
                label: (sum + 1.5 * context[0] + 0.3 * random() > 0.0).into(),
                events,
                rows,
                context,
            }
        })
        .collect()
}

fn config() -> ModelConfig {
    ModelConfig {
        filters: 4,
        hidden: 8,
        context_hidden: 4,
        ..ModelConfig::seed(FEATURES, CONTEXT)
    }
}

fn key(options: &TrainOptions) -> RunKey {
    RunKey {
        data: "made up".into(),
        task: "in-session".into(),
        seed: options.seed,
        batch: options.batch,
        learning_rate: options.learning_rate,
        clip: options.clip,
        max_events: 9,
        reading: String::new(),
        network: String::new(),
    }
}

fn run(weighting: Weighting, options: &TrainOptions) -> Trained {
    let device = DeviceChoice::Cpu.open().expect("the CPU is there");
    run_on(&device, weighting, options)
}

fn run_on(device: &Chosen, weighting: Weighting, options: &TrainOptions) -> Trained {
    let (learnt, checked) = (examples(300, 0), examples(120, 1));
    let parts = Parts {
        train: &learnt,
        validation: &checked,
        weighting,
        positions: Positions::Last,
    };
    train(
        &config(),
        parts,
        options,
        &key(options),
        device,
        &mut Silent,
    )
    .expect("training")
}

fn options(epochs: usize) -> TrainOptions {
    TrainOptions {
        epochs,
        batch: 32,
        learning_rate: 0.01,
        patience: 100,
        ..TrainOptions::default()
    }
}

#[test]
fn it_learns_what_can_be_learnt() {
    for weighting in [
        Weighting::EveryPrefix,
        Weighting::Protocol,
        Weighting::Whole,
    ] {
        let trained = run(weighting, &options(15));
        let best = &trained.history[trained.best_epoch - 1];
        assert!(best.validation_auc > 0.85, "{weighting:?}: {best:?}");
        let first = &trained.history[0];
        assert!(
            best.validation_loss < first.validation_loss,
            "{weighting:?}"
        );
    }
}

/// On any adapter with numbers of 16 bits, a software one included: after eight epochs the validation loss
/// is within a hundredth of the one in f32.
#[test]
fn mixed_training_ends_close_to_training_in_f32() {
    let there = DeviceChoice::Wgpu.open().and_then(|device| {
        Arithmetic::Mixed.check(&device.device)?;
        Ok(device)
    });
    let device = match there {
        Ok(device) => device,
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let [exact, mixed] = [Arithmetic::F32, Arithmetic::Mixed].map(|arithmetic| {
        let options = TrainOptions {
            arithmetic,
            ..options(8)
        };
        run_on(&device, Weighting::EveryPrefix, &options)
    });
    let loss = |trained: &Trained| trained.history[trained.best_epoch - 1].validation_loss;
    let (exact, mixed, first) = (loss(&exact), loss(&mixed), exact.history[0].validation_loss);
    println!("validation loss: {exact:.5} in f32, {mixed:.5} mixed, {first:.5} at first");
    assert!(mixed < first, "{mixed} and {first}");
    assert!((mixed - exact).abs() <= 0.01, "{mixed} and {exact}");
    assert!(mixed != exact, "as in f32");
}

#[test]
fn the_cpu_does_not_train_in_mixed_arithmetic() {
    let device = DeviceChoice::Cpu.open().expect("the CPU is there");
    let options = TrainOptions {
        arithmetic: Arithmetic::Mixed,
        ..options(1)
    };
    let examples = examples(20, 0);
    let parts = Parts {
        train: &examples,
        validation: &examples,
        weighting: Weighting::EveryPrefix,
        positions: Positions::Last,
    };
    let key = key(&options);
    let refused = train(&config(), parts, &options, &key, &device, &mut Silent);
    let error = refused.expect_err("refused");
    assert!(error.to_string().contains("--arithmetic f32"), "{error}");
}

#[test]
fn the_same_seed_gives_the_same_weights_and_another_seed_others() {
    let a = run(Weighting::EveryPrefix, &options(2));
    let b = run(Weighting::EveryPrefix, &options(2));
    assert_eq!(a.weights, b.weights);
    assert_eq!(a.history, b.history);
    let c = run(
        Weighting::EveryPrefix,
        &TrainOptions {
            seed: 2,
            ..options(2)
        },
    );
    assert_ne!(a.weights, c.weights);
}

#[test]
fn resumed_is_the_same_to_the_last_bit() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let straight = run(Weighting::EveryPrefix, &options(4));
    let with = |epochs, resume| TrainOptions {
        checkpoint: Some(folder.path().to_owned()),
        resume,
        ..options(epochs)
    };
    let half = run(Weighting::EveryPrefix, &with(2, false));
    assert_ne!(half.weights, straight.weights);
    let resumed = run(Weighting::EveryPrefix, &with(4, true));
    assert_eq!(resumed.weights, straight.weights);
    assert_eq!(resumed.history, straight.history);
}

/// Stops after this many batches.
struct StopAfter(usize);

impl Observer for StopAfter {
    fn on(&mut self, progress: &Progress<'_>) {
        if matches!(progress, Progress::Batch { .. }) {
            self.0 = self.0.saturating_sub(1);
        }
    }

    fn stop(&self) -> bool {
        self.0 == 0
    }
}

#[test]
fn stopping_within_an_epoch_keeps_the_epochs_before_it() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let (learnt, checked) = (examples(300, 0), examples(120, 1));
    let parts = Parts {
        train: &learnt,
        validation: &checked,
        weighting: Weighting::EveryPrefix,
        positions: Positions::Last,
    };
    let device = DeviceChoice::Cpu.open().expect("the CPU is there");
    let with = |resume| TrainOptions {
        checkpoint: Some(folder.path().to_owned()),
        resume,
        ..options(3)
    };
    // 300 examples in batches of 32 are 10 steps, read twice: the fourth reading ends epoch 2.
    let first = train(
        &config(),
        parts,
        &with(false),
        &key(&with(false)),
        &device,
        &mut StopAfter(3),
    );
    let first = first.expect("one epoch is complete");
    assert_eq!(
        (first.reason, first.history.len()),
        (StopReason::Interrupted, 1)
    );
    let rest = train(
        &config(),
        parts,
        &with(true),
        &key(&with(true)),
        &device,
        &mut Silent,
    );
    assert_eq!(
        rest.expect("resumed").weights,
        run(Weighting::EveryPrefix, &options(3)).weights
    );
    let none = train(
        &config(),
        parts,
        &options(3),
        &key(&options(3)),
        &device,
        &mut StopAfter(1),
    );
    assert!(matches!(none, Err(TrainError::Interrupted(_))));
}

#[test]
fn stopping_in_the_first_epoch_leaves_a_checkpoint_to_go_on_from() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let (learnt, checked) = (examples(300, 0), examples(120, 1));
    let parts = Parts {
        train: &learnt,
        validation: &checked,
        weighting: Weighting::EveryPrefix,
        positions: Positions::Last,
    };
    let device = DeviceChoice::Cpu.open().expect("the CPU is there");
    let straight = run;
    let run = |resume, observer: &mut dyn Observer| {
        let options = TrainOptions {
            checkpoint: Some(folder.path().to_owned()),
            resume,
            ..options(3)
        };
        let key = key(&options);
        train(&config(), parts, &options, &key, &device, observer)
    };
    // The first reading stops it, long before the epoch is over.
    let stopped = run(false, &mut StopAfter(1)).expect_err("no epoch is complete");
    assert!(stopped.to_string().contains("--resume"), "{stopped}");
    let rest = run(true, &mut Silent).expect("resumed");
    assert_eq!(
        rest.weights,
        straight(Weighting::EveryPrefix, &options(3)).weights
    );
}

/// Stops as soon as a whole epoch's batches are done: within the validation after it.
#[derive(Default)]
struct StopAtValidation {
    now: std::cell::Cell<bool>,
    asked: std::cell::Cell<usize>,
}

impl Observer for StopAtValidation {
    fn on(&mut self, progress: &Progress<'_>) {
        if let Progress::Batch { epoch: 2, done, of } = progress {
            self.now.set(done == of);
        }
    }

    fn stop(&self) -> bool {
        // The question after the last step is still answered with no.
        if self.now.get() {
            self.asked.set(self.asked.get() + 1);
        }
        self.asked.get() > 1
    }
}

#[test]
fn stopping_within_the_validation_keeps_the_epochs_before_it() {
    let (learnt, checked) = (examples(300, 0), examples(120, 1));
    let parts = Parts {
        train: &learnt,
        validation: &checked,
        weighting: Weighting::EveryPrefix,
        positions: Positions::Last,
    };
    let device = DeviceChoice::Cpu.open().expect("the CPU is there");
    let options = options(5);
    let trained = train(
        &config(),
        parts,
        &options,
        &key(&options),
        &device,
        &mut StopAtValidation::default(),
    )
    .expect("one epoch is complete");
    assert_eq!(
        (trained.reason, trained.history.len()),
        (StopReason::Interrupted, 1)
    );
}

#[test]
fn a_validation_loss_that_is_no_number_is_said() {
    let (learnt, mut checked) = (examples(60, 0), examples(30, 1));
    checked[3].context[0] = f32::NAN;
    let parts = Parts {
        train: &learnt,
        validation: &checked,
        weighting: Weighting::EveryPrefix,
        positions: Positions::Last,
    };
    let device = DeviceChoice::Cpu.open().expect("the CPU is there");
    let options = options(2);
    let key = key(&options);
    let outcome = train(&config(), parts, &options, &key, &device, &mut Silent);
    assert!(matches!(outcome, Err(TrainError::Diverged { epoch: 1 })));
}

#[test]
fn absurd_batches_are_refused() {
    for batch in [0, usize::MAX, 1 << 40] {
        let refused = TrainOptions {
            batch,
            ..TrainOptions::default()
        };
        let error = refused.validate().expect_err("refused").to_string();
        assert!(
            error.contains("--batch") && error.contains("8192"),
            "{error}"
        );
    }
}

#[test]
fn patience_ends_a_run_that_no_longer_learns() {
    let trained = run(
        Weighting::EveryPrefix,
        &TrainOptions {
            learning_rate: 1e-9,
            patience: 2,
            ..options(50)
        },
    );
    assert_eq!(trained.reason, StopReason::Patience);
    assert!(trained.history.len() < 50);
}

#[test]
fn resuming_without_a_checkpoint_says_so() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let options = TrainOptions {
        checkpoint: Some(folder.path().to_owned()),
        resume: true,
        ..options(1)
    };
    let learnt = examples(40, 0);
    let parts = Parts {
        train: &learnt,
        validation: &learnt,
        weighting: Weighting::EveryPrefix,
        positions: Positions::Last,
    };
    let device = DeviceChoice::Cpu.open().expect("the CPU is there");
    let error = train(
        &config(),
        parts,
        &options,
        &key(&options),
        &device,
        &mut Silent,
    );
    assert!(matches!(error, Err(TrainError::Checkpoint { .. })));
}

#[test]
fn the_loss_is_binary_cross_entropy_and_does_not_overflow() {
    let device = DeviceChoice::Cpu.open().expect("the CPU is there").device;
    let logits = [-200.0f32, -2.0, 0.0, 3.0, 200.0];
    for label in [0.0f32, 1.0] {
        let x = Tensor::<2>::from_data(TensorData::new(logits.to_vec(), [1, 5]), &device);
        let y = Tensor::<2>::from_data(TensorData::new(vec![label], [1, 1]), &device);
        let found = crate::adam::numbers(cross_entropy(x, y)).expect("numbers");
        for (logit, loss) in logits.iter().zip(found) {
            let z = f64::from(*logit) * if label > 0.5 { 1.0 } else { -1.0 };
            let expected = (-z).max(0.0) + (-z.abs()).exp().ln_1p();
            assert!(
                (f64::from(loss) - expected).abs() < 1e-4,
                "{logit} {label}: {loss}"
            );
        }
    }
}

#[test]
fn a_category_that_training_never_met_changes_no_score() {
    let silent = 1;
    let mute = |mut examples: Vec<Example>| {
        for example in &mut examples {
            example.context[silent] = 0.0;
        }
        examples
    };
    let (learnt, checked) = (mute(examples(200, 0)), mute(examples(80, 1)));
    let parts = Parts {
        train: &learnt,
        validation: &checked,
        weighting: Weighting::EveryPrefix,
        positions: Positions::Last,
    };
    let options = TrainOptions {
        epochs: 2,
        ..TrainOptions::default()
    };
    let device = DeviceChoice::Cpu.open().expect("the CPU is there");
    let run = |parts| {
        let key = key(&options);
        train(&config(), parts, &options, &key, &device, &mut Silent).expect("training")
    };
    let network = CnnLstm::from_weights(
        &config(),
        &run(parts).weights,
        &propense_model::cpu_device(),
    )
    .expect("the weights fit");
    let mut unseen = checked.clone();
    for example in &mut unseen {
        example.context[silent] = 1.0;
    }
    let score = |examples: &[Example]| {
        scoring::all_prefixes(&network, examples, Weighting::EveryPrefix).expect("scores")
    };
    assert_eq!(score(&checked), score(&unseen));
}
