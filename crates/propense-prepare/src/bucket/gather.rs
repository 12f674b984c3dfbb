//! Lines that belong together although the sort has put them apart: owners with one hash, and the
//! records of an order that stand anywhere in a file.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, TimestampMillisecondArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::error::ArrowError;

use crate::PrepareError;
use crate::table::{Column, Key, Lines, MOST_LINES, Owner, Record, group, number_at, text_at};

/// Whose the line is.
pub(super) fn owner<'a>(lines: &Lines<'a>, line: usize) -> Owner<'a> {
    Owner::of(
        text_at(lines.user_id, line),
        text_at(lines.anonymous_id, line),
        text_at(lines.session_id, line),
        Record::new(
            lines.source.get(line).copied().unwrap_or_default(),
            lines.row.get(line).copied().unwrap_or_default(),
            lines.group.get(line).copied().unwrap_or_default(),
            lines.timestamp.get(line).copied().unwrap_or_default(),
        ),
    )
}

fn hash(lines: &Lines<'_>, line: usize) -> Option<u64> {
    lines.key.get(line).map(|key| Key(*key).owner_hash())
}

/// Whether the owners of two lines have the same hash.
pub(super) fn same_hash(lines: &Lines<'_>, one: usize, other: usize) -> bool {
    hash(lines, one) == hash(lines, other)
}

/// Lines of whole owners.
pub(super) struct Piece {
    pub(super) batch: RecordBatch,
    /// Whether two owners in it have the same hash.
    pub(super) tangled: bool,
}

/// Puts the lines of an owner together again where two owners have the same hash, and gives the
/// records of one order the time of its first record and the sum of their amounts.
pub(super) fn untangle(piece: RecordBatch) -> Result<Piece, PrepareError> {
    let failed = PrepareError::engine::<ArrowError>;
    let lines = Lines::new(&piece).map_err(PrepareError::engine("sorted lines"))?;
    let tangled = (1..lines.len()).any(|line| {
        same_hash(&lines, line - 1, line) && owner(&lines, line - 1) != owner(&lines, line)
    });
    let scattered = lines
        .group
        .iter()
        .any(|number| group::kind(*number) == group::ANYWHERE);
    if !tangled && !scattered {
        return Ok(Piece {
            batch: piece,
            tangled,
        });
    }
    let gathered = Gathered::new(&lines);
    let mut order: Vec<u32> = (0..u32::try_from(lines.len()).unwrap_or(u32::MAX)).collect();
    order.sort_by_cached_key(|line| {
        let line = *line as usize;
        (
            hash(&lines, line),
            rank(owner(&lines, line)),
            gathered.times.get(line).copied(),
            line_number(&lines, line),
        )
    });
    let replaced: [(Column, ArrayRef); 2] = [
        (
            Column::Timestamp,
            Arc::new(TimestampMillisecondArray::from(gathered.times).with_timezone("UTC")),
        ),
        (Column::Value, Arc::new(Float64Array::from(gathered.values))),
    ];
    let (schema, mut columns, _) = piece.clone().into_parts();
    for (column, array) in replaced {
        if let Ok(position) = schema.index_of(column.name())
            && let Some(column) = columns.get_mut(position)
        {
            *column = array;
        }
    }
    let changed = RecordBatch::try_new(schema, columns).map_err(failed("gathering lines"))?;
    let batch = take_record_batch(&changed, &UInt32Array::from(order))
        .map_err(failed("gathering lines"))?;
    Ok(Piece { batch, tangled })
}

/// The line's number in the order of reading.
fn line_number(lines: &Lines<'_>, line: usize) -> Option<i128> {
    let key = lines.key.get(line)?;
    Some(key & i128::from(MOST_LINES - 1))
}

/// Owners of one hash in an order of their own.
fn rank(owner: Owner<'_>) -> (u8, &str, Record) {
    let none = Record {
        source: 0,
        number: 0,
    };
    match owner {
        Owner::User(id) => (0, id, none),
        Owner::Anonymous(id) => (1, id, none),
        Owner::Session(id) => (2, id, none),
        Owner::Nobody(record) => (3, "", record),
    }
}

/// Times and values of the lines, where the records of an order have those of the whole.
struct Gathered {
    times: Vec<i64>,
    values: Vec<Option<f64>>,
}

/// An order so far.
struct Order {
    first: Option<i128>,
    time: i64,
    value: f64,
}

impl Gathered {
    fn new(lines: &Lines<'_>) -> Self {
        // Only under the same owner, kind and session is it one order.
        let order_of = |line: usize| {
            let number = lines.group.get(line).copied().unwrap_or_default();
            (group::kind(number) == group::ANYWHERE).then(|| {
                (
                    number,
                    lines.source.get(line).copied(),
                    lines.kind.get(line).copied(),
                    rank(owner(lines, line)),
                    text_at(lines.session_id, line),
                )
            })
        };
        let mut orders = HashMap::new();
        for line in 0..lines.len() {
            let Some(order) = order_of(line) else {
                continue;
            };
            let first = line_number(lines, line);
            let time = lines.timestamp.get(line).copied().unwrap_or_default();
            let order = orders.entry(order).or_insert(Order {
                first,
                time,
                value: 0.0,
            });
            order.value += number_at(lines.value, line).unwrap_or_default();
            if first < order.first {
                order.first = first;
                order.time = time;
            }
        }
        let mut all = Self {
            times: lines.timestamp.to_vec(),
            values: (0..lines.len())
                .map(|line| number_at(lines.value, line))
                .collect(),
        };
        for (line, (time, value)) in all.times.iter_mut().zip(&mut all.values).enumerate() {
            if let Some(order) = order_of(line).and_then(|order| orders.get(&order)) {
                *time = order.time;
                *value = Some(order.value);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::super::owners::ranges;
    use super::*;
    use crate::stage::lines_of_owners;

    #[test]
    fn two_owners_with_one_hash_are_told_apart() {
        // Three owners whose lines the sort has mixed: all keys with one hash, by time.
        let batch = lines_of_owners(&[2, 2, 1]);
        let mixed = UInt32Array::from(vec![0, 2, 4, 1, 3]);
        let mixed = take_record_batch(&batch, &mixed).expect("taken");
        let (schema, mut columns, _) = mixed.into_parts();
        let keys = (0..5u64).map(|line| Key::new(9, 1_700_000_000_000, line).0);
        let keys = arrow::array::Decimal128Array::from_iter_values(keys)
            .with_data_type(crate::table::KEY_TYPE);
        let position = schema.index_of(Column::Key.name()).expect("the key");
        columns[position] = Arc::new(keys);
        let mixed = RecordBatch::try_new(schema, columns).expect("a batch");
        let piece = untangle(mixed).expect("untangled");
        assert!(piece.tangled);
        let lines = Lines::new(&piece.batch).expect("the table");
        assert_eq!(ranges(&lines, piece.tangled), [0..2, 2..4, 4..5]);
        assert_eq!(lines.row, [0, 1, 2, 3, 4]);
    }
}
