use burn::tensor::{Device, Tensor, TensorData};

use super::outputs;
use crate::device::gpu_for_tests as gpu;
use crate::fused::testing::{ON_GPU, bare_gpu, difference, draws, in_turns, launches, read};
use crate::lstm::Lstm;
use crate::{Arithmetic, CellActivation, cpu_device};

const BOTH: [CellActivation; 2] = [CellActivation::Tanh, CellActivation::Relu];

type Way = fn(&Lstm, Tensor<3>) -> Tensor<3>;

/// Numbers of a problem: what goes in, and how much each output counts in the loss.
#[derive(Debug, Clone)]
struct Problem {
    activation: CellActivation,
    hidden: usize,
    /// Batch, steps, lanes.
    shape: [usize; 3],
    inputs: Vec<f32>,
    recurrent: Vec<f32>,
    counts: Vec<f32>,
}

impl Problem {
    fn new(activation: CellActivation, hidden: usize, shape: [usize; 3]) -> Self {
        let places: usize = shape.iter().product();
        let mut numbers = draws(1 + hidden as u64 * 31 + places as u64);
        Self {
            activation,
            hidden,
            shape,
            inputs: numbers(places * 4 * hidden, 2.0),
            recurrent: numbers(4 * hidden * hidden, 1.5 / (hidden as f32).sqrt()),
            counts: numbers(places * hidden, 1.0),
        }
    }

    fn tensors(&self, device: &Device) -> (Tensor<3>, Lstm, Tensor<3>) {
        let [batch, steps, lanes] = self.shape;
        let three = |numbers: &[f32], width: usize| {
            let data = TensorData::new(numbers.to_vec(), [batch, steps, lanes * width]);
            Tensor::<3>::from_data(data, device)
        };
        let recurrent = TensorData::new(self.recurrent.clone(), [self.hidden, 4 * self.hidden]);
        let lstm = Lstm {
            recurrent: Tensor::from_data(recurrent, device),
            activation: self.activation,
            arithmetic: Arithmetic::F32,
        };
        let inputs = three(&self.inputs, 4 * self.hidden);
        (inputs, lstm, three(&self.counts, self.hidden))
    }

    /// Outputs, the gradient by the inputs, that by the recurrent weights.
    fn solve(&self, device: &Device, way: Way) -> [Vec<f32>; 3] {
        let (inputs, mut lstm, counts) = self.tensors(&device.clone().autodiff());
        let inputs = inputs.require_grad();
        lstm.recurrent = lstm.recurrent.require_grad();
        let outputs = way(&lstm, inputs.clone());
        // The sum of all numbers, which takes no launch.
        let gradients = (outputs.clone() * counts).backward();
        [
            read(outputs.inner()),
            read(inputs.grad(&gradients).expect("the loss depends on it")),
            match lstm.recurrent.grad(&gradients) {
                Some(gradient) => read(gradient),
                // One step does not reach the recurrent weights.
                None => vec![0.0; self.recurrent.len()],
            },
        ]
    }
}

/// By the kernels, and by nothing else.
fn by_kernels(lstm: &Lstm, inputs: Tensor<3>) -> Tensor<3> {
    outputs(&inputs, &lstm.recurrent, lstm.activation, lstm.arithmetic)
        .expect("the kernels take it")
}

/// Widths that fill no workgroup and the widest, one step and many, fewer sequences than a tile and
/// more, one lane and two.
#[test]
fn values_and_gradients_are_those_of_the_tensors() {
    let Some(gpu) = gpu() else { return };
    for (hidden, shape) in [
        (1, [1, 1, 1]),
        (3, [2, 5, 2]),
        (7, [9, 1, 1]),
        (20, [11, 2, 2]),
        (33, [5, 12, 2]),
        (64, [17, 3, 1]),
        (100, [3, 9, 2]),
        (128, [1, 40, 1]),
        (128, [7, 16, 2]),
        (200, [3, 7, 1]),
        (256, [5, 4, 2]),
    ] {
        for activation in BOTH {
            let problem = Problem::new(activation, hidden, shape);
            let expected = problem.solve(&cpu_device(), Lstm::outputs_by_steps);
            let found = problem.solve(&gpu, by_kernels);
            // Whoever tracks no gradient gets the same values from the kernel that keeps nothing.
            let (inputs, lstm, _) = problem.tensors(&gpu);
            let plain = read(by_kernels(&lstm, inputs));
            let worst = difference(&plain, &found[0]);
            assert!(
                worst <= 1e-6,
                "{activation:?} {hidden} {shape:?}: {worst:e}"
            );
            for (index, name) in ["outputs", "inputs", "weights"].iter().enumerate() {
                let worst = difference(&found[index], &expected[index]);
                println!("{activation:?} {hidden} {shape:?} {name}: {worst:.1e}");
                let what = format!("{activation:?} {hidden} {shape:?} {name}");
                assert!(worst <= ON_GPU, "{what}: {worst:e}");
                // Nothing but zeros would pass for small numbers; a rectified unit alone may give them.
                let reached = *name != "weights" || shape[1] > 1;
                let some = found[index].iter().any(|number| number.abs() > 1e-3);
                assert!(some == reached || hidden == 1, "{what}");
            }
        }
    }
}

