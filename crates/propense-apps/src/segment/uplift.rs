//! What a contact changes, from a log of who was contacted and who was left alone.
//!
//! Two ways to tell it: one regression for those contacted and one for those left alone, the
//! difference being the uplift (Radcliffe and Surry 1999); and one regression on whether a
//! customer did what their group hoped for, each weighted by the size of their group (Jaśkowski and
//! Jaroszewicz 2012). Each customer is scored by models that have not seen them, and the way with
//! the larger Qini coefficient is used.

use std::collections::HashMap;

use serde::Serialize;
use xxhash_rust::xxh64::xxh64;

use super::customers::{Base, Habits};
use super::lift::steps;
use super::logistic::Logistic;

/// One line of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Treatment {
    /// The customer.
    pub customer: String,
    /// When, in milliseconds: habits are those before it.
    pub at: i64,
    /// Whether they were contacted.
    pub treated: bool,
    /// Whether they ordered afterwards.
    pub ordered: bool,
}

/// How uplift is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpliftModel {
    /// One regression for each group.
    TwoModels,
    /// One on the transformed outcome.
    ClassTransformation,
}

/// A point of the Qini curve: share of customers contacted, best first, and further orders gained.
pub type QiniPoint = (f64, f64);

/// What the log tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UpliftReport {
    /// Lines used.
    pub customers: usize,
    /// Share of them contacted.
    pub treated_share: f64,
    /// Order rate of those contacted.
    pub treated_rate: f64,
    /// Order rate of those left alone.
    pub control_rate: f64,
    /// The way used.
    pub model: UpliftModel,
    /// Qini coefficient of each way: area between its curve and that of a random order, for each
    /// customer contacted; 0 where the order says nothing.
    pub qini: [(UpliftModel, f64); 2],
    /// What the coefficient hardly exceeds where the order says nothing: three standard errors, by
    /// shuffling.
    pub chance: f64,
    /// Curve of the way used.
    pub curve: Vec<QiniPoint>,
    /// What to know, in words.
    pub warnings: Vec<String>,
}

/// Who a customer is to a mailing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Orders because of the contact.
    Persuadable,
    /// Orders anyway.
    SureThing,
    /// Does not order either way.
    LostCause,
    /// Orders less when contacted.
    LeaveAlone,
}

impl Kind {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Persuadable => "persuadable",
            Self::SureThing => "sure thing",
            Self::LostCause => "lost cause",
            Self::LeaveAlone => "leave alone",
        }
    }

    /// From the chances with and without a contact, the change that pays for it, and the base's
    /// order rate.
    #[must_use]
    pub fn of(with: f64, without: f64, pays: f64, usual: f64) -> Self {
        let change = with - without;
        if change >= pays {
            Self::Persuadable
        } else if change <= -pays {
            Self::LeaveAlone
        } else if without >= usual {
            Self::SureThing
        } else {
            Self::LostCause
        }
    }
}

/// Folds: each customer is scored by models learnt on the others.
const FOLDS: u64 = 5;
/// Fewest lines of each group, and orders in each, to tell anything.
const LEAST: usize = 100;
const LEAST_ORDERS: usize = 10;
const RIDGE: f64 = 20.0;
const SHUFFLES: u64 = 100;
const POINTS: usize = 100;

/// A fitted model of both chances.
#[derive(Debug, Clone)]
pub struct Uplift {
    treated: Logistic,
    control: Logistic,
    transformed: Logistic,
    model: UpliftModel,
}

impl Uplift {
    /// The chances of an order with a contact and without.
    #[must_use]
    pub fn chances(&self, habits: &Habits) -> (f64, f64) {
        let row = habits.columns();
        let without = self.control.probability(&row);
        let with = match self.model {
            UpliftModel::TwoModels => self.treated.probability(&row),
            // The change of the one model on top of the chance without.
            UpliftModel::ClassTransformation => {
                (without + 2.0 * self.transformed.probability(&row) - 1.0).clamp(0.0, 1.0)
            }
        };
        (with, without)
    }
}

struct Line {
    row: Vec<f64>,
    fold: u64,
    /// A number drawn for the customer.
    lot: u64,
    treated: bool,
    ordered: bool,
}

