//! `propense compare`

use propense_train::{
    Augmentation, CompareReport, CompareRequest, Compared, Contender, Learner, MeasureOptions,
    Objective, Preset, RecipeChange, Shift, Task, compare,
};

use super::{Failure, Outcome, next_item, refuse, resolve};
use crate::args::{Ablation, CompareArgs};
use crate::destinations;
use crate::output::{Output, Table, note, range, write_file};
use crate::{progress, report};

pub(crate) fn run(args: &CompareArgs) -> Outcome {
    destinations::check(
        [
            ("--json", args.json.json.as_ref()),
            ("--report", args.report.as_ref()),
        ],
        args.data.iter().chain(&args.test),
    )?;
    if args.task == next_item::TASK {
        return next_item::compare(args);
    }
    if args.seeds == 0 {
        return Err(Failure::Usage("--seeds: at least 1".to_owned()));
    }
    let itself = "not together with what `compare` does itself";
    refuse(&[
        (args.fitting.preset.is_some(), "--preset", itself),
        (args.fitting.checkpoint.is_some(), "--checkpoint", itself),
        (args.fitting.resume, "--resume", itself),
        (
            args.fitting.decay.is_some(),
            "--decay",
            "base takes part as it is",
        ),
        (
            !args.fitting.augment.is_empty() && args.ablate.is_some(),
            "--augment",
            itself,
        ),
        (
            args.fitting.train_share.is_some() && !args.train_shares.is_empty(),
            "--train-share",
            itself,
        ),
    ])?;
    let fit = resolve::request(&args.task, Preset::Seed, &args.fitting)?;
    let shifts = match args.shift {
        true if fit.task != Task::InSession || !args.test.is_empty() => {
            let message = "--shift: needs --task in-session, and no --test".to_owned();
            return Err(Failure::Usage(message));
        }
        true => Shift::ALL.to_vec(),
        false => Vec::new(),
    };
    let contenders = contenders(args, &fit)?;
    refuse_unheeded(args, &contenders)?;
    let request = CompareRequest {
        contenders,
        seeds: args.seeds,
        shifts,
        measuring: MeasureOptions::default(),
        fit,
    };
    let data = resolve::data(&args.data, &args.reading)?;
    let test = match args.test.is_empty() {
        true => None,
        false => Some(resolve::data(&args.test, &args.reading)?),
    };
    let title = format!("compare {}", args.task);
    let mut observer = progress::observer(&title, args.fitting.plain);
    let outcome = compare(&data, test.as_ref(), &request, observer.as_mut());
    drop(observer);
    let comparison = outcome?;
    Output::new(&args.json).finish(&table(&comparison), &comparison)?;
    for remark in comparison.remarks() {
        note(&format!("warning: {remark}"));
    }
    if let Some(path) = &args.report {
        let title = match &test {
            Some(test) => format!("{}: {} → {}", args.task, data.name, test.name),
            None => format!("{}: {}", args.task, data.name),
        };
        write_file(path, report::comparison(&title, &comparison).as_bytes())?;
        note(&format!("wrote {}", path.display()));
    }
    Ok(())
}

/// Everybody who takes part, in the order of the table.
fn contenders(args: &CompareArgs, fit: &propense_train::FitRequest) -> Outcome<Vec<Contender>> {
    let recipe = args.ablate == Some(Ablation::Recipe);
    let special = args.ablate.is_some() || !args.train_shares.is_empty();
    let learners: Vec<Learner> = match args.structures.is_empty() {
        true if recipe => vec![Learner::Base],
        true if special => vec![Learner::Seed],
        true => Learner::of(fit.task),
        false => {
            let mut named: Vec<Learner> = Vec::new();
            for name in &args.structures {
                let learner = name.trim().parse()?;
                if named.contains(&learner) {
                    let message = format!("--structures: {learner} stands there twice");
                    return Err(Failure::Usage(message));
                }
                named.push(learner);
            }
            named
        }
    };
    let augments: Vec<Vec<Augmentation>> = match args.ablate {
        Some(Ablation::Augmentation) => ablation(fit.task),
        _ => vec![fit.examples.augment.clone()],
    };
    let shares: Vec<u32> = match args.train_shares.is_empty() {
        true => vec![fit.examples.share],
        false => {
            let mut shares = Vec::new();
            for share in &args.train_shares {
                let percent = resolve::share("--train-shares", *share)?;
                if shares.contains(&percent) {
                    let message = format!("--train-shares: {share} stands there twice");
                    return Err(Failure::Usage(message));
                }
                shares.push(percent);
            }
            shares
        }
    };
    if recipe && learners != [Learner::Base] {
        let message = "--ablate recipe: takes --structures base alone, the others have none";
        return Err(Failure::Usage(message.to_owned()));
    }
    // What is changed of the training: nothing, then each by itself.
    let mut changes: Vec<(Option<RecipeChange>, Option<Objective>)> = vec![(None, None)];
    match args.ablate {
        Some(Ablation::Recipe) => {
            changes.extend(RecipeChange::ALL.map(|change| (Some(change), None)));
        }
        Some(Ablation::Objectives) => {
            let objectives = Objective::of(fit.task);
            if objectives.is_empty() {
                let message =
                    "--ablate objectives: needs events; the summaries of shoppers have none";
                return Err(Failure::Usage(message.to_owned()));
            }
            changes.extend(objectives.into_iter().map(|one| (None, Some(one))));
        }
        Some(Ablation::Augmentation) | None => {}
    }
    let mut all = Vec::new();
    for learner in learners {
        for augment in &augments {
            for &share in &shares {
                all.extend(changes.iter().map(|&(change, objective)| Contender {
                    learner,
                    augment: augment.clone(),
                    change,
                    objective,
                    share,
                }));
            }
        }
    }
    Ok(all)
}

