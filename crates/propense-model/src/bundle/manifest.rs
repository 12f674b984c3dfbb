//! The manifest: everything in a bundle that is not a weight.

use propense_features::FeatureSpec;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::Calibration;
use crate::{ModelConfig, ModelError};

/// The newest version of the bundle format. Every earlier one is read as well; version 2 added the
/// ensemble, and is written only where there is one, so that a model without it still loads where
/// only version 1 is known.
pub const FORMAT_VERSION: u64 = 2;

/// The pause that begins a new session where the bundle does not say, in milliseconds.
const HALF_HOUR_MS: i64 = 30 * 60 * 1000;

/// The lowest version that knows all of this network.
pub(super) const fn lowest_version(model: &ModelConfig) -> u64 {
    if model.ensemble.is_some() { 2 } else { 1 }
}

/// Whether a file of this version is read.
pub(super) const fn known_version(version: u64) -> bool {
    1 <= version && version <= FORMAT_VERSION
}

/// What stands in place of the checksum while it is computed.
pub(super) const UNSIGNED: &str =
    "0000000000000000000000000000000000000000000000000000000000000000";

/// The JSON under the safetensors metadata key `propense`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The lowest version of the format that knows all that the bundle holds, at most
    /// [`FORMAT_VERSION`].
    pub format_version: u64,
    /// The model's name, as in `giftshop`.
    pub name: String,
    /// The task that it was trained for, in the command line's words.
    pub task: String,
    /// The network's sizes.
    pub model: ModelConfig,
    /// How events and context become numbers.
    #[serde(deserialize_with = "features")]
    pub features: FeatureSpec,
    /// What the network computes; `propensity` in this version.
    pub heads: Vec<String>,
    /// How logits become probabilities.
    pub calibration: Calibration,
    /// The probability from which on a session counts as likely to buy; it maximises F1 on the
    /// validation part.
    pub threshold: f32,
    /// The probabilities below which 0, 1, ... 100 % of the scores at moments spread over the
    /// validation sessions (held out from learning) lie, not falling. A task that scores a
    /// session at one position takes the scores at that position.
    pub percentiles: Vec<f32>,
    /// The item catalogue that belongs to the model, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<CatalogueRef>,
    /// What the model was trained on.
    pub data: DataFingerprint,
    /// How training went: by part (training, validation, test) the figures at each measured
    /// position, the parts' sizes, the epochs, and the settings that made the examples, which
    /// scoring reads again. See `docs/bundle.md`.
    #[serde(default)]
    pub metrics: serde_json::Value,
    /// Licence of the weights and, where they carry conditions, of the data behind them.
    pub licence: String,
    /// When the model was trained, RFC 3339 in UTC.
    pub created_at: String,
    /// The bundle that this one went on from, where `propense update` made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
    /// A session and its logits, for a check of the device that is to score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub golden: Option<Golden>,
    /// Ed25519 signature of the whole file with these 128 digits and those of `sha256` as zeros, in
    /// hexadecimal, where it is signed: [`Bundle::sign`](crate::Bundle::sign).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// SHA-256 of the whole file with these 64 digits as zeros. Set on writing and checked on
    /// reading. It must stay the last field: the format says so.
    pub sha256: String,
}

/// The item catalogue that a shop page shows with the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CatalogueRef {
    /// File name or address, relative to the bundle.
    pub file: String,
    /// SHA-256 of the catalogue's bytes, in hexadecimal.
    pub sha256: String,
}

/// The training data: enough to recognise it again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DataFingerprint {
    /// Name of the data set.
    pub name: String,
    /// SHA-256 over the files read, in hexadecimal.
    pub sha256: String,
    /// Rows read.
    pub rows: u64,
    /// Sessions (or other examples) trained and validated on.
    pub sessions: u64,
    /// Share of them with an order.
    pub base_rate: f32,
    /// Time of the first event, in milliseconds since 1970.
    pub from_ms: i64,
    /// Time of the last event, in milliseconds since 1970.
    pub to_ms: i64,
}