/// Against differences of the loss itself, which no implementation of a gradient went into.
#[test]
fn gradients_are_the_slopes_of_the_loss() {
    let Some(gpu) = gpu() else { return };
    const STEP: f32 = 1e-2;
    for activation in BOTH {
        let problem = Problem::new(activation, 3, [2, 4, 2]);
        let loss = |problem: &Problem| -> f64 {
            let (inputs, lstm, _) = problem.tensors(&gpu);
            let outputs = read(by_kernels(&lstm, inputs));
            let terms = outputs.iter().zip(&problem.counts);
            terms.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        let slope = |change: &dyn Fn(&mut Problem, f32)| {
            let (mut above, mut below) = (problem.clone(), problem.clone());
            change(&mut above, STEP);
            change(&mut below, -STEP);
            ((loss(&above) - loss(&below)) / f64::from(2.0 * STEP)) as f32
        };
        let [_, by_inputs, by_weights] = problem.solve(&gpu, by_kernels);
        let inputs: Vec<f32> = (0..by_inputs.len())
            .map(|index| slope(&|problem, by| problem.inputs[index] += by))
            .collect();
        let weights: Vec<f32> = (0..by_weights.len())
            .map(|index| slope(&|problem, by| problem.recurrent[index] += by))
            .collect();
        let worst = difference(&by_inputs, &inputs).max(difference(&by_weights, &weights));
        println!("{activation:?}: {worst:.1e}");
        assert!(worst <= ON_GPU, "{activation:?}: {worst:e}");
    }
}

/// On an adapter that has no subgroups, no f16, and no more of anything than all have.
#[test]
fn an_adapter_without_anything_beyond_webgpu_will_do() {
    let Some(gpu) = bare_gpu() else { return };
    for activation in BOTH {
        let problem = Problem::new(activation, 33, [5, 6, 2]);
        let expected = problem.solve(&cpu_device(), Lstm::outputs_by_steps);
        let found = problem.solve(&gpu, by_kernels);
        for (found, expected) in found.iter().zip(&expected) {
            let worst = difference(found, expected);
            assert!(worst <= ON_GPU, "{activation:?}: {worst:e}");
        }
    }
}

#[test]
fn what_the_kernels_do_not_take_goes_by_tensors() {
    let taken = |lstm: &Lstm, inputs: &Tensor<3>| {
        outputs(inputs, &lstm.recurrent, lstm.activation, lstm.arithmetic).is_some()
    };
    let small = Problem::new(CellActivation::Tanh, 5, [2, 3, 1]);
    let (inputs, lstm, _) = small.tensors(&cpu_device());
    assert!(!taken(&lstm, &inputs));

    let Some(gpu) = gpu() else { return };
    let (inputs, lstm, _) = small.tensors(&gpu);
    assert!(taken(&lstm, &inputs));
    let (tracked, _, _) = small.tensors(&gpu.clone().autodiff());
    assert!(!taken(&lstm, &tracked), "one tracked, the other not");
    let saving = gpu.clone().autodiff().gradient_checkpointing();
    let (inputs, lstm, _) = small.tensors(&saving);
    assert!(
        !taken(&lstm, &inputs),
        "to be computed again on the way back"
    );

    let wide = Problem::new(CellActivation::Tanh, 257, [2, 2, 1]);
    let (inputs, lstm, _) = wide.tensors(&gpu);
    assert!(!taken(&lstm, &inputs));
    let found = wide.solve(&gpu, Lstm::outputs);
    let expected = wide.solve(&cpu_device(), Lstm::outputs_by_steps);
    for (found, expected) in found.iter().zip(&expected) {
        assert!(difference(found, expected) <= ON_GPU);
    }
}

/// A launch is what a step of the loop costs a GPU: their number must not grow with the session.
#[test]
fn launches_do_not_grow_with_the_steps() {
    let Some(gpu) = gpu() else { return };
    let lstm = |steps: usize, way: Way| {
        let problem = Problem::new(CellActivation::Tanh, 16, [2, steps, 2]);
        launches(|| drop(problem.solve(&gpu, way)))
    };
    let [few, many] = [4, 32].map(|steps| lstm(steps, by_kernels));
    let [few_by_steps, many_by_steps] = [4, 32].map(|steps| lstm(steps, Lstm::outputs_by_steps));
    println!("LSTM of 4 and 32 steps, forward and back: {few} and {many} launches");
    println!("by tensors: {few_by_steps} and {many_by_steps}");
    assert!(few > 0 && few == many, "{few} and {many}");
    assert!(many_by_steps > few_by_steps, "the count sees every launch");
}

/// A batch of 64 sessions of 32 events through the LSTM of the published network, forward and back, in
/// turns: the figures in `docs/performance.md`. Few launches must not be bought with slow kernels, which
/// a software adapter shows, whose launches cost next to nothing.
#[test]
#[ignore = "a measurement, for an idle machine"]
fn the_kernels_keep_up_with_the_tensors_where_launches_are_cheap() {
    let Some(gpu) = gpu() else { return };
    let problem = Problem::new(CellActivation::Tanh, 128, [64, 16, 2]);
    let ways: [Way; 2] = [by_kernels, Lstm::outputs_by_steps];
    let [kernels, tensors] = in_turns(ways, |way| drop(problem.solve(&gpu, way)));
    println!("kernels {kernels:.3} s, tensors {tensors:.3} s");
    assert!(kernels < 2.0 * tensors, "{kernels} and {tensors}");
}
