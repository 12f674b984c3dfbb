//! The table of a comparison: figures with intervals, and the choice in words.

use serde::Serialize;

use super::{CompareRequest, Contender, HeldBack, Trained};
use crate::Task;
use crate::bootstrap::{Interval, MeasureOptions};
use crate::draws::{self, Runs, Three, ThreeIntervals};
use crate::fit::PartSizes;
use crate::metrics::Metrics;
use crate::test_data::TestData;

/// A measure over the seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    /// Mean over the seeds.
    pub mean: f64,
    /// 95 % interval of the mean, from users drawn again.
    pub interval: Option<Interval>,
    /// Lowest and highest of the seeds.
    pub seeds: Interval,
}

/// One contender's line.
#[derive(Debug, Clone, Serialize)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub words: &'static str,
    /// Share of the training part that it learnt from, in percent.
    pub share: u32,
    /// Examples that it learnt from.
    pub examples: usize,
    /// Trainings.
    pub seeds: usize,
    /// ROC-AUC.
    pub auc: Figure,
    /// Average precision.
    pub pr_auc: Figure,
    /// Log-loss.
    pub log_loss: Figure,
    /// Mean F1 at the threshold chosen on validation.
    pub f1: f64,
    /// Mean expected calibration error.
    pub ece: f64,
    /// 95 % intervals of AUC, average precision and log-loss less the chosen contender's; none for the
    /// chosen one.
    pub behind: Option<ThreeIntervals>,
    /// The same less the same learner without the change (of the recipe, of what else is forecast, of the
    /// training part): what it is worth; none for that one itself, and where it takes no part.
    pub worth: Option<ThreeIntervals>,
    /// Mean log-loss on the validation part, which chooses.
    pub validation_log_loss: f64,
    /// Trained numbers.
    pub parameters: usize,
    /// Length of the bundle that ships it; none where no bundle can hold it.
    pub bundle_bytes: Option<usize>,
    /// Mean seconds of training.
    pub seconds: f64,
    /// Mean epochs.
    pub epochs: f64,
    /// Median microseconds to score one session on one thread of the CPU.
    pub microseconds: f64,
    /// The same contender on changed test parts.
    pub shifts: Vec<ShiftFigures>,
}

/// What a change of the test part costs.
#[derive(Debug, Clone, Serialize)]
pub struct ShiftFigures {
    /// Name of the change.
    pub shift: &'static str,
    /// Mean ROC-AUC.
    pub auc: f64,
    /// Mean log-loss.
    pub log_loss: f64,
}

impl CompareReport {
    /// What takes from the worth of these figures, in sentences.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        self.test_data.remarks()
    }
}

/// The table.
#[derive(Debug, Clone, Serialize)]
pub struct CompareReport {
    /// The task.
    pub task: Task,
    /// Device that trained the networks.
    pub device: String,
    /// Sizes of the parts; the training part is the largest that any contender learnt from.
    pub examples: PartSizes,
    /// What there is to say of other data to measure on.
    #[serde(flatten)]
    pub test_data: TestData,
    /// Scores measured.
    pub n: usize,
    /// Share of them with an order.
    pub base_rate: f64,
    /// Place of the contender with the lowest log-loss on validation.
    pub best: usize,
    /// The choice in words.
    pub choice: Vec<String>,
    /// The contenders, as asked for.
    pub rows: Vec<Compared>,
}

/// Measures all on the test part.
pub(super) fn table(
    request: &CompareRequest,
    held_back: &HeldBack,
    examples: PartSizes,
    trained: Vec<Trained>,
) -> CompareReport {
    let HeldBack { labels, owners } = held_back;
    let best = (0..trained.len())
        .min_by(|&a, &b| {
            let loss = |place: usize| trained[place].validation_loss();
            loss(a).total_cmp(&loss(b))
        })
        .unwrap_or(0);
    let forecasts: Vec<Runs> = trained.iter().map(|one| one.forecasts.clone()).collect();
    let MeasureOptions { resamples, seed } = request.measuring.of_sample(labels, owners);
    let drawn = draws::draw(&forecasts, labels, owners, resamples, seed);
    let rows: Vec<Compared> = trained
        .iter()
        .enumerate()
        .map(|(place, one)| {
            let each = draws::measured(&one.forecasts, labels);
            let mean = draws::mean(each.iter().copied(), each.len());
            let intervals = drawn.intervals(place);
            let figure = |measure: usize, mean: f64, of: fn(&Three) -> f64| {
                let values = each.iter().map(of);
                Figure {
                    mean,
                    interval: intervals.map(|all| all[measure]),
                    seeds: Interval(
                        values.clone().fold(f64::INFINITY, f64::min),
                        values.fold(f64::NEG_INFINITY, f64::max),
                    ),
                }
            };
            let metrics: Vec<Metrics> = one
                .fits
                .iter()
                .zip(&one.forecasts)
                .map(|(fit, forecast)| Metrics::measure(forecast, labels, fit.threshold))
                .collect();
            let of_seeds = |of: fn(&Metrics) -> f64| {
                metrics.iter().map(of).sum::<f64>() / metrics.len().max(1) as f64
            };
            let first = one.fits.first();
            Compared {
                name: one.contender.name(),
                words: one.contender.words(),
                share: one.contender.share,
                examples: one.examples,
                seeds: one.fits.len(),
                auc: figure(0, mean.auc, |three| three.auc),
                pr_auc: figure(1, mean.pr_auc, |three| three.pr_auc),
                log_loss: figure(2, mean.log_loss, |three| three.log_loss),
                f1: of_seeds(|m| m.f1),
                ece: of_seeds(|m| m.ece),
                behind: match place == best {
                    true => None,
                    false => drawn.differences(place, best),
                },
                worth: plain(&trained, place).and_then(|plain| drawn.differences(place, plain)),
                validation_log_loss: one.validation_loss(),
                parameters: first.map_or(0, |fit| fit.parameters),
                bundle_bytes: first.and_then(|fit| fit.bundle_bytes),
                seconds: one.mean(|fit| fit.seconds),
                epochs: one.mean(|fit| fit.epochs as f64),
                microseconds: one.mean(|fit| fit.microseconds),
                shifts: one.shifts.clone(),
            }
        })
        .collect();
    let orders = labels.iter().filter(|label| **label).count();
    CompareReport {
        task: request.fit.task,
        device: request.fit.device.name.to_owned(),
        examples,
        test_data: TestData::default(),
        n: labels.len(),
        base_rate: orders as f64 / labels.len().max(1) as f64,
        best,
        choice: choice(&rows, best),
        rows,
    }
}

