//! Against Burn's automatic differentiation, over sizes, lengths, weightings and instruction sets.

use burn::module::{ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};

use super::*;
use crate::weights::Random;
use crate::{CellActivation, CnnLstm};

/// Sessions with their outcomes and weights, as [`Lesson`] lends them.
struct Made {
    rows: Vec<f32>,
    context: Vec<f32>,
    outcomes: Vec<f32>,
    weights: Vec<f32>,
}

impl Made {
    fn lesson(&self) -> Lesson<'_> {
        Lesson {
            rows: &self.rows,
            context: &self.context,
            outcomes: &self.outcomes,
            weights: &self.weights,
        }
    }
}

/// How the prefixes of a session weigh.
#[derive(Debug, Clone, Copy)]
enum Weighed {
    Each,
    Last,
    Context,
    /// Every third, and some sessions not at all.
    Some,
}

fn made(config: &ModelConfig, lengths: &[usize], weighed: Weighed, seed: u64) -> Vec<Made> {
    let mut random = Random::new(seed);
    let sparse = |value: f32| if value.abs() < 0.3 { 0.0 } else { 2.0 * value };
    lengths
        .iter()
        .enumerate()
        .map(|(place, &events)| {
            let rows = random.even(events * config.features, 1);
            let outcomes = random.even(events + 1, 1);
            let weights = (0..=events).map(|prefix| match weighed {
                Weighed::Each => 1.0 / (events + 1) as f32,
                Weighed::Last => f32::from(u8::from(prefix == events)),
                Weighed::Context => f32::from(u8::from(prefix == 0)),
                Weighed::Some => f32::from(u8::from(prefix % 3 == 1 && place % 4 != 0)) * 0.7,
            });
            Made {
                rows: rows.into_iter().map(sparse).collect(),
                context: random.even(config.context, 1),
                outcomes: outcomes
                    .into_iter()
                    .map(|y| f32::from(u8::from(y > 0.0)))
                    .collect(),
                weights: weights.collect(),
            }
        })
        .collect()
}

/// Fresh weights whose biases are not zero: where a bias is, what comes before a session stands exactly
/// at ReLU's corner, which has no one slope.
fn weights_of(config: &ModelConfig, seed: u64) -> Vec<NamedTensor> {
    let mut weights = config.initial_weights(seed).expect("valid");
    let mut random = Random::new(seed);
    for weight in &mut weights {
        if let [length] = weight.shape[..] {
            for (value, by) in weight.data.iter_mut().zip(random.even(length, 100)) {
                *value += by;
            }
        }
    }
    weights
}

struct Collect<'a> {
    gradients: &'a mut GradientsParams,
    found: Vec<Vec<f32>>,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let zeros = vec![0.0; param.val().shape().num_elements()];
        let own = self.gradients.remove::<D>(param.id);
        self.found.push(own.map_or(zeros, |own| {
            own.into_data().try_into_vec().expect("numbers")
        }));
    }
}

/// The same by Burn: each session by itself, whatever its length.
fn by_burn(
    config: &ModelConfig,
    weights: &[NamedTensor],
    made: &[Made],
    device: &Device,
) -> (f64, Vec<Vec<f32>>) {
    let network = CnnLstm::from_weights(config, weights, device).expect("the weights fit");
    let tensor = |numbers: &[f32], shape: [usize; 2]| {
        Tensor::<2>::from_data(TensorData::new(numbers.to_vec(), shape), device)
    };
    let mut loss: Option<Tensor<1>> = None;
    for session in made {
        let events = session.weights.len() - 1;
        let context = tensor(&session.context, [1, config.context]);
        let first = network.forward_context_only(context.clone()).unsqueeze();
        let logits = if events == 0 {
            first
        } else {
            let rows = TensorData::new(session.rows.clone(), [1, events, config.features]);
            let rows = Tensor::<3>::from_data(rows, device);
            Tensor::cat(vec![first, network.forward(rows, context)], 1)
        };
        let outcomes = tensor(&session.outcomes, [1, events + 1]);
        let weights = tensor(&session.weights, [1, events + 1]);
        let tail = logits.clone().abs().neg().exp().log1p();
        let own = relu(logits.clone()) - logits * outcomes + tail;
        let own = (own * weights).sum();
        loss = Some(match loss {
            Some(others) => others + own,
            None => own,
        });
    }
    let loss = loss.expect("sessions");
    let total: f32 = made.iter().flat_map(|session| &session.weights).sum();
    let value = loss
        .clone()
        .into_data()
        .try_into_vec::<f32>()
        .expect("a number")[0];
    let gradients = (loss / total.max(1e-6)).backward();
    let mut collect = Collect {
        gradients: &mut GradientsParams::from_grads(gradients, &network),
        found: Vec::new(),
    };
    burn::module::Module::visit(&network, &mut collect);
    (f64::from(value), collect.found)
}

