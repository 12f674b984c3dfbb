//! Frozen, updated and trained anew, period by period: how well each forecasts the next period, and
//! what it cost.

use std::time::Instant;

use propense_events::DAY;
use propense_model::Bundle;
use propense_train::{
    Decision, DeviceChoice, Evaluation, Loaded, MeasureOptions, Silent, Task, TrainError,
    UpdateRequest, evaluate, update,
};

use crate::Done;
use crate::fitting::{Cost, fit, part};

const MEASURING: MeasureOptions = MeasureOptions {
    resamples: 0,
    seed: 1,
};

fn measured(bundle: &Bundle, history: &Loaded, data: &Loaded) -> Result<Evaluation, TrainError> {
    let device = DeviceChoice::Cpu.open()?;
    evaluate(bundle, data, Some(history), &device, &MEASURING)
}

/// `in-session` on Taobao: trained on four days, then day by day.
pub(crate) fn days(data: &Loaded, seed: u64) -> Done {
    const FIRST: i64 = 1_511_539_200_000;
    let midnights: Vec<i64> = (4..10).map(|day| FIRST + day * DAY).collect();
    replay(Task::InSession, data, FIRST, &midnights, seed)
}

/// `thirty-day` on Online Retail: trained on seven months, then month by month.
pub(crate) fn months(data: &Loaded, seed: u64) -> Done {
    let first = data.events.iter().map(|event| event.timestamp).min();
    let first = first.unwrap_or_default();
    let moment = |text: &str| propense_events::parse_timestamp(text, 0).unwrap_or_default();
    let firsts = ["07", "08", "09", "10", "11"].map(|month| moment(&format!("2011-{month}-01")));
    replay(Task::ThirtyDay, data, first, &firsts, seed)
}

/// A model that follows the data.
struct Follower {
    name: &'static str,
    bundle: Bundle,
    /// Whether it takes every candidate, or only those that the paired test lets through.
    always: bool,
    refresh_rates: bool,
    cost: Cost,
}

impl Follower {
    fn learn(&mut self, known: &Loaded, seed: u64) -> Result<String, TrainError> {
        let mut request = UpdateRequest::new(DeviceChoice::Cpu.open()?);
        request.refresh_rates = self.refresh_rates;
        request.training.seed = seed;
        let clock = Instant::now();
        match update(&self.bundle, known, &request, &mut Silent) {
            Ok(updated) => {
                let report = updated.report;
                self.cost = Cost(report.sample_steps, clock.elapsed().as_secs_f64());
                if self.always || report.judgement.decision == Decision::Replace {
                    self.bundle = updated.bundle;
                }
                Ok(report.judgement.reasons.join("; "))
            }
            Err(TrainError::TooLittleNew { .. }) => Ok("too little is new".to_owned()),
            Err(error) => Err(error),
        }
    }
}

/// Data up to each of the moments but the last is learnt; what follows up to the next one tests.
fn replay(task: Task, data: &Loaded, first: i64, moments: &[i64], seed: u64) -> Done {
    let Some(&begin) = moments.first() else {
        return Ok(());
    };
    let (frozen, cost) = fit(task, &part(data, first, begin), seed)?;
    let follower = |name, always, refresh_rates| Follower {
        name,
        bundle: frozen.clone(),
        always,
        refresh_rates,
        cost: Cost::default(),
    };
    let mut followers = [
        follower("always", true, false),
        follower("by the rule", false, false),
        follower("refreshed, always", true, true),
        follower("refreshed, by the rule", false, true),
    ];
    let names = followers.iter().map(|f| f.name).collect::<Vec<_>>();
    println!(
        "| until | n | base rate | frozen | {} | retrained | steps updated | retrained | seconds updated | retrained |",
        names.join(" | ")
    );
    for pair in moments.windows(2) {
        let &[now, next] = pair else { continue };
        let known = part(data, first, now);
        let later = match task {
            // The horizon reaches thirty days on.
            Task::ThirtyDay => part(data, now, i64::MAX),
            _ => part(data, now, next),
        };
        let test = |bundle: &Bundle| measured(bundle, &known, &later);
        let mut retrained = (frozen.clone(), cost);
        if now > begin {
            for follower in &mut followers {
                let said = follower.learn(&known, seed)?;
                println!("{}: {said}", follower.name);
            }
            // What `propense train` makes of all that is known.
            retrained = fit(task, &known, seed)?;
        }
        let begun = test(&frozen)?.metrics;
        let aucs: Vec<String> = followers
            .iter()
            .map(|follower| Ok(format!("{:.4}", test(&follower.bundle)?.metrics.auc)))
            .collect::<Result<_, TrainError>>()?;
        let (spent, whole) = (followers[0].cost, retrained.1);
        println!(
            "| {} | {} | {:.4} | {:.4} | {} | {:.4} | {} | {} | {:.0} | {:.0} |",
            (now - first) / DAY,
            begun.n,
            begun.base_rate,
            begun.auc,
            aucs.join(" | "),
            test(&retrained.0)?.metrics.auc,
            spent.0,
            whole.0,
            spent.1,
            whole.1
        );
    }
    Ok(())
}
