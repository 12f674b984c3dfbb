//! The second half of a run: bucket by bucket to clean tables.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

use crossbeam_channel::{RecvTimeoutError, unbounded};

use super::{PAUSE, Run, offset, offsets};
use crate::account::{BucketAccount, InputAccount};
use crate::catalogue::Catalogue;
use crate::clean::{CleaningRule, Options, Rules};
use crate::progress::Stage;
use crate::report::{Measure, measure_table};
use crate::sides::Sides;
use crate::stitch::{Pairs, Stitching};
use crate::table::{Column, ColumnSet, staged_schema};
use crate::usual_price::{PriceSamples, UsualPrices};
use crate::work::Moved;
use crate::{PrepareError, bucket, stage};

impl Run<'_> {
    /// The cleaning rules with what they need to know of the whole input.
    fn rules(&mut self, sides: &Sides) -> Result<Rules, PrepareError> {
        let manifest = &self.work.manifest;
        let mut options = manifest.cleaning.clone();
        if options.sessions.utc_offset_minutes == 0 {
            options.sessions.utc_offset_minutes = offset(&manifest.inputs);
        }
        let usual = match &manifest.usual {
            Some(usual) => usual.clone(),
            None => {
                let usual = self.usual_prices(&options, sides)?;
                self.work.manifest.usual = Some(usual.clone());
                self.work.save()?;
                usual
            }
        };
        Ok(Rules::new(options, usual)?)
    }

    /// What items usually cost, from the lines of all inputs.
    fn usual_prices(
        &mut self,
        options: &Options,
        sides: &Sides,
    ) -> Result<UsualPrices, PrepareError> {
        let priced = |input: &InputAccount| {
            input.carried.contains(Column::Price) && input.carried.contains(Column::ItemId)
        };
        if options.without.contains(&CleaningRule::PriceUnit) {
            return Ok(UsualPrices::default());
        }
        let inputs = self.work.manifest.inputs.clone();
        let mut samples = PriceSamples::default();
        for (number, input) in inputs.iter().enumerate() {
            if priced(input) {
                let folder = self.work.input(number);
                stage::sample_prices(&folder, &mut samples, &mut || self.tell())?;
            }
        }
        let factor = options.price_factor;
        Ok(match &sides.catalogue {
            Some(catalogue) => samples.resolve(factor, catalogue.prices()),
            None => samples.resolve(factor, []),
        })
    }

    /// The users of anonymous ids; `None` where no line moves. Lines that move are laid down in
    /// their users' buckets, unless an earlier run did so.
    fn stitch(&mut self) -> Result<Option<Arc<Stitching>>, PrepareError> {
        let inputs = &self.work.manifest.inputs;
        let both = |input: &InputAccount| {
            input.carried.contains(Column::AnonymousId) && input.carried.contains(Column::UserId)
        };
        let with_both: Vec<PathBuf> = (0..inputs.len())
            .filter(|number| inputs.get(*number).is_some_and(both))
            .map(|number| self.work.input(number))
            .collect();
        let mut pairs = Pairs::default();
        for folder in &with_both {
            stage::sightings(folder, &mut pairs, &mut || self.tell())?;
        }
        let stitching = pairs.resolve();
        if stitching.is_empty() {
            return Ok(None);
        }
        if self.work.manifest.moved.is_none() {
            let sources = self.sources();
            let folder = self.work.moved();
            let bits = self.work.manifest.plan.bits;
            let mut tick = || self.tell();
            let (lines, carried) =
                stage::move_lines(&sources, &folder, bits, &stitching, &mut tick)?;
            self.work.manifest.moved = Some(Moved {
                lines,
                carried,
                counts: stitching.counts(),
            });
            self.work.save()?;
        }
        Ok(self.stitched().then(|| Arc::new(stitching)))
    }

    /// Whether any line moved.
    fn stitched(&self) -> bool {
        self.work
            .manifest
            .moved
            .is_some_and(|moved| moved.lines > 0)
    }

    /// Where the lines of the inputs lie.
    fn sources(&self) -> Vec<PathBuf> {
        (0..self.work.manifest.inputs.len())
            .map(|number| self.work.input(number))
            .collect()
    }

    /// The columns in which anything stands, or will.
    fn carried(&self, sides: &Sides) -> ColumnSet {
        let manifest = &self.work.manifest;
        let mut carried = manifest.moved.unwrap_or_default().carried;
        for input in &manifest.inputs {
            carried = carried.union(input.carried);
        }
        for column in sides.catalogue.iter().flat_map(Catalogue::columns) {
            carried.insert(column);
        }
        if !sides.attributes.is_empty() {
            carried.insert(Column::Context);
        }
        carried
    }

    /// Sorts and cleans the buckets that are not done yet.
    pub(super) fn clean(&mut self, sides: &Sides) -> Result<(), PrepareError> {
        self.progress.stage = Stage::Cleaning;
        let rules = self.rules(sides)?;
        let stitching = self.stitch()?;
        let inputs = &self.work.manifest.inputs;
        self.progress.total_lines = inputs.iter().map(|input| input.lines).sum();
        let done = self.work.manifest.buckets.iter().flatten();
        self.progress.lines = done.map(|bucket| bucket.lines).sum();
        let todo: Vec<usize> = (0..self.work.manifest.buckets.len())
            .filter(|number| matches!(self.work.manifest.buckets.get(*number), Some(None)))
            .collect();
        self.figures = match self.request.measure {
            true => Some(self.measured_before()?),
            false => None,
        };
        let threads = self.threads.min(self.work.manifest.buckets.len()).max(1);
        let inputs = &self.work.manifest.inputs;
        let shared = bucket::Work {
            schema: staged_schema(self.carried(sides)),
            rules: &rules,
            sides,
            stitching,
            // Not by the buckets that are left: a run that goes on must cut batches alike.
            memory: self.request.memory / threads,
            spill: self.work.spill(),
            utc_offset_minutes: offset(inputs),
            done: AtomicU64::new(self.progress.lines),
            stop: AtomicBool::new(false),
        };
        let offsets = self.request.measure.then(|| offsets(inputs));
        let mut sources = self.sources();
        if self.stitched() {
            sources.push(self.work.moved());
        }
        let parts = |number: usize| {
            sources
                .iter()
                .map(|folder| stage::of_bucket(folder, number))
                .collect::<Result<Vec<_>, _>>()
                .map(|parts| parts.concat())
        };
        let paths = |number: usize| (self.work.table(number), self.work.quarantine(number));
        let paths: Vec<(PathBuf, PathBuf)> =
            (0..self.work.manifest.buckets.len()).map(paths).collect();
        let next = AtomicUsize::new(0);
        let one = |position: usize, figures: &mut Option<Measure>| {
            let number = *todo.get(position)?;
            let (table, quarantine) = paths.get(number)?;
            let files = (table.as_path(), quarantine.as_path());
            let done = parts(number)
                .and_then(|parts| bucket::run(&shared, parts, files, figures.take()))
                .map(|(account, measure)| {
                    *figures = measure;
                    account
                });
            Some((number, done))
        };
        thread::scope(|scope| {
            let (tell, told) = unbounded();
            let mut running = Vec::with_capacity(threads);
            for _ in 0..threads {
                let (tell, next, one) = (tell.clone(), &next, &one);
                // One for all buckets of a thread: what it knows of items need not be learnt again.
                let mut figures = offsets.as_deref().map(Measure::new);
                running.push(scope.spawn(move || {
                    while let Some(done) = one(next.fetch_add(1, Ordering::Relaxed), &mut figures) {
                        let failed = done.1.is_err();
                        if tell.send(done).is_err() || failed {
                            break;
                        }
                    }
                    figures
                }));
            }
            drop(tell);
            let watched = loop {
                match told.recv_timeout(PAUSE) {
                    Ok((number, Ok(account))) => {
                        if let Err(error) = self.finish_bucket(number, account, &parts) {
                            break Err(error);
                        }
                    }
                    Ok((_, Err(error))) => break Err(error),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break Ok(()),
                }
                self.progress.lines = shared.done.load(Ordering::Relaxed);
                if let Err(error) = self.tell() {
                    break Err(error);
                }
            };
            // The others end with the piece that they are at.
            shared.stop.store(watched.is_err(), Ordering::Relaxed);
            for thread in running {
                let part = thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                if let (Some(all), Some(part)) = (&mut self.figures, part) {
                    all.merge(part);
                }
            }
            watched
        })
    }

    /// The figures of the buckets that an earlier run has finished.
    fn measured_before(&self) -> Result<Measure, PrepareError> {
        let manifest = &self.work.manifest;
        let mut all = Measure::new(&offsets(&manifest.inputs));
        for (number, done) in manifest.buckets.iter().enumerate() {
            if done.is_some() {
                measure_table(&self.work.table(number), &mut all)?;
            }
        }
        Ok(all)
    }

    fn finish_bucket(
        &mut self,
        number: usize,
        account: BucketAccount,
        parts: &dyn Fn(usize) -> Result<Vec<PathBuf>, PrepareError>,
    ) -> Result<(), PrepareError> {
        if let Some(slot) = self.work.manifest.buckets.get_mut(number) {
            *slot = Some(account);
        }
        self.work.save()?;
        // With stitching, the parts are asked again for the lines that moved.
        let done_with = if self.stitched() {
            Vec::new()
        } else {
            parts(number)?
        };
        for part in done_with {
            fs::remove_file(&part).map_err(PrepareError::io(&part))?;
        }
        Ok(())
    }
}
