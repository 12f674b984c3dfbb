//! One bucket: sorted, cleaned, cut into sessions, written.

mod cleaner;
mod gather;
mod output;
mod owners;
mod sort;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use arrow::datatypes::SchemaRef;

use crate::PrepareError;
use crate::account::BucketAccount;
use crate::clean::Rules;
use crate::report::Measure;
use crate::sides::Sides;
use crate::stitch::Stitching;

use cleaner::Cleaner;
use output::Output;
pub(crate) use output::properties;
use owners::Pieces;

/// What all buckets share.
pub(crate) struct Work<'a> {
    /// The columns of the staged table.
    pub(crate) schema: SchemaRef,
    pub(crate) rules: &'a Rules,
    pub(crate) sides: &'a Sides,
    /// Knows which lines have moved to their user's bucket, where any have.
    pub(crate) stitching: Option<Arc<Stitching>>,
    /// Bytes of memory for the sort of one bucket.
    pub(crate) memory: usize,
    /// Where the sort may lay down what does not fit.
    pub(crate) spill: PathBuf,
    pub(crate) utc_offset_minutes: i32,
    /// Lines done, by all buckets.
    pub(crate) done: AtomicU64,
    pub(crate) stop: AtomicBool,
}

/// Sorts and cleans the staged `parts` of a bucket into `table` and `quarantine`; adds the figures of
/// what it writes to `measure`, which it hands back.
pub(crate) fn run(
    work: &Work<'_>,
    parts: Vec<PathBuf>,
    (table, quarantine): (&Path, &Path),
    measure: Option<Measure>,
) -> Result<(BucketAccount, Option<Measure>), PrepareError> {
    let output = Output::create(table, work.utc_offset_minutes, measure)?;
    let mut cleaner = Cleaner::new(work, output);
    let mut pieces = Pieces::default();
    let mut lines = 0;
    let staged = sort::Staged {
        parts,
        schema: Arc::clone(&work.schema),
        stitching: work.stitching.clone(),
    };
    let spilled = sort::sorted(staged, work.memory, &work.spill, &mut |batch| {
        lines += batch.num_rows() as u64;
        pieces.push(&cleaner.fill(batch)?, &mut cleaner)
    })?;
    pieces.flush(&mut cleaner)?;
    let (mut account, rows, measure) = cleaner.finish()?;
    account.spilled = spilled;
    account.lines = lines;
    account.balanced(&table.display().to_string())?;
    fs::write(quarantine, rows).map_err(PrepareError::io(quarantine))?;
    Ok((account, measure))
}