/// Learns from the log.
///
/// # Errors
///
/// In words, where the log cannot tell: too few customers or orders in one of the groups.
pub fn learn(base: &Base, log: &[Treatment]) -> Result<(Uplift, UpliftReport), String> {
    let places: HashMap<&str, usize> = base
        .customers
        .iter()
        .enumerate()
        .map(|(place, one)| (one.id.as_str(), place))
        .collect();
    let lines: Vec<Line> = log
        .iter()
        .filter_map(|line| {
            let customer = base.customers.get(*places.get(line.customer.as_str())?)?;
            Some(Line {
                row: customer.habits(line.at)?.columns().to_vec(),
                fold: xxh64(line.customer.as_bytes(), 7) % FOLDS,
                lot: xxh64(line.customer.as_bytes(), 8),
                treated: line.treated,
                ordered: line.ordered,
            })
        })
        .collect();
    let (used, left) = (lines.len(), log.len() - lines.len());
    let count = |treated: bool, ordered: bool| {
        let wanted = |line: &&Line| line.treated == treated && (line.ordered || !ordered);
        lines.iter().filter(wanted).count()
    };
    for (treated, name) in [(true, "contacted"), (false, "left alone")] {
        let (all, orders) = (count(treated, false), count(treated, true));
        if all < LEAST || orders < LEAST_ORDERS {
            return Err(format!(
                "the treatment log has {all} customers {name} with {orders} orders ({left} lines are of nobody with \
                 an earlier order); at least {LEAST} with {LEAST_ORDERS} orders are needed in each group"
            ));
        }
    }
    let share = count(true, false) as f64 / used as f64;
    let rate = |treated| count(treated, true) as f64 / count(treated, false) as f64;

    let mut two = vec![0.0; used];
    let mut one = vec![0.0; used];
    for fold in 0..FOLDS {
        let Some(models) = fit(&lines, share, Some(fold)) else {
            continue;
        };
        for ((line, two), one) in lines.iter().zip(&mut two).zip(&mut one) {
            if line.fold == fold {
                *two = models.0.probability(&line.row) - models.1.probability(&line.row);
                *one = 2.0 * models.2.probability(&line.row) - 1.0;
            }
        }
    }
    let (curve_two, curve_one) = (qini(&lines, &two), qini(&lines, &one));
    let (area_two, area_one) = (coefficient(&curve_two), coefficient(&curve_one));
    let model = if area_two >= area_one {
        UpliftModel::TwoModels
    } else {
        UpliftModel::ClassTransformation
    };
    let chance = chance(&lines);
    let mut warnings = Vec::new();
    if area_two.max(area_one) < chance {
        warnings.push(
            "The log does not show that a contact works better on some customers than on others: \
             the order by uplift may be chance."
                .to_owned(),
        );
    }
    if let Some(words) = not_random(&lines) {
        warnings.push(words);
    }
    let Some((treated, control, transformed)) = fit(&lines, share, None) else {
        return Err("the treatment log cannot be learnt from".to_owned());
    };
    let curve = match model {
        UpliftModel::TwoModels => curve_two,
        UpliftModel::ClassTransformation => curve_one,
    };
    let report = UpliftReport {
        customers: used,
        treated_share: share,
        treated_rate: rate(true),
        control_rate: rate(false),
        model,
        qini: [
            (UpliftModel::TwoModels, area_two),
            (UpliftModel::ClassTransformation, area_one),
        ],
        chance,
        curve,
        warnings,
    };
    let uplift = Uplift {
        treated,
        control,
        transformed,
        model,
    };
    Ok((uplift, report))
}

/// The three regressions, without one fold.
fn fit(lines: &[Line], share: f64, without: Option<u64>) -> Option<(Logistic, Logistic, Logistic)> {
    let kept: Vec<&Line> = lines
        .iter()
        .filter(|line| Some(line.fold) != without)
        .collect();
    let group = |treated: bool| {
        let own: Vec<&&Line> = kept.iter().filter(|line| line.treated == treated).collect();
        let rows: Vec<&[f64]> = own.iter().map(|line| line.row.as_slice()).collect();
        let outcomes: Vec<bool> = own.iter().map(|line| line.ordered).collect();
        Logistic::fit(&rows, &outcomes, None, RIDGE)
    };
    let rows: Vec<&[f64]> = kept.iter().map(|line| line.row.as_slice()).collect();
    let outcomes: Vec<bool> = kept
        .iter()
        .map(|line| line.ordered == line.treated)
        .collect();
    // Both groups count alike, whatever their sizes.
    let weights: Vec<f64> = kept
        .iter()
        .map(|line| 0.5 / if line.treated { share } else { 1.0 - share })
        .collect();
    let transformed = Logistic::fit(&rows, &outcomes, Some(&weights), RIDGE)?;
    Some((group(true)?, group(false)?, transformed))
}