/// Where an updated bundle comes from, and up to when it has learnt: the place from which the next
/// update goes on. Times are in milliseconds since 1970 and speak of the starts of sessions (or the
/// moments of snapshots).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// SHA-256 of the bundle that this one went on from.
    pub parent: String,
    /// How many updates lie between this bundle and the one that was trained from its seed.
    pub generation: u32,
    /// End of the data that the feature specification was fitted on: it is the first ancestor's.
    pub features_until_ms: i64,
    /// From here on everything was new to this update.
    pub learnt_from_ms: i64,
    /// Everything before it has been learnt, or judged with; nothing from here on was.
    pub learnt_until_ms: i64,
}

/// A session with the logits that the trained model gave on the CPU.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Golden {
    /// One row of features for each event.
    pub rows: Vec<Vec<f32>>,
    /// The session's context.
    pub context: Vec<f32>,
    /// The logit after each event.
    pub logits: Vec<f32>,
}

/// Reads the specification in the crate that knows it, which is compiled for size in a page; this one,
/// with its kernels, for speed.
fn features<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FeatureSpec, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    FeatureSpec::from_value(value).map_err(D::Error::custom)
}

impl Golden {
    /// The largest difference between these logits and the golden ones; infinite where there are
    /// too few, or one is not a number.
    #[must_use]
    pub fn difference(&self, logits: &[f32]) -> f32 {
        if logits.len() != self.logits.len() {
            return f32::INFINITY;
        }
        let differences = self.logits.iter().zip(logits).map(|(a, b)| (a - b).abs());
        differences.fold(0.0, |worst, difference| {
            if difference.is_nan() {
                f32::INFINITY
            } else {
                worst.max(difference)
            }
        })
    }
}

impl Manifest {
    /// From when on (milliseconds since 1970) the start of a session, or the moment of a snapshot, is
    /// new to this model.
    #[must_use]
    pub fn learnt_until_ms(&self) -> i64 {
        match &self.lineage {
            Some(lineage) => lineage.learnt_until_ms,
            None => self.data.to_ms.saturating_add(1),
        }
    }