/// Refuses options that nobody who takes part heeds.
fn refuse_unheeded(args: &CompareArgs, contenders: &[Contender]) -> Outcome {
    let any = |holds: fn(Learner) -> bool| contenders.iter().any(|one| holds(one.learner));
    let fitting = &args.fitting;
    if !any(|learner| learner == Learner::Seed) {
        let network = "belongs to the structure seed, which takes no part";
        refuse(&[
            (fitting.filters.is_some(), "--filters", network),
            (fitting.hidden.is_some(), "--hidden", network),
            (fitting.dropout.is_some(), "--dropout", network),
            (fitting.activation.is_some(), "--activation", network),
        ])?;
    }
    if !any(|learner| matches!(learner, Learner::Seed | Learner::Structure(_))) {
        let trained = "nobody takes part who heeds it: base and the baselines have their own";
        refuse(&[
            (fitting.batch.is_some(), "--batch", trained),
            (fitting.learning_rate.is_some(), "--learning-rate", trained),
            (fitting.patience.is_some(), "--patience", trained),
            (fitting.clip.is_some(), "--clip", trained),
        ])?;
    }
    Ok(())
}

/// None, each alone, and together all that change single events.
fn ablation(task: Task) -> Vec<Vec<Augmentation>> {
    let mut all = vec![Vec::new()];
    if task != Task::InSession {
        all.push(vec![Augmentation::Resample]);
        return all;
    }
    all.extend(Augmentation::ALL.map(|kind| vec![kind]));
    let mut together = Augmentation::ALL.to_vec();
    together.retain(|kind| *kind != Augmentation::Resample);
    all.push(together);
    all
}

fn table(comparison: &CompareReport) -> Table {
    let mut table = Table::new();
    table.block(format!(
        "{} on {}: {} scores of the test part, base rate {:.4}; validated on {} examples",
        comparison.task,
        comparison.device,
        comparison.n,
        comparison.base_rate,
        comparison.examples.validation
    ));
    table.row([
        "",
        "ROC-AUC",
        "95 %",
        "PR-AUC",
        "log-loss",
        "F1",
        "ECE",
        "parameters",
        "training",
        "epochs",
        "learnt from",
        "a score",
        "bundle",
    ]);
    for row in &comparison.rows {
        table.row(measures(row));
    }
    if comparison.rows.iter().any(|row| row.seeds > 1) {
        table.block("spread over the seeds, lowest to highest");
        table.row(["", "seeds", "ROC-AUC", "PR-AUC", "log-loss"]);
        for row in &comparison.rows {
            let spread = |figure: &propense_train::Figure| range(figure.seeds);
            table.row([
                row.name.clone(),
                row.seeds.to_string(),
                spread(&row.auc),
                spread(&row.pr_auc),
                spread(&row.log_loss),
            ]);
        }
    }
    let several = comparison.rows.len() > 1;
    if let Some(best) = comparison.rows.get(comparison.best).filter(|_| several) {
        table.block(format!(
            "less {}, the same users drawn again, 95 %",
            best.name
        ));
        table.row(["", "ROC-AUC", "PR-AUC", "log-loss"]);
        for row in &comparison.rows {
            if let Some(behind) = row.behind {
                let [auc, pr_auc, loss] = behind.map(range);
                table.row([row.name.clone(), auc, pr_auc, loss]);
            }
        }
    }
    if comparison.rows.iter().any(|row| row.worth.is_some()) {
        table.block("less the same structure without the change, 95 %");
        table.row(["", "ROC-AUC", "PR-AUC", "log-loss"]);
        for row in &comparison.rows {
            if let Some(worth) = row.worth {
                let [auc, pr_auc, loss] = worth.map(range);
                table.row([row.name.clone(), auc, pr_auc, loss]);
            }
        }
    }
    if comparison.rows.iter().any(|row| !row.shifts.is_empty()) {
        table.block("on changed test parts: ROC-AUC, log-loss");
        let first = comparison.rows.first().map_or(&[][..], |row| &row.shifts);
        let names = first.iter().map(|shift| shift.shift.to_owned());
        let head = ["".to_owned(), "as it is".to_owned()];
        table.row(head.into_iter().chain(names));
        for row in &comparison.rows {
            let cell = |auc: f64, loss: f64| format!("{auc:.4} {loss:.4}");
            let shifts = row
                .shifts
                .iter()
                .map(|shift| cell(shift.auc, shift.log_loss));
            let own = [row.name.clone(), cell(row.auc.mean, row.log_loss.mean)];
            table.row(own.into_iter().chain(shifts));
        }
    }
    if !comparison.choice.is_empty() {
        table.block("the choice");
    }
    for words in &comparison.choice {
        table.row([words.clone()]);
    }
    table
}

fn measures(row: &Compared) -> [String; 13] {
    [
        row.name.clone(),
        format!("{:.4}", row.auc.mean),
        row.auc.interval.map(range).unwrap_or_default(),
        format!("{:.4}", row.pr_auc.mean),
        format!("{:.4}", row.log_loss.mean),
        format!("{:.4}", row.f1),
        format!("{:.4}", row.ece),
        row.parameters.to_string(),
        progress::duration(row.seconds),
        format!("{:.0}", row.epochs),
        row.examples.to_string(),
        format!("{:.1} µs", row.microseconds),
        bundle(row),
    ]
}

/// Length of the bundle, or of the numbers that a bundle would have to hold.
fn bundle(row: &Compared) -> String {
    match row.bundle_bytes {
        Some(bytes) => format!("{bytes} bytes"),
        None => format!("not shipped ({} bytes of f32)", 4 * row.parameters),
    }
}
