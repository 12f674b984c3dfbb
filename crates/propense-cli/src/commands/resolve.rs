//! From what was typed to what will be done: names become types, files are opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use propense_events::{Event, Format, Mapping};
use propense_model::{Bundle, CellActivation, Precision};
use propense_train::{
    Augmentation, Deciding, DeviceChoice, ExampleOptions, FitRequest, LoadOptions, Loaded,
    Mappings, NetworkSizes, Preset, Target, Task, TrainOptions, load, use_threads,
};

use super::{Failure, Outcome, refuse};
use crate::args::{ActivationArg, DecidingArgs, FittingArgs, ReadingArgs, RunningArgs};

/// How files are to be read.
pub(crate) fn reading(args: &ReadingArgs) -> Outcome<LoadOptions> {
    let format = match args.format.as_str() {
        "auto" => None,
        name => Some(
            name.parse::<Format>()
                .map_err(|error| Failure::Usage(format!("--format: {error}")))?,
        ),
    };
    Ok(LoadOptions {
        format,
        mappings: mappings(&args.mappings)?,
        encoding: args.encoding.clone(),
    })
}

/// One file for all inputs, or `PATTERN=FILE` for some; a file that has a `=` in its own name is
/// taken for what it is.
fn mappings(texts: &[String]) -> Outcome<Mappings> {
    let mut mappings = Mappings::default();
    for text in texts {
        match text.split_once('=') {
            Some((pattern, file)) if !Path::new(text).exists() => {
                if pattern.is_empty() {
                    return Err(Failure::Usage(format!(
                        "--mapping: `{text}` has no pattern before `=`; write it as '*.csv=columns.json'"
                    )));
                }
                let named = (pattern.to_owned(), mapping(Path::new(file))?);
                mappings.named.push(named);
            }
            _ if mappings.all.is_some() => {
                return Err(Failure::Usage(format!(
                    "--mapping: `{text}` is the second one for all files; say which files it is for, as '*.csv={text}'"
                )));
            }
            _ => mappings.all = Some(mapping(Path::new(text))?),
        }
    }
    Ok(mappings)
}

fn mapping(path: &Path) -> anyhow::Result<Mapping> {
    let place = || path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(place)?;
    Mapping::from_json(&text).with_context(place)
}

/// Reads the data and says what was set aside.
/// Kinds of repairs that are named for a file; the rest is counted.
const REPAIRS_NAMED: usize = 3;

pub(crate) fn data(paths: &[PathBuf], args: &ReadingArgs) -> Outcome<Loaded> {
    let loaded = load(paths, &reading(args)?)?;
    for file in &loaded.files {
        let mut line = format!(
            "read {}: {} rows as {}",
            file.path.display(),
            file.rows,
            file.format
        );
        if file.rejected > 0 {
            line.push_str(&format!(", {} set aside", file.rejected));
        }
        let repairs = file.repairs();
        for (what, count) in repairs.iter().take(REPAIRS_NAMED) {
            line.push_str(&format!(", {count} × {what}"));
        }
        let rest: usize = repairs
            .iter()
            .skip(REPAIRS_NAMED)
            .map(|(_, count)| count)
            .sum();
        if rest > 0 {
            line.push_str(&format!(", {rest} other repairs"));
        }
        crate::output::note(&line);
    }
    Ok(loaded)
}

/// Earlier events of the same shop than those of `later`, where they are given.
pub(crate) fn history(
    paths: &[PathBuf],
    later: &Loaded,
    args: &ReadingArgs,
) -> Outcome<Option<Loaded>> {
    if paths.is_empty() {
        return Ok(None);
    }
    let earlier = data(paths, args)?;
    if earlier.sha256 == later.sha256 {
        return Err(Failure::Usage(
            "--history holds the same as --data; give it the events before them".to_owned(),
        ));
    }
    Ok(Some(earlier))
}

/// A moment before which to look, from `--until`.
pub(crate) fn until(text: Option<&str>) -> Outcome<Option<i64>> {
    let Some(text) = text else { return Ok(None) };
    propense_events::parse_timestamp(text, 0)
        .map(Some)
        .ok_or_else(|| {
            Failure::Usage(format!(
                "--until: `{text}` is no time; write it as 2011-11-01 or 2011-11-01T08:00:00Z"
            ))
        })
}

/// The events before the moment; all where there is none.
pub(crate) fn before(mut events: Vec<Event>, until: Option<i64>) -> Vec<Event> {
    if let Some(until) = until {
        events.retain(|event| event.timestamp < until);
    }
    events
}

/// Fixes the number of threads; the device is named, not opened.
pub(crate) fn threads(args: &RunningArgs) -> Outcome<DeviceChoice> {
    let choice: DeviceChoice = args.device.parse()?;
    if let Some(threads) = args.threads {
        use_threads(threads)?;
    }
    Ok(choice)
}

/// Opens the device, after the number of threads is fixed.
pub(crate) fn device(args: &RunningArgs) -> Outcome<propense_train::Chosen> {
    Ok(threads(args)?.open()?)
}

/// Most events of a session that can be learnt from: a batch of such sessions still fits a memory.
const MOST_EVENTS: usize = 4096;

