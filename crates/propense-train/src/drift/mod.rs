//! Whether the shop still looks like what the model was trained on: features, scores, outcomes, and
//! whether as many orders come as are forecast. `docs/drift.md` has the thresholds and how often they
//! raise a false alarm.

mod adwin;
mod calibration;
mod clustered;
mod distance;
mod sample;

use propense_model::Bundle;
use propense_prepare::Loaded;
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::metrics::loss;
use adwin::Adwin;
use distance::{Share, distance, psi, stand_out, two_proportions};
use sample::{Drawn, Sample};

pub use calibration::{Recalibration, Window};

/// Thresholds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftOptions {
    /// Share of false ones among the columns that stand out (Benjamini and Hochberg).
    pub false_share: f64,
    /// Population stability index from which on a column that stands out is an alert.
    pub psi: f64,
    /// Level of the tests of scores, outcomes and calibration.
    pub level: f64,
    /// Relative change from which on a significant change of outcomes or calibration is an alert.
    pub change: f64,
    /// ADWIN's chance of a false cut.
    pub delta: f64,
    /// Seed of the drawn moments and of the draws of a refit's test.
    pub seed: u64,
    /// Whether a refit of the calibration is tried whatever the watch says.
    pub refit: bool,
}

impl Default for DriftOptions {
    fn default() -> Self {
        Self {
            false_share: 0.01,
            psi: 0.1,
            level: 0.01,
            change: 0.1,
            delta: 0.002,
            seed: 1,
            refit: false,
        }
    }
}

/// One column, or the scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnDrift {
    /// Its name in the feature specification, or `session has KIND`, `known category`.
    pub name: String,
    /// Population stability index.
    pub psi: f64,
    /// Largest difference of the distribution functions.
    pub apart: f64,
    /// p-value of "nothing changed"; 1 where there is nothing to test with.
    pub p: f64,
    /// False for what moves with the calendar or the length of the record: shown, never an alert.
    pub watched: bool,
    /// Whether it is an alert.
    pub alert: bool,
}

impl ColumnDrift {
    /// Where it stands, in a word or two.
    #[must_use]
    pub const fn standing(&self) -> &'static str {
        match (self.alert, self.watched) {
            (true, _) => "alert",
            (false, true) => "quiet",
            (false, false) => "not watched",
        }
    }
}

/// Share of sessions with an order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LabelDrift {
    /// In the reference.
    pub reference: f64,
    /// Now.
    pub recent: f64,
    /// Two-sided p-value of "nothing changed".
    pub p: f64,
    /// Whether it is an alert.
    pub alert: bool,
}

/// A place in the stream of log-losses from which on they lie elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StreamChange {
    /// Start of the session at which the change was certain, in milliseconds since 1970.
    pub at_ms: i64,
    /// Mean log-loss before (each kept to at most 3).
    pub before: f64,
    /// Mean log-loss after.
    pub after: f64,
}

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// `feature`, `scores`, `labels`, `log-loss` or `calibration`.
    pub kind: String,
    /// What, in a sentence.
    pub detail: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftReport {
    /// Name and digits of the bundle.
    pub model: String,
    /// The task.
    pub task: String,
    /// `data`, or `bundle` where no reference was given: then features cannot be compared.
    pub reference: String,
    /// Sessions in the reference (in the training, where it is the bundle).
    pub reference_sessions: usize,
    /// Recent sessions.
    pub sessions: usize,
    /// Whether the recent sessions have times. Those of summaries have none: `from_ms` and `to_ms` say
    /// nothing then, nothing is looked at in the order of starts, and no calibration is refitted.
    pub timed: bool,
    /// Start of the first recent session, in milliseconds since 1970.
    pub from_ms: i64,
    /// Start of the last.
    pub to_ms: i64,
    /// The columns, those that moved most first.
    pub columns: Vec<ColumnDrift>,
    /// The calibrated scores.
    pub scores: ColumnDrift,
    /// The outcomes.
    pub labels: LabelDrift,
    /// Mean log-loss of the recent sessions.
    pub log_loss: f64,
    /// Changes within the recent stream of log-losses.
    pub stream: Vec<StreamChange>,
    /// Expected and observed orders.
    pub calibration: Vec<Window>,
    /// The same over all windows.
    pub calibration_whole: Option<Window>,
    /// A refitted calibration, where the watch raised an alert.
    pub recalibration: Option<Recalibration>,
    /// What to look at.
    pub alerts: Vec<Alert>,
    /// The thresholds.
    pub options: DriftOptions,
}

impl DriftReport {
    /// Why no calibration can be refitted, where none can.
    #[must_use]
    pub const fn no_refit(&self) -> Option<&'static str> {
        match self.timed {
            true => None,
            false => Some(
                "the sessions have no times, so that none are older and none newer: no calibration is refitted",
            ),
        }
    }
}

