//! What `serve --learn` learns with: an update by `propense_train`, of the service's stored events.

use std::io::{self, Write};

use propense_events::{Event, Format, format_timestamp};
use propense_model::Bundle;
use propense_serve::{Candidate, Learner, Lesson, RoundKey, Told, Unlearnt};
use propense_train::{
    Chosen, Decision, DeviceChoice, FileReport, LoadOptions, Loaded, Observer, Progress,
    TrainError, TrainOptions, UpdateReport, UpdateRequest, in_background, load, new_examples,
    update,
};
use sha2::{Digest, Sha256};

use crate::args::LearningArgs;
use crate::outcome::Outcome;
use crate::output::note;

/// Learns as `propense update` does.
#[derive(Debug)]
pub(super) struct Updates {
    /// Earlier events, which are replayed.
    replay: Loaded,
    threads: usize,
    epochs: usize,
    device: Chosen,
}

impl Updates {
    /// Fewest new sessions that an update is tried with.
    pub(super) const FEWEST: usize = 100;

    pub(super) fn new(args: &LearningArgs) -> Outcome<Self> {
        let replay = load(&args.learn_replay, &LoadOptions::default())?;
        for file in &replay.files {
            note(&format!(
                "replay: {} rows of {}",
                file.rows,
                file.path.display()
            ));
        }
        let made = Self {
            replay,
            threads: args.learn_threads,
            epochs: args.learn_epochs,
            // The same candidate whatever else the machine does.
            device: DeviceChoice::Cpu.open()?,
        };
        made.request(None, 1, String::new()).validate()?;
        Ok(made)
    }

    fn request(&self, arrived: Option<usize>, seed: u64, created_at: String) -> UpdateRequest {
        let defaults = UpdateRequest::new(self.device.clone());
        UpdateRequest {
            training: TrainOptions {
                epochs: self.epochs,
                seed,
                ..defaults.training
            },
            arrived: arrived.map(|count| self.replay.events.len() + count),
            unattended: true,
            created_at,
            ..defaults
        }
    }

    /// The events to replay, then those of the service.
    fn data(&self, live: &Bundle, lesson: &Lesson) -> Loaded {
        let rows = lesson.events.len() as u64;
        let name = format!(
            "events {} to {} of the service",
            lesson.from + 1,
            lesson.up_to
        );
        let mut files = self.replay.files.clone();
        files.push(FileReport {
            path: name.clone().into(),
            format: Format::Events,
            rows,
            kept: rows,
            rejected: 0,
            problems: Vec::new(),
        });
        Loaded {
            name,
            sha256: digest(&self.replay.sha256, &lesson.events),
            files,
            events: [self.replay.events.as_slice(), &lesson.events].concat(),
            sessions: Vec::new(),
            utc_offset_minutes: live.manifest.features.utc_offset_minutes,
        }
    }
}

impl Learner for Updates {
    fn count(&self, live: &Bundle, lesson: &Lesson) -> Result<usize, Unlearnt> {
        let request = self.request(lesson.arrived, 1, String::new());
        let data = self.data(live, lesson);
        in_background(1, || new_examples(live, &data, &request))
            .and_then(|count| count)
            .map_err(unfit)
    }

    fn learn(
        &self,
        live: &Bundle,
        lesson: &Lesson,
        round: RoundKey,
        told: &Told,
    ) -> Result<Candidate, Unlearnt> {
        let request = self.request(
            lesson.arrived,
            round.number,
            format_timestamp(round.begun_ms),
        );
        let data = self.data(live, lesson);
        let mut watching = Watching(told);
        let updated = in_background(self.threads, || {
            update(live, &data, &request, &mut watching)
        });
        // What was broken off is no result, even where there is one.
        if told.stop() {
            return Err(Unlearnt::Stopped);
        }
        let updated = updated.and_then(|updated| updated).map_err(unfit)?;
        let UpdateReport {
            examples,
            judgement,
            ..
        } = updated.report;
        let (auc, loss) = (judgement.whole.auc, judgement.whole.log_loss);
        Ok(Candidate {
            bundle: updated.bundle,
            better: judgement.decision == Decision::Replace,
            reasons: judgement.reasons,
            sessions: [
                ("new", examples.fresh),
                ("replayed", examples.replay),
                ("validation", examples.validation),
                ("sealed", examples.sealed),
                ("waiting", examples.waiting),
                ("late", examples.late),
            ]
            .map(|(kind, count)| (kind, count as u64))
            .to_vec(),
            figures: vec![
                ("auc", auc.before, auc.after),
                ("log_loss", loss.before, loss.after),
            ],
        })
    }
}

/// Stops the training when the service is told to.
struct Watching<'a>(&'a Told);

impl Observer for Watching<'_> {
    fn on(&mut self, _: &Progress<'_>) {}

    fn stop(&self) -> bool {
        self.0.stop()
    }
}

fn unfit(error: TrainError) -> Unlearnt {
    Unlearnt::Unfit(error.to_string())
}

/// SHA-256 over what is replayed and the events as they are stored.
fn digest(replay: &str, events: &[Event]) -> String {
    struct Hashed(Sha256);
    impl Write for Hashed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hashed = Hashed(Sha256::new_with_prefix(replay));
    for event in events {
        // Neither the events nor the sum can fail to be written.
        let _ = serde_json::to_writer(&mut hashed, event);
    }
    propense_prepare::hex(&hashed.0.finalize())
}
