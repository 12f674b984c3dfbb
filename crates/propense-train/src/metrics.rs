//! Metrics of a binary forecast. Every function takes probabilities and labels side by side (a
//! surplus of either is not looked at) and returns finite numbers for any input, so that a report
//! never holds NaN.

use serde::{Deserialize, Serialize};

use crate::bootstrap::{Interval, Intervals};

/// Bins of the expected calibration error: of equal mass, each holding as many examples.
pub const CALIBRATION_BINS: usize = 15;

/// Everything that is reported about one set of examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Examples.
    pub n: usize,
    /// Share of examples with an order.
    pub base_rate: f64,
    /// Area under the ROC curve; ties count half.
    pub auc: f64,
    /// Average precision: area under the precision–recall curve as a step function.
    pub pr_auc: f64,
    /// F1 at `threshold`.
    pub f1: f64,
    /// Recall at `threshold`.
    pub recall: f64,
    /// Precision at `threshold`; 0 where nothing is forecast positive.
    pub precision: f64,
    /// Accuracy at `threshold`.
    pub accuracy: f64,
    /// Accuracy of always forecasting the more frequent class.
    pub majority_accuracy: f64,
    /// Mean log-loss, natural logarithm.
    pub log_loss: f64,
    /// Mean squared difference between probability and outcome.
    pub brier: f64,
    /// Expected calibration error over [`CALIBRATION_BINS`] equal-mass bins.
    pub ece: f64,
    /// The calibration error that these same probabilities would have on as many examples if they
    /// were exactly right: chance alone leaves that much. Examples are taken as independent, so
    /// that it is too low where one session or user has several.
    #[serde(default)]
    pub ece_by_chance: f64,
    /// The threshold, chosen on validation by F1.
    pub threshold: f64,
    /// Accuracy at one half, beside `accuracy`.
    pub accuracy_at_half: f64,
    /// Log-loss of forecasting the base rate of these examples for all.
    pub base_rate_log_loss: f64,
    /// 95 % bootstrap intervals, where asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Intervals>,
}

impl Metrics {
    /// Measures probabilities against labels, at a threshold fixed beforehand.
    #[must_use]
    pub fn measure(probabilities: &[f32], labels: &[bool], threshold: f32) -> Self {
        let (probabilities, labels) = paired(probabilities, labels);
        let n = labels.len();
        let positives = labels.iter().filter(|label| **label).count();
        let base_rate = ratio(positives, n);
        let order = descending(probabilities);
        let at = Confusion::at(probabilities, labels, threshold);
        Self {
            n,
            base_rate,
            auc: roc_auc_sorted(probabilities, labels, &order),
            pr_auc: average_precision_sorted(probabilities, labels, &order),
            f1: at.f1(),
            recall: at.recall(),
            precision: at.precision(),
            accuracy: at.accuracy(),
            majority_accuracy: base_rate.max(1.0 - base_rate),
            log_loss: log_loss(probabilities, labels),
            brier: brier(probabilities, labels),
            ece: expected_calibration_error(probabilities, labels, &order),
            ece_by_chance: calibration_error_by_chance(probabilities, &order),
            threshold: f64::from(threshold),
            accuracy_at_half: Confusion::at(probabilities, labels, 0.5).accuracy(),
            base_rate_log_loss: entropy(base_rate),
            intervals: None,
        }
    }

    /// The same, with 95 % intervals from this many resamples (0 = none), drawn with a generator
    /// seeded by `seed`. `owners` says whose each example is, by any number: the examples of one
    /// user are drawn together or not at all, because they do not vary on their own.
    #[must_use]
    pub fn with_intervals(
        probabilities: &[f32],
        labels: &[bool],
        owners: &[usize],
        threshold: f32,
        resamples: usize,
        seed: u64,
    ) -> Self {
        let mut metrics = Self::measure(probabilities, labels, threshold);
        metrics.intervals =
            crate::bootstrap::intervals(probabilities, labels, owners, threshold, resamples, seed);
        metrics
    }

    /// Name, value and interval of each metric, in the order of a table.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, f64, Option<Interval>)> {
        let intervals = self.intervals;
        vec![
            ("ROC-AUC", self.auc, intervals.map(|i| i.auc)),
            ("PR-AUC", self.pr_auc, intervals.map(|i| i.pr_auc)),
            ("F1", self.f1, intervals.map(|i| i.f1)),
            ("recall", self.recall, intervals.map(|i| i.recall)),
            ("precision", self.precision, intervals.map(|i| i.precision)),
            ("accuracy", self.accuracy, intervals.map(|i| i.accuracy)),
            ("accuracy at 0.5", self.accuracy_at_half, None),
            (
                "accuracy of the majority class",
                self.majority_accuracy,
                None,
            ),
            ("log-loss", self.log_loss, intervals.map(|i| i.log_loss)),
            ("log-loss of the base rate", self.base_rate_log_loss, None),
            ("Brier", self.brier, intervals.map(|i| i.brier)),
            ("ECE", self.ece, intervals.map(|i| i.ece)),
            ("ECE by chance alone", self.ece_by_chance, None),
        ]
    }
}

