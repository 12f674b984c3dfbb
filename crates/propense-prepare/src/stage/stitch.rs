//! Identity: lines under an anonymous id alone move to the user that it belongs to.
//!
//! Which user that is, is known only when all inputs are read. The staged parts stay as they are:
//! lines that belong to a user are copied into the user's bucket, and passed over where they lie.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, RecordBatch, StringArray, UInt32Array, new_null_array,
};
use arrow::compute::{filter_record_batch, take_record_batch};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::parts::{Parts, all};
use super::read;
use crate::PrepareError;
use crate::stitch::{Pairs, Stitching};
use crate::table::{
    Column, ColumnSet, KEY_TYPE, Key, Lines, MOST_LINES, Owner, bucket, staged_schema, text_at,
};

/// Takes note of every line of an input that has both identities.
pub(crate) fn sightings(
    folder: &Path,
    pairs: &mut Pairs,
    tick: &mut dyn FnMut() -> Result<(), PrepareError>,
) -> Result<(), PrepareError> {
    for part in all(folder)? {
        for batch in read(&part)? {
            let batch = batch.map_err(PrepareError::engine(part.display()))?;
            let lines = Lines::new(&batch).map_err(PrepareError::engine(part.display()))?;
            if lines.user_id.is_none() || lines.anonymous_id.is_none() {
                continue;
            }
            for (line, time) in lines.timestamp.iter().enumerate() {
                if let Some((anonymous, user)) =
                    text_at(lines.anonymous_id, line).zip(text_at(lines.user_id, line))
                {
                    pairs.add(anonymous, user, *time);
                }
            }
        }
        tick()?;
    }
    Ok(())
}

/// The user of a line that names none.
fn user_of<'a>(lines: &Lines<'_>, line: usize, stitching: &'a Stitching) -> Option<&'a str> {
    if text_at(lines.user_id, line).is_some() {
        return None;
    }
    let time = lines.timestamp.get(line).copied().unwrap_or_default();
    stitching.owner(text_at(lines.anonymous_id, line)?, time)
}

/// The lines of a staged batch that stay where they are.
pub(crate) fn staying(
    batch: RecordBatch,
    stitching: &Stitching,
) -> Result<RecordBatch, ArrowError> {
    let lines =
        Lines::new(&batch).map_err(|error| ArrowError::from_external_error(error.into()))?;
    if lines.anonymous_id.is_none() {
        return Ok(batch);
    }
    let stay: BooleanArray = (0..lines.len())
        .map(|line| Some(user_of(&lines, line, stitching).is_none()))
        .collect();
    if stay.true_count() == lines.len() {
        return Ok(batch);
    }
    filter_record_batch(&batch, &stay)
}

/// Copies the lines of all inputs that belong to a user into the user's bucket, in `folder`.
/// Returns their number and their columns.
pub(crate) fn move_lines(
    inputs: &[PathBuf],
    folder: &Path,
    bits: u32,
    stitching: &Stitching,
    tick: &mut dyn FnMut() -> Result<(), PrepareError>,
) -> Result<(u64, ColumnSet), PrepareError> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(PrepareError::io(folder))?;
    }
    let mut out = Parts::create(folder.to_owned(), 1 << bits)?;
    let (mut moved, mut carried) = (0, ColumnSet::default());
    for input in inputs {
        for part in all(input)? {
            for batch in read(&part)? {
                let batch = batch.map_err(PrepareError::engine(part.display()))?;
                let rehomed = rehome(&batch, bits, stitching)
                    .map_err(PrepareError::engine(part.display()))?;
                for (bucket, set, lines) in rehomed {
                    moved += lines.num_rows() as u64;
                    carried = carried.union(set);
                    out.write(bucket, set, &lines)?;
                }
            }
            tick()?;
        }
    }
    out.finish()?;
    Ok((moved, carried))
}

/// The lines of a batch that belong to a user, by the user's bucket.
fn rehome(
    batch: &RecordBatch,
    bits: u32,
    stitching: &Stitching,
) -> Result<Vec<(usize, ColumnSet, RecordBatch)>, ArrowError> {
    let lines = Lines::new(batch).map_err(|error| ArrowError::from_external_error(error.into()))?;
    if lines.anonymous_id.is_none() {
        return Ok(Vec::new());
    }
    // Bucket, line, key, user.
    let mut moving: Vec<(usize, u32, i128, &str)> = (0..lines.len())
        .filter_map(|line| {
            let user = user_of(&lines, line, stitching)?;
            let hash = Owner::User(user).hash();
            let key = lines.key.get(line)? & i128::from(MOST_LINES - 1);
            let time = *lines.timestamp.get(line)?;
            let key = Key::new(hash, time, u64::try_from(key).ok()?);
            Some((bucket(hash, bits), u32::try_from(line).ok()?, key.0, user))
        })
        .collect();
    moving.sort_unstable_by_key(|(bucket, line, ..)| (*bucket, *line));
    let mut set = ColumnSet::default();
    for column in Column::ALL {
        if column == Column::UserId || batch.column_by_name(column.name()).is_some() {
            set.insert(column);
        }
    }
    moving
        .chunk_by(|one, other| one.0 == other.0)
        .filter_map(|moving| Some((moving.first()?.0, moving)))
        .map(|(bucket, moving)| {
            let order = UInt32Array::from_iter_values(moving.iter().map(|(_, line, ..)| *line));
            let taken = take_record_batch(batch, &order)?;
            let schema = staged_schema(set);
            let keys = Decimal128Array::from_iter_values(moving.iter().map(|(_, _, key, _)| *key));
            let users = StringArray::from_iter_values(moving.iter().map(|(.., user)| *user));
            let columns = schema.fields().iter().map(|field| -> ArrayRef {
                match Column::from_name(field.name()) {
                    Some(Column::Key) => Arc::new(keys.clone().with_data_type(KEY_TYPE)),
                    Some(Column::UserId) => Arc::new(users.clone()),
                    _ => taken
                        .column_by_name(field.name())
                        .cloned()
                        .unwrap_or_else(|| {
                            new_null_array(&DataType::clone(field.data_type()), taken.num_rows())
                        }),
                }
            });
            let columns = columns.collect();
            Ok((bucket, set, RecordBatch::try_new(schema, columns)?))
        })
        .collect()
}
