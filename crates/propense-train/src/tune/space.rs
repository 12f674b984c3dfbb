//! What a search may choose from, and the choices that it makes.

use propense_model::ModelConfig;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

use crate::fit::NetworkSizes;
use crate::options::{MOST_IN_BATCH, Preset};
use crate::{Task, TrainError};

/// Values of one option: a list, or everything between two ends, evenly in the logarithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Axis {
    /// One of these.
    List(Vec<f64>),
    /// From the lower to the upper end; not for a grid.
    Range {
        /// The lower end.
        from: f64,
        /// The upper end.
        to: f64,
    },
}

impl Axis {
    /// The highest value.
    fn highest(&self) -> f64 {
        match self {
            Self::List(values) => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Range { to, .. } => *to,
        }
    }
}

/// The options that a search may set, each by its name on the command line of `train`; those that are
/// left out keep their usual values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Space {
    /// Convolution filters, of the published network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<Axis>,
    /// Hidden units: of the LSTM, or of each layer of a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<Axis>,
    /// Adam's learning rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<Axis>,
    /// Examples in a batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Axis>,
    /// Share of the units left out in training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropout: Option<Axis>,
    /// Largest norm of the gradient, 0 for none, of the published network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<Axis>,
    /// Weight decay, of the ensemble.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<Axis>,
}

/// One choice: values for the options that the space holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Sizes of the network.
    #[serde(flatten)]
    pub sizes: NetworkSizes,
    /// Adam's learning rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f32>,
    /// Examples in a batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
    /// Largest norm of the gradient, 0 for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<f32>,
    /// Weight decay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<f32>,
}