/// Further orders gained when the best-scored are contacted (Radcliffe 2007): orders of those
/// contacted less those of the ones left alone, scaled to the same number, per customer contacted in all.
fn qini(lines: &[Line], scores: &[f64]) -> Vec<QiniPoint> {
    let mut order: Vec<(f64, &Line)> = scores.iter().copied().zip(lines).collect();
    // Those who are alike go in no order of the log's making.
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.lot.cmp(&b.1.lot)));
    let all = lines.iter().filter(|line| line.treated).count().max(1) as f64;
    let every = order.len().div_ceil(POINTS).max(1);
    let mut curve = vec![(0.0, 0.0)];
    let (mut contacted, mut alone) = ((0.0, 0.0), (0.0, 0.0));
    for (place, (_, line)) in order.iter().enumerate() {
        let group = if line.treated {
            &mut contacted
        } else {
            &mut alone
        };
        group.0 += 1.0;
        group.1 += f64::from(line.ordered);
        if (place + 1) % every == 0 || place + 1 == order.len() {
            let scaled = if alone.0 > 0.0 {
                alone.1 * contacted.0 / alone.0
            } else {
                0.0
            };
            curve.push((
                (place + 1) as f64 / order.len() as f64,
                (contacted.1 - scaled) / all,
            ));
        }
    }
    curve
}

/// Area between the curve and the straight line to its end.
fn coefficient(curve: &[QiniPoint]) -> f64 {
    let end = curve.last().map_or(0.0, |point| point.1);
    curve
        .windows(2)
        .map(|pair| match pair {
            [a, b] => (b.0 - a.0) * ((a.1 - end * a.0) + (b.1 - end * b.0)) / 2.0,
            _ => 0.0,
        })
        .sum()
}

/// Three times the spread of the coefficient over orders that know nothing: the better of two ways
/// is taken, which is more often above twice.
fn chance(lines: &[Line]) -> f64 {
    let squares: f64 = (0..SHUFFLES)
        .map(|shuffle| {
            let hash = |place: usize| xxh64(&place.to_le_bytes(), shuffle) as f64;
            let scores: Vec<f64> = (0..lines.len()).map(hash).collect();
            coefficient(&qini(lines, &scores)).powi(2)
        })
        .sum();
    3.0 * (squares / SHUFFLES as f64).sqrt()
}

/// Whether habits tell who was contacted: then the groups are no fair comparison.
fn not_random(lines: &[Line]) -> Option<String> {
    let mut scores = vec![0.0; lines.len()];
    for fold in 0..FOLDS {
        let kept: Vec<&Line> = lines.iter().filter(|line| line.fold != fold).collect();
        let rows: Vec<&[f64]> = kept.iter().map(|line| line.row.as_slice()).collect();
        let treated: Vec<bool> = kept.iter().map(|line| line.treated).collect();
        let model = Logistic::fit(&rows, &treated, None, RIDGE)?;
        for (line, score) in lines.iter().zip(&mut scores) {
            if line.fold == fold {
                *score = model.probability(&line.row);
            }
        }
    }
    let treated: Vec<bool> = lines.iter().map(|line| line.treated).collect();
    let auc = auc(&scores, &treated);
    (auc > 0.6).then(|| {
        format!(
            "Who was contacted can be told from their habits (ROC-AUC {auc:.2}; 0.5 were chance): the \
             two groups are no fair comparison, and the uplift is partly who was chosen."
        )
    })
}

/// Chance that a positive is ranked above a negative (Mann and Whitney 1947).
fn auc(scores: &[f64], positive: &[bool]) -> f64 {
    let steps = steps(scores.iter().copied(), positive);
    let (all, positives) = steps.last().copied().unwrap_or((0, 0));
    let pairs = positives as f64 * (all - positives) as f64;
    let (mut before, mut sum) = ((0, 0), 0.0);
    for (taken, found) in steps {
        // From the highest score down: a negative lies below the positives before it.
        let others = (taken - found) - (before.0 - before.1);
        sum += others as f64 * (before.1 as f64 + (found - before.1) as f64 / 2.0);
        before = (taken, found);
    }
    if pairs > 0.0 { sum / pairs } else { 0.5 }
}
