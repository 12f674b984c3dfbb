//! Several forecasts of the same examples, drawn again together: intervals of each, and of their
//! differences. A draw takes users with all their examples, the same users for every forecast, so that
//! what all find hard cancels out of a difference. A draw that holds one outcome alone tells nothing of
//! ROC-AUC and average precision, and is left out of what is said of these; it counts for the log-loss.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

use crate::bootstrap::{Interval, TAIL, percentiles};
use crate::metrics::{descending, loss};

/// The measures that are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Three {
    /// ROC-AUC.
    pub(crate) auc: f64,
    /// Average precision.
    pub(crate) pr_auc: f64,
    /// Mean log-loss.
    pub(crate) log_loss: f64,
}

/// Place of the log-loss among the measures, the one that one outcome alone has, too.
const LOG_LOSS: usize = 2;

impl Three {
    fn of(self, measure: usize) -> f64 {
        match measure {
            0 => self.auc,
            1 => self.pr_auc,
            _ => self.log_loss,
        }
    }
}

/// Forecasts of one model, trained once or several times from different seeds.
pub(crate) type Runs = Vec<Vec<f32>>;

/// What was drawn.
pub(crate) struct Drawn {
    /// For each model, for each draw, the mean over its runs.
    models: Vec<Vec<Three>>,
    /// For each draw, whether it holds orders and others.
    both: Vec<bool>,
}

/// One forecast, sorted once for all draws.
struct Sorted<'a> {
    probabilities: &'a [f32],
    order: Vec<usize>,
}

impl Sorted<'_> {
    /// The measures where each example counts as often as it was drawn.
    fn measure(&self, labels: &[bool], counts: &[u32]) -> Three {
        let count = |index: usize| f64::from(counts.get(index).copied().unwrap_or(0));
        let label = |index: usize| labels.get(index).copied().unwrap_or(false);
        let (mut orders, mut others, mut losses) = (0.0, 0.0, 0.0);
        for (index, p) in self.probabilities.iter().enumerate() {
            let counted = match label(index) {
                true => &mut orders,
                false => &mut others,
            };
            *counted += count(index);
            losses += count(index) * loss(*p, label(index));
        }
        let (mut found, mut passed, mut area, mut precision) = (0.0, 0.0, 0.0, 0.0);
        let same = |a: &usize, b: &usize| self.probabilities.get(*a) == self.probabilities.get(*b);
        for tie in self.order.chunk_by(same) {
            let up: f64 = tie.iter().filter(|i| label(**i)).map(|i| count(*i)).sum();
            let right: f64 = tie.iter().filter(|i| !label(**i)).map(|i| count(*i)).sum();
            area += right * (found + up / 2.0);
            found += up;
            passed += right;
            if up > 0.0 {
                precision += up * found / (found + passed);
            }
        }
        Three {
            auc: match orders > 0.0 && others > 0.0 {
                true => area / (orders * others),
                false => 0.5,
            },
            pr_auc: precision / f64::max(orders, 1.0),
            log_loss: losses / f64::max(orders + others, 1.0),
        }
    }
}

/// Draws users `resamples` times and measures every model on each draw.
pub(crate) fn draw(
    models: &[Runs],
    labels: &[bool],
    owners: &[usize],
    resamples: usize,
    seed: u64,
) -> Drawn {
    let mut groups = owners.to_vec();
    groups.sort_unstable();
    groups.dedup();
    let group = |owner: &usize| groups.binary_search(owner).unwrap_or(0);
    let places: Vec<usize> = owners.iter().map(group).collect();
    let sorted: Vec<Vec<Sorted<'_>>> = models
        .iter()
        .map(|runs| {
            let sort = |probabilities: &'_ Vec<f32>| descending(probabilities);
            runs.iter()
                .map(|probabilities| Sorted {
                    probabilities,
                    order: sort(probabilities),
                })
                .collect()
        })
        .collect();
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut drawn = vec![Vec::with_capacity(resamples); models.len()];
    let mut both = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        let mut times = vec![0u32; groups.len()];
        for _ in 0..groups.len() {
            let place = random.random_range(0..groups.len());
            if let Some(count) = times.get_mut(place) {
                *count += 1;
            }
        }
        let count = |place: &usize| times.get(*place).copied().unwrap_or(0);
        let counts: Vec<u32> = places.iter().map(count).collect();
        let holds = |wanted: bool| {
            let mut outcomes = labels.iter().zip(&counts);
            outcomes.any(|(label, count)| *label == wanted && *count > 0)
        };
        both.push(holds(true) && holds(false));
        for (runs, list) in sorted.iter().zip(&mut drawn) {
            let each = runs.iter().map(|run| run.measure(labels, &counts));
            list.push(mean(each, runs.len()));
        }
    }
    Drawn {
        models: drawn,
        both,
    }
}

/// 95 % intervals of one forecast's measures, users drawn so often; none of no examples, or of fewer
/// than two draws.
pub(crate) fn of_one(
    probabilities: &[f32],
    labels: &[bool],
    owners: &[usize],
    resamples: usize,
    seed: u64,
) -> Option<ThreeIntervals> {
    let model = vec![probabilities.to_vec()];
    draw(&[model], labels, owners, resamples, seed).intervals(0)
}

/// The measures of these runs on the examples as they are, on average.
pub(crate) fn measured(runs: &Runs, labels: &[bool]) -> Vec<Three> {
    let counts = vec![1u32; labels.len()];
    runs.iter()
        .map(|probabilities| {
            let order = descending(probabilities);
            Sorted {
                probabilities,
                order,
            }
            .measure(labels, &counts)
        })
        .collect()
}