fn at(level: Level, config: &ModelConfig) -> CpuGradient {
    CpuGradient {
        level,
        ..CpuGradient::new(config)
            .expect("in range")
            .expect("no ensemble")
    }
}

/// Largest difference, in parts of the gradient's largest number.
fn apart(found: &[Vec<f32>], expected: &[Vec<f32>]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let pairs = found.iter().zip(expected);
    let worst = pairs.map(|(found, expected)| {
        assert_eq!(found.len(), expected.len());
        let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
        let most = expected.iter().fold(1e-3f32, |most, x| most.max(x.abs()));
        differences.fold(0.0, f32::max) / most
    });
    worst.fold(0.0, f32::max)
}

#[test]
fn loss_and_gradient_are_those_of_automatic_differentiation() {
    let device = crate::cpu_device().autodiff();
    let small = ModelConfig {
        filters: 5,
        hidden: 7,
        context_hidden: 4,
        ..ModelConfig::seed(9, 3)
    };
    let configs = [
        small.clone(),
        ModelConfig {
            context: 0,
            kernel: 2,
            features: 4,
            ..small.clone()
        },
        ModelConfig {
            filters: 16,
            hidden: 33,
            kernel: 1,
            ..small.clone()
        },
        ModelConfig {
            activation: CellActivation::Relu,
            hidden: 16,
            ..small
        },
        ModelConfig::seed(16, 5),
    ];
    let lengths = [3, 0, 8, 1, 12, 5, 2, 7, 31, 4, 4, 6];
    for (number, config) in configs.iter().enumerate() {
        let weights = weights_of(config, 3 + number as u64);
        for weighed in [
            Weighed::Each,
            Weighed::Last,
            Weighed::Context,
            Weighed::Some,
        ] {
            let made = made(config, &lengths, weighed, 11);
            let lessons: Vec<_> = made.iter().map(Made::lesson).collect();
            let (loss, gradient) = by_burn(config, &weights, &made, &device);
            for level in Level::available() {
                let found = at(level, config).gradient(&weights, &lessons, 0, 2);
                let (own_loss, own) = found.expect("the weights fit");
                let difference = apart(&own, &gradient);
                assert!(
                    (own_loss - loss).abs() < 1e-4 * loss.max(1.0) && difference < 2e-4,
                    "{config:?}, {weighed:?}, {level:?}: loss {own_loss} and {loss}, {difference}"
                );
            }
        }
    }
}

/// The GPU's gradient goes by other kernels (`fused/recurrent`) within the same tensors.
#[cfg(feature = "wgpu")]
#[test]
fn the_gpu_gives_the_same_gradient() {
    let Some(gpu) = crate::device::gpu_for_tests() else {
        return;
    };
    for activation in [CellActivation::Tanh, CellActivation::Relu] {
        let config = ModelConfig {
            filters: 5,
            hidden: 40,
            context_hidden: 4,
            activation,
            ..ModelConfig::seed(9, 3)
        };
        let weights = weights_of(&config, 17);
        let made = made(&config, &[3, 0, 8, 1, 31], Weighed::Each, 11);
        let lessons: Vec<_> = made.iter().map(Made::lesson).collect();
        let (loss, gradient) = by_burn(&config, &weights, &made, &gpu.clone().autodiff());
        let gradients = at(Level::best(), &config).gradient(&weights, &lessons, 0, 1);
        let (own_loss, own) = gradients.expect("the weights fit");
        let difference = apart(&gradient, &own);
        println!("{activation:?}: {difference:.1e}");
        // What GPUs may differ: their `exp` differs by driver.
        assert!(
            (own_loss - loss).abs() < 1e-3 * loss.max(1.0) && difference < 1e-3,
            "{activation:?}: loss {loss} and {own_loss}, {difference}"
        );
    }
}

