//! Streaming equals the batch forward pass for every prefix of random sessions, on every device;
//! and the gradients that training uses are the slopes of what is scored.

use std::sync::Arc;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};
use propense_model::{
    Batch, CellActivation, CpuModel, CpuStream, EnsembleConfig, ModelConfig, NamedTensor, Stream,
    cpu_device,
};
use propense_tests::{
    Numbers, batch_logits, cases, difference, fresh_bundle, gpu, relative_difference, tensors,
};
use proptest::prelude::*;

/// Random sizes, small enough for many cases, odd widths and other kernels among them.
fn configs() -> impl Strategy<Value = ModelConfig> {
    let sizes = (2usize..5, 0usize..20, 0usize..5, 1usize..9, 1usize..20);
    sizes.prop_map(|(kernel, more, context, filters, hidden)| ModelConfig {
        features: kernel + 1 + more,
        context,
        filters,
        kernel,
        hidden,
        context_hidden: 3,
        activation: CellActivation::Tanh,
        dropout: 0.0,
        // Every second network has an ensemble; inputs without bins, with one and with several.
        ensemble: (hidden % 2 == 0).then(|| EnsembleConfig {
            members: 1 + filters % 3,
            hidden: 1 + hidden / 2,
            edges: (0..context + kernel + 1 + more)
                .map(|input| {
                    (0..=(input + 1) % 4)
                        .map(|edge| edge as f32 * 0.7 - 1.0)
                        .collect()
                })
                .collect(),
        }),
    })
}

/// Largest difference over all prefixes of one random session between the batch forward pass on
/// the CPU and each way of streaming; `device` for the tensor stream.
fn streaming_differences(
    config: &ModelConfig,
    events: usize,
    seed: u64,
    device: &Device,
) -> (f32, f32) {
    let bundle = fresh_bundle(config, seed);
    let reference = bundle.model(&cpu_device()).expect("valid");
    let mut numbers = Numbers(seed);
    let rows = numbers.rows(events, config.features);
    let context = numbers.row(config.context);
    let expected = batch_logits(&reference, &rows, &context);

    let mut fast = CpuStream::new(bundle.cpu_model().expect("valid"));
    let mut stream = Stream::new(&bundle.model(device).expect("valid"));
    let (by_fast, by_tensors): (Vec<_>, Vec<_>) = rows
        .iter()
        .map(|row| {
            fast.push(row);
            stream.push(row);
            let logit = stream.logit(&context).expect("the device works");
            (fast.logit(&context), logit)
        })
        .unzip();
    assert_eq!((fast.len(), stream.len()), (events, events));
    (
        difference(&by_fast, &expected),
        difference(&by_tensors, &expected),
    )
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn streaming_equals_batch_for_every_prefix(
        config in configs(),
        events in 1usize..=512,
        seed in any::<u64>(),
    ) {
        let (fast, tensors) = streaming_differences(&config, events, seed, &cpu_device());
        prop_assert!(fast <= 1e-4, "fast path: {fast:e}");
        prop_assert!(tensors <= 1e-4, "tensors: {tensors:e}");
    }

    #[test]
    fn whole_sessions_equal_their_last_prefix(
        config in configs(),
        lengths in prop::collection::vec(0usize..40, 1..8),
        seed in any::<u64>(),
    ) {
        let bundle = fresh_bundle(&config, seed);
        let model = bundle.model(&cpu_device()).expect("valid");
        let fast = bundle.cpu_model().expect("valid");
        let mut numbers = Numbers(seed);
        let mut batch = Batch::new(&config);
        let mut expected = Vec::new();
        let mut by_fast = Vec::new();
        for events in lengths {
            let rows = numbers.rows(events, config.features);
            let context = numbers.row(config.context);
            batch.push(&rows.concat(), &context);
            by_fast.push(fast.score(&rows.concat(), &context));
            expected.push(match events {
                0 => fast.base(&context, &[]),
                _ => batch_logits(&model, &rows, &context)[events - 1],
            });
        }
        prop_assert!(difference(&by_fast, &expected) <= 1e-4);
        prop_assert!(difference(&model.score(&batch).expect("works"), &expected) <= 1e-4);
    }

    #[test]
    fn a_snapshot_is_independent_of_what_follows(
        config in configs(),
        seed in any::<u64>(),
        before in 0usize..12,
        after in 0usize..12,
    ) {
        let mut numbers = Numbers(seed);
        let model = fresh_bundle(&config, seed).cpu_model().expect("valid");
        let mut live = CpuStream::new(model);
        for _ in 0..before {
            live.push(&numbers.row(config.features));
        }
        let snapshot = live.clone();
        let logit = live.logit(&[]);
        let mut what_if = live.clone();
        for _ in 0..after {
            what_if.push(&numbers.row(config.features));
        }
        prop_assert_eq!(snapshot.logit(&[]), logit);
        what_if.clone_from(&snapshot);
        let row = numbers.row(config.features);
        what_if.push(&row);
        live.push(&row);
        prop_assert_eq!(what_if.logit(&[]), live.logit(&[]));
        prop_assert_eq!(what_if.len(), before + 1);
    }
}

