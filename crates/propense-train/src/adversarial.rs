//! Adversarial validation: boosted trees try to tell test examples from training examples by what
//! the model would see of them. Where they can, the two are not of one kind, and figures on the
//! test part say little of either. Nothing of it reaches a model: it is a warning.

mod calendar;

use std::collections::BTreeMap;
use std::ops::Range;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use propense_features::{FeatureSpec, RowFeature};

use crate::baselines::{Binned, Growth, Trees};
use crate::bootstrap::Interval;
use crate::draws::of_one;
use crate::ensemble::Table;
use crate::example::{Example, Positions};
use crate::metrics::roc_auc;
use crate::split::fold_of;

/// Examples of each part that are looked at, at most: enough for an interval of two hundredths.
const SAMPLE: usize = 2_000;

/// Fewer examples in a part than this say nothing.
const LEAST: usize = 50;

/// Parts of the cross-fitting: the trees that judge an example have seen nothing of its user.
const FOLDS: usize = 3;

/// Features that are named, at most, and the share of the trees' gain from which one is.
const NAMED: usize = 5;
const NAMED_SHARE: f64 = 0.05;

/// Resamples of the interval.
const RESAMPLES: usize = 200;

/// The area under the ROC curve above which its whole interval must lie for a warning. One half is
/// chance. Two halves of a shop's year, split by time, differ by season and by what is known of
/// visitors; the bound lies above that (see `docs/cli.md`).
pub const ADVERSARIAL_BOUND: f64 = 0.8;

/// How well test examples can be told from training examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adversarial {
    /// Area under the ROC curve of "this is a test example", by trees that have not seen the
    /// example's user; 0.5 is chance.
    pub auc: f64,
    /// 95 % of it, users drawn.
    pub interval: Interval,
    /// The bound above which it is a warning.
    pub bound: f64,
    /// Whether the whole interval lies above the bound.
    pub warning: bool,
    /// Training examples looked at.
    pub train: usize,
    /// Test examples looked at.
    pub test: usize,
    /// What gives them away, most first.
    pub features: Vec<Telltale>,
    /// What was not looked at because it only says when (`month`), and the parts do not both see the
    /// whole of its cycle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// A column by which the trees tell the parts apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Telltale {
    /// The column.
    pub name: String,
    /// Its share of what the trees gained.
    pub share: f64,
    /// The area under the ROC curve of its value alone; below one half where test values are lower.
    pub auc: f64,
}

impl Adversarial {
    /// The warning in words, where it is one.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let names: Vec<&str> = self.features.iter().map(|f| f.name.as_str()).collect();
        self.warning.then(|| {
            format!(
                "test examples can be told from training examples (ROC-AUC {:.3}, bound {}), most by {}: \
                 figures on one part say little of the other; look at how the data was collected and split",
                self.auc,
                self.bound,
                names.join(", ")
            )
        })
    }
}

/// Tries to tell the parts apart; none where one of them is too small. Examples are looked at where
/// the task is measured, so that longer ones are not recognised by their length alone.
pub(crate) fn adversarial(
    (train, test): (&[Example], &[Example]),
    spec: &FeatureSpec,
    positions: Positions,
    seed: u64,
) -> Option<Adversarial> {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let width = spec.row_len();
    let mut table = Table {
        width: width + spec.context_len(),
        ..Table::default()
    };
    let mut sizes = [0; 2];
    // Whose each row is: the rows of a user hang together.
    let (mut numbers, mut owners) = (BTreeMap::new(), Vec::new());
    let mut looked_at: [Vec<&Example>; 2] = [Vec::new(), Vec::new()];
    for (part, examples) in [train, test].into_iter().enumerate() {
        let mut moments: Vec<(&Example, usize)> = examples
            .iter()
            .flat_map(|example| {
                let seen = positions.of(example.events);
                seen.into_iter().map(move |events| (example, events))
            })
            .collect();
        let (sampled, _) = moments.partial_shuffle(&mut random, SAMPLE);
        for (example, events) in sampled.iter() {
            let owner = example.user.as_deref().unwrap_or(&example.id);
            table.push(example, *events, width, part == 1, fold_of(owner, FOLDS));
            let known = numbers.len();
            owners.push(*numbers.entry(owner).or_insert(known));
        }
        sizes[part] = sampled.len();
        looked_at[part] = sampled.iter().map(|(example, _)| *example).collect();
    }
    if sizes.iter().any(|size| *size < LEAST) {
        return None;
    }
    forget_rates(&mut table, spec);
    let [train, test] = &looked_at;
    let left_out = calendar::uncovered(spec, [train, test]);
    for feature in &left_out {
        forget(&mut table, feature.columns.clone());
    }
    let growth = Growth {
        trees: 60,
        leaves: 8,
        rate: 0.1,
        seed,
        ..Growth::default()
    };
    let binned = Binned::new(&table);
    let judged: Vec<(Trees, Vec<usize>)> = (0..FOLDS)
        .into_par_iter()
        .map(|fold| {
            let (own, others) = (0..table.len()).partition(|row| table.folds[*row] == fold);
            let others: Vec<usize> = others;
            (Trees::fit(&binned, &table, &others, &growth), own)
        })
        .collect();
    let mut logits = vec![0.0; table.len()];
    let mut gains = vec![0.0; table.width];
    for (trees, own) in &judged {
        for &row in own {
            logits[row] = trees.logit(&binned, row) as f32;
        }
        trees.add_gains(&mut gains);
    }
    let auc = roc_auc(&logits, &table.labels);
    let drawn = of_one(&logits, &table.labels, &owners, RESAMPLES, seed);
    let interval = drawn.map_or(Interval(auc, auc), |[auc, ..]| auc);
    Some(Adversarial {
        auc,
        interval,
        bound: ADVERSARIAL_BOUND,
        warning: interval.0 > ADVERSARIAL_BOUND,
        train: sizes[0],
        test: sizes[1],
        features: telltales(&table, &gains, spec),
        left_out: left_out.into_iter().map(|feature| feature.name).collect(),
    })
}

