use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use burn::tensor::{Device, Tensor, TensorData};
use cubecl::logging::{LaunchObservation, LaunchObserver};

use super::outputs;
use crate::device::gpu_for_tests as gpu;
use crate::lstm::Lstm;
use crate::{CellActivation, ModelConfig, cpu_device};

/// What GPUs may differ from the CPU, relative to numbers above one: `exp` differs by driver, and so
/// does the order of summation (`tests/tests/parity.rs` allows the same).
const ON_GPU: f32 = 1e-3;

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
        let mut state = 1 + hidden as u64 * 31 + places as u64;
        let mut numbers = |count: usize, scale: f32| -> Vec<f32> {
            let draw = |_| {
                // splitmix64 (Steele, Lea and Flood 2014).
                state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let mut bits = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                scale * (((bits ^ (bits >> 31)) >> 40) as f32 / (1u32 << 23) as f32 - 1.0)
            };
            (0..count).map(draw).collect()
        };
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
        let gradients = (outputs.clone() * counts).sum().backward();
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

fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let numbers = tensor.try_into_vec_as::<f32>();
    numbers.expect("the device can be read")
}

/// By the kernels, and by nothing else.
fn by_kernels(lstm: &Lstm, inputs: Tensor<3>) -> Tensor<3> {
    outputs(&inputs, &lstm.recurrent, lstm.activation).expect("the kernels take it")
}

/// The largest difference, relative to numbers above one; NaN is infinite.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let pairs = found.iter().zip(expected);
    let differences = pairs.map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    differences.fold(0.0, |worst: f32, next| match next.is_nan() {
        true => f32::INFINITY,
        false => worst.max(next),
    })
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

#[test]
fn what_the_kernels_do_not_take_goes_by_tensors() {
    let taken = |lstm: &Lstm, inputs: &Tensor<3>| {
        outputs(inputs, &lstm.recurrent, lstm.activation).is_some()
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

/// Counts the launches of one thread.
struct Count {
    thread: ThreadId,
    launches: AtomicUsize,
}

impl LaunchObserver for Count {
    fn launched(&self, _kernel: &'static str) {
        if thread::current().id() == self.thread {
            self.launches.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Launches that this thread makes meanwhile.
fn launches(work: impl FnOnce()) -> usize {
    // The process has one observer.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().expect("nobody panics while counting");
    let count = Arc::new(Count {
        thread: thread::current().id(),
        launches: AtomicUsize::new(0),
    });
    let watching = LaunchObservation::new(count.clone());
    work();
    drop(watching);
    count.launches.load(Ordering::Relaxed)
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

    let device = gpu.autodiff();
    let config = ModelConfig {
        hidden: 16,
        filters: 4,
        ..ModelConfig::seed(8, 3)
    };
    let model = config.init(&device, 1).expect("a valid configuration");
    let network = |events: usize| {
        launches(|| {
            let rows = Tensor::ones([2, events, 8], &device);
            let context = Tensor::ones([2, 3], &device);
            drop(model.forward(rows, context).sum().backward());
        })
    };
    let [few, many] = [8, 64].map(network);
    println!("network of 8 and 64 events, forward and back: {few} and {many} launches");
    assert!(few > 0 && few == many, "{few} and {many}");
}

/// A batch of 64 sessions of 32 events through the LSTM of the published network, forward and back, in
/// turns: the figures in `docs/performance.md`. Few launches must not be bought with slow kernels, which
/// a software adapter shows, whose launches cost next to nothing.
#[test]
#[ignore = "a measurement, for an idle machine"]
fn the_kernels_keep_up_with_the_tensors_where_launches_are_cheap() {
    let Some(gpu) = gpu() else { return };
    let problem = Problem::new(CellActivation::Tanh, 128, [64, 16, 2]);
    let seconds = |way: Way| {
        let clock = std::time::Instant::now();
        drop(problem.solve(&gpu, way));
        clock.elapsed().as_secs_f64()
    };
    let ways: [Way; 2] = [by_kernels, Lstm::outputs_by_steps];
    // The first of the rounds compiles.
    let rounds: Vec<[f64; 2]> = (0..6).map(|_| ways.map(seconds)).collect();
    let [kernels, tensors] = [0, 1].map(|way| {
        let mut times: Vec<f64> = rounds[1..].iter().map(|round| round[way]).collect();
        times.sort_by(f64::total_cmp);
        times[2]
    });
    println!("kernels {kernels:.3} s, tensors {tensors:.3} s");
    assert!(kernels < 2.0 * tensors, "{kernels} and {tensors}");
}