/// What was found, and the bundle with a refitted calibration where one is proposed.
#[derive(Debug, Clone)]
pub struct Drifted {
    /// The figures.
    pub report: DriftReport,
    /// The bundle with the proposed calibration, its parent named in the lineage.
    pub recalibrated: Option<Bundle>,
}

/// Largest log-loss of one session in the stream: ADWIN needs a bound.
const WORST: f64 = 3.0;

/// Compares recent data with the reference, or with what the bundle says of its training.
///
/// # Errors
///
/// Where the data does not suit the bundle's task, or holds no sessions.
pub fn drift(
    bundle: &Bundle,
    recent: &Loaded,
    reference: Option<&Loaded>,
    options: &DriftOptions,
) -> Result<Drifted, TrainError> {
    let manifest = &bundle.manifest;
    let base = reference
        .map(|data| Sample::new(bundle, data, None, options.seed))
        .transpose()?;
    let now = Sample::new(bundle, recent, reference, options.seed)?;
    let drawn = now.drawn(manifest);
    let before = base.as_ref().map(|base| base.drawn(manifest));
    let columns = match &base {
        Some(base) => columns(base, &now, options),
        None => Vec::new(),
    };
    let scores = match &before {
        Some(before) => scores(before, &drawn, options),
        None => scores_beside_table(bundle, &now, options),
    };
    let labels = labels(bundle, before.as_deref(), &drawn, options);
    let timed = now.timed();
    let (log_loss, mut stream) = stream(&drawn, options);
    if !timed {
        stream.clear();
    }
    let calibration = calibration::windows(&drawn, timed);
    let calibration_whole = calibration::whole(&drawn);
    let mut report = DriftReport {
        model: manifest.version(),
        task: manifest.task.clone(),
        reference: if base.is_some() { "data" } else { "bundle" }.to_owned(),
        reference_sessions: base
            .as_ref()
            .map_or(manifest.data.sessions as usize, |base| base.examples.len()),
        sessions: drawn.len(),
        timed,
        from_ms: drawn.first().map_or(0, |score| score.start),
        to_ms: drawn.last().map_or(0, |score| score.start),
        columns,
        scores,
        labels,
        log_loss,
        stream,
        calibration,
        calibration_whole,
        recalibration: None,
        alerts: Vec::new(),
        options: options.clone(),
    };
    report.alerts = alerts(&report);
    let uncalibrated = report
        .alerts
        .iter()
        .any(|alert| alert.kind == "calibration");
    let mut recalibrated = None;
    if timed
        && (uncalibrated || options.refit)
        && let Some((refitted, found)) = calibration::refit(bundle, &now, options.seed)?
    {
        recalibrated = found.proposed.then_some(refitted);
        report.recalibration = Some(found);
    }
    Ok(Drifted {
        report,
        recalibrated,
    })
}

fn columns(base: &Sample, now: &Sample, options: &DriftOptions) -> Vec<ColumnDrift> {
    let zeros = |like: &Sample| vec![0.0; like.examples.len()];
    let mut found: Vec<ColumnDrift> = base
        .columns
        .iter()
        .map(|column| {
            let own = now.columns.iter().find(|own| own.name == column.name);
            // A kind of event that does not come any more has no column.
            let numbers = own.map_or_else(|| zeros(now), |own| own.numbers.clone());
            moved(&column.name, column.watched, &column.numbers, &numbers)
        })
        .collect();
    // Nor has one in the reference that came first now.
    let news = now
        .columns
        .iter()
        .filter(|own| !base.columns.iter().any(|c| c.name == own.name));
    found.extend(news.map(|own| moved(&own.name, own.watched, &zeros(base), &own.numbers)));
    let tested: Vec<f64> = found.iter().filter(|c| c.watched).map(|c| c.p).collect();
    let mut out = stand_out(&tested, options.false_share).into_iter();
    for column in found.iter_mut().filter(|column| column.watched) {
        column.alert = out.next().unwrap_or(false) && column.psi >= options.psi;
    }
    found.sort_by(|a, b| b.psi.total_cmp(&a.psi).then_with(|| a.name.cmp(&b.name)));
    found
}

fn moved(name: &str, watched: bool, before: &[f32], now: &[f32]) -> ColumnDrift {
    let found = distance(before, now);
    ColumnDrift {
        name: name.to_owned(),
        psi: found.psi,
        apart: found.apart,
        p: found.p,
        watched,
        alert: false,
    }
}

fn scores(before: &[Drawn], now: &[Drawn], options: &DriftOptions) -> ColumnDrift {
    let of = |drawn: &[Drawn]| -> Vec<f32> { drawn.iter().map(|s| s.probability).collect() };
    let mut found = moved("scores", true, &of(before), &of(now));
    found.alert = found.p <= options.level && found.psi >= options.psi;
    found
}

