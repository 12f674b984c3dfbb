//! Applies the cleaning rules to sorted lines, and writes what stays and what goes.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, RecordBatch, StringArray, UInt32Array,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Float64Type;
use arrow::error::ArrowError;

use super::Work;
use super::gather::Piece;
use super::output::{Output, Sessions};
use super::owners::{Consumer, ranges};
use crate::PrepareError;
use crate::account::{BucketAccount, balanced, count};
use crate::clean::{Change, Scratch, SessionPlace, Verdicts, begin_owner, clean_owner, clean_slab};
use crate::quarantine::Quarantine;
use crate::report::Measure;
use crate::table::{Column, Lines, text_at};

/// Cleans the lines of one bucket.
pub(super) struct Cleaner<'a> {
    work: &'a Work<'a>,
    output: Output,
    quarantine: Quarantine,
    account: BucketAccount,
    scratch: Scratch,
    verdicts: Verdicts,
}

fn failed(error: ArrowError) -> PrepareError {
    PrepareError::engine("cleaning")(error)
}

impl<'a> Cleaner<'a> {
    pub(super) fn new(work: &'a Work<'a>, output: Output) -> Self {
        Self {
            work,
            output,
            quarantine: Quarantine::default(),
            account: BucketAccount::default(),
            scratch: Scratch::default(),
            verdicts: Verdicts::default(),
        }
    }

    /// Fills what lines lack from the catalogue.
    pub(super) fn fill(&mut self, batch: RecordBatch) -> Result<RecordBatch, PrepareError> {
        let Some(catalogue) = &self.work.sides.catalogue else {
            return Ok(batch);
        };
        let currency = self.work.rules.options().currency.as_deref();
        catalogue
            .fill(&batch, currency, &mut self.account.filled)
            .map_err(failed)
    }

    /// Closes the table; returns the accounts, the lines of `quarantine.csv` and the figures.
    pub(super) fn finish(
        mut self,
    ) -> Result<(BucketAccount, Vec<u8>, Option<Measure>), PrepareError> {
        let measure = self.output.finish()?;
        let (rows, quarantined) = self
            .quarantine
            .finish()
            .map_err(PrepareError::engine("quarantine.csv"))?;
        balanced("lines set aside", self.account.removed, 0, quarantined)?;
        for (rule, lines) in self.verdicts.counts.iter().filter(|(_, lines)| *lines > 0) {
            let counts = if rule.repairs() {
                &mut self.account.repaired_by
            } else {
                &mut self.account.removed_by
            };
            count(counts, rule.name(), lines);
        }
        Ok((self.account, rows, measure))
    }