/// Counts of forecasts against outcomes at one threshold (`probability >= threshold` is positive).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Forecast an order, and there was one.
    pub true_positives: usize,
    /// Forecast an order, and there was none.
    pub false_positives: usize,
    /// Forecast no order, and there was one.
    pub false_negatives: usize,
    /// Forecast no order, and there was none.
    pub true_negatives: usize,
}

impl Confusion {
    /// Counts at this threshold.
    #[must_use]
    pub fn at(probabilities: &[f32], labels: &[bool], threshold: f32) -> Self {
        let mut counts = Self::default();
        for (probability, label) in probabilities.iter().zip(labels) {
            match (*probability >= threshold, *label) {
                (true, true) => counts.true_positives += 1,
                (true, false) => counts.false_positives += 1,
                (false, true) => counts.false_negatives += 1,
                (false, false) => counts.true_negatives += 1,
            }
        }
        counts
    }

    /// Share of the orders that were forecast.
    #[must_use]
    pub fn recall(&self) -> f64 {
        ratio(
            self.true_positives,
            self.true_positives + self.false_negatives,
        )
    }

    /// Share of the forecast orders that came.
    #[must_use]
    pub fn precision(&self) -> f64 {
        ratio(
            self.true_positives,
            self.true_positives + self.false_positives,
        )
    }

    /// Harmonic mean of precision and recall.
    #[must_use]
    pub fn f1(&self) -> f64 {
        ratio(
            2 * self.true_positives,
            2 * self.true_positives + self.false_positives + self.false_negatives,
        )
    }

    /// Share of right forecasts.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        let right = self.true_positives + self.true_negatives;
        ratio(right, right + self.false_positives + self.false_negatives)
    }
}

/// Area under the ROC curve: the chance that an order scores above a non-order, ties counting
/// half (Mann–Whitney). One half where a class is missing.
#[must_use]
pub fn roc_auc(probabilities: &[f32], labels: &[bool]) -> f64 {
    let (probabilities, labels) = paired(probabilities, labels);
    roc_auc_sorted(probabilities, labels, &descending(probabilities))
}

/// Average precision, `Σ (recall_i − recall_{i−1}) · precision_i` over distinct scores from the
/// highest down. 0 where there is no order.
#[must_use]
pub fn average_precision(probabilities: &[f32], labels: &[bool]) -> f64 {
    let (probabilities, labels) = paired(probabilities, labels);
    average_precision_sorted(probabilities, labels, &descending(probabilities))
}

/// The log-loss of one probability, kept 1e-7 away from 0 and 1.
pub(crate) fn loss(probability: f32, label: bool) -> f64 {
    let p = f64::from(probability).clamp(1e-7, 1.0 - 1e-7);
    -if label { p.ln() } else { (1.0 - p).ln() }
}

/// Mean log-loss with probabilities kept 1e-7 away from 0 and 1.
#[must_use]
pub fn log_loss(probabilities: &[f32], labels: &[bool]) -> f64 {
    let pairs = probabilities.iter().zip(labels);
    mean(pairs.map(|(p, label)| loss(*p, *label)))
}

/// Mean squared difference between probability and outcome.
#[must_use]
pub fn brier(probabilities: &[f32], labels: &[bool]) -> f64 {
    mean(
        probabilities
            .iter()
            .zip(labels)
            .map(|(p, label)| (f64::from(*p) - f64::from(u8::from(*label))).powi(2)),
    )
}

/// The threshold with the highest F1; ties go to the higher threshold. One half where there is
/// no order.
///
/// The threshold lies halfway between two neighbouring scores, so that a score that moves in its
/// last digit on another device does not change sides.
#[must_use]
pub fn best_f1_threshold(probabilities: &[f32], labels: &[bool]) -> f32 {
    let (probabilities, labels) = paired(probabilities, labels);
    let order = descending(probabilities);
    let positives = labels.iter().filter(|label| **label).count();
    if positives == 0 {
        return 0.5;
    }
    let (mut best, mut threshold) = (-1.0, 0.5);
    let mut true_positives = 0;
    for (taken, &index) in order.iter().enumerate() {
        true_positives += usize::from(labels[index]);
        let score = probabilities[index];
        let next = order.get(taken + 1).map(|&next| probabilities[next]);
        if next == Some(score) {
            continue;
        }
        let f1 = ratio(2 * true_positives, taken + 1 + positives);
        if f1 > best {
            best = f1;
            threshold = next.map_or(score / 2.0, |next| next + (score - next) / 2.0);
        }
    }
    threshold
}