/// The mean of so many.
pub(crate) fn mean(all: impl Iterator<Item = Three>, count: usize) -> Three {
    let sum = all.fold(Three::default(), |sum, one| Three {
        auc: sum.auc + one.auc,
        pr_auc: sum.pr_auc + one.pr_auc,
        log_loss: sum.log_loss + one.log_loss,
    });
    let count = count.max(1) as f64;
    Three {
        auc: sum.auc / count,
        pr_auc: sum.pr_auc / count,
        log_loss: sum.log_loss / count,
    }
}

/// 95 % intervals of the three measures, in the order of `Three`.
pub type ThreeIntervals = [Interval; 3];

impl Drawn {
    /// Of one model.
    pub(crate) fn intervals(&self, model: usize) -> Option<ThreeIntervals> {
        self.of(model, &|_, three| three)
    }

    /// Of one model less another.
    pub(crate) fn differences(&self, model: usize, other: usize) -> Option<ThreeIntervals> {
        let others = self.models.get(other)?;
        self.of(model, &|draw, three| {
            let other = others.get(draw).copied().unwrap_or(three);
            Three {
                auc: three.auc - other.auc,
                pr_auc: three.pr_auc - other.pr_auc,
                log_loss: three.log_loss - other.log_loss,
            }
        })
    }

    /// Both models' measures, draw by draw, and whether the draw holds both outcomes.
    pub(crate) fn beside(
        &self,
        model: usize,
        other: usize,
    ) -> impl Iterator<Item = ((Three, Three), bool)> {
        let of = |model: usize| self.models.get(model).into_iter().flatten().copied();
        of(model).zip(of(other)).zip(self.both.iter().copied())
    }

    fn of(&self, model: usize, value: &dyn Fn(usize, Three) -> Three) -> Option<ThreeIntervals> {
        let draws = self.models.get(model).filter(|draws| draws.len() > 1)?;
        let of = |measure: usize| {
            let draws = draws.iter().zip(&self.both).enumerate();
            let draws = draws.filter(|(_, (_, both))| measure == LOG_LOSS || **both);
            let values = draws.map(|(draw, (three, _))| value(draw, *three).of(measure));
            percentiles(values.collect(), TAIL)
        };
        Some([of(0)?, of(1)?, of(LOG_LOSS)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;

    fn sample() -> (Vec<f32>, Vec<f32>, Vec<bool>, Vec<usize>) {
        let labels: Vec<bool> = (0..900).map(|i| (i * 7) % 10 < 3).collect();
        let noise = |i: usize, by: usize| ((i * by) % 101) as f32 / 101.0;
        let good = labels
            .iter()
            .enumerate()
            .map(|(i, l)| 0.2 + 0.4 * f32::from(u8::from(*l)) * noise(i, 37) + 0.3 * noise(i, 53))
            .collect();
        let bad = (0..900).map(|i| 0.1 + 0.5 * noise(i, 71)).collect();
        (good, bad, labels, (0..900).map(|i| i / 3).collect())
    }

    #[test]
    fn on_the_examples_as_they_are_the_measures_are_those_of_the_metrics() {
        let (good, bad, labels, _) = sample();
        let tied: Vec<f32> = good.iter().map(|p| (p * 5.0).round() / 5.0).collect();
        for scores in [good, bad, tied] {
            let metrics = Metrics::measure(&scores, &labels, 0.5);
            let three = measured(&vec![scores], &labels)[0];
            assert!((three.auc - metrics.auc).abs() < 1e-9);
            assert!((three.pr_auc - metrics.pr_auc).abs() < 1e-9);
            assert!((three.log_loss - metrics.log_loss).abs() < 1e-9);
        }
    }

    #[test]
    fn a_better_forecast_is_ahead_and_the_same_one_is_not() {
        let (good, bad, labels, owners) = sample();
        let models = [vec![good.clone()], vec![bad], vec![good]];
        let drawn = draw(&models, &labels, &owners, 200, 1);
        let [auc, _, loss] = drawn.differences(0, 1).expect("draws");
        assert!(auc.0 > 0.1 && auc.1 < 0.6, "{auc:?}");
        assert!(loss.1 < 0.0, "{loss:?}");
        assert_eq!(
            drawn.differences(0, 2).expect("draws")[0],
            Interval(0.0, 0.0)
        );
        let [own, _, _] = drawn.intervals(0).expect("draws");
        let wide = own.1 - own.0;
        assert!(wide > 0.02 && wide < 0.2, "{own:?}");
        assert!(draw(&models, &labels, &owners, 0, 1).intervals(0).is_none());
    }

    #[test]
    fn a_draw_of_one_outcome_alone_tells_nothing_of_the_order() {
        // Two orders, well forecast by one model and ill by the other.
        let labels: Vec<bool> = (0..400).map(|i| i < 2).collect();
        let rising: Vec<f32> = (0..400).map(|i| 0.1 + i as f32 / 1000.0).collect();
        let falling: Vec<f32> = rising.iter().rev().copied().collect();
        let owners: Vec<usize> = (0..400).collect();
        let drawn = draw(&[vec![falling], vec![rising]], &labels, &owners, 400, 1);
        let [auc, pr_auc, _] = drawn.intervals(0).expect("draws");
        assert!(auc.0 > 0.98 && pr_auc.0 > 0.3, "{auc:?} {pr_auc:?}");
        let [auc, _, loss] = drawn.differences(0, 1).expect("draws");
        assert!(auc.0 > 0.98, "{auc:?}");
        assert!(loss.0 < loss.1, "{loss:?}");
        let undefined = drawn.beside(0, 1).filter(|(_, both)| !both).count();
        assert!((20..100).contains(&undefined), "{undefined}");
    }
}
