//! What the tests of the kernels share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, ThreadId};
use std::time::Instant;

use burn::tensor::{Device, Tensor};
use burn_wgpu::wgpu;
use cubecl::future::block_on as wait;
use cubecl::logging::{LaunchObservation, LaunchObserver};

/// What GPUs may differ from the CPU, relative to numbers above one: `exp` differs by driver, and so
/// does the order of summation (`tests/tests/parity.rs` allows the same).
pub(super) const ON_GPU: f32 = 1e-3;

/// Numbers between minus and plus `scale`, as many as are asked for: splitmix64 (Steele, Lea and Flood
/// 2014).
pub(super) fn draws(seed: u64) -> impl FnMut(usize, f32) -> Vec<f32> {
    let mut state = seed;
    move |count, scale| {
        let draw = |_| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut bits = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            scale * (((bits ^ (bits >> 31)) >> 40) as f32 / (1u32 << 23) as f32 - 1.0)
        };
        (0..count).map(draw).collect()
    }
}

pub(super) fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let numbers = tensor.try_into_vec_as::<f32>();
    numbers.expect("the device can be read")
}

/// The largest difference, relative to numbers above one; NaN is infinite.
pub(super) fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let pairs = found.iter().zip(expected);
    let differences = pairs.map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    differences.fold(0.0, |worst: f32, next| match next.is_nan() {
        true => f32::INFINITY,
        false => worst.max(next),
    })
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
pub(super) fn launches(work: impl FnOnce()) -> usize {
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

/// The GPU, where it has numbers of 16 bits; none, said aloud, where it has not.
pub(super) fn half_gpu() -> Option<Device> {
    let gpu = crate::device::gpu_for_tests()?;
    if !super::mixed::is_there(&gpu) {
        eprintln!("skipped: this adapter has no numbers of 16 bits");
        return None;
    }
    Some(gpu)
}

/// A device that asks the adapter for no more than every WebGPU adapter has: neither subgroups nor f16;
/// only integers of 64 bits, which CubeCL counts on where the adapter has them. None, said aloud, where
/// there is no adapter.
pub(super) fn bare_gpu() -> Option<Device> {
    static BARE: OnceLock<Option<Device>> = OnceLock::new();
    BARE.get_or_init(|| {
        // Whoever requires a GPU learns there that there is none.
        crate::device::gpu_for_tests()?;
        let instance =
            wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
        let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions::default());
        let adapter = wait(adapter).expect("there is one");
        let features = adapter.features() & wgpu::Features::SHADER_INT64;
        let device = adapter.request_device(&wgpu::DeviceDescriptor {
            required_features: features,
            ..Default::default()
        });
        let (device, queue) = wait(device).expect("it starts");
        assert_eq!(device.features(), features);
        let backend = adapter.get_info().backend;
        let setup = burn_wgpu::WgpuSetup {
            instance,
            adapter,
            device,
            queue,
            backend,
        };
        let device = burn_wgpu::init_device(setup, burn_wgpu::RuntimeOptions::default());
        Some(Device::from(device))
    })
    .clone()
}

/// Seconds that each way takes: the median of five rounds, in turns, after one that compiles.
pub(super) fn in_turns<W: Copy>(ways: [W; 2], work: impl Fn(W)) -> [f64; 2] {
    let seconds = |way| {
        let clock = Instant::now();
        work(way);
        clock.elapsed().as_secs_f64()
    };
    let rounds: Vec<[f64; 2]> = (0..6).map(|_| ways.map(seconds)).collect();
    [0, 1].map(|way| {
        let mut times: Vec<f64> = rounds[1..].iter().map(|round| round[way]).collect();
        times.sort_by(f64::total_cmp);
        times[2]
    })
}
