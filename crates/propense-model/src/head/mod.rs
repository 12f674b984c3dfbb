//! The output layer by itself: what learns on a visitor's device, and what devices improve together.
//!
//! The layer is one row of weights over what the network makes of a session (the LSTM's output and
//! the encoded context) and a bias. Everything before it stays, so that what a session was to the
//! network ([`CpuStream::head_input`]) can be kept instead of its events, and learning from it is
//! arithmetic on some hundred numbers:
//!
//! ```text
//! p = σ(a · (w · x) + b)        x: [hidden + context_hidden + 1], the last number is 1; a, b: calibration
//! ∂ log-loss / ∂w = a · (p − y) · x
//! ```
//!
//! Changes are kept apart from the shared weights, as a *difference*, and never leave a ball around
//! them: what a few sessions say about one visitor may correct the shared model, not replace it.

mod average;
mod contribution;
mod privacy;

use crate::weights::values;
use crate::{Bundle, Calibration, CpuModel, CpuStream, Lineage, ModelError};

pub use average::filtered_mean;
pub use contribution::{CLIP, Contribution, Unfit};
pub use privacy::Privacy;

/// The prefix lengths at which in-session forecasts are measured, and after which a head learns.
pub const PREFIXES: [usize; 4] = [2, 3, 5, 10];

/// By how much a round's average, a step along the mean gradient, moves the shared head where so
/// many rounds are to come: with more rounds each has more noise, and all together move as far.
#[must_use]
pub fn server_rate(rounds: u32) -> f64 {
    1.0 / f64::from(rounds.max(1)).sqrt()
}

/// The output layer of a bundle.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The shared weights, then the bias.
    shared: Vec<f64>,
    /// Calibration: slope and offset.
    slope: f64,
    offset: f64,
}

/// One finished session as the head saw it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lived<'a> {
    /// `[moments, width]`, row-major: the head's input after some of the session's events.
    pub inputs: &'a [f32],
    /// Whether it ended in an order.
    pub bought: bool,
}

/// How a head learns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steps {
    /// Steps along the mean gradient of all sessions.
    pub steps: u32,
    /// Length of a step, times the gradient.
    pub rate: f64,
    /// How far from the shared weights it may go (L2).
    pub radius: f64,
}

impl Steps {
    /// What adapts a head to one visitor (docs/on-device.md has the replay that chose it).
    pub const VISITOR: Self = Self {
        steps: 8,
        rate: 0.1,
        radius: 0.1,
    };
    /// One visitor's part in an improvement for all: a single step, which a contribution clips.
    pub const SHARED: Self = Self {
        steps: 1,
        rate: 1.0,
        radius: f64::INFINITY,
    };
}

impl Head {
    /// The head of this bundle.
    ///
    /// # Errors
    /// [`ModelError::Manifest`] where it cannot learn by itself: another task than `in-session`,
    /// outcomes beyond the session, an ensemble beside the head, or a calibration that is no line.
    pub fn of(bundle: &Bundle) -> Result<Self, ModelError> {
        let manifest = &bundle.manifest;
        let (slope, offset) = match manifest.calibration {
            Calibration::Identity => (1.0, 0.0),
            Calibration::Temperature { temperature } => (1.0 / f64::from(temperature), 0.0),
            Calibration::Platt { a, b } => (f64::from(a), f64::from(b)),
            Calibration::Isotonic { .. } => return Err(unfit("its calibration is a curve")),
        };
        if manifest.task != "in-session" {
            return Err(unfit("its task is not `in-session`"));
        }
        if !manifest.forecasts_the_session() {
            return Err(unfit("it forecasts beyond the session, or one item"));
        }
        if manifest.model.ensemble.is_some() {
            return Err(unfit("an ensemble stands beside its head"));
        }
        let width = manifest.model.joined();
        let weight = values(&bundle.weights, "output.weight", &[width, 1])?.iter();
        let shared = weight.chain(values(&bundle.weights, "output.bias", &[1])?);
        Ok(Self {
            shared: shared.copied().map(f64::from).collect(),
            slope,
            offset,
        })
    }

    /// Numbers in the head: weights and bias.
    #[must_use]
    pub fn width(&self) -> usize {
        self.shared.len()
    }

    /// The calibrated probability for this input with the shared weights changed by `difference`.
    #[must_use]
    pub fn probability(&self, difference: &[f64], input: &[f32]) -> f64 {
        let weights = self.shared.iter().zip(difference);
        let products = weights
            .zip(input)
            .map(|((shared, difference), &input)| (shared + difference) * f64::from(input));
        let logit: f64 = products.sum();
        1.0 / (1.0 + (-(self.slope * logit + self.offset)).exp())
    }

