use burn::tensor::{Device, Tensor, TensorData};

use super::windows;
use crate::device::gpu_for_tests as gpu;
use crate::fused::testing::{ON_GPU, bare_gpu, difference, draws, in_turns, launches, read};
use crate::layers::Layers;
use crate::{ModelConfig, cpu_device};

type Way = fn(&Layers, Tensor<3>, usize) -> Tensor<3>;

/// Numbers of a problem: what goes in, and how much each pooled cell counts in the loss.
#[derive(Debug, Clone)]
struct Problem {
    config: ModelConfig,
    batch: usize,
    height: usize,
    stride: usize,
    plane: Vec<f32>,
    weights: Vec<f32>,
    bias: Vec<f32>,
    counts: Vec<f32>,
}

impl Problem {
    /// Of filters and kernel, of batch, height and features.
    fn new(
        [filters, kernel]: [usize; 2],
        [batch, height, features]: [usize; 3],
        stride: usize,
    ) -> Self {
        let config = ModelConfig {
            filters,
            kernel,
            hidden: 1,
            ..ModelConfig::seed(features, 0)
        };
        let cells = batch * ((height - kernel - 1) / stride + 1) * config.step_inputs();
        let mut numbers = draws((filters * 31 + height * 7 + features) as u64);
        Self {
            batch,
            height,
            stride,
            plane: numbers(batch * height * features, 1.0),
            weights: numbers(filters * kernel * kernel, 1.0 / kernel as f32),
            bias: numbers(filters, 0.3),
            counts: numbers(cells, 1.0),
            config,
        }
    }

    fn plane(&self, device: &Device) -> Tensor<3> {
        let shape = [self.batch, self.height, self.config.features];
        Tensor::from_data(TensorData::new(self.plane.clone(), shape), device)
    }

    fn weights(&self, device: &Device) -> (Tensor<4>, Tensor<1>) {
        let (filters, kernel) = (self.config.filters, self.config.kernel);
        let weights = TensorData::new(self.weights.clone(), [filters, 1, kernel, kernel]);
        let bias = TensorData::new(self.bias.clone(), [filters]);
        (
            Tensor::from_data(weights, device),
            Tensor::from_data(bias, device),
        )
    }

    fn layers(&self, weights: Tensor<4>, bias: Tensor<1>) -> Layers {
        let device = weights.device();
        let inputs = self.config.step_inputs();
        Layers::new(
            &self.config,
            weights,
            bias,
            Tensor::zeros([inputs, 4], &device),
            Tensor::zeros([1, 4], &device),
            Tensor::zeros([4], &device),
        )
    }

    /// Windows, and the gradients by plane, weights and bias.
    fn solve(&self, device: &Device, way: Way) -> [Vec<f32>; 4] {
        let device = device.clone().autodiff();
        let plane = self.plane(&device).require_grad();
        let (weights, bias) = self.weights(&device);
        let (weights, bias) = (weights.require_grad(), bias.require_grad());
        let layers = self.layers(weights.clone(), bias.clone());
        let windows = way(&layers, plane.clone(), self.stride);
        let counts = TensorData::new(self.counts.clone(), windows.dims());
        let counts = Tensor::<3>::from_data(counts, &device);
        // The sum of all numbers, which takes no launch.
        let gradients = (windows.clone() * counts).backward();
        let found = "the loss depends on it";
        [
            read(windows.inner()),
            read(plane.grad(&gradients).expect(found)),
            read(weights.grad(&gradients).expect(found)),
            read(bias.grad(&gradients).expect(found)),
        ]
    }
}

const NAMES: [&str; 4] = ["windows", "plane", "weights", "bias"];

/// By the kernels, and by nothing else.
fn by_kernels(layers: &Layers, plane: Tensor<3>, stride: usize) -> Tensor<3> {
    let (weights, bias) = layers.convolution();
    windows(&plane, weights, bias, stride).expect("the kernels take it")
}

/// Filters that fill no workgroup, do not divide it, and fill it; every kernel; one window and many, odd
/// and even; one column; rows that no window covers; windows one and two rows apart.
#[test]
fn values_and_gradients_are_those_of_the_tensors() {
    let Some(gpu) = gpu() else { return };
    for (filters, shape, stride) in [
        ([1, 1], [1, 2, 2], 1),
        ([1, 3], [1, 4, 4], 1),
        ([3, 2], [2, 5, 7], 1),
        ([5, 3], [3, 9, 6], 2),
        ([8, 4], [1, 12, 9], 2),
        ([32, 3], [1, 4, 16], 1),
        ([32, 3], [9, 35, 16], 1),
        ([32, 3], [5, 36, 30], 2),
        ([33, 5], [2, 11, 13], 1),
        ([100, 3], [4, 10, 17], 1),
        ([256, 2], [2, 8, 5], 1),
        // Windows for more positions than there are slabs for.
        ([4, 3], [40, 67, 41], 1),
    ] {
        let problem = Problem::new(filters, shape, stride);
        let expected = problem.solve(&cpu_device(), Layers::windows_by_tensors);
        let found = problem.solve(&gpu, by_kernels);
        // Whoever tracks no gradient gets the same values from the kernel that keeps nothing.
        let (weights, bias) = problem.weights(&gpu);
        let layers = problem.layers(weights, bias);
        let plain = read(by_kernels(&layers, problem.plane(&gpu), stride));
        let what = format!("{filters:?} {shape:?} {stride}");
        assert!(difference(&plain, &found[0]) <= 1e-6, "{what}");
        for (index, name) in NAMES.iter().enumerate() {
            let worst = difference(&found[index], &expected[index]);
            println!("{what} {name}: {worst:.1e}");
            assert!(worst <= ON_GPU, "{what} {name}: {worst:e}");
            // Nothing but zeros would pass for small numbers; a single cell alone may be cut off.
            let some = found[index].iter().any(|number| number.abs() > 1e-3);
            assert!(some || found[0].len() == 1, "{what} {name}");
        }
    }
}

