//! The whole network by its kernels.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use super::testing::{ON_GPU, difference, draws, half_gpu, launches, read};
use crate::device::gpu_for_tests as gpu;
use crate::{Arithmetic, CnnLstm, ModelConfig, ModelError, cpu_device};

/// How far mixed arithmetic may lead away: the length of the difference as a share of that of the whole.
const MIXED: f32 = 1e-3;

fn network(device: &Device) -> CnnLstm {
    let config = ModelConfig {
        hidden: 16,
        filters: 4,
        ..ModelConfig::seed(8, 3)
    };
    config.init(device, 1).expect("a valid configuration")
}

/// A weight's gradient after the other.
struct Found<'a> {
    gradients: &'a Gradients,
    numbers: Vec<f32>,
}

impl ModuleVisitor for Found<'_> {
    fn visit_float<const D: usize>(&mut self, weight: &Param<Tensor<D>>) {
        let weight = weight.val();
        self.numbers.extend(match weight.grad(self.gradients) {
            Some(gradient) => read(gradient),
            None => vec![0.0; weight.shape().num_elements()],
        });
    }
}

/// The logits, and the gradients by all weights of a loss in which each counts otherwise.
fn solve(device: &Device, arithmetic: Arithmetic, [batch, events]: [usize; 2]) -> [Vec<f32>; 2] {
    let device = device.clone().autodiff();
    let model = network(&device).in_arithmetic(arithmetic);
    let model = model.expect("the device has these numbers");
    let mut numbers = draws((batch * 100 + events) as u64);
    let mut tensor = |shape: [usize; 3]| {
        let data = TensorData::new(numbers(shape.iter().product(), 1.0), shape);
        Tensor::<3>::from_data(data, &device)
    };
    let rows = tensor([batch, events, 8]);
    let context = tensor([1, batch, 3]).squeeze_dim::<2>(0);
    let counts = tensor([1, batch, events]).squeeze_dim::<2>(0);
    let logits = model.forward(rows, context);
    let gradients = (logits.clone() * counts).sum().backward();
    let mut found = Found {
        gradients: &gradients,
        numbers: Vec::new(),
    };
    model.visit(&mut found);
    [read(logits.inner()), found.numbers]
}

/// Sessions of one event and more, odd and even, alone and beside others, against tensors on the CPU.
#[test]
fn values_and_gradients_are_those_of_the_tensors() {
    let Some(gpu) = gpu() else { return };
    for shape in [[1, 1], [1, 2], [3, 3], [2, 4], [5, 5], [9, 32], [4, 33]] {
        let expected = solve(&cpu_device(), Arithmetic::F32, shape);
        let found = solve(&gpu, Arithmetic::F32, shape);
        let [batch, events] = shape;
        for (index, name) in ["logits", "gradients"].iter().enumerate() {
            let worst = difference(&found[index], &expected[index]);
            println!("{batch} sessions of {events} events, {name}: {worst:.1e}");
            assert!(worst <= ON_GPU, "{batch} of {events}, {name}: {worst:e}");
            assert!(found[index].iter().any(|number| number.abs() > 1e-3));
        }
    }
}

/// In mixed arithmetic, against f32: weights and activations of eleven bits.
#[test]
fn mixed_gradients_are_close_to_those_of_f32() {
    let Some(gpu) = half_gpu() else { return };
    for shape in [[1, 1], [3, 3], [9, 32], [64, 33]] {
        let exact = solve(&gpu, Arithmetic::F32, shape);
        let mixed = solve(&gpu, Arithmetic::Mixed, shape);
        let [batch, events] = shape;
        for (index, name) in ["logits", "gradients"].iter().enumerate() {
            let length = |numbers: &[f32]| {
                numbers
                    .iter()
                    .map(|number| number * number)
                    .sum::<f32>()
                    .sqrt()
            };
            let pairs = mixed[index].iter().zip(&exact[index]);
            let apart: Vec<f32> = pairs.map(|(a, b)| a - b).collect();
            let share = length(&apart) / length(&exact[index]);
            println!("{batch} sessions of {events} events, mixed, {name}: {share:.1e}");
            assert!(share <= MIXED, "{batch} of {events}, {name}: {share:e}");
            assert!(share > 0.0, "{batch} of {events}, {name}: as in f32");
        }
    }
}

#[test]
fn mixed_arithmetic_wants_a_device_that_has_it() {
    let error = network(&cpu_device()).in_arithmetic(Arithmetic::Mixed);
    assert!(matches!(error, Err(ModelError::NoHalf)), "{error:?}");
}

/// Launches of the network forward and back, a sum in place of a loss included. CubeCL may take other
/// kernels for products on other adapters, but no more of them.
const LAUNCHES: usize = 51;
/// The same in mixed arithmetic, where factors are rounded first.
const MIXED_LAUNCHES: usize = 70;

/// A launch is what a step of the loop costs a GPU: there are few, and no more for longer sessions.
#[test]
fn launches_do_not_grow_with_the_events() {
    let Some(gpu) = gpu() else { return };
    let device = gpu.autodiff();
    for (arithmetic, most) in [
        (Arithmetic::F32, LAUNCHES),
        (Arithmetic::Mixed, MIXED_LAUNCHES),
    ] {
        let Ok(model) = network(&device).in_arithmetic(arithmetic) else {
            return eprintln!("skipped: this adapter has no numbers of 16 bits");
        };
        let [few, many] = [8, 64].map(|events| {
            launches(|| {
                let rows = Tensor::ones([2, events, 8], &device);
                let context = Tensor::ones([2, 3], &device);
                drop(model.forward(rows, context).sum().backward());
            })
        });
        println!("{arithmetic:?}, 8 and 64 events, forward and back: {few} and {many} launches");
        assert!(few > 0 && few == many, "{arithmetic:?}: {few} and {many}");
        assert!(few <= most, "{arithmetic:?}: {few}");
    }
}