    /// A manifest with everything else at its plainest: no calibration, threshold one half, even
    /// percentiles, no data, no metrics.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        task: impl Into<String>,
        model: ModelConfig,
        features: FeatureSpec,
    ) -> Self {
        Self {
            format_version: lowest_version(&model),
            name: name.into(),
            task: task.into(),
            model,
            features,
            heads: vec!["propensity".into()],
            calibration: Calibration::Identity,
            threshold: 0.5,
            percentiles: (0..=100).map(|percent| percent as f32 / 100.0).collect(),
            catalogue: None,
            data: DataFingerprint::default(),
            metrics: serde_json::Value::Null,
            licence: String::new(),
            created_at: String::new(),
            lineage: None,
            golden: None,
            signature: None,
            sha256: UNSIGNED.into(),
        }
    }

    /// Name and the first digits of the checksum: what scores are reported under.
    #[must_use]
    pub fn version(&self) -> String {
        let digits: String = self.sha256.chars().take(12).collect();
        format!("{}@{digits}", self.name)
    }

    /// The pause, in milliseconds, after which training began a new session: half an hour where the
    /// bundle does not say.
    #[must_use]
    pub fn session_gap_ms(&self) -> i64 {
        let gap = self.setting("gap_ms").and_then(serde_json::Value::as_f64);
        gap.filter(|gap| *gap >= 1.0)
            .map_or(HALF_HOUR_MS, |gap| gap as i64)
    }

    /// Whether training began a new session at the shop's midnight, too.
    #[must_use]
    pub fn midnight(&self) -> bool {
        let midnight = self.setting("midnight");
        midnight
            .and_then(serde_json::Value::as_bool)
            .unwrap_or(false)
    }

    /// Whether what is forecast is an order of anything by the end of the session, as it is where
    /// the bundle does not say.
    pub(crate) fn forecasts_the_session(&self) -> bool {
        let target = self.setting("target");
        let part = |name| target.and_then(|target| target.get(name));
        let horizon = part("horizon").and_then(serde_json::Value::as_str);
        let this_item = part("this_item").and_then(serde_json::Value::as_bool);
        horizon.unwrap_or("session") == "session" && !this_item.unwrap_or(false)
    }

    /// One of the settings that the bundle was trained with.
    fn setting(&self, name: &str) -> Option<&serde_json::Value> {
        self.metrics.get("settings")?.get(name)
    }

    /// The calibrated probability for a logit.
    #[must_use]
    pub fn probability(&self, logit: f32) -> f32 {
        self.calibration.apply(logit)
    }

    /// The share, 0 to 100, of scores at moments spread over the validation sessions (held out
    /// from learning) that lie below this one; half of those that equal it count as below.
    #[must_use]
    pub fn percentile(&self, probability: f32) -> f32 {
        let table = &self.percentiles;
        let below = table.partition_point(|&value| value < probability);
        let upto = table.partition_point(|&value| value <= probability);
        if below < upto {
            return (below + upto - 1) as f32 / 2.0;
        }
        match (below.checked_sub(1).map(|i| table[i]), table.get(below)) {
            (Some(low), Some(high)) => (below - 1) as f32 + (probability - low) / (high - low),
            (None, _) => 0.0,
            (_, None) => 100.0,
        }
    }

    /// Percentiles of these probabilities: what [`Self::percentiles`] is to be set to. Even steps
    /// where there are none.
    #[must_use]
    pub fn percentile_table(probabilities: &[f32]) -> Vec<f32> {
        let mut sorted: Vec<f32> = probabilities
            .iter()
            .copied()
            .filter(|probability| probability.is_finite())
            .collect();
        sorted.sort_by(f32::total_cmp);
        (0..=100)
            .map(|percent| {
                let Some(last) = sorted.len().checked_sub(1) else {
                    return percent as f32 / 100.0;
                };
                let place = last as f64 * f64::from(percent) / 100.0;
                let low = sorted[place.floor() as usize];
                let high = sorted[place.ceil() as usize];
                (f64::from(low) + f64::from(high - low) * place.fract()) as f32
            })
            .collect()
    }

    /// Checks every rule that the format sets besides the weights.
    pub(super) fn validate(&self) -> Result<(), ModelError> {
        let fail = |detail: String| Err(ModelError::Manifest { detail });
        if !known_version(self.format_version) {
            return Err(ModelError::Version {
                found: self.format_version,
                supported: FORMAT_VERSION,
            });
        }
        self.model.validate()?;
        if let Err(problem) = self.features.validate() {
            return fail(format!("`features`: {problem}"));
        }
        let (rows, context) = (self.features.row_len(), self.features.context_len());
        if (rows, context) != (self.model.features, self.model.context) {
            return fail(format!(
                "`features` makes rows of {rows} and a context of {context} numbers, `model` \
                 takes {} and {}",
                self.model.features, self.model.context
            ));
        }
        if !self.heads.iter().any(|head| head == "propensity") {
            return fail("`heads` lacks `propensity`".into());
        }
        if let Some(problem) = self.calibration.problem() {
            return fail(format!("`calibration`: {problem}"));
        }
        if !(0.0..=1.0).contains(&self.threshold) {
            return fail(format!("`threshold` is {}, not in [0, 1]", self.threshold));
        }
        let table = &self.percentiles;
        if table.len() != 101
            || !table.iter().all(|value| (0.0..=1.0).contains(value))
            || !table.windows(2).all(|pair| pair[0] <= pair[1])
        {
            return fail("`percentiles` must be 101 ascending probabilities".into());
        }
        if let Some(golden) = &self.golden {
            let numbers = golden.rows.iter().flatten();
            let numbers = numbers.chain(&golden.context).chain(&golden.logits);
            if golden.rows.len() != golden.logits.len()
                || golden.context.len() != self.model.context
                || golden
                    .rows
                    .iter()
                    .any(|row| row.len() != self.model.features)
                || numbers.into_iter().any(|number| !number.is_finite())
            {
                return fail("`golden` does not fit the model's sizes".into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use propense_features::RowFeature;

    use super::*;

    fn manifest(percentiles: Vec<f32>) -> Manifest {
        let features = FeatureSpec {
            version: propense_features::SPEC_VERSION,
            row: vec![RowFeature::PageType {
                names: (0..15).map(|index| index.to_string()).collect(),
            }],
            context: Vec::new(),
            utc_offset_minutes: 0,
            item_rates: Default::default(),
            category_rates: Default::default(),
            item_orders: Default::default(),
            typical_prices: None,
        };
        Manifest {
            percentiles,
            ..Manifest::new("test", "in-session", ModelConfig::seed(16, 0), features)
        }
    }

    #[test]
    fn percentiles_invert_the_table() {
        let even = manifest((0..=100).map(|i| i as f32 / 100.0).collect());
        let check = |probability: f32, expected: f32| {
            let found = even.percentile(probability);
            assert!((found - expected).abs() < 1e-3, "{probability}: {found}");
        };
        check(0.0, 0.0);
        check(0.255, 25.5);
        check(1.0, 100.0);
        // Half of the sessions share one score: it stands in the middle of them.
        let mut tied = vec![0.1; 51];
        tied.extend((1..=50).map(|i| 0.1 + i as f32 / 100.0));
        let tied = manifest(tied);
        assert_eq!(tied.percentile(0.1), 25.0);
        assert_eq!(tied.percentile(0.05), 0.0);
        assert_eq!(tied.percentile(0.99), 100.0);
    }

    #[test]
    fn the_table_of_known_numbers() {
        let table = Manifest::percentile_table(&[0.3, 0.1, f32::NAN, 0.2]);
        assert_eq!(table.len(), 101);
        assert_eq!((table[0], table[50], table[100]), (0.1, 0.2, 0.3));
        assert!((table[25] - 0.15).abs() < 1e-6);
        manifest(Manifest::percentile_table(&[]))
            .validate()
            .expect("even steps");
    }

    #[test]
    fn unsound_manifests_are_refused() {
        let check = |change: fn(&mut Manifest)| {
            let mut manifest = manifest(Manifest::percentile_table(&[]));
            manifest.validate().expect("sound before the change");
            change(&mut manifest);
            manifest.validate().expect_err("unsound");
        };
        check(|m| m.threshold = f32::NAN);
        check(|m| m.percentiles.truncate(100));
        check(|m| m.percentiles.reverse());
        check(|m| m.heads.clear());
        check(|m| m.format_version = 3);
        check(|m| m.model.features = 0);
        check(|m| m.model.features = 17);
        check(|m| m.model.context = 1);
        check(|m| m.features.row.clear());
        check(|m| m.calibration = Calibration::Temperature { temperature: -1.0 });
        check(|m| {
            m.golden = Some(Golden {
                rows: vec![vec![0.0; 15]],
                context: vec![],
                logits: vec![0.0],
            });
        });
    }

    #[test]
    fn a_golden_vector_measures_the_worst_difference() {
        let golden = Golden {
            logits: vec![1.0, 2.0],
            ..Golden::default()
        };
        assert_eq!(golden.difference(&[1.0, 2.5]), 0.5);
        assert_eq!(golden.difference(&[1.0]), f32::INFINITY);
        assert_eq!(golden.difference(&[1.0, f32::NAN]), f32::INFINITY);
    }
}
