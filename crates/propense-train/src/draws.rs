//! Several forecasts of the same examples, drawn again together: intervals of each, and of their
//! differences. A draw takes users with all their examples, the same users for every forecast, so that
//! what all find hard cancels out of a difference.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

use crate::bootstrap::Interval;
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

/// What was drawn: for each model, for each draw, the mean over its runs.
pub(crate) struct Drawn(Vec<Vec<Three>>);

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
        for (runs, list) in sorted.iter().zip(&mut drawn) {
            let each = runs.iter().map(|run| run.measure(labels, &counts));
            list.push(mean(each, runs.len()));
        }
    }
    Drawn(drawn)
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
        let others = self.0.get(other)?;
        self.of(model, &|draw, three| {
            let other = others.get(draw).copied().unwrap_or(three);
            Three {
                auc: three.auc - other.auc,
                pr_auc: three.pr_auc - other.pr_auc,
                log_loss: three.log_loss - other.log_loss,
            }
        })
    }

    /// Both models' measures, draw by draw.
    pub(crate) fn beside(
        &self,
        model: usize,
        other: usize,
    ) -> impl Iterator<Item = (Three, Three)> {
        let of = |model: usize| self.0.get(model).into_iter().flatten().copied();
        of(model).zip(of(other))
    }

    fn of(&self, model: usize, value: &dyn Fn(usize, Three) -> Three) -> Option<ThreeIntervals> {
        let draws = self.0.get(model).filter(|draws| draws.len() > 1)?;
        let values: Vec<Three> = draws
            .iter()
            .enumerate()
            .map(|(draw, three)| value(draw, *three))
            .collect();
        Some([0, 1, 2].map(|measure| {
            let mut list: Vec<f64> = values.iter().map(|three| three.of(measure)).collect();
            list.sort_by(f64::total_cmp);
            let at = |share: f64| {
                let place = ((list.len() - 1) as f64 * share).round() as usize;
                list.get(place).copied().unwrap_or(0.0)
            };
            Interval(at(0.025), at(0.975))
        }))
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
}