#[test]
fn the_published_network_streams_as_it_batches() {
    for events in [1, 2, 3, 31, 32, 512] {
        let config = ModelConfig::seed(16, 6);
        let (fast, tensors) = streaming_differences(&config, events, 11, &cpu_device());
        assert!(
            fast <= 1e-4 && tensors <= 1e-4,
            "{events}: {fast:e} {tensors:e}"
        );
    }
}

#[test]
fn the_relu_variant_streams_as_it_batches() {
    let config = ModelConfig {
        activation: CellActivation::Relu,
        ..ModelConfig::seed(9, 0)
    };
    let (fast, tensors) = streaming_differences(&config, 24, 5, &cpu_device());
    assert!(fast <= 1e-4 && tensors <= 1e-4, "{fast:e} {tensors:e}");
}

#[test]
fn the_gpu_streams_as_the_cpu_batches() {
    let Some((device, adapter)) = gpu() else {
        return;
    };
    println!("adapter: {adapter}");
    let relu = ModelConfig {
        activation: CellActivation::Relu,
        ..ModelConfig::seed(9, 0)
    };
    for (config, events) in [
        (ModelConfig::seed(16, 6), 12),
        (ModelConfig::seed(5, 0), 7),
        (relu, 11),
    ] {
        let (_, worst) = streaming_differences(&config, events, 3, &device);
        assert!(worst <= 1e-3, "{events}: {worst:e}");
    }
}

/// Prefixes at which a long session is compared on the GPU: reading a logit back waits for all
/// launches before it. Both phases, beginning and end.
fn some_prefixes(events: usize) -> Vec<usize> {
    let mut prefixes = vec![1, 2, 3, events / 3, events / 2, events - events / 8];
    prefixes.extend([events.saturating_sub(1), events]);
    prefixes.retain(|prefix| (1..=events).contains(prefix));
    prefixes.sort_unstable();
    prefixes.dedup();
    prefixes
}

proptest! {
    // A software adapter takes milliseconds for each event: few cases, each over the whole range.
    #![proptest_config(cases(6))]

    #[test]
    fn the_gpu_streams_random_networks_as_the_cpu_batches(
        config in configs(),
        events in 1usize..=512,
        seed in any::<u64>(),
    ) {
        let Some((device, _)) = gpu() else {
            return Ok(());
        };
        let bundle = fresh_bundle(&config, seed);
        let mut numbers = Numbers(seed);
        let rows = numbers.rows(events, config.features);
        let context = numbers.row(config.context);
        let expected = batch_logits(&bundle.model(&cpu_device()).expect("valid"), &rows, &context);
        let on_gpu = bundle.model(&device).expect("valid");
        let prefixes = some_prefixes(events);
        let mut stream = Stream::new(&on_gpu);
        let mut streamed = Vec::new();
        for (row, events) in rows.iter().zip(1..) {
            stream.push(row);
            if prefixes.contains(&events) {
                streamed.push(stream.logit(&context).expect("the device works"));
            }
        }
        let at = |logits: &[f32]| -> Vec<f32> {
            prefixes.iter().map(|&prefix| logits[prefix - 1]).collect()
        };
        let worst = difference(&streamed, &at(&expected));
        prop_assert!(worst <= 1e-3, "{config:?}, {events} events: {worst:e}");
        // And the batch pass of the GPU, at every prefix.
        let batched = batch_logits(&on_gpu, &rows, &context);
        let worst = difference(&batched, &expected);
        prop_assert!(worst <= 1e-3, "{config:?}, {events} events in a batch: {worst:e}");
    }
}

