//! `propense tune`

use std::path::Path;

use anyhow::Context;
use propense_train::{Finished, Preset, Search, Space, TuneRequest, Tuned, tune};

use super::{Outcome, refuse, resolve};
use crate::args::{ActivationArg, SearchArg, TuneArgs};
use crate::output::{Output, Table, note, write_file};
use crate::{interrupt, progress, report};

pub(crate) fn run(args: &TuneArgs) -> Outcome {
    refuse(&[
        (
            args.fitting.checkpoint.is_some(),
            "--checkpoint",
            "each trial has its own in --out",
        ),
        (
            args.fitting.minutes.is_some(),
            "--minutes",
            "the clock would decide; take --epochs",
        ),
    ])?;
    let mut fitting = args.fitting.clone();
    fitting.resume = false;
    let fit = resolve::request(&args.task, Preset::Seed, &fitting)?;
    let space = match args.space.as_str() {
        "built-in" => Space::built_in(fit.task, fit.preset),
        file => {
            let text = std::fs::read_to_string(file).with_context(|| file.to_owned())?;
            Space::from_json(&text)?
        }
    };
    let given = &args.fitting;
    let both = [
        ("--filters", given.filters.is_some(), &space.filters),
        ("--hidden", given.hidden.is_some(), &space.hidden),
        ("--dropout", given.dropout.is_some(), &space.dropout),
        ("--batch", given.batch.is_some(), &space.batch),
        (
            "--learning-rate",
            given.learning_rate.is_some(),
            &space.learning_rate,
        ),
        ("--clip", given.clip.is_some(), &space.clip),
        ("--decay", given.decay.is_some(), &space.decay),
    ];
    refuse(&both.map(|(option, given, axis)| {
        let why = "the space searches it, so that it would not be heeded";
        (given && axis.is_some(), option, why)
    }))?;
    let request = TuneRequest {
        fit,
        space,
        search: match args.search {
            SearchArg::Grid => Search::Grid,
            SearchArg::Random => Search::Random,
            SearchArg::Asha => Search::Asha,
        },
        trials: args.trials,
        jobs: args.jobs,
        out: args.out.clone(),
        resume: args.fitting.resume,
    };
    let data = resolve::data(&args.data, &args.reading)?;
    // Lines, not the display of one training: several run at once.
    let mut observer = progress::observer(&format!("tune {}", args.task), true);
    interrupt::graceful(true);
    let outcome = tune(&data, &request, observer.as_mut());
    interrupt::graceful(false);
    drop(observer);
    let tuned = outcome?;
    let command = command(args, &tuned);
    let page = args.out.join("trials.html");
    let title = format!("tune {}: {}", args.task, data.name);
    write_file(&page, report::search(&title, &tuned, &command).as_bytes())?;
    Output::new(&args.json).finish(
        &table(&tuned, &command),
        &Written {
            tuned: &tuned,
            command: &command,
        },
    )?;
    note(&format!("wrote {}", page.display()));
    Ok(())
}

/// The JSON: the result, with the command that trains the winner.
#[derive(serde::Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    tuned: &'a Tuned,
    command: &'a str,
}

fn table(tuned: &Tuned, command: &str) -> Table {
    let mut table = Table::new();
    table.block(format!(
        "{}: learnt from {} examples, judged by {}; the test part was not looked at",
        tuned.task, tuned.examples.0, tuned.examples.1
    ));
    let options = || {
        tuned
            .winner()
            .map(|one| one.choice.options())
            .unwrap_or_default()
    };
    let head = ["rank", "trial"].map(str::to_owned);
    let names = options()
        .into_iter()
        .map(|(name, _)| name.trim_start_matches('-').to_owned());
    let rest = [
        "epochs",
        "best epoch",
        "log-loss",
        "ROC-AUC",
        "parameters",
        "seconds",
    ];
    table.row(head.into_iter().chain(names).chain(rest.map(str::to_owned)));
    for (rank, place) in tuned.ranking.iter().enumerate() {
        if let Some(one) = tuned.finished.get(*place) {
            table.row(cells(rank + 1, one, tuned));
        }
    }
    table.block("the winner, trained again and measured once on the test part");
    table.row([command.to_owned()]);
    table
}

fn cells(rank: usize, one: &Finished, tuned: &Tuned) -> Vec<String> {
    let four = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.4}"));
    let of_trial = tuned
        .finished
        .iter()
        .filter(|other| other.trial == one.trial);
    let seconds: f64 = of_trial.map(|other| other.seconds).sum();
    let mut cells = vec![rank.to_string(), one.trial.to_string()];
    cells.extend(one.choice.options().into_iter().map(|(_, value)| value));
    cells.extend([
        one.curve.len().to_string(),
        one.best_epoch.to_string(),
        four(one.validation_loss),
        four(one.validation_auc),
        one.parameters.to_string(),
        format!("{seconds:.1}"),
    ]);
    cells
}

/// The command line that trains the winner: everything that was given, and what was chosen.
fn command(args: &TuneArgs, tuned: &Tuned) -> String {
    let mut words = vec![
        "propense train --task".to_owned(),
        args.task.clone(),
        "--data".to_owned(),
    ];
    words.extend(args.data.iter().map(|path| quoted(path)));
    let fitting = &args.fitting;
    let chosen = tuned
        .winner()
        .map(|one| one.choice.options())
        .unwrap_or_default();
    let is_chosen = |name: &str| chosen.iter().any(|(chosen, _)| *chosen == name);
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|_| !is_chosen(name)) {
            words.extend([name.to_owned(), value]);
        }
    };
    let reading = &args.reading;
    option(
        "--format",
        (reading.format != "auto").then(|| reading.format.clone()),
    );
    for mapping in &reading.mappings {
        option("--mapping", Some(quoted(Path::new(mapping))));
    }
    option("--encoding", reading.encoding.clone());
    option("--preset", fitting.preset.clone());
    option("--filters", fitting.filters.map(|n| n.to_string()));
    option("--hidden", fitting.hidden.map(|n| n.to_string()));
    option("--dropout", fitting.dropout.map(|n| n.to_string()));
    option(
        "--learning-rate",
        fitting.learning_rate.map(|n| n.to_string()),
    );
    option("--batch", fitting.batch.map(|n| n.to_string()));
    let epochs = tuned.winner().map(|one| one.epochs.to_string());
    option("--epochs", epochs);
    option("--patience", fitting.patience.map(|n| n.to_string()));
    let relu = fitting.activation == Some(ActivationArg::Relu);
    option("--activation", relu.then(|| "relu".to_owned()));
    option("--clip", fitting.clip.map(|n| n.to_string()));
    option("--decay", fitting.decay.map(|n| n.to_string()));
    option("--seed", Some(fitting.seed.to_string()));
    option("--max-events", fitting.max_events.map(|n| n.to_string()));
    option("--horizon", fitting.horizon.clone());
    let augment = fitting.augment.join(",");
    option("--augment", (!augment.is_empty()).then_some(augment));
    option("--train-share", fitting.train_share.map(|n| n.to_string()));
    option(
        "--device",
        (fitting.running.device != "auto").then(|| fitting.running.device.clone()),
    );
    option("--threads", fitting.running.threads.map(|n| n.to_string()));
    for (given, name) in [
        (fitting.this_item, "--this-item"),
        (fitting.midnight, "--midnight"),
    ] {
        if given {
            words.push(name.to_owned());
        }
    }
    for (name, value) in chosen {
        words.extend([name.to_owned(), value]);
    }
    words.extend(["--out".to_owned(), quoted(&args.out.join("best.propense"))]);
    words.join(" ")
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%~".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}
