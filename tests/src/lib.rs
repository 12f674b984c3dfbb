//! Support for the integration tests: golden vectors, random networks and sessions, devices.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use burn::tensor::{Device, Tensor, TensorData};
use propense_features::{ContextFeature, FeatureSpec, RowFeature, SPEC_VERSION};
use propense_model::{Adapter, Batch, Bundle, CnnLstm, Manifest, ModelConfig, gpu_device};
use proptest::prelude::ProptestConfig;
use serde::Deserialize;

/// `tests/golden/golden.json`.
#[derive(Debug, Deserialize)]
struct GoldenFile {
    cases: Vec<Case>,
}

/// One network and what the reference computes with it.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// The case's name.
    pub name: String,
    /// File name of its bundle, beside `golden.json`.
    pub bundle: String,
    /// Number of weights.
    pub parameters: usize,
    /// Sessions with the reference's logits.
    pub sessions: Vec<GoldenSession>,
}

/// A session and its logit by the reference.
#[derive(Debug, Deserialize)]
pub struct GoldenSession {
    /// `[events, features]`.
    pub rows: Vec<Vec<f32>>,
    /// `[context]`.
    pub context: Vec<f32>,
    /// The logit of the whole session.
    pub logit: f32,
}

fn golden_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// Every golden case.
///
/// # Panics
/// Where `golden.json` cannot be read.
#[must_use]
pub fn golden_cases() -> Vec<Case> {
    let path = golden_folder().join("golden.json");
    let text = std::fs::read_to_string(&path).expect("golden.json is in the repository");
    let file: GoldenFile = serde_json::from_str(&text).expect("golden.json is valid");
    file.cases
}

impl Case {
    /// The bytes of the case's bundle.
    ///
    /// # Panics
    /// Where the file cannot be read.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(golden_folder().join(&self.bundle)).expect("the bundle is in the repository")
    }

    /// The case's bundle.
    ///
    /// # Panics
    /// Where the file cannot be read.
    #[must_use]
    pub fn load(&self) -> Bundle {
        Bundle::from_bytes(&self.bytes()).expect("the golden bundle is valid")
    }
}

/// A GPU, or nothing, said aloud, where there is none. With `PROPENSE_REQUIRE_GPU=1` its absence
/// is a failure.
///
/// # Panics
/// Where there is no GPU and one is required.
#[must_use]
pub fn gpu() -> Option<(Device, Adapter)> {
    match gpu_device() {
        Ok(found) => Some(found),
        Err(error) => {
            let required = std::env::var("PROPENSE_REQUIRE_GPU").is_ok_and(|value| value == "1");
            assert!(!required, "PROPENSE_REQUIRE_GPU is set: {error}");
            eprintln!("skipped: {error}");
            None
        }
    }
}

/// The GPU as a page has it, without Burn; none, with a message, where the machine has none.
///
/// # Panics
/// Where there is no GPU and one is required.
#[must_use]
pub fn page_gpu() -> Option<(wgpu::Device, wgpu::Queue)> {
    // Says why there is none.
    gpu()?;
    let instance =
        wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = wait(instance.request_adapter(&wgpu::RequestAdapterOptions::default()));
    let adapter = adapter.expect("there is a GPU");
    Some(wait(adapter.request_device(&wgpu::DeviceDescriptor::default())).expect("it starts"))
}

/// What a future that is ready gives: natively, the GPU is waited for before one is handed out.
///
/// # Panics
/// Where it is not ready.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the GPU is not ready"),
    }
}

/// What GPUs may differ on the logit: `exp` and the order of summation differ by driver.
pub const ON_GPU: f32 = 1e-3;

impl Case {
    /// The reference's logit of each session.
    #[must_use]
    pub fn expected(&self) -> Vec<f32> {
        self.sessions.iter().map(|session| session.logit).collect()
    }

    /// All sessions as one batch.
    #[must_use]
    pub fn batch(&self, config: &ModelConfig) -> Batch {
        let mut batch = Batch::new(config);
        for session in &self.sessions {
            batch.push(&session.rows.concat(), &session.context);
        }
        batch
    }
}

/// A network of some shape, and sessions for it.
#[derive(Debug)]
pub struct Shape {
    /// The network.
    pub bundle: Bundle,
    /// Rows, row-major, and context of each session.
    pub sessions: Vec<(Vec<f32>, Vec<f32>)>,
}

impl Shape {
    /// All sessions as one batch.
    #[must_use]
    pub fn batch(&self) -> Batch {
        let sessions = self.sessions.iter();
        let sessions = sessions.map(|(rows, context)| (&rows[..], &context[..]));
        Batch::of(&self.bundle.manifest.model, sessions)
    }

    /// The CPU's logit of each session.
    ///
    /// # Panics
    /// Where the bundle is not sound.
    #[must_use]
    pub fn expected(&self) -> Vec<f32> {
        let reference = self.bundle.cpu_model().expect("a valid bundle");
        let sessions = self.sessions.iter();
        sessions
            .map(|(rows, context)| reference.score(rows, context))
            .collect()
    }
}