#[test]
fn the_number_of_threads_changes_no_bit_and_memory_is_used_again() {
    let config = ModelConfig {
        filters: 4,
        hidden: 9,
        ..ModelConfig::seed(6, 2)
    };
    let weights = config.initial_weights(1).expect("valid");
    let gradient = at(Level::best(), &config);
    let lengths: Vec<usize> = (0..150).map(|place| place * 7 % 23).collect();
    let long = made(&config, &lengths, Weighed::Each, 5);
    let short = made(&config, &lengths[..5], Weighed::Last, 6);
    let learn = |made: &[Made], threads| {
        let lessons: Vec<_> = made.iter().map(Made::lesson).collect();
        gradient
            .gradient(&weights, &lessons, 0, threads)
            .expect("gradients")
    };
    let (first, alone) = (learn(&long, 1), learn(&short, 1));
    for threads in [1, 2, 3, 8] {
        assert_eq!(learn(&long, threads), first, "{threads} threads");
        assert_eq!(
            learn(&short, threads),
            alone,
            "{threads} threads, after longer ones"
        );
    }
}

#[test]
fn a_batch_without_weight_or_without_sessions_has_no_gradient() {
    let config = ModelConfig {
        filters: 4,
        hidden: 9,
        ..ModelConfig::seed(6, 2)
    };
    let weights = config.initial_weights(1).expect("valid");
    let gradient = at(Level::best(), &config);
    let mut made = made(&config, &[4, 3], Weighed::Each, 5);
    for session in &mut made {
        session.weights.fill(0.0);
    }
    let lessons: Vec<_> = made.iter().map(Made::lesson).collect();
    for lessons in [&lessons[..], &[]] {
        let (loss, gradients) = gradient
            .gradient(&weights, lessons, 0, 2)
            .expect("gradients");
        assert_eq!(loss, 0.0);
        assert!(gradients.iter().flatten().all(|number| *number == 0.0));
        let lengths: Vec<_> = gradients.iter().map(Vec::len).collect();
        let shapes = config.weight_shapes().into_iter();
        let expected: Vec<usize> = shapes.map(|(_, shape)| shape.iter().product()).collect();
        assert_eq!(lengths, expected);
    }
}

/// With dropout there is no other implementation with the same draws: the gradient is held against
/// differences of the loss along a direction.
#[test]
fn with_dropout_the_gradient_is_the_slope_of_the_loss_under_the_same_draw() {
    let config = ModelConfig {
        filters: 4,
        hidden: 12,
        context_hidden: 6,
        dropout: 0.4,
        ..ModelConfig::seed(8, 3)
    };
    let weights = weights_of(&config, 2);
    let gradient = at(Level::best(), &config);
    let made = made(&config, &[5, 9, 0, 2, 14], Weighed::Each, 3);
    let lessons: Vec<_> = made.iter().map(Made::lesson).collect();
    let total: f64 = made
        .iter()
        .flat_map(|m| &m.weights)
        .map(|w| f64::from(*w))
        .sum();
    let (loss, slope) = gradient
        .gradient(&weights, &lessons, 7, 2)
        .expect("gradients");
    let (other, _) = gradient
        .gradient(&weights, &lessons, 8, 2)
        .expect("gradients");
    assert_ne!(loss, other, "another draw drops other numbers");
    let mut random = Random::new(9);
    for trial in 0..5 {
        let direction: Vec<Vec<f32>> = weights
            .iter()
            .map(|w| random.even(w.data.len(), 1))
            .collect();
        let moved = |by: f32| {
            let mut moved = weights.clone();
            for (weight, direction) in moved.iter_mut().zip(&direction) {
                for (value, along) in weight.data.iter_mut().zip(direction) {
                    *value += by * along;
                }
            }
            gradient
                .gradient(&moved, &lessons, 7, 2)
                .expect("gradients")
                .0
                / total
        };
        let by = 2e-3;
        let expected = (moved(by) - moved(-by)) / (2.0 * f64::from(by));
        let pairs = slope.iter().flatten().zip(direction.iter().flatten());
        let found: f64 = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        assert!(
            (found - expected).abs() < 0.02 * expected.abs().max(0.05),
            "direction {trial}: {found} and {expected}"
        );
    }
}
