//! Frozen, updated and trained anew, period by period: how well each forecasts the next period, and
//! what it cost.

use std::time::Instant;

use propense_events::{DAY, Event};
use propense_model::{Bundle, CellActivation, Precision};
use propense_train::{
    Decision, DeviceChoice, Evaluation, ExampleOptions, FitRequest, Loaded, MeasureOptions,
    NetworkSizes, Observer, Preset, Progress, Silent, Task, TrainError, TrainOptions,
    UpdateRequest, eval, evaluate_after, fit_bundle, update,
};

pub(crate) type Done = Result<(), Box<dyn std::error::Error>>;

/// Examples gone through in training, and seconds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cost(usize, f64);

pub(crate) fn part(data: &Loaded, from: i64, to: i64) -> Loaded {
    let within = |event: &&Event| (from..to).contains(&event.timestamp);
    Loaded {
        events: data.events.iter().filter(within).cloned().collect(),
        files: Vec::new(),
        sessions: Vec::new(),
        ..data.clone()
    }
}

/// Counts the examples gone through.
#[derive(Default)]
struct Steps {
    examples: usize,
    steps: usize,
}

impl Observer for Steps {
    fn on(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Start { examples, .. } => self.examples = *examples,
            Progress::Epoch { .. } => self.steps += self.examples,
            _ => {}
        }
    }
}

fn request(task: Task) -> Result<FitRequest, TrainError> {
    Ok(FitRequest {
        task,
        preset: Preset::Seed,
        training: TrainOptions::default(),
        examples: ExampleOptions::default(),
        activation: CellActivation::Tanh,
        sizes: NetworkSizes::default(),
        precision: Precision::F32,
        device: DeviceChoice::Cpu.open()?,
        name: "study".to_owned(),
        licence: String::new(),
        created_at: String::new(),
    })
}

/// A shop's bundle.
pub(crate) fn fit(task: Task, data: &Loaded) -> Result<(Bundle, Cost), TrainError> {
    let (clock, mut steps) = (Instant::now(), Steps::default());
    let fitted = fit_bundle(data, &request(task)?, &mut steps)?;
    Ok((
        fitted.bundle,
        Cost(steps.steps, clock.elapsed().as_secs_f64()),
    ))
}

/// All that is known learnt anew, by the protocol: of a few days of Taobao a shop's split by time and
/// user would leave hardly anything to test, since nearly every user comes on the first days.
fn anew(task: Task, known: &Loaded, later: &Loaded) -> Result<f64, TrainError> {
    let found = eval(known, later, &request(task)?, &MEASURING, &mut Silent)?;
    Ok(found.metrics.auc)
}

const MEASURING: MeasureOptions = MeasureOptions {
    resamples: 0,
    seed: 1,
};

fn measured(bundle: &Bundle, history: &Loaded, data: &Loaded) -> Result<Evaluation, TrainError> {
    let measuring = MeasureOptions {
        resamples: 0,
        seed: 1,
    };
    evaluate_after(
        bundle,
        history,
        data,
        &DeviceChoice::Cpu.open()?,
        &measuring,
    )
}

/// `in-session` on Taobao: trained on four days, then day by day.
pub(crate) fn days(data: &Loaded, refresh_rates: bool) -> Done {
    const FIRST: i64 = 1_511_539_200_000;
    let midnights: Vec<i64> = (4..10).map(|day| FIRST + day * DAY).collect();
    replay(Task::InSession, data, FIRST, &midnights, refresh_rates)
}

/// `thirty-day` on Online Retail: trained on seven months, then month by month.
pub(crate) fn months(data: &Loaded) -> Done {
    let first = data.events.iter().map(|event| event.timestamp).min();
    let moment = |text: &str| propense_events::parse_timestamp(text, 0).unwrap_or_default();
    let firsts = ["07", "08", "09", "10", "11"].map(|month| moment(&format!("2011-{month}-01")));
    replay(
        Task::ThirtyDay,
        data,
        first.unwrap_or_default(),
        &firsts,
        false,
    )
}

/// Data up to each of the moments but the last is learnt; what follows up to the next one tests.
fn replay(task: Task, data: &Loaded, first: i64, moments: &[i64], refresh_rates: bool) -> Done {
    let Some(&begin) = moments.first() else {
        return Ok(());
    };
    let (frozen, cost) = fit(task, &part(data, first, begin))?;
    println!("frozen: {} sample-steps, {:.0} s", cost.0, cost.1);
    let (mut always, mut gated) = (frozen.clone(), frozen.clone());
    println!(
        "| until | n | base rate | frozen | updated | by the rule | retrained | by the protocol | steps updated | retrained | seconds updated | retrained | decision |"
    );
    for pair in moments.windows(2) {
        let &[now, next] = pair else { continue };
        let known = part(data, first, now);
        let mut spent = Cost::default();
        let mut said = "-".to_owned();
        if now > begin {
            let request = UpdateRequest {
                refresh_rates,
                ..UpdateRequest::new(DeviceChoice::Cpu.open()?)
            };
            let clock = Instant::now();
            match update(&always, &known, &request, &mut Silent) {
                Ok(updated) => {
                    spent = Cost(updated.report.sample_steps, clock.elapsed().as_secs_f64());
                    always = updated.bundle;
                }
                Err(error) => println!("not updated: {error}"),
            }
            match update(&gated, &known, &request, &mut Silent) {
                Ok(updated) => {
                    said = updated.report.judgement.reasons.join("; ");
                    if updated.report.judgement.decision == Decision::Replace {
                        gated = updated.bundle;
                    }
                }
                Err(error) => said = error.to_string(),
            }
        }
        let later = match task {
            // The horizon reaches thirty days on.
            Task::ThirtyDay => part(data, now, i64::MAX),
            _ => part(data, now, next),
        };
        let test = |bundle: &Bundle| measured(bundle, &known, &later);
        // What `propense train` makes of all that is known, and what the protocol makes of it, which
        // keeps nothing back to test itself.
        let (retrained, cost) = fit(task, &known)?;
        let retrained = test(&retrained)?.metrics.auc;
        let d = anew(task, &known, &later)?;
        let (a, b, c) = (test(&frozen)?, test(&always)?, test(&gated)?);
        println!(
            "| {} | {} | {:.4} | {:.4} | {:.4} | {:.4} | {retrained:.4} | {:.4} | {} | {} | {:.0} | {:.0} | {said} |",
            (now - first) / DAY,
            a.metrics.n,
            a.metrics.base_rate,
            a.metrics.auc,
            b.metrics.auc,
            c.metrics.auc,
            d,
            spent.0,
            cost.0,
            spent.1,
            cost.1
        );
    }
    Ok(())
}