/// Without a reference: tenths of the bundle's percentile table, which was made of scores at moments
/// spread over the validation sessions. There is no test, since the table does not say of how many.
fn scores_beside_table(bundle: &Bundle, now: &Sample, options: &DriftOptions) -> ColumnDrift {
    let manifest = &bundle.manifest;
    let all: Vec<usize> = (0..now.examples.len()).collect();
    let recent = now
        .moments_of(&all)
        .map(|logit| f64::from(manifest.percentile(manifest.probability(logit))));
    let mut counts = [0.0; 10];
    for percentile in recent {
        if let Some(count) = counts.get_mut(((percentile / 10.0) as usize).min(9)) {
            *count += 1.0;
        }
    }
    let total: f64 = counts.iter().sum();
    let found = psi(&[total / 10.0; 10], &counts);
    ColumnDrift {
        name: "scores".to_owned(),
        psi: found,
        apart: 0.0,
        p: 1.0,
        watched: true,
        // The rule of thumb for a large shift, since nothing is tested.
        alert: found >= 2.5 * options.psi,
    }
}

fn labels(
    bundle: &Bundle,
    before: Option<&[Drawn]>,
    now: &[Drawn],
    options: &DriftOptions,
) -> LabelDrift {
    let count = |drawn: &[Drawn]| {
        let known = || drawn.iter().filter_map(|s| Some((s.owner, s.order?)));
        let (orders, of) = known().fold((0.0, 0.0), |(orders, of), (_, order)| {
            (orders + f64::from(u8::from(order)), of + 1.0)
        });
        let share = Share::new(orders, of);
        let apart = |(owner, order)| (owner, f64::from(u8::from(order)) - share.value());
        Share {
            variance: clustered::variance(known().map(apart), share.variance),
            ..share
        }
    };
    let data = &bundle.manifest.data;
    let sessions = data.sessions as f64;
    let learnt = || Share::new(f64::from(data.base_rate) * sessions, sessions);
    let (before, now) = (before.map_or_else(learnt, count), count(now));
    let (reference, recent) = (before.value(), now.value());
    let p = two_proportions(before, now);
    LabelDrift {
        reference,
        recent,
        p,
        alert: p <= options.level && (recent - reference).abs() >= options.change * reference,
    }
}

fn stream(drawn: &[Drawn], options: &DriftOptions) -> (f64, Vec<StreamChange>) {
    let mut window = Adwin::new(options.delta);
    let (mut changes, mut sum, mut count) = (Vec::new(), 0.0, 0usize);
    for score in drawn {
        let Some(order) = score.order else { continue };
        let loss = loss(score.probability, order);
        sum += loss;
        count += 1;
        if let Some(cut) = window.add(loss.min(WORST) / WORST) {
            changes.push(StreamChange {
                at_ms: score.start,
                before: cut.before * WORST,
                after: cut.after * WORST,
            });
        }
    }
    (sum / count.max(1) as f64, changes)
}

fn alerts(report: &DriftReport) -> Vec<Alert> {
    let options = &report.options;
    let mut alerts = Vec::new();
    let mut alert = |kind: &str, detail: String| {
        alerts.push(Alert {
            kind: kind.to_owned(),
            detail,
        });
    };
    for column in report.columns.iter().filter(|column| column.alert) {
        alert(
            "feature",
            format!("{}: PSI {:.2}, p {:.1e}", column.name, column.psi, column.p),
        );
    }
    if report.scores.alert {
        alert(
            "scores",
            format!("the scores moved: PSI {:.2}", report.scores.psi),
        );
    }
    let labels = report.labels;
    if labels.alert {
        alert(
            "labels",
            format!(
                "{:.2} % of the sessions end in an order, {:.2} % did",
                100.0 * labels.recent,
                100.0 * labels.reference
            ),
        );
    }
    for change in &report.stream {
        if change.after > change.before {
            alert(
                "log-loss",
                format!("it rose from {:.3} to {:.3}", change.before, change.after),
            );
        }
    }
    // One level for all windows and the whole together.
    let level = options.level / (report.calibration.len() + 1) as f64;
    let mut windows = report.calibration.iter().chain(&report.calibration_whole);
    let off = |window: &&Window| {
        let away = (window.observed as f64 - window.expected).abs();
        window.p <= level && away >= options.change * window.expected
    };
    if let Some(window) = windows.rfind(off) {
        alert(
            "calibration",
            format!(
                "{} orders of {} sessions, {:.0} were expected",
                window.observed, window.sessions, window.expected
            ),
        );
    }
    alerts
}

#[cfg(test)]
mod tests;