impl Choice {
    /// Name and value of each option that is set, as on the command line of `train`.
    #[must_use]
    pub fn options(&self) -> Vec<(&'static str, String)> {
        let whole = |value: Option<usize>| value.map(|value| value.to_string());
        let all = [
            ("--filters", whole(self.sizes.filters)),
            ("--hidden", whole(self.sizes.hidden)),
            (
                "--dropout",
                self.sizes.dropout.map(|value| value.to_string()),
            ),
            (
                "--learning-rate",
                self.learning_rate.map(|value| value.to_string()),
            ),
            ("--batch", whole(self.batch)),
            ("--clip", self.clip.map(|value| value.to_string())),
            ("--decay", self.decay.map(|value| value.to_string())),
        ];
        all.into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

impl Space {
    /// Of the published network the article's grid: filters, LSTM width, learning rate and batch; summaries
    /// have no events for filters and LSTM to read, and dropout takes their place. Of the ensemble a member's
    /// units, learning rate, dropout and weight decay.
    #[must_use]
    pub fn built_in(task: Task, preset: Preset) -> Self {
        let list = |values: &[f64]| Some(Axis::List(values.to_vec()));
        if preset == Preset::Base {
            return Self {
                hidden: list(&[16.0, 32.0, 64.0]),
                learning_rate: list(&[0.001, 0.002, 0.004]),
                dropout: list(&[0.1, 0.2, 0.4]),
                decay: list(&[0.0, 0.02, 0.1]),
                ..Self::default()
            };
        }
        let of_events = |values| list(values).filter(|_| !task.is_summary());
        Self {
            filters: of_events(&[16.0, 32.0, 64.0]),
            hidden: of_events(&[64.0, 128.0]),
            learning_rate: list(&[0.000_3, 0.001, 0.003]),
            batch: list(&[64.0, 128.0]),
            dropout: list(&[0.0, 0.2, 0.4]).filter(|_| task.is_summary()),
            ..Self::default()
        }
    }

    /// Refuses what would change nothing on the examples of this task, or in the network of this preset.
    pub(super) fn check(&self, task: Task, preset: Preset) -> Result<(), TrainError> {
        let of_events = || format!("shapes what reads events, and {task} has none");
        let of_other = |other: Preset| format!("belongs to --preset {}", other.name());
        for (name, axis, _) in self.axes() {
            let idle = match (name, preset) {
                ("filters" | "hidden", Preset::Seed) => task.is_summary().then(of_events),
                ("filters" | "clip", Preset::Base) => Some(of_other(Preset::Seed)),
                ("decay", Preset::Seed) => Some(of_other(Preset::Base)),
                _ => None,
            };
            if let Some(why) = idle {
                return Err(wrong(&format!("`{name}` {why}: leave it out")));
            }
            let most = preset.most_hidden();
            if name == "hidden" && axis.highest() > most as f64 {
                let preset = preset.name();
                return Err(wrong(&format!(
                    "`hidden` takes at most {most} with --preset {preset}"
                )));
            }
        }
        Ok(())
    }

    /// Reads a space from JSON.
    ///
    /// # Errors
    ///
    /// [`TrainError::Option`] where it is none, or holds what the options do not allow.
    pub fn from_json(text: &str) -> Result<Self, TrainError> {
        let space: Self = serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
        space.validate()?;
        Ok(space)
    }

    fn validate(&self) -> Result<(), TrainError> {
        let axes = self.axes();
        if axes.is_empty() {
            return Err(wrong(
                "names no option; one of filters, hidden, learning_rate, batch, dropout, clip, decay",
            ));
        }
        for (name, axis, whole) in axes {
            let most = match name {
                "batch" => MOST_IN_BATCH,
                _ => ModelConfig::MAX_WIDTH,
            };
            let fits = |value: f64| match name {
                "dropout" => (0.0..1.0).contains(&value),
                "learning_rate" => value.is_finite() && value > 0.0,
                "clip" | "decay" => value.is_finite() && value >= 0.0,
                _ => (1.0..=most as f64).contains(&value),
            };
            let good = |value: f64| fits(value) && !(whole && value.fract() != 0.0);
            let fine = match axis {
                Axis::List(values) => !values.is_empty() && values.iter().all(|v| good(*v)),
                // A logarithm needs an end above nothing.
                Axis::Range { from, to } => good(*from) && good(*to) && *from > 0.0 && from <= to,
            };
            if !fine {
                let bounds = match name {
                    "dropout" => "numbers from 0 to below 1 (a range: from above 0)".to_owned(),
                    "learning_rate" => "numbers above 0".to_owned(),
                    "clip" | "decay" => "numbers from 0 (a range: from above 0)".to_owned(),
                    _ => format!("whole numbers from 1 to {most}"),
                };
                return Err(wrong(&format!(
                    "`{name}` takes a list or a range of {bounds}"
                )));
            }
        }
        Ok(())
    }

    /// Name, axis and whether its values are whole, of the options that are in the space.
    fn axes(&self) -> Vec<(&'static str, &Axis, bool)> {
        let all = [
            ("filters", &self.filters, true),
            ("hidden", &self.hidden, true),
            ("learning_rate", &self.learning_rate, false),
            ("batch", &self.batch, true),
            ("dropout", &self.dropout, false),
            ("clip", &self.clip, false),
            ("decay", &self.decay, false),
        ];
        all.into_iter()
            .filter_map(|(name, axis, whole)| Some((name, axis.as_ref()?, whole)))
            .collect()
    }

    /// Every combination, in an order drawn from the seed, so that the first few of many are no corner
    /// of the grid.
    pub(super) fn grid(&self, most: usize, seed: u64) -> Result<Vec<Choice>, TrainError> {
        let mut all = vec![Choice::default()];
        for (name, axis, _) in self.axes() {
            let Axis::List(values) = axis else {
                return Err(wrong(&format!(
                    "`{name}` is a range; --search grid needs lists"
                )));
            };
            let longer = all.iter().flat_map(|choice| {
                values.iter().map(|value| {
                    let mut choice = *choice;
                    set(&mut choice, name, *value);
                    choice
                })
            });
            all = longer.collect();
        }
        all.shuffle(&mut ChaCha12Rng::seed_from_u64(seed));
        all.truncate(most);
        Ok(all)
    }

    /// So many draws, each combination at most once.
    pub(super) fn draws(&self, count: usize, seed: u64) -> Vec<Choice> {
        const TRIES: usize = 50;
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let mut drawn: Vec<Choice> = Vec::new();
        for _ in 0..count.saturating_mul(TRIES) {
            if drawn.len() == count {
                break;
            }
            let mut choice = Choice::default();
            for (name, axis, whole) in self.axes() {
                let value = match axis {
                    Axis::List(values) => {
                        let place = random.random_range(0..values.len().max(1));
                        values.get(place).copied().unwrap_or_default()
                    }
                    Axis::Range { from, to } => {
                        let share: f64 = random.random();
                        let value = from * (to / from).powf(share);
                        if whole { value.round() } else { value }
                    }
                };
                set(&mut choice, name, value);
            }
            if !drawn.contains(&choice) {
                drawn.push(choice);
            }
        }
        drawn
    }
}

fn set(choice: &mut Choice, name: &str, value: f64) {
    match name {
        "filters" => choice.sizes.filters = Some(value as usize),
        "hidden" => choice.sizes.hidden = Some(value as usize),
        "dropout" => choice.sizes.dropout = Some(value),
        "batch" => choice.batch = Some(value as usize),
        "clip" => choice.clip = Some(value as f32),
        "decay" => choice.decay = Some(value as f32),
        _ => choice.learning_rate = Some(value as f32),
    }
}

fn wrong(reason: &str) -> TrainError {
    TrainError::Option {
        option: "--space",
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_every_combination_once() {
        let all = Space::built_in(Task::InSession, Preset::Seed)
            .grid(1_000, 1)
            .expect("lists");
        assert_eq!(all.len(), 36);
        for (place, choice) in all.iter().enumerate() {
            assert!(!all[..place].contains(choice), "{choice:?}");
        }
        let few = Space::built_in(Task::InSession, Preset::Seed)
            .grid(5, 1)
            .expect("lists");
        assert_eq!(few, all[..5]);
        assert_ne!(
            few,
            Space::built_in(Task::InSession, Preset::Seed)
                .grid(5, 2)
                .expect("lists")
        );
    }

    #[test]
    fn summaries_search_nothing_that_reads_events() {
        let space = Space::built_in(Task::Shoppers, Preset::Seed);
        assert_eq!(space.grid(1_000, 1).expect("lists").len(), 18);
        assert!(space.check(Task::Shoppers, Preset::Seed).is_ok());
        let space = Space::built_in(Task::InSession, Preset::Seed);
        assert!(space.check(Task::InSession, Preset::Seed).is_ok());
        let error = space
            .check(Task::Shoppers, Preset::Seed)
            .expect_err("filters");
        assert!(error.to_string().contains("`filters`"), "{error}");
    }

    #[test]
    fn each_preset_has_a_space_of_its_own() {
        let space = Space::built_in(Task::Shoppers, Preset::Base);
        assert_eq!(space.grid(1_000, 1).expect("lists").len(), 81);
        assert!(space.check(Task::Shoppers, Preset::Base).is_ok());
        for (text, preset, word) in [
            (
                r#"{"decay": [0.1]}"#,
                Preset::Seed,
                "`decay` belongs to --preset base",
            ),
            (
                r#"{"filters": [8]}"#,
                Preset::Base,
                "`filters` belongs to --preset seed",
            ),
            (
                r#"{"clip": [0, 5]}"#,
                Preset::Base,
                "`clip` belongs to --preset seed",
            ),
            (
                r#"{"hidden": {"from": 8, "to": 69}}"#,
                Preset::Base,
                "at most 68",
            ),
        ] {
            let space = Space::from_json(text).expect("a space");
            let error = space.check(Task::InSession, preset).expect_err(text);
            assert!(error.to_string().contains(word), "{error}");
        }
        let space = Space::from_json(r#"{"clip": [0, 1], "hidden": [8]}"#).expect("a space");
        assert!(space.check(Task::InSession, Preset::Seed).is_ok());
        assert!(
            space
                .draws(2, 1)
                .iter()
                .any(|choice| choice.clip == Some(0.0))
        );
    }

    #[test]
    fn draws_stay_inside_and_differ() {
        let text = r#"{"hidden": {"from": 8, "to": 64}, "learning_rate": {"from": 1e-4, "to": 1e-2}, "batch": [32]}"#;
        let space = Space::from_json(text).expect("a space");
        let drawn = space.draws(40, 3);
        assert_eq!(drawn.len(), 40);
        for choice in &drawn {
            let hidden = choice.sizes.hidden.expect("drawn");
            assert!((8..=64).contains(&hidden));
            assert!((1e-4..=1.01e-2).contains(&choice.learning_rate.expect("drawn")));
            assert_eq!((choice.batch, choice.sizes.filters), (Some(32), None));
        }
        assert_eq!(drawn, space.draws(40, 3));
        // No more than there are.
        assert_eq!(
            Space::from_json(r#"{"batch": [32, 64]}"#)
                .expect("a space")
                .draws(9, 1)
                .len(),
            2
        );
        assert!(space.grid(9, 1).is_err(), "a range is no grid");
    }

    #[test]
    fn what_cannot_be_searched_is_refused() {
        for text in [
            "[]",
            "{}",
            r#"{"depth": [1]}"#,
            r#"{"batch": []}"#,
            r#"{"batch": [1.5]}"#,
            r#"{"dropout": [1.0]}"#,
            r#"{"hidden": {"from": 64, "to": 8}}"#,
            r#"{"hidden": [64, 9000]}"#,
            r#"{"batch": {"from": 16, "to": 10000}}"#,
            r#"{"learning_rate": {"from": 0, "to": 1}}"#,
            r#"{"clip": [-1]}"#,
            r#"{"decay": {"from": 0, "to": 1}}"#,
        ] {
            let error = Space::from_json(text).expect_err(text).to_string();
            assert!(error.starts_with("--space"), "{text}: {error}");
        }
        assert!(Space::from_json(r#"{"hidden": [64, 8192], "dropout": [0, 0.5]}"#).is_ok());
    }
}