/// Takes the rates out: training examples carry those of other users' sessions alone, so these
/// columns differ by how they are made and not by what the shop saw.
fn forget_rates(table: &mut Table, spec: &FeatureSpec) {
    let mut column = spec.context_len();
    for feature in &spec.row {
        if let RowFeature::Number { measure, .. } = feature
            && measure.is_learnt()
        {
            forget(table, column..column + feature.len());
        }
        column += feature.len();
    }
}

/// Makes columns the same everywhere: the trees cannot tell anything by them.
fn forget(table: &mut Table, columns: Range<usize>) {
    for row in table.inputs.chunks_exact_mut(table.width.max(1)) {
        row[columns.clone()].fill(0.0);
    }
}

/// The columns by which the trees gained most.
fn telltales(table: &Table, gains: &[f64], spec: &FeatureSpec) -> Vec<Telltale> {
    let mut names = spec.context_names();
    names.extend(spec.row_names());
    let all: f64 = gains.iter().sum();
    let mut found: Vec<Telltale> = names
        .into_iter()
        .zip(gains)
        .enumerate()
        .filter(|(_, (_, gain))| **gain > NAMED_SHARE * all)
        .map(|(column, (name, gain))| {
            let values: Vec<f32> = (0..table.len()).map(|row| table.row(row)[column]).collect();
            Telltale {
                name,
                share: gain / all,
                auc: roc_auc(&values, &table.labels),
            }
        })
        .collect();
    found.sort_by(|a, b| b.share.total_cmp(&a.share));
    found.truncate(NAMED);
    found
}

#[cfg(test)]
mod tests {
    use propense_features::{ContextFeature, Normal, Transform};

    use super::*;

    /// Examples of two columns of noise; the second one is moved by `shift`.
    fn examples(count: usize, shift: f32, seed: u64) -> Vec<Example> {
        use rand::Rng;
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        (0..count)
            .map(|number| Example {
                id: format!("{seed}-{number}"),
                user: None,
                start: 0,
                rows: Vec::new(),
                events: 0,
                context: vec![
                    random.random_range(0.0..1.0),
                    random.random_range(0.0..1.0) + shift,
                ],
                label: false.into(),
            })
            .collect()
    }

    fn spec() -> FeatureSpec {
        let (mut spec, _) = propense_features::fit(&[], &propense_features::FitOptions::default());
        spec.row.clear();
        spec.context = ["still", "moved"]
            .map(|name| ContextFeature::Number {
                name: name.to_owned(),
                transform: Transform::Identity,
                normal: Normal {
                    mean: 0.0,
                    std: 1.0,
                },
                flag: false,
            })
            .into();
        spec
    }

    fn check(shift: f32, sizes: (usize, usize)) -> Option<Adversarial> {
        let (train, test) = (examples(sizes.0, 0.0, 1), examples(sizes.1, shift, 2));
        let found = adversarial((&train, &test), &spec(), Positions::Context, 7);
        let again = adversarial((&train, &test), &spec(), Positions::Context, 7);
        assert_eq!(found, again, "the same seed gives the same bits");
        found
    }

    #[test]
    fn parts_of_one_kind_cannot_be_told_apart() {
        let found = check(0.0, (1200, 400)).expect("large enough");
        assert!(
            found.interval.0 < 0.5 && found.interval.1 > 0.5,
            "{found:?}"
        );
        assert!(!found.warning && found.words().is_none(), "{found:?}");
        assert_eq!((found.train, found.test), (1200, 400));
    }

    #[test]
    fn what_moved_is_named() {
        let found = check(0.7, (3000, 300)).expect("large enough");
        assert!(found.warning && found.auc > 0.9, "{found:?}");
        assert_eq!(found.features[0].name, "moved");
        assert!(found.features[0].share > 0.9 && found.features[0].auc > 0.9);
        assert_eq!(found.train, SAMPLE);
        assert!(found.words().expect("a warning").contains("most by moved"));
    }

    /// A day of 2023, and the months of it as a shop names them.
    const DAY: i64 = propense_events::DAY;
    const NEW_YEAR: i64 = 19_358 * DAY;
    const MONTHS: [&str; 6] = ["jan", "feb", "mar", "apr", "may", "jun"];

