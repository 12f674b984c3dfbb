//! `compare`: several structures and baselines on one split, measured on the same held-back part.
//!
//! Every contender learns from the training part, stops early and is calibrated on the validation
//! part, and is measured once on the test part. The validation part says which is the best; the test
//! part says by how much, with users drawn again for the interval of each difference.

mod fitting;
mod learner;
mod report;

use crate::augment::{Augmentation, Shift};
use crate::bootstrap::MeasureOptions;
use crate::evaluation::owners;
use crate::example::{Example, Label};
use crate::fit::{FitRequest, PartSizes};
use crate::objectives::Objective;
use crate::overlap::{Overlap, overlap};
use crate::progress::{Observer, Progress};
use crate::recipe::RecipeChange;
use crate::scoring;
use crate::tasks::{self, ExampleOptions, Prepared, Shares};
use crate::test_data::TestData;
use crate::{Task, TrainError};
use propense_prepare::Loaded;

pub use learner::Learner;
pub use report::{CompareReport, Compared, Figure, ShiftFigures};

use crate::draws::{self, Runs};
use fitting::Fit;

/// Columns for the hash of an item, for what reads or forecasts items.
const ITEM_BUCKETS: u32 = 128;

/// What is compared: a learner, and what is done to its training part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contender {
    /// How it forecasts.
    pub learner: Learner,
    /// What makes more of its training part.
    pub augment: Vec<Augmentation>,
    /// What is changed of its recipe; only [`Learner::Base`] has one.
    pub change: Option<RecipeChange>,
    /// What it is to forecast besides the order; only what reads events in turn can.
    pub objective: Option<Objective>,
    /// Share of the training part that it learns from, in percent.
    pub share: u32,
}

impl Contender {
    /// The learner on the training part as it is.
    #[must_use]
    pub const fn plain(learner: Learner) -> Self {
        Self {
            learner,
            augment: Vec::new(),
            change: None,
            objective: None,
            share: 100,
        }
    }

    /// What it is, in words; what is changed of a training stands in the name.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self.objective {
            Some(objective) => objective.words(),
            None if *self == Self::plain(self.learner) => self.learner.words(),
            None if self.share < 100 => "the same structure, learnt from a part",
            None => "the same structure, trained as its name says",
        }
    }

    /// Refuses what this contender cannot do on the examples of the task.
    fn check(&self, task: Task) -> Result<(), TrainError> {
        let learner = self.learner;
        let wrong = |reason: String| Err(TrainError::Unsuited { task, reason });
        if !Learner::of(task).contains(&learner) {
            return wrong(format!(
                "{learner} reads what these examples do not tell (events, or their items); leave it out of \
                 --structures"
            ));
        }
        if self.objective.is_some() && !learner.has_states() {
            return wrong(format!(
                "{learner} keeps no state from event to event that could forecast something else; leave it out of \
                 --structures"
            ));
        }
        Ok(())
    }

    /// Its name in the table.
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = self.learner.name().to_owned();
        if !self.augment.is_empty() {
            let kinds: Vec<&str> = self.augment.iter().map(|kind| kind.name()).collect();
            name.push_str(&format!(" + {}", kinds.join(",")));
        }
        if let Some(change) = self.change {
            name.push_str(&format!(" {}", change.name()));
        }
        if let Some(objective) = self.objective {
            name.push_str(&format!(" {}", objective.name()));
        }
        if self.share < 100 {
            name.push_str(&format!(" on {} %", self.share));
        }
        name
    }
}

/// What is to be compared, and how.
#[derive(Debug, Clone)]
pub struct CompareRequest {
    /// Task, training options, device; its preset is not looked at.
    pub fit: FitRequest,
    /// Who takes part.
    pub contenders: Vec<Contender>,
    /// Trainings of each, with seeds one after the other from the request's on.
    pub seeds: usize,
    /// Changes of the test part to measure on as well.
    pub shifts: Vec<Shift>,
    /// How intervals are made.
    pub measuring: MeasureOptions,
}