#[test]
fn rows_of_another_width_are_padded_or_cut_not_fatal() {
    let config = ModelConfig::seed(16, 2);
    let model = fresh_bundle(&config, 1).cpu_model().expect("valid");
    let mut short = CpuStream::new(model.clone());
    let mut padded = CpuStream::new(model);
    short.push(&[1.0; 4]);
    let mut row = vec![1.0; 4];
    row.resize(16, 0.0);
    padded.push(&row);
    assert_eq!(short.logit(&[0.5]), padded.logit(&[0.5, 0.0]));
    short.push(&[1.0; 40]);
    padded.push(&[1.0; 16]);
    assert_eq!(short.logit(&[0.5, 0.0, 9.0]), padded.logit(&[0.5]));
}

/// Collects every parameter's gradient, in the order of the bundle's weights.
struct Collect<'a> {
    gradients: &'a Gradients,
    found: Vec<Vec<f32>>,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = param.val().grad(self.gradients);
        let gradient = gradient.expect("every weight takes part in the logit");
        self.found.push(propense_tests::read(gradient));
    }
}

/// The gradient, by every weight, of the sum of all logits of two sessions.
fn gradients(config: &ModelConfig, weights: &[NamedTensor], device: &Device) -> Vec<Vec<f32>> {
    let device = device.clone().autodiff();
    let model = propense_model::CnnLstm::from_weights(config, weights, &device).expect("valid");
    let (first, second) = sessions(config);
    let sessions = [(&first.0[..], &first.1[..]), (&second.0[..], &second.1[..])];
    let (rows, context) = tensors(config, &sessions, 0.0, &device);
    let gradients = model.forward(rows, context).sum().backward();
    let mut collect = Collect {
        gradients: &gradients,
        found: Vec::new(),
    };
    model.visit(&mut collect);
    collect.found
}

type Session = (Vec<Vec<f32>>, Vec<f32>);

/// Two sessions of five events.
fn sessions(config: &ModelConfig) -> (Session, Session) {
    let mut numbers = Numbers(99);
    let mut session = || {
        (
            numbers.rows(5, config.features),
            numbers.row(config.context),
        )
    };
    (session(), session())
}

#[test]
fn gradients_are_the_slopes_of_the_logits() {
    let config = ModelConfig {
        filters: 3,
        hidden: 5,
        context_hidden: 4,
        ..ModelConfig::seed(9, 3)
    };
    let weights = config.initial_weights(21).expect("valid");
    let found = gradients(&config, &weights, &cpu_device());
    assert_eq!(found.len(), weights.len());
    // The sum of all logits by the fast path, which shares no code with the tensors.
    let (first, second) = sessions(&config);
    let total = |weights: &[NamedTensor]| -> f64 {
        let model = Arc::new(CpuModel::new(&config, weights).expect("valid"));
        let mut sum = 0.0;
        for (rows, context) in [&first, &second] {
            let mut stream = CpuStream::new(Arc::clone(&model));
            for row in rows {
                stream.push(row);
                sum += f64::from(stream.logit(context));
            }
        }
        sum
    };
    for (index, gradient) in found.iter().enumerate() {
        assert_eq!(gradient.len(), weights[index].data.len());
        // Along the gradient itself, where the slope is its length.
        let length = gradient
            .iter()
            .map(|g| f64::from(g * g))
            .sum::<f64>()
            .sqrt();
        let moved = |step: f64| {
            let mut weights = weights.clone();
            for (value, slope) in weights[index].data.iter_mut().zip(gradient) {
                *value += (step * f64::from(*slope) / length) as f32;
            }
            total(&weights)
        };
        let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
        let name = &weights[index].name;
        assert!(
            (slope - length).abs() < 0.02 * length,
            "{name}: slope {slope}, gradient {length}"
        );
    }
}

#[test]
fn the_gpu_gives_the_gradients_of_the_cpu() {
    let Some((device, _)) = gpu() else {
        return;
    };
    let config = ModelConfig::seed(11, 3);
    let weights = config.initial_weights(22).expect("valid");
    let expected = gradients(&config, &weights, &cpu_device());
    let found = gradients(&config, &weights, &device);
    for ((weight, expected), found) in weights.iter().zip(&expected).zip(&found) {
        let worst = relative_difference(found, expected);
        assert!(worst <= 1e-3, "{}: {worst:e}", weight.name);
    }
}