/// Everything that a training needs beside the data, for a bundle without name, licence and time,
/// with its weights in full precision. `usual` is the preset where none is named.
pub(crate) fn request(task: &str, usual: Preset, args: &FittingArgs) -> Outcome<FitRequest> {
    let task: Task = task.parse()?;
    let preset = match &args.preset {
        Some(name) => preset(name)?,
        None => usual,
    };
    match preset {
        Preset::Base => refuse_seeds_own(args)?,
        Preset::Seed => refuse(&[(
            args.decay.is_some(),
            "--decay",
            "belongs to --preset base, and this is seed",
        )])?,
    }
    let defaults = TrainOptions::of(preset);
    let usual = ExampleOptions::default();
    let horizon = match &args.horizon {
        Some(text) => text
            .parse()
            .map_err(|error| Failure::Usage(format!("--horizon: {error}")))?,
        None => usual.target.horizon,
    };
    let target = Target {
        horizon,
        this_item: args.this_item,
    };
    if task != Task::InSession && (target != Target::default() || args.midnight) {
        return Err(Failure::Usage(format!(
            "--horizon, --this-item and --midnight belong to --task in-session, not to {task}"
        )));
    }
    let max_events = args.max_events.unwrap_or(usual.max_events);
    if !(1..=MOST_EVENTS).contains(&max_events) {
        let range = format!("--max-events: 1 to {MOST_EVENTS}");
        return Err(Failure::Usage(range));
    }
    let time_limit = match args.minutes {
        None => None,
        Some(minutes) if minutes.is_finite() && minutes > 0.0 && minutes < 1e6 => {
            Some(Duration::from_secs_f64(minutes * 60.0))
        }
        Some(_) => return Err(Failure::Usage("--minutes: a number above 0".to_owned())),
    };
    let training = TrainOptions {
        epochs: args.epochs.unwrap_or(defaults.epochs),
        batch: args.batch.unwrap_or(defaults.batch),
        learning_rate: args.learning_rate.unwrap_or(defaults.learning_rate),
        patience: args.patience.unwrap_or(defaults.patience),
        clip: match args.clip {
            Some(clip) => (clip != 0.0).then_some(clip),
            None => defaults.clip,
        },
        decay: args.decay.unwrap_or(defaults.decay),
        arithmetic: defaults.arithmetic,
        change: None,
        seed: args.seed,
        time_limit,
        checkpoint: args.checkpoint.clone(),
        resume: args.resume,
    };
    training.validate()?;
    let sizes = NetworkSizes {
        filters: args.filters,
        hidden: args.hidden,
        dropout: args.dropout,
    };
    sizes.validate(preset)?;
    Ok(FitRequest {
        task,
        preset,
        training,
        examples: ExampleOptions {
            max_events,
            midnight: args.midnight,
            target,
            seed: args.seed,
            summed: preset == Preset::Base,
            augment: augment(&args.augment)?,
            share: match args.train_share {
                None => 100,
                Some(share) => self::share("--train-share", share)?,
            },
            ..usual
        },
        activation: match args.activation {
            Some(ActivationArg::Tanh) | None => CellActivation::Tanh,
            Some(ActivationArg::Relu) => CellActivation::Relu,
        },
        sizes,
        precision: Precision::F32,
        deciding: Deciding::default(),
        device: device(&args.running)?,
        name: String::new(),
        licence: String::new(),
        created_at: String::new(),
    })
}

/// How scores are to be read.
pub(crate) fn deciding(args: &DecidingArgs) -> Outcome<Deciding> {
    Ok(Deciding {
        calibration: args.calibration.parse()?,
        threshold: args.threshold.parse()?,
    })
}

/// Refuses what the preset `base` has no use for.
fn refuse_seeds_own(args: &FittingArgs) -> Outcome {
    let network = "belongs to --preset seed, and this is base";
    let state = "the preset base is trained in minutes and keeps no state, as --preset seed does with \
                 --checkpoint";
    refuse(&[
        (args.filters.is_some(), "--filters", network),
        (args.activation.is_some(), "--activation", network),
        (args.clip.is_some(), "--clip", network),
        (args.checkpoint.is_some(), "--checkpoint", state),
        (args.resume, "--resume", state),
    ])
}

/// Ways to augment, each once.
fn augment(names: &[String]) -> Outcome<Vec<Augmentation>> {
    let mut all: Vec<Augmentation> = Vec::new();
    for name in names {
        all.push(name.trim().parse()?);
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// A share as whole percent.
pub(crate) fn share(option: &str, share: f64) -> Outcome<u32> {
    let percent = (share * 100.0).round();
    match (1.0..=100.0).contains(&percent) {
        true => Ok(percent as u32),
        false => Err(Failure::Usage(format!("{option}: 0.01 to 1"))),
    }
}

fn preset(name: &str) -> Outcome<Preset> {
    let found = Preset::ALL.into_iter().find(|preset| preset.name() == name);
    found.ok_or_else(|| {
        let known = Preset::ALL.map(Preset::name).join(", ");
        Failure::Usage(format!(
            "--preset: unknown preset `{name}`; this version has: {known}"
        ))
    })
}

/// Reads a bundle.
pub(crate) fn bundle(path: &Path) -> anyhow::Result<Bundle> {
    let place = || path.display().to_string();
    let bytes = std::fs::read(path).with_context(place)?;
    Bundle::from_bytes(&bytes).with_context(place)
}

/// Reads a bundle that is to score, and its task: one that this version does not know is a fault of
/// the file, not of the command.
pub(crate) fn scorer(path: &Path) -> anyhow::Result<(Bundle, Task)> {
    let bundle = bundle(path)?;
    let task = bundle.manifest.task.parse::<Task>();
    let task = task.with_context(|| format!("{}: its task", path.display()))?;
    Ok((bundle, task))
}
