//! One moment of each session: what the model saw, what it said, what came.
//!
//! Events of a session hang together, and tests of many of them would find change everywhere. So each
//! session stands in a test once, with a moment drawn by seed and session.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use propense_events::EventKind;
use propense_features::{ContextFeature, FeatureSpec, UserHistory};
use propense_model::{Bundle, Manifest, cpu_device};
use propense_prepare::Loaded;

use crate::calendar::cycle;
use crate::evaluation::example_options;
use crate::example::{Example, Weighting, spread};
use crate::split::fold_of;
use crate::tasks::{self, ExampleOptions, Folds, Shares};
use crate::{Task, TrainError, scoring};

/// What is known of one set.
pub(crate) struct Sample {
    pub(crate) examples: Vec<Example>,
    /// Logits of every prefix.
    pub(crate) logits: Vec<Vec<f32>>,
    /// The prefix drawn of each example.
    moments: Vec<usize>,
    /// Whether the outcome of each example is known already.
    pub(crate) known: Vec<bool>,
    pub(crate) weighting: Weighting,
    /// Names and numbers of the columns, one number a session.
    pub(crate) columns: Vec<Column>,
}

/// One column of a sample.
pub(crate) struct Column {
    pub(crate) name: String,
    /// False for what moves with the calendar or with the length of the record, whatever the shop.
    pub(crate) watched: bool,
    pub(crate) numbers: Vec<f32>,
}

/// The score drawn of one session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawn {
    /// Whose session it is: a number of the user.
    pub(crate) owner: usize,
    pub(crate) start: i64,
    pub(crate) probability: f32,
    /// None where it is not known yet.
    pub(crate) order: Option<bool>,
}

impl Sample {
    /// Every session of the data; `history` is earlier data of the same shop. Where the bundle has learnt from
    /// the data, no session's own outcome is in the rates that it is told from.
    pub(crate) fn new(
        bundle: &Bundle,
        data: &Loaded,
        history: Option<&Loaded>,
        seed: u64,
    ) -> Result<Self, TrainError> {
        let manifest = &bundle.manifest;
        let task: Task = manifest.task.parse()?;
        let options = example_options(manifest, task);
        let spec = &manifest.features;
        let same = !data.sha256.is_empty() && data.sha256 == manifest.data.sha256;
        let lineage = manifest.lineage.as_ref();
        // An update may have learnt from newer data with the rates of older ones.
        let learnt = same && lineage.is_none_or(|l| l.features_until_ms >= manifest.data.to_ms);
        let (encoded, folds) = match learnt {
            true => tasks::encode_learnt(task, spec, data, &options)?,
            false => (
                tasks::encode_test(task, spec, data, history, &options)?,
                Folds::one(spec),
            ),
        };
        let mut examples = encoded.examples;
        examples.sort_by(|a, b| a.start.cmp(&b.start).then_with(|| a.id.cmp(&b.id)));
        if examples.is_empty() {
            return Err(TrainError::NoExamples { part: "data" });
        }
        let open: HashSet<String> = tasks::open_sessions(task, data, &options)?;
        let (weighting, _) = tasks::scheme(task, Shares::Shop);
        let model = bundle.model(&cpu_device())?;
        let logits = scoring::all_prefixes(&model, &examples, weighting)?;
        let moments = examples
            .iter()
            .map(|example| match weighting {
                Weighting::Context => 0,
                Weighting::Whole => example.events,
                _ => {
                    1 + fold_of(
                        &format!("drift {seed} {}", example.id),
                        example.events.max(1),
                    )
                }
            })
            .collect();
        let mut sample = Self {
            known: examples.iter().map(|e| !open.contains(&e.id)).collect(),
            columns: Vec::new(),
            examples,
            logits,
            moments,
            weighting,
        };
        sample.columns = sample.of_features(spec);
        if task == Task::InSession {
            sample
                .columns
                .extend(sample.of_kinds(data, spec, &folds, &options)?);
        }
        Ok(sample)
    }

    /// The columns that the network reads.
    fn of_features(&self, spec: &FeatureSpec) -> Vec<Column> {
        let width = spec.row_len();
        let features = spec
            .context
            .iter()
            .flat_map(|feature| std::iter::repeat_n(feature, feature.len()));
        let names = spec.context_names().into_iter().zip(features);
        let mut columns: Vec<Column> = names
            .enumerate()
            .map(|(place, (name, feature))| Column {
                watched: !moves_by_itself(feature),
                numbers: self.numbers(|example, _| example.context.get(place).copied()),
                name,
            })
            .collect();
        if self.weighting != Weighting::Context {
            columns.extend(
                spec.row_names()
                    .into_iter()
                    .enumerate()
                    .map(|(place, name)| Column {
                        // New items come every day, and training knew its own.
                        watched: !name.contains("item_rate"),
                        numbers: self.numbers(|example, moment| {
                            let row = moment.checked_sub(1)? * width;
                            example.rows.get(row + place).copied()
                        }),
                        name,
                    }),
            );
        }
        columns
    }

    fn numbers(&self, of: impl Fn(&Example, usize) -> Option<f32>) -> Vec<f32> {
        let pairs = self.examples.iter().zip(&self.moments);
        pairs
            .map(|(example, moment)| of(example, *moment).unwrap_or(f32::NAN))
            .collect()
    }