/// Trains all contenders and measures them on the same held-back part: that of `data` itself, or
/// `test`.
///
/// # Errors
///
/// Where the data does not suit the task or a structure, training fails, or the observer stops it.
pub fn compare(
    data: &Loaded,
    test: Option<&Loaded>,
    request: &CompareRequest,
    observer: &mut dyn Observer,
) -> Result<CompareReport, TrainError> {
    request.fit.training.validate()?;
    if request.contenders.is_empty() || request.seeds == 0 {
        return Err(TrainError::Option {
            option: "--structures",
            reason: "at least one, and --seeds at least 1".to_owned(),
        });
    }
    // Before any training: what the last contender lacks would cost all the others.
    for contender in &request.contenders {
        contender.check(request.fit.task)?;
    }
    if let (Task::ThirtyDay, Some(test)) = (request.fit.task, test) {
        tasks::check_continues(data, test)?;
    }
    let shared = test.map(|test| overlap(data, test));
    if let Some(words) = shared.as_ref().and_then(Overlap::words) {
        observer.on(&Progress::Note(&words));
    }
    let mut lacking = TestData::default();
    let mut held_back: Option<HeldBack> = None;
    let mut examples: Option<PartSizes> = None;
    let mut all: Vec<Option<Trained>> = request.contenders.iter().map(|_| None).collect();
    // Contenders that learn from the same rows one after the other, so that one set of rows is held.
    let mut order: Vec<usize> = (0..all.len()).collect();
    let key = |place: &usize| options(request, &request.contenders[*place], None);
    let mut prepared: Option<(ExampleOptions, Prepared)> = None;
    order.sort_by_key(|place| format!("{:?}", key(place)));
    for place in order {
        let contender = &request.contenders[place];
        let options = key(&place);
        if prepared.as_ref().is_none_or(|(known, _)| *known != options) {
            // Before the next one is made: two sets of rows would take twice the memory.
            drop(prepared.take());
            prepared = Some((
                options.clone(),
                parts(data, test, request, &options, observer)?,
            ));
        }
        let Some((options, parts)) = &prepared else {
            continue;
        };
        if let Some(test) = test {
            let task = request.fit.task;
            lacking = TestData::lacking(task, &parts.spec, test, Some(data), options)?;
        }
        let found = HeldBack::of(parts);
        match &held_back {
            None => held_back = Some(found),
            Some(known) if known.labels != found.labels => {
                return Err(TrainError::Unsuited {
                    task: request.fit.task,
                    reason: format!("the test part of {} is another", contender.name()),
                });
            }
            Some(_) => {}
        }
        let sizes = parts.sizes();
        let larger = examples.is_none_or(|known| sizes.train > known.train);
        examples = if larger { Some(sizes) } else { examples };
        let trained = Trained::new(contender, (options, parts), (data, test), request, observer)?;
        all[place] = Some(trained);
    }
    let trained: Vec<Trained> = all.into_iter().flatten().collect();
    let (Some(held_back), Some(examples)) = (held_back, examples) else {
        return Err(fitting::stopped());
    };
    observer.on(&Progress::Note("measuring all on the test part"));
    Ok(CompareReport {
        test_data: TestData {
            overlap: shared,
            ..lacking
        },
        ..report::table(request, &held_back, examples, trained)
    })
}

/// How a contender's examples are made.
fn options(
    request: &CompareRequest,
    contender: &Contender,
    shift: Option<Shift>,
) -> ExampleOptions {
    use propense_model::StructureKind::ConvLstmItems;
    let reads_items = contender.learner == Learner::Structure(ConvLstmItems);
    let items = reads_items || contender.objective.is_some_and(Objective::tells_items);
    ExampleOptions {
        summed: contender.learner.summed(),
        item_buckets: if items { ITEM_BUCKETS } else { 0 },
        augment: contender.augment.clone(),
        share: contender.share,
        shift,
        ..request.fit.examples.clone()
    }
}

