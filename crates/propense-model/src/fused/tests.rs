//! The whole network by its kernels.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use super::testing::{ON_GPU, difference, draws, launches, read};
use crate::device::gpu_for_tests as gpu;
use crate::{CnnLstm, ModelConfig, cpu_device};

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
fn solve(device: &Device, batch: usize, events: usize) -> [Vec<f32>; 2] {
    let device = device.clone().autodiff();
    let model = network(&device);
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
    for (batch, events) in [(1, 1), (1, 2), (3, 3), (2, 4), (5, 5), (9, 32), (4, 33)] {
        let expected = solve(&cpu_device(), batch, events);
        let found = solve(&gpu, batch, events);
        for (index, name) in ["logits", "gradients"].iter().enumerate() {
            let worst = difference(&found[index], &expected[index]);
            println!("{batch} sessions of {events} events, {name}: {worst:.1e}");
            assert!(worst <= ON_GPU, "{batch} of {events}, {name}: {worst:e}");
            assert!(found[index].iter().any(|number| number.abs() > 1e-3));
        }
    }
}

/// Launches of the network forward and back, a sum in place of a loss included. CubeCL may take other
/// kernels for products on other adapters, but no more of them.
const LAUNCHES: usize = 51;

/// A launch is what a step of the loop costs a GPU: there are few, and no more for longer sessions.
#[test]
fn launches_do_not_grow_with_the_events() {
    let Some(gpu) = gpu() else { return };
    let device = gpu.autodiff();
    let model = network(&device);
    let [few, many] = [8, 64].map(|events| {
        launches(|| {
            let rows = Tensor::ones([2, events, 8], &device);
            let context = Tensor::ones([2, 3], &device);
            drop(model.forward(rows, context).sum().backward());
        })
    });
    println!("network of 8 and 64 events, forward and back: {few} and {many} launches");
    assert!(few > 0 && few == many, "{few} and {many}");
    assert!(few <= LAUNCHES, "{few}");
}