    /// For each kind of event whether a session has one (a shop's tracking breaks kind by kind), and
    /// whether its first item and category are known to the model.
    fn of_kinds(
        &self,
        data: &Loaded,
        spec: &FeatureSpec,
        folds: &Folds,
        options: &ExampleOptions,
    ) -> Result<Vec<Column>, TrainError> {
        let mut of_session: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, example) in self.examples.iter().enumerate() {
            of_session.insert(&example.id, place);
        }
        let mut kinds: BTreeMap<EventKind, Vec<f32>> = BTreeMap::new();
        let mut item = vec![f32::NAN; self.examples.len()];
        let mut category = item.clone();
        for session in tasks::visits(data, options)? {
            let Some(&place) = of_session.get(session.id.as_str()) else {
                continue;
            };
            let seen = session.before_purchase();
            let own: BTreeSet<EventKind> = seen.iter().map(|event| event.kind).collect();
            for kind in own {
                let column = kinds
                    .entry(kind)
                    .or_insert_with(|| vec![0.0; self.examples.len()]);
                if let Some(number) = column.get_mut(place) {
                    *number = 1.0;
                }
            }
            let at = self.moments.get(place).and_then(|m| m.checked_sub(1));
            let shown = at.and_then(|at| seen.get(at)?.items.first());
            let Some(shown) = shown else { continue };
            let known = |known: bool| f32::from(u8::from(known));
            let others = folds.of(&session);
            if let Some(number) = item.get_mut(place) {
                *number = known(others.item_rates.contains_key(&shown.item_id));
            }
            if let (Some(number), Some(name)) = (category.get_mut(place), &shown.item_category) {
                *number = known(others.category_rates.contains_key(name));
            }
        }
        let mut columns: Vec<Column> = kinds
            .into_iter()
            .map(|(kind, numbers)| Column {
                name: format!("session has {}", kind.name()),
                watched: true,
                numbers,
            })
            .collect();
        for (name, rates, numbers) in [
            ("known item", &spec.item_rates, item),
            ("known category", &spec.category_rates, category),
        ] {
            if !rates.is_empty() {
                columns.push(Column {
                    name: name.to_owned(),
                    // New things come every day: the share of items that training knew only falls.
                    watched: name == "known category",
                    numbers,
                });
            }
        }
        Ok(columns)
    }

    /// Whether the sessions have times of their own: summaries have none, and no order in time.
    pub(crate) fn timed(&self) -> bool {
        let start = |example: Option<&Example>| example.map(|example| example.start);
        start(self.examples.first()) != start(self.examples.last())
    }

    /// The logits at moments spread over these examples, as a bundle's percentiles are made of.
    pub(crate) fn moments_of(&self, places: &[usize]) -> impl Iterator<Item = f32> {
        let each = places.iter().filter_map(|place| {
            let (example, logits) = (self.examples.get(*place)?, self.logits.get(*place)?);
            Some(match self.weighting {
                Weighting::EveryPrefix => spread(example.events)
                    .filter_map(|prefix| logits.get(prefix).copied())
                    .collect(),
                _ => logits.last().copied().into_iter().collect::<Vec<f32>>(),
            })
        });
        each.flatten()
    }

    /// The drawn scores, in the order of the sessions' starts.
    pub(crate) fn drawn(&self, manifest: &Manifest) -> Vec<Drawn> {
        let all = self.examples.iter().zip(&self.moments);
        let all = all.zip(self.logits.iter().zip(&self.known));
        let mut of_user: BTreeMap<&str, usize> = BTreeMap::new();
        all.enumerate()
            .filter_map(|(place, ((example, moment), (logits, known)))| {
                Some(Drawn {
                    // The first session of a user stands for all.
                    owner: match example.user.as_deref() {
                        Some(user) => *of_user.entry(user).or_insert(place),
                        None => place,
                    },
                    start: example.start,
                    probability: manifest.probability(*logits.get(*moment)?),
                    order: if *known {
                        example.label.at(*moment)
                    } else {
                        None
                    },
                })
            })
            .collect()
    }
}

/// Whether a feature of the context changes with the calendar, or with how long the record is.
fn moves_by_itself(feature: &ContextFeature) -> bool {
    let of_the_record = match feature {
        ContextFeature::Number { name, .. } | ContextFeature::Category { name, .. } => {
            UserHistory::keys().any(|own| own == name)
        }
        ContextFeature::Hour | ContextFeature::Weekday => false,
    };
    of_the_record || cycle(feature).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_by_itself_is_not_watched() {
        let named = |name: &str| ContextFeature::Category {
            name: name.to_owned(),
            names: Vec::new(),
        };
        for (feature, expected) in [
            (ContextFeature::Hour, true),
            (ContextFeature::Weekday, true),
            (named("month"), true),
            (named("Month"), true),
            (named("SpecialDay"), true),
            (named("Weekend"), true),
            (named("prior_sessions"), true),
            (named("VisitorType"), false),
            (named("device"), false),
        ] {
            assert_eq!(moves_by_itself(&feature), expected, "{feature:?}");
        }
    }
}