    /// As [`examples`], their starts over these days and one more category: column `by_day` of
    /// the day, or `(other)`.
    fn dated(
        count: usize,
        shift: f32,
        days: std::ops::Range<i64>,
        by_day: impl Fn(i64) -> Option<usize>,
        seed: u64,
    ) -> Vec<Example> {
        let mut examples = examples(count, shift, seed);
        let length = (days.end - days.start) * DAY;
        for (number, example) in examples.iter_mut().enumerate() {
            let start = length * number as i64 / count as i64;
            example.start = NEW_YEAR + days.start * DAY + start;
            let day = days.start + start / DAY;
            let mut columns = [0.0; MONTHS.len() + 1];
            columns[by_day(day).unwrap_or(MONTHS.len())] = 1.0;
            example.context.extend(columns);
        }
        examples
    }

    /// Months of thirty days, of which training has seen the first six.
    fn month(day: i64) -> Option<usize> {
        usize::try_from(day / 30 % 12)
            .ok()
            .filter(|month| *month < MONTHS.len())
    }

    fn with_category(name: &str) -> FeatureSpec {
        let mut spec = spec();
        spec.context.push(ContextFeature::Category {
            name: name.to_owned(),
            names: MONTHS.map(str::to_owned).into(),
        });
        spec
    }

    fn judge(train: &[Example], test: &[Example], spec: &FeatureSpec) -> Adversarial {
        adversarial((train, test), spec, Positions::Context, 7).expect("large enough")
    }

    #[test]
    fn a_month_gives_a_split_by_time_away_and_is_not_looked_at() {
        let spec = with_category("Month");
        let train = dated(1500, 0.0, 0..180, month, 1);
        let test = dated(400, 0.0, 180..240, month, 2);
        let found = judge(&train, &test, &spec);
        assert_eq!(found.left_out, ["Month"]);
        assert!(!found.warning && found.auc < 0.6, "{found:?}");
    }

    #[test]
    fn what_moved_still_warns_beside_a_month() {
        let spec = with_category("Month");
        let train = dated(1500, 0.0, 0..180, month, 1);
        let test = dated(400, 0.7, 180..240, month, 2);
        let found = judge(&train, &test, &spec);
        assert!(found.warning, "{found:?}");
        assert_eq!(found.features[0].name, "moved");
        assert_eq!(found.left_out, ["Month"]);
        let names: Vec<&str> = found.features.iter().map(|f| f.name.as_str()).collect();
        assert!(
            !names.iter().any(|name| name.starts_with("Month")),
            "{names:?}"
        );
    }

    #[test]
    fn what_changed_on_a_day_is_a_shift_and_no_calendar() {
        let release = |day: i64| usize::try_from(day / 60).ok().filter(|number| *number < 3);
        let spec = with_category("release");
        let train = dated(1500, 0.0, 0..180, release, 1);
        let test = dated(400, 0.0, 180..240, release, 2);
        let found = judge(&train, &test, &spec);
        assert!(found.warning && found.left_out.is_empty(), "{found:?}");
        assert_eq!(found.features[0].name, "release=(other)");
    }

    #[test]
    fn a_key_that_is_a_month_in_name_alone_is_looked_at() {
        let spec = with_category("month");
        let mut train = dated(1500, 0.0, 0..180, month, 1);
        let test = dated(400, 0.0, 180..240, month, 2);
        // The month of the visitor's birth: each has their own, whatever the day.
        for (number, example) in train.iter_mut().enumerate() {
            example.context[2..].rotate_right(number % MONTHS.len());
        }
        let found = judge(&train, &test, &spec);
        assert!(found.warning && found.left_out.is_empty(), "{found:?}");
    }

    #[test]
    fn a_cycle_that_both_parts_see_is_looked_at() {
        let spec = with_category("month");
        let month = |day: i64| {
            usize::try_from(day / 60)
                .ok()
                .map(|month| month % MONTHS.len())
        };
        let train = dated(1500, 0.0, 0..720, month, 1);
        let test = dated(600, 0.0, 720..1440, month, 2);
        let found = judge(&train, &test, &spec);
        assert!(!found.warning && found.left_out.is_empty(), "{found:?}");
        // A tracker that names no month any more.
        let test = dated(600, 0.0, 720..1440, |_| None, 2);
        let found = judge(&train, &test, &spec);
        assert!(found.warning && found.left_out.is_empty(), "{found:?}");
    }

    #[test]
    fn summaries_have_no_times_and_so_no_calendar() {
        let spec = with_category("month");
        let mut train = dated(1500, 0.0, 0..180, month, 1);
        let mut test = dated(400, 0.0, 180..240, month, 2);
        for example in train.iter_mut().chain(&mut test) {
            example.start = 0;
        }
        let found = judge(&train, &test, &spec);
        assert!(found.warning && found.left_out.is_empty(), "{found:?}");
    }

    #[test]
    fn too_few_say_nothing() {
        assert_eq!(check(0.7, (1000, LEAST - 1)), None);
    }
}