/// Widths that fill no vector and no workgroup, windows that do not fit its memory at once, batches
/// of a session more or less than a tile, sessions of nothing to an odd and an even many.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    let shapes = [
        (4, 0, 1, 2, 1, 1),
        (5, 3, 3, 4, 7, 7),
        (30, 7, 32, 3, 128, 8),
        (41, 1, 17, 3, 33, 9),
        (70, 20, 40, 3, 200, 17),
        (9, 2, 8, 5, 256, 3),
    ];
    let shapes = shapes.map(|(features, context, filters, kernel, hidden, sessions)| {
        let config = ModelConfig {
            features,
            context,
            filters,
            kernel,
            hidden,
            context_hidden: 5,
            ..ModelConfig::seed(features, context)
        };
        let mut numbers = Numbers(5);
        let sessions = (0..sessions).map(|session: usize| {
            let rows = numbers.rows([5, 0, 12, 1, 2, 31][session % 6], features);
            (rows.concat(), numbers.row(context))
        });
        Shape {
            sessions: sessions.collect(),
            bundle: fresh_bundle(&config, 3),
        }
    });
    shapes.into()
}

/// Rows of several sessions as one tensor, `[sessions, longest, features]`, padded at the end
/// with `padding`, and their contexts, `[sessions, context]`.
#[must_use]
pub fn tensors(
    config: &ModelConfig,
    sessions: &[(&[Vec<f32>], &[f32])],
    padding: f32,
    device: &Device,
) -> (Tensor<3>, Tensor<2>) {
    let longest = sessions.iter().map(|(rows, _)| rows.len()).max();
    let longest = longest.unwrap_or(0);
    let mut numbers = Vec::new();
    let mut contexts = Vec::new();
    for (index, (rows, context)) in sessions.iter().enumerate() {
        numbers.extend(rows.iter().flatten());
        numbers.resize((index + 1) * longest * config.features, padding);
        contexts.extend_from_slice(context);
        // A network without context still takes a tensor, which it ignores.
        contexts.resize((index + 1) * config.context.max(1), 0.0);
    }
    let shape = [sessions.len(), longest, config.features];
    let rows = Tensor::from_data(TensorData::new(numbers, shape), device);
    let shape = [sessions.len(), config.context.max(1)];
    let context = Tensor::from_data(TensorData::new(contexts, shape), device);
    (rows, context)
}

/// The logit after each event of one session, by the batch forward pass.
///
/// # Panics
/// Where the device cannot be read.
#[must_use]
pub fn batch_logits(model: &CnnLstm, rows: &[Vec<f32>], context: &[f32]) -> Vec<f32> {
    let (rows, context) = tensors(model.config(), &[(rows, context)], 0.0, &model.device());
    read(model.forward(rows, context))
}

/// The numbers of a tensor, row-major.
///
/// # Panics
/// Where the device cannot be read.
#[must_use]
pub fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor
        .try_into_vec_as::<f32>()
        .expect("the device can be read")
}

/// A feature specification that makes rows and contexts of these widths.
#[must_use]
pub fn features(rows: usize, context: usize) -> FeatureSpec {
    let names = |count: usize| (1..count).map(|index| format!("n{index}")).collect();
    FeatureSpec {
        version: SPEC_VERSION,
        row: vec![RowFeature::PageType { names: names(rows) }],
        context: match context {
            0 => Vec::new(),
            _ => vec![ContextFeature::Category {
                name: "c".into(),
                names: names(context),
            }],
        },
        utc_offset_minutes: 0,
        item_rates: Default::default(),
        category_rates: Default::default(),
        item_orders: Default::default(),
        typical_prices: None,
    }
}

/// A bundle of a network with fresh weights.
///
/// # Panics
/// Where the configuration is out of range.
#[must_use]
pub fn fresh_bundle(config: &ModelConfig, seed: u64) -> Bundle {
    let spec = features(config.features, config.context);
    Bundle {
        manifest: Manifest::new("test", "in-session", config.clone(), spec),
        weights: config.initial_weights(seed).expect("a valid configuration"),
    }
}

/// Numbers like a featuriser's, from a seed: flags, zeros and normalised numbers.
#[derive(Debug)]
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number.
    pub fn number(&mut self) -> f32 {
        // xorshift64* (Vigna 2016).
        self.0 = self.0.max(1);
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40;
        let unit = bits as f32 / (1u32 << 24) as f32;
        match unit {
            ..0.3 => 0.0,
            ..0.5 => 1.0,
            _ => (unit - 0.75) * 8.0,
        }
    }

    /// A row of numbers.
    pub fn row(&mut self, width: usize) -> Vec<f32> {
        (0..width).map(|_| self.number()).collect()
    }

    /// A session: `events` rows of `width` numbers.
    pub fn rows(&mut self, events: usize, width: usize) -> Vec<Vec<f32>> {
        (0..events).map(|_| self.row(width)).collect()
    }
}

/// Settings for property tests: this many cases, and failures printed rather than kept in files.
#[must_use]
pub fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(count)
    }
}

/// The largest absolute difference between two lists: what the tolerances on logits bound.
///
/// # Panics
/// Where the lists differ in length.
#[must_use]
pub fn difference(found: &[f32], expected: &[f32]) -> f32 {
    largest(found, expected, |_| 1.0)
}

/// The same for gradients, whose size hangs on the loss: each difference relative to the expected
/// number where that is above one.
///
/// # Panics
/// Where the lists differ in length.
#[must_use]
pub fn relative_difference(found: &[f32], expected: &[f32]) -> f32 {
    largest(found, expected, |expected| expected.abs().max(1.0))
}

fn largest(found: &[f32], expected: &[f32], scale: impl Fn(f32) -> f32) -> f32 {
    assert_eq!(found.len(), expected.len());
    let differences = found
        .iter()
        .zip(expected)
        .map(|(found, expected)| (found - expected).abs() / scale(*expected));
    // NaN must not pass for small.
    differences.fold(0.0, |worst: f32, next| {
        if next.is_nan() {
            f32::INFINITY
        } else {
            worst.max(next)
        }
    })
}