/// Both cut to the shorter of the two.
fn paired<'a>(probabilities: &'a [f32], labels: &'a [bool]) -> (&'a [f32], &'a [bool]) {
    let n = probabilities.len().min(labels.len());
    (&probabilities[..n], &labels[..n])
}

/// Indices from the highest score down; equal scores by index, so that the order is one order.
pub(crate) fn descending(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    order
}

fn roc_auc_sorted(scores: &[f32], labels: &[bool], order: &[usize]) -> f64 {
    let (mut positives, mut negatives, mut area) = (0u64, 0u64, 0.0f64);
    for tie in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let up = tie.iter().filter(|&&index| labels[index]).count() as u64;
        let right = tie.len() as u64 - up;
        area += right as f64 * (positives as f64 + up as f64 / 2.0);
        positives += up;
        negatives += right;
    }
    if positives == 0 || negatives == 0 {
        return 0.5;
    }
    area / (positives as f64 * negatives as f64)
}

fn average_precision_sorted(scores: &[f32], labels: &[bool], order: &[usize]) -> f64 {
    let total = labels.iter().filter(|label| **label).count();
    let (mut found, mut taken, mut area) = (0, 0, 0.0);
    for tie in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let up = tie.iter().filter(|&&index| labels[index]).count();
        found += up;
        taken += tie.len();
        area += ratio(up, total) * ratio(found, taken);
    }
    area
}

fn expected_calibration_error(scores: &[f32], labels: &[bool], order: &[usize]) -> f64 {
    reliability_sorted(scores, labels, order)
        .iter()
        .map(|bin| bin.count as f64 * (bin.mean_probability - bin.observed).abs())
        .sum::<f64>()
        / (scores.len().max(1) as f64)
}

/// The mean of [`expected_calibration_error`] where each outcome is drawn with its probability. In a
/// bin of `m` examples the observed share is then off by `√(2/π · Σ p (1 − p)) / m` on average, the
/// mean distance of a normal distribution.
fn calibration_error_by_chance(scores: &[f32], order: &[usize]) -> f64 {
    let n = order.len();
    let off = |bin: usize| {
        let members = &order[bin * n / CALIBRATION_BINS..(bin + 1) * n / CALIBRATION_BINS];
        let spread = members.iter().map(|&index| {
            let p = f64::from(scores[index]).clamp(0.0, 1.0);
            p * (1.0 - p)
        });
        (std::f64::consts::FRAC_2_PI * spread.sum::<f64>()).sqrt()
    };
    (0..CALIBRATION_BINS).map(off).sum::<f64>() / (n.max(1) as f64)
}

/// One bin of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Mean forecast probability in the bin.
    pub mean_probability: f64,
    /// Share of orders in the bin.
    pub observed: f64,
    /// Examples in the bin.
    pub count: usize,
}

/// Equal-mass bins from the lowest score to the highest.
#[must_use]
pub fn reliability(probabilities: &[f32], labels: &[bool]) -> Vec<ReliabilityBin> {
    let (probabilities, labels) = paired(probabilities, labels);
    reliability_sorted(probabilities, labels, &descending(probabilities))
}

/// Of equal scores that lie in two bins each bin has the same share of orders: which of them come first
/// in the file says nothing.
fn reliability_sorted(scores: &[f32], labels: &[bool], order: &[usize]) -> Vec<ReliabilityBin> {
    let n = order.len();
    let mut shares = Vec::with_capacity(n);
    for tie in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let orders = tie.iter().filter(|&&index| labels[index]).count();
        shares.extend(std::iter::repeat_n(ratio(orders, tie.len()), tie.len()));
    }
    (0..CALIBRATION_BINS)
        .rev()
        .filter_map(|bin| {
            let places = bin * n / CALIBRATION_BINS..(bin + 1) * n / CALIBRATION_BINS;
            let members = &order[places.clone()];
            (!members.is_empty()).then(|| ReliabilityBin {
                mean_probability: mean(members.iter().map(|&index| f64::from(scores[index]))),
                observed: mean(shares[places].iter().copied()),
                count: members.len(),
            })
        })
        .collect()
}

/// `a / b`, 0 where `b` is 0.
fn ratio(a: usize, b: usize) -> f64 {
    if b == 0 { 0.0 } else { a as f64 / b as f64 }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0usize);
    for value in values {
        sum += value;
        count += 1;
    }
    if count == 0 { 0.0 } else { sum / count as f64 }
}

/// Log-loss of always forecasting the base rate.
fn entropy(rate: f64) -> f64 {
    let term = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    term(rate) + term(1.0 - rate)
}

#[cfg(test)]
mod tests;