/// The parts, each example with no more events than are learnt from: what attention costs grows with
/// the square of them, and the measured positions lie far before.
fn parts(
    data: &Loaded,
    test: Option<&Loaded>,
    request: &CompareRequest,
    options: &ExampleOptions,
    observer: &mut dyn Observer,
) -> Result<Prepared, TrainError> {
    let task = request.fit.task;
    let shares = match test {
        Some(_) => Shares::Protocol,
        None => Shares::Shop,
    };
    let mut parts = tasks::prepare(task, data, shares, options, observer)?;
    if let Some(test) = test {
        parts.test = tasks::encode_test(task, &parts.spec, test, Some(data), options)?;
        tasks::check_classes("test data", &parts.test, Some(parts.positions))?;
    }
    parts.test_without_history = Default::default();
    if task == Task::InSession {
        for part in [&mut parts.validation, &mut parts.test] {
            for example in &mut part.examples {
                shorten(example, options.max_events);
            }
        }
    }
    Ok(parts)
}

fn shorten(example: &mut Example, events: usize) {
    if example.events <= events {
        return;
    }
    let width = example.rows.len() / example.events;
    example.rows.truncate(events * width);
    example.events = events;
    if let Label::Prefixes(labels) = &mut example.label {
        labels.truncate(events + 1);
    }
}

/// What all are measured on.
struct HeldBack {
    labels: Vec<bool>,
    owners: Vec<usize>,
}

impl HeldBack {
    fn of(parts: &Prepared) -> Self {
        let examples = &parts.test.examples;
        let none: Vec<Vec<f32>> = examples.iter().map(|e| vec![0.0; e.events + 1]).collect();
        let scored = scoring::pick(&none, examples, parts.positions);
        Self {
            owners: owners(&scored, examples),
            labels: scored.labels,
        }
    }
}

/// One contender, trained from each seed.
struct Trained {
    contender: Contender,
    examples: usize,
    fits: Vec<Fit>,
    /// Forecasts of the test part, by seed.
    forecasts: Runs,
    shifts: Vec<ShiftFigures>,
}

impl Trained {
    fn new(
        contender: &Contender,
        (options, parts): (&ExampleOptions, &Prepared),
        (data, test): (&Loaded, Option<&Loaded>),
        request: &CompareRequest,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let (learner, objective) = (contender.learner, contender.objective);
        let seeds = if learner.is_random() {
            request.seeds
        } else {
            1
        };
        let (mut fits, mut forecasts) = (Vec::new(), Vec::new());
        for number in 0..seeds {
            let seed = request.fit.training.seed.wrapping_add(number as u64);
            let note = format!("{}, seed {seed}", contender.name());
            observer.on(&Progress::Note(&note));
            let mut fit = request.fit.clone();
            fit.training.seed = seed;
            fit.training.change = contender.change;
            // Checkpoints are for one training, not for a row of them.
            fit.training.checkpoint = None;
            fit.training.resume = false;
            fit.examples.clone_from(options);
            let fitted = fitting::fit((learner, objective), parts, data, &fit, observer)?;
            forecasts.push(fitted.forecast(&parts.test.examples)?);
            fits.push(fitted);
        }
        let mut shifts = Vec::new();
        for shift in &request.shifts {
            if test.is_some() || request.fit.task != Task::InSession {
                let reason = "needs --task in-session, and a test part of --data itself".to_owned();
                return Err(TrainError::Option {
                    option: "--shift",
                    reason,
                });
            }
            observer.on(&Progress::Note(&format!(
                "{}: {}",
                contender.name(),
                shift.name()
            )));
            let options = self::options(request, contender, Some(*shift));
            let changed = self::parts(data, None, request, &options, &mut crate::Silent)?;
            let changed_labels = HeldBack::of(&changed).labels;
            let runs: Result<Runs, TrainError> = fits
                .iter()
                .map(|fit| fit.forecast(&changed.test.examples))
                .collect();
            let measured = draws::measured(&runs?, &changed_labels);
            let mean = draws::mean(measured.iter().copied(), measured.len());
            shifts.push(ShiftFigures {
                shift: shift.name(),
                auc: mean.auc,
                log_loss: mean.log_loss,
            });
        }
        Ok(Self {
            contender: contender.clone(),
            examples: parts.train.examples.len(),
            fits,
            forecasts,
            shifts,
        })
    }

    fn validation_loss(&self) -> f64 {
        self.mean(|fit| fit.validation_loss)
    }

    fn mean(&self, of: impl Fn(&Fit) -> f64) -> f64 {
        self.fits.iter().map(of).sum::<f64>() / self.fits.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests;
