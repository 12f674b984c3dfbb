//! The end of a run: the accounts are checked, and the files get their names.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Run, offset, tables};
use crate::account::{BucketAccount, InputAccount, balanced};
use crate::load::names;
use crate::progress::Stage;
use crate::quarantine::HEADER;
use crate::sides::Sides;
use crate::{PrepareError, Prepared, bucket, stage};

/// The catalogue's file.
const ITEMS: &str = "items.parquet";

impl Run<'_> {
    /// Joins the buckets, checks the accounts and gives the files their names.
    pub(super) fn join(mut self, sides: Sides) -> Result<Prepared, PrepareError> {
        self.progress.stage = Stage::Joining;
        self.progress.lines = self.progress.total_lines;
        self.tell()?;
        let drafts = self.work.drafts();
        fs::create_dir_all(&drafts).map_err(PrepareError::io(&drafts))?;
        let inputs = self.work.manifest.inputs.clone();
        let mut cleaning = BucketAccount::default();
        for bucket in self.work.manifest.buckets.iter().flatten() {
            cleaning.add(bucket);
        }
        let sum = |of: fn(&InputAccount) -> u64| inputs.iter().map(of).sum::<u64>();
        let summaries = sum(|input| input.summaries);
        balanced(
            "lines of the inputs",
            sum(|input| input.lines),
            cleaning.lines,
            0,
        )?;
        let records_in =
            cleaning.lines + sum(|input| input.rejected) + sides.account.rejected + summaries;
        let records_out = cleaning.written + summaries;

        let quarantine = drafts.join("quarantine.csv");
        let quarantined = self.join_quarantine(&quarantine, &sides)?;
        balanced("the whole run", records_in, records_out, quarantined)?;

        let mut files = vec![(quarantine, self.request.out.join("quarantine.csv"))];
        let mut tables = Vec::new();
        if cleaning.lines > 0 || summaries == 0 {
            let offset = offset(&inputs);
            let buckets: Vec<PathBuf> = (0..self.work.manifest.buckets.len())
                .map(|number| self.work.table(number))
                .collect();
            let joined = tables::join(&buckets, &drafts, &bucket::properties(offset)?)?;
            for (draft, name) in joined.drafts.into_iter().zip(joined.names) {
                let path = self.request.out.join(name);
                tables.push(path.clone());
                files.push((draft, path));
            }
        }
        let mut summary_file = None;
        if summaries > 0 {
            let draft = drafts.join(stage::SUMMARIES);
            let parts =
                (0..inputs.len()).map(|number| self.work.input(number).join(stage::SUMMARIES));
            concatenate(&draft, "", parts, &[])?;
            let path = self.request.out.join(stage::SUMMARIES);
            summary_file = Some(path.clone());
            files.push((draft, path));
        }
        let mut items = None;
        if let Some(catalogue) = &sides.catalogue {
            let draft = drafts.join(ITEMS);
            tables::write_items(&draft, catalogue)?;
            let path = self.request.out.join(ITEMS);
            items = Some(path.clone());
            files.push((draft, path));
        }
        remove_old(&self.request.out)?;
        for (draft, path) in files {
            fs::rename(&draft, &path).map_err(PrepareError::io(&path))?;
        }
        let figures = self.figures.take();
        let resumed = self.work.resumed;
        let moved = self.work.manifest.moved.unwrap_or_default();
        self.work.remove()?;
        Ok(Prepared {
            name: names(&self.request.inputs),
            tables,
            quarantine: self.request.out.join("quarantine.csv"),
            summaries: summary_file,
            items,
            sides: sides.account,
            stitched_lines: moved.lines,
            stitched: moved.counts,
            inputs,
            cleaning,
            records_in,
            records_out,
            records_quarantined: quarantined,
            resumed,
            figures,
            times: [Duration::ZERO; 3],
        })
    }

    /// Joins the quarantine lines of inputs and buckets; returns their number from the accounts
    /// that were checked against the lines when they were written.
    fn join_quarantine(&self, path: &Path, sides: &Sides) -> Result<u64, PrepareError> {
        let manifest = &self.work.manifest;
        let inputs = (0..manifest.inputs.len())
            .map(|number| self.work.input(number).join(stage::QUARANTINE));
        let buckets = (0..manifest.buckets.len()).map(|number| self.work.quarantine(number));
        concatenate(path, HEADER, inputs.chain(buckets), &sides.quarantine)?;
        let rejected: u64 = manifest.inputs.iter().map(|input| input.rejected).sum();
        let removed: u64 = manifest
            .buckets
            .iter()
            .flatten()
            .map(|bucket| bucket.removed)
            .sum();
        Ok(rejected + removed + sides.account.rejected)
    }
}

/// Writes files one after the other into one.
fn concatenate(
    path: &Path,
    header: &str,
    parts: impl Iterator<Item = PathBuf>,
    tail: &[u8],
) -> Result<(), PrepareError> {
    let mut out = BufWriter::new(File::create(path).map_err(PrepareError::io(path))?);
    out.write_all(header.as_bytes())
        .map_err(PrepareError::io(path))?;
    for part in parts {
        let mut part_file = File::open(&part).map_err(PrepareError::io(&part))?;
        io::copy(&mut part_file, &mut out).map_err(PrepareError::io(path))?;
    }
    out.write_all(tail).map_err(PrepareError::io(path))?;
    out.flush().map_err(PrepareError::io(path))
}

/// Removes the tables of an earlier run, of which there may have been more.
fn remove_old(out: &Path) -> Result<(), PrepareError> {
    for entry in fs::read_dir(out).map_err(PrepareError::io(out))? {
        let path = entry.map_err(PrepareError::io(out))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let table = name == "events.parquet"
            || name
                .strip_prefix("events-")
                .and_then(|rest| rest.strip_suffix(".parquet"))
                .is_some_and(|number| {
                    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
                });
        if table || name == stage::SUMMARIES || name == ITEMS {
            fs::remove_file(&path).map_err(PrepareError::io(&path))?;
        }
    }
    Ok(())
}