    /// The gradient of the mean log-loss of these sessions at the shared weights changed by
    /// `difference`. Each session counts once, however many moments of it are known.
    #[must_use]
    pub fn gradient(&self, difference: &[f64], sessions: &[Lived<'_>]) -> Vec<f64> {
        let mut gradient = vec![0.0; self.width()];
        for session in sessions {
            let moments = session.inputs.len() / self.width();
            let share = self.slope / (moments * sessions.len()).max(1) as f64;
            for input in session.inputs.chunks_exact(self.width()) {
                let error =
                    self.probability(difference, input) - f64::from(u8::from(session.bought));
                for (sum, &number) in gradient.iter_mut().zip(input) {
                    *sum += share * error * f64::from(number);
                }
            }
        }
        gradient
    }

    /// The difference that these sessions teach, beginning at the shared weights. All zeros where
    /// there is no session, or a number among the inputs that is not finite.
    #[must_use]
    pub fn learn(&self, sessions: &[Lived<'_>], how: Steps) -> Vec<f64> {
        let mut difference = vec![0.0; self.width()];
        for _ in 0..how.steps {
            let gradient = self.gradient(&difference, sessions);
            for (weight, slope) in difference.iter_mut().zip(gradient) {
                *weight -= how.rate * slope;
            }
            limit(&mut difference, how.radius);
        }
        if difference.iter().any(|number| !number.is_finite()) {
            difference.fill(0.0);
        }
        difference
    }
}

fn unfit(why: &str) -> ModelError {
    ModelError::Manifest {
        detail: format!("the head of this bundle does not learn by itself: {why}"),
    }
}

/// The length (L2).
pub(crate) fn length(vector: &[f64]) -> f64 {
    vector
        .iter()
        .map(|number| number * number)
        .sum::<f64>()
        .sqrt()
}

/// Shortens a vector to at most this length, its direction kept.
pub(crate) fn limit(vector: &mut [f64], most: f64) {
    let length = length(vector);
    if length > most {
        for number in vector {
            *number *= most / length;
        }
    }
}

impl CpuModel {
    /// The same network with this difference added to its head; as it is where the widths differ.
    #[must_use]
    pub fn with_difference(&self, difference: &[f64]) -> Self {
        let changed = self.head().into_iter().zip(difference);
        let changed: Vec<f32> = changed
            .map(|(weight, change)| (f64::from(weight) + change) as f32)
            .collect();
        self.with_head(&changed)
    }
}

impl Bundle {
    /// This bundle with the difference added to its head: another bundle, whose parent this is. The
    /// figures under `metrics` stay those of the parent, calibration and percentiles too; nothing
    /// was measured.
    ///
    /// # Errors
    /// [`ModelError`] where the bundle's head does not learn by itself, or the difference has
    /// another width or is not finite.
    pub fn with_difference(&self, difference: &[f64]) -> Result<Self, ModelError> {
        let head = Head::of(self)?;
        if difference.len() != head.width() {
            return Err(ModelError::Shape {
                name: "difference".into(),
                expected: vec![head.width()],
                found: vec![difference.len()],
            });
        }
        let mut bundle = self.clone();
        let mut rest = difference.iter();
        for name in ["output.weight", "output.bias"] {
            let weight = bundle.weights.iter_mut().find(|weight| weight.name == name);
            for (number, change) in weight.into_iter().flat_map(|w| &mut w.data).zip(&mut rest) {
                *number = (f64::from(*number) + change) as f32;
                if !number.is_finite() {
                    return Err(ModelError::NotFinite { what: name.into() });
                }
            }
        }
        let model = bundle.cpu_model()?;
        let manifest = &mut bundle.manifest;
        if let Some(golden) = &mut manifest.golden {
            let mut stream = CpuStream::new(model);
            let logits = golden.rows.iter().map(|row| {
                stream.push(row);
                stream.logit(&golden.context)
            });
            golden.logits = logits.collect();
        }
        // They are of the old weights.
        if let Some(metrics) = manifest.metrics.as_object_mut() {
            metrics.remove("validation");
        }
        let lineage = self.manifest.lineage.as_ref();
        let learnt = self.manifest.learnt_until_ms();
        manifest.lineage = Some(Lineage {
            parent: self.manifest.sha256.clone(),
            generation: lineage.map_or(0, |l| l.generation) + 1,
            features_until_ms: lineage.map_or(manifest.data.to_ms, |l| l.features_until_ms),
            // No stored event was learnt.
            learnt_from_ms: learnt,
            learnt_until_ms: learnt,
        });
        Ok(bundle)
    }
}

#[cfg(test)]
mod tests;
