//! The whole way: inputs in, one clean table out.

mod clean;
mod finish;
mod plan;
mod tables;

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use propense_events::Limits;

use crate::account::InputAccount;
use crate::clean::{CleaningRule, Rules};
use crate::load::inputs;
use crate::progress::{Clock, Observer, Progress, Stage};
use crate::report::Measure;
use crate::sides::Sides;
use crate::table::LATEST;
use crate::usual_price::UsualPrices;
use crate::work::{Fingerprint, Plan, Work};
use crate::{PrepareError, Prepared, Request, stage};

use plan::{MOST_BITS, apart, bits, options};

/// Reads every input, cleans what is in them, and writes one event table.
///
/// Memory is bounded whatever the size of the input. A run that was stopped or killed is taken up
/// again by the same request, and gives the same bytes as one that was not.
///
/// # Errors
/// An input that cannot be read at all, a folder that cannot be written, or an observer that asks
/// to stop. Trouble with single records is no error: they go to `quarantine.csv`.
pub fn prepare(request: &Request, observer: &mut dyn Observer) -> Result<Prepared, PrepareError> {
    let mut run = Run::new(request, observer)?;
    let mut times = [Duration::ZERO; 3];
    let begun = Instant::now();
    run.read()?;
    let [reading, cleaning, joining] = &mut times;
    *reading = begun.elapsed();
    let begun = Instant::now();
    let sides = Sides::read(&request.sides, request.encoding.as_deref(), run.files.len())?;
    run.clean(&sides)?;
    *cleaning = begun.elapsed();
    let begun = Instant::now();
    let mut prepared = run.join(sides)?;
    *joining = begun.elapsed();
    prepared.times = times;
    Ok(prepared)
}

struct Run<'a> {
    request: &'a Request,
    observer: &'a mut dyn Observer,
    files: Vec<PathBuf>,
    work: Work,
    clock: Clock,
    last: Option<Instant>,
    progress: Progress,
    threads: usize,
    /// Of what was written, where they are asked for.
    figures: Option<Measure>,
}

/// The shortest time between two reports.
const PAUSE: Duration = Duration::from_millis(100);

impl<'a> Run<'a> {
    fn new(request: &'a Request, observer: &'a mut dyn Observer) -> Result<Self, PrepareError> {
        let files = inputs(&request.inputs)?;
        if files.is_empty() {
            return Err(PrepareError::NoInput);
        }
        if files.len() > usize::from(u16::MAX) {
            return Err(PrepareError::TooManyInputs(files.len()));
        }
        request.mappings.all_used(&files)?;
        // Before hours of work, not after.
        Rules::new(request.cleaning.clone(), UsualPrices::default())?;
        fs::create_dir_all(&request.out).map_err(PrepareError::io(&request.out))?;
        for file in &files {
            apart(file, &request.out)?;
        }
        let inputs = files
            .iter()
            .map(|file| Fingerprint::of(file))
            .collect::<Result<Vec<_>, _>>()?;
        let sides = request.sides.catalogue.iter().chain(&request.sides.users);
        let sides = sides
            .map(|file| Fingerprint::of(file))
            .collect::<Result<Vec<_>, _>>()?;
        let total_bytes = inputs.iter().map(|input| input.size).sum();
        let bits = match request.bucket_bits {
            Some(bits) => bits.min(MOST_BITS),
            None => bits(&files, &inputs, request.memory)?,
        };
        let work = Work::open(
            &request.out,
            Plan {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                inputs,
                sides,
                options: options(request),
                bits,
            },
            &request.cleaning,
        )?;
        let threads = request
            .threads
            .or_else(|| thread::available_parallelism().ok().map(usize::from));
        Ok(Self {
            request,
            observer,
            files,
            work,
            clock: Clock::new(),
            last: None,
            progress: Progress {
                stage: Stage::Reading,
                rows: 0,
                bytes: 0,
                total_bytes,
                lines: 0,
                total_lines: 0,
                elapsed: Duration::ZERO,
                left: None,
            },
            threads: threads.unwrap_or(2).max(1),
            figures: None,
        })
    }

    /// Reads the inputs that are not read yet.
    fn read(&mut self) -> Result<(), PrepareError> {
        let sizes: Vec<u64> = self
            .work
            .manifest
            .plan
            .inputs
            .iter()
            .map(|input| input.size)
            .collect();
        for (number, file) in self.files.clone().iter().enumerate() {
            let size = sizes.get(number).copied().unwrap_or_default();
            let (rows, bytes) = (self.progress.rows, self.progress.bytes);
            if let Some(done) = self.work.manifest.inputs.get(number) {
                self.progress.rows += done.rows;
                self.progress.bytes += size;
                continue;
            }
            let folder = self.work.input(number);
            let request = self.request;
            let job = stage::Job {
                path: file,
                source: u16::try_from(number).unwrap_or(u16::MAX),
                folder: &folder,
                bits: self.work.manifest.plan.bits,
                format: request.format,
                mapping: request.mappings.of(file),
                encoding: request.encoding.as_deref(),
                limits: Limits {
                    latest: LATEST,
                    ..Limits::file()
                },
                period: !request
                    .cleaning
                    .without
                    .contains(&CleaningRule::OutsidePeriod),
                lines_before: self
                    .work
                    .manifest
                    .inputs
                    .iter()
                    .map(|done| done.lines)
                    .sum(),
                workers: self.threads,
            };
            let account = stage::stage(&job, &mut |reading| {
                self.progress.rows = rows + reading.rows;
                self.progress.bytes = bytes + reading.bytes.min(size);
                self.tell()
            })?;
            self.progress.rows = rows + account.rows;
            self.progress.bytes = bytes + size;
            self.work.manifest.inputs.push(account);
            self.work.save()?;
        }
        Ok(())
    }

    /// Reports progress, not too often; stops where asked.
    fn tell(&mut self) -> Result<(), PrepareError> {
        if self.observer.interrupted() {
            return Err(PrepareError::Interrupted {
                work: self.work.folder().to_owned(),
            });
        }
        if self.last.is_some_and(|last| last.elapsed() < PAUSE) {
            return Ok(());
        }
        self.last = Some(Instant::now());
        self.clock.stamp(&mut self.progress);
        self.observer.progress(&self.progress);
        Ok(())
    }
}

/// The shop's offset from UTC in minutes.
fn offset(inputs: &[InputAccount]) -> i32 {
    inputs.first().map_or(0, |input| input.utc_offset_minutes)
}

/// The offset from UTC in minutes of each input.
fn offsets(inputs: &[InputAccount]) -> Vec<i32> {
    let offsets = inputs.iter().map(|input| input.utc_offset_minutes);
    offsets.collect()
}