/// Whole numbers, of which sums are exact: many of the four places are equal, and many cells zero.
#[test]
fn ties_fall_as_the_tensors_let_them_fall() {
    let Some(gpu) = gpu() else { return };
    for (filters, shape, stride) in [([16, 3], [4, 20, 12], 1), ([7, 2], [3, 9, 8], 2)] {
        let mut problem = Problem::new(filters, shape, stride);
        for numbers in [&mut problem.plane, &mut problem.weights, &mut problem.bias] {
            numbers
                .iter_mut()
                .for_each(|number| *number = (3.0 * *number).round() / 2.0);
            numbers
                .iter_mut()
                .for_each(|number| *number = number.round());
        }
        problem
            .counts
            .iter_mut()
            .for_each(|count| *count = (4.0 * *count).round());
        let expected = problem.solve(&cpu_device(), Layers::windows_by_tensors);
        let found = problem.solve(&gpu, by_kernels);
        for (index, name) in NAMES.iter().enumerate() {
            assert_eq!(
                found[index], expected[index],
                "{filters:?} {shape:?} {name}"
            );
        }
    }
}

/// On an adapter that has no subgroups, no f16, and no more of anything than all have.
#[test]
fn an_adapter_without_anything_beyond_webgpu_will_do() {
    let Some(gpu) = bare_gpu() else { return };
    let problem = Problem::new([33, 5], [3, 11, 13], 1);
    let expected = problem.solve(&cpu_device(), Layers::windows_by_tensors);
    let found = problem.solve(&gpu, by_kernels);
    for (index, name) in NAMES.iter().enumerate() {
        let worst = difference(&found[index], &expected[index]);
        assert!(worst <= ON_GPU, "{name}: {worst:e}");
    }
}

/// Parts are added up in one order: no atomic operation, whose order nobody knows.
#[test]
fn gradients_have_the_same_bits_each_time() {
    let Some(gpu) = gpu() else { return };
    let problem = Problem::new([32, 3], [40, 67, 16], 1);
    let first = problem.solve(&gpu, by_kernels);
    for _ in 0..3 {
        assert!(problem.solve(&gpu, by_kernels) == first);
    }
}

#[test]
fn what_the_kernels_do_not_take_goes_by_tensors() {
    let taken = |problem: &Problem, device: &Device, plane: &Device| {
        let (weights, bias) = problem.weights(device);
        windows(&problem.plane(plane), &weights, &bias, 1).is_some()
    };
    let small = Problem::new([2, 3], [2, 5, 6], 1);
    assert!(!taken(&small, &cpu_device(), &cpu_device()));

    let Some(gpu) = gpu() else { return };
    assert!(taken(&small, &gpu, &gpu));
    let tracked = gpu.clone().autodiff();
    assert!(
        !taken(&small, &gpu, &tracked),
        "one tracked, the others not"
    );
    let saving = tracked.gradient_checkpointing();
    assert!(!taken(&small, &saving, &saving), "to be computed again");

    for filters in [[257, 3], [2, 6]] {
        let wide = Problem::new(filters, [2, 9, 8], 1);
        assert!(!taken(&wide, &gpu, &gpu), "{filters:?}");
        let found = wide.solve(&gpu, Layers::windows);
        let expected = wide.solve(&cpu_device(), Layers::windows_by_tensors);
        for (found, expected) in found.iter().zip(&expected) {
            assert!(difference(found, expected) <= ON_GPU, "{filters:?}");
        }
    }
}

/// One forward; back, two for the weights, one for the plane, and one for the loss.
#[test]
fn launches_are_few() {
    let Some(gpu) = gpu() else { return };
    let count = |height: usize, way: Way| {
        let problem = Problem::new([8, 3], [2, height, 8], 1);
        launches(|| drop(problem.solve(&gpu, way)))
    };
    let [few, many] = [6, 60].map(|height| count(height, by_kernels));
    let tensors = count(60, Layers::windows_by_tensors);
    println!("convolution and pooling, forward and back: {few} and {many}, by tensors {tensors}");
    assert!(few > 0 && few == many, "{few} and {many}");
    assert!(many < tensors, "the count sees every launch");
}

/// A batch of 64 sessions of 32 events through the convolution of the published network, forward and back,
/// in turns: the figures in `docs/performance.md`.
#[test]
#[ignore = "a measurement, for an idle machine"]
fn the_kernels_keep_up_with_the_tensors_where_launches_are_cheap() {
    let Some(gpu) = gpu() else { return };
    let problem = Problem::new([32, 3], [64, 35, 16], 1);
    let ways: [Way; 2] = [by_kernels, Layers::windows_by_tensors];
    let [kernels, tensors] = in_turns(ways, |way| drop(problem.solve(&gpu, way)));
    println!("convolution by kernels {kernels:.3} s, by tensors {tensors:.3} s");
    assert!(kernels < 2.0 * tensors, "{kernels} and {tensors}");
}