    /// Carries out the verdicts on a piece.
    fn apply(&mut self, piece: &RecordBatch) -> Result<(), PrepareError> {
        let lines = view(piece)?;
        let kept = self.repair(piece)?;
        let sessions = Sessions {
            session_id: self.session_ids(&lines).map_err(failed)?,
            event_no: Arc::new(UInt32Array::from_iter_values(
                self.places().map(|place| place.event_no),
            )),
        };
        self.count_sessions();
        let mut kept = self.remove(kept, &lines)?;
        let attributes = &self.work.sides.attributes;
        if !attributes.is_empty() {
            kept = attributes
                .fill(&kept, &mut self.account.attributed)
                .map_err(failed)?;
        }
        if kept.num_rows() > 0 {
            self.output.write(&kept, sessions)?;
            self.account.written += kept.num_rows() as u64;
        }
        self.verdicts.clear();
        self.work
            .done
            .fetch_add(piece.num_rows() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// The places of the lines that stay.
    fn places(&self) -> impl Iterator<Item = SessionPlace> {
        self.verdicts
            .places
            .iter()
            .copied()
            .filter(|place| *place != SessionPlace::NONE)
    }

    /// The session of each line that stays.
    fn session_ids(&self, lines: &Lines<'_>) -> Result<ArrayRef, ArrowError> {
        // Each name is written once, and copied to its lines.
        let mut names = String::new();
        let mut ends = Vec::with_capacity(self.verdicts.sessions.len());
        for session in &self.verdicts.sessions {
            // Writing to a String cannot fail.
            let _ = session.write(lines, &mut names);
            ends.push(names.len());
        }
        let name = |session: usize| {
            let start = session.checked_sub(1).and_then(|before| ends.get(before));
            let end = ends.get(session).copied().unwrap_or_default();
            names
                .as_bytes()
                .get(start.copied().unwrap_or_default()..end)
                .unwrap_or_default()
        };
        let mut bytes: Vec<u8> = Vec::with_capacity(lines.len() * 12);
        let mut offsets = Vec::with_capacity(lines.len() + 1);
        offsets.push(0);
        for place in self.places() {
            bytes.extend_from_slice(name(place.session as usize));
            let end = i32::try_from(bytes.len()).map_err(|_| {
                ArrowError::ComputeError("session names of more than two gigabytes".to_owned())
            })?;
            offsets.push(end);
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        StringArray::try_new(offsets, Buffer::from_vec(bytes), None)
            .map(|array| Arc::new(array) as ArrayRef)
    }

    fn count_sessions(&mut self) {
        let mut before = SessionPlace::NONE;
        let (mut events, mut sessions) = (0, 0);
        for place in self.places() {
            if place != before {
                events += 1;
                sessions += u64::from(place.event_no == 1);
            }
            before = place;
        }
        self.account.events += events;
        self.account.sessions += sessions;
    }

    /// Takes lines out and puts them into quarantine.
    fn remove(
        &mut self,
        piece: RecordBatch,
        lines: &Lines<'_>,
    ) -> Result<RecordBatch, PrepareError> {
        if self.verdicts.removed.is_empty() {
            return Ok(piece);
        }
        let mut keep = vec![true; piece.num_rows()];
        for removal in &self.verdicts.removed {
            let (Some(keep), Some(source), Some(row)) = (
                keep.get_mut(removal.line),
                lines.source.get(removal.line),
                lines.row.get(removal.line),
            ) else {
                continue;
            };
            *keep = false;
            self.account.removed += 1;
            self.quarantine
                .line(*source, *row, removal.rule.name(), &removal.detail)
                .map_err(PrepareError::engine("quarantine.csv"))?;
        }
        filter_record_batch(&piece, &BooleanArray::from(keep)).map_err(failed)
    }

    /// Changes the values that rules repaired.
    fn repair(&self, piece: &RecordBatch) -> Result<RecordBatch, PrepareError> {
        let changes = |column: Column| {
            let repaired = &self.verdicts.repaired;
            repaired.iter().filter_map(move |repair| {
                let value = match (column, repair.change) {
                    (Column::Price, Change::Price(value))
                    | (Column::Value, Change::Value(value)) => value,
                    (Column::Currency, Change::Currency) => None,
                    _ => return None,
                };
                Some((repair.line, value))
            })
        };
        let touched = [Column::Price, Column::Value, Column::Currency]
            .into_iter()
            .filter(|column| changes(*column).next().is_some());
        let mut repaired = self.verdicts.move_contexts(piece).map_err(failed)?;
        for column in touched {
            let Ok(position) = repaired.schema().index_of(column.name()) else {
                continue;
            };
            let (schema, mut columns, _) = repaired.into_parts();
            if let Some(array) = columns.get_mut(position) {
                *array = if column == Column::Currency {
                    let shop = self.work.rules.options().currency.as_deref();
                    currencies(array, changes(column).map(|(line, _)| line), shop)
                } else {
                    numbers(array, changes(column))
                };
            }
            repaired = RecordBatch::try_new(schema, columns).map_err(failed)?;
        }
        Ok(repaired)
    }
}

impl Consumer for Cleaner<'_> {
    fn owners(&mut self, piece: &Piece) -> Result<(), PrepareError> {
        if self.work.stop.load(Ordering::Relaxed) {
            return Err(PrepareError::Interrupted {
                work: self.work.spill.clone(),
            });
        }
        let lines = view(&piece.batch)?;
        let owners: Vec<Range<usize>> = ranges(&lines, piece.tangled);
        self.account.owners += owners.len() as u64;
        for owner in owners {
            clean_owner(
                &lines,
                owner,
                self.work.rules,
                &mut self.scratch,
                &mut self.verdicts,
            );
        }
        self.apply(&piece.batch)
    }

    fn slab(
        &mut self,
        piece: &RecordBatch,
        first: bool,
        last: bool,
    ) -> Result<usize, PrepareError> {
        let lines = view(piece)?;
        if first {
            begin_owner(&mut self.scratch);
            self.account.owners += 1;
        }
        let judged = clean_slab(
            &lines,
            0..lines.len(),
            last,
            self.work.rules,
            &mut self.scratch,
            &mut self.verdicts,
        );
        self.apply(&piece.slice(0, judged))?;
        Ok(judged)
    }
}

fn view(piece: &RecordBatch) -> Result<Lines<'_>, PrepareError> {
    Lines::new(piece).map_err(PrepareError::engine("lines of an owner"))
}

fn numbers(array: &ArrayRef, changes: impl Iterator<Item = (usize, Option<f64>)>) -> ArrayRef {
    let Some(numbers) = array.as_primitive_opt::<Float64Type>() else {
        return Arc::clone(array);
    };
    let mut values: Vec<Option<f64>> = numbers.iter().collect();
    for (line, changed) in changes {
        if let Some(value) = values.get_mut(line) {
            *value = changed;
        }
    }
    Arc::new(Float64Array::from(values))
}

fn currencies(
    array: &ArrayRef,
    lines: impl Iterator<Item = usize>,
    shop: Option<&str>,
) -> ArrayRef {
    let texts = array.as_string_opt::<i32>();
    let mut values: Vec<Option<&str>> = (0..array.len()).map(|line| text_at(texts, line)).collect();
    for line in lines {
        if let Some(value) = values.get_mut(line) {
            *value = shop;
        }
    }
    Arc::new(StringArray::from(values))
}