/// Place of the same learner without the change, where that is another contender: trained as usual on
/// as much, else on the whole training part.
fn plain(trained: &[Trained], place: usize) -> Option<usize> {
    let own = &trained.get(place)?.contender;
    let of = |wanted: &Contender| {
        let found = trained.iter().position(|one| one.contender == *wanted)?;
        (found != place).then_some(found)
    };
    let usual = Contender::plain(own.learner);
    let as_much = Contender {
        share: own.share,
        ..usual.clone()
    };
    of(&as_much).or_else(|| of(&usual))
}

/// Why the best is the best, and who is as good.
fn choice(rows: &[Compared], best: usize) -> Vec<String> {
    let Some(chosen) = rows.get(best).filter(|_| rows.len() > 1) else {
        return Vec::new();
    };
    let mut words = vec![format!(
        "{} has the lowest log-loss on the validation part, {:.4}: it is chosen. The test part had no say in it.",
        chosen.name, chosen.validation_log_loss
    )];
    let others = || rows.iter().filter(|row| row.behind.is_some());
    let named = |rows: Vec<&Compared>| -> String {
        rows.iter()
            .map(|row| row.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let test =
        |row: &&Compared, holds: fn(Interval) -> bool| row.behind.is_some_and(|b| holds(b[2]));
    let worse: Vec<&Compared> = others()
        .filter(|row| test(row, |loss| loss.0 > 0.0))
        .collect();
    let better: Vec<&Compared> = others()
        .filter(|row| test(row, |loss| loss.1 < 0.0))
        .collect();
    let same: Vec<&Compared> = others()
        .filter(|row| test(row, |loss| loss.0 <= 0.0 && loss.1 >= 0.0))
        .collect();
    if !worse.is_empty() {
        let names = named(worse);
        words.push(format!(
            "On the test part its log-loss is lower (95 %) than that of {names}."
        ));
    }
    if !same.is_empty() {
        let smallest = same.iter().min_by_key(|row| row.parameters);
        let mut text = format!(
            "On the test part the difference to {} is within chance.",
            named(same.clone())
        );
        if let Some(small) = smallest.filter(|row| row.parameters < chosen.parameters) {
            text.push_str(&format!(
                " Of these {} is the smallest, with {} numbers instead of {}.",
                small.name, small.parameters, chosen.parameters
            ));
        }
        words.push(text);
    }
    if !better.is_empty() {
        let names = named(better);
        words.push(format!(
            "The test part contradicts the choice: there the log-loss of {names} is lower (95 %)."
        ));
    }
    if chosen.bundle_bytes.is_none() {
        words.push(shipped(rows, chosen));
    }
    words
}

/// Which of those that a page can score comes next to one that it cannot.
fn shipped(rows: &[Compared], chosen: &Compared) -> String {
    let able = rows.iter().filter(|row| row.bundle_bytes.is_some());
    let loss = |row: &&Compared| row.validation_log_loss;
    let Some(best) = able.min_by(|a, b| loss(a).total_cmp(&loss(b))) else {
        return format!(
            "{} is not shipped: the page scores seed and base alone.",
            chosen.name
        );
    };
    let difference = best.behind.map_or(String::new(), |[auc, _, loss]| {
        format!(
            " On the test part it differs from {} by {:.4} to {:.4} in log-loss and {:.4} to {:.4} in ROC-AUC (95 %).",
            chosen.name, loss.0, loss.1, auc.0, auc.1
        )
    });
    format!(
        "{} is not shipped. Of those that are, {} has the lowest log-loss on the validation part, {:.4}.{difference}",
        chosen.name, best.name, best.validation_log_loss
    )
}
