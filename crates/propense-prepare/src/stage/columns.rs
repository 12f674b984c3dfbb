//! Lines of the event table under construction, column by column.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, Float64Array, NullBufferBuilder, RecordBatch, RecordBatchOptions,
    StringArray, TimestampMillisecondArray, UInt8Array, UInt16Array, UInt64Array,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;

use crate::table::{Column, ColumnSet, Key, staged_schema};

/// A text column. Missing values cost nothing until the first value arrives: most formats fill
/// few of the table's columns.
#[derive(Default)]
pub(super) struct Texts {
    ends: Vec<i32>,
    bytes: Vec<u8>,
    valid: Vec<bool>,
}

impl Texts {
    /// The value of this line; the lines since the last value lack one.
    pub(super) fn push(&mut self, line: usize, text: &str) {
        self.fill(line);
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(self.end());
        self.valid.push(true);
    }

    fn fill(&mut self, lines: usize) {
        let end = self.end();
        self.ends.resize(lines, end);
        self.valid.resize(lines, false);
    }

    fn end(&self) -> i32 {
        // `Columns::full` keeps a batch far below two gigabytes.
        i32::try_from(self.bytes.len()).unwrap_or(i32::MAX)
    }

    fn finish(&mut self, lines: usize) -> Result<Option<ArrayRef>, ArrowError> {
        if self.ends.is_empty() {
            return Ok(None);
        }
        self.fill(lines);
        let mut offsets = Vec::with_capacity(lines + 1);
        offsets.push(0);
        offsets.append(&mut self.ends);
        let bytes = hand_over(&mut self.bytes);
        let array = StringArray::try_new(
            OffsetBuffer::new(ScalarBuffer::from(offsets)),
            Buffer::from_vec(bytes),
            nulls(&mut self.valid),
        )?;
        Ok(Some(Arc::new(array)))
    }
}

/// A column of numbers that may be missing.
#[derive(Default)]
pub(super) struct Numbers {
    values: Vec<f64>,
    valid: Vec<bool>,
}

impl Numbers {
    pub(super) fn push(&mut self, line: usize, value: f64) {
        self.fill(line);
        self.values.push(value);
        self.valid.push(true);
    }

    fn fill(&mut self, lines: usize) {
        self.values.resize(lines, 0.0);
        self.valid.resize(lines, false);
    }

    fn finish(&mut self, lines: usize) -> Result<Option<ArrayRef>, ArrowError> {
        if self.values.is_empty() {
            return Ok(None);
        }
        self.fill(lines);
        let values = hand_over(&mut self.values);
        let array = Float64Array::try_new(ScalarBuffer::from(values), nulls(&mut self.valid))?;
        Ok(Some(Arc::new(array)))
    }
}

/// Takes the values. The next part of the input will have about as many, so there is room for them
/// at once: growing costs copies.
fn hand_over<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = values.len() + values.len() / 8;
    std::mem::replace(values, Vec::with_capacity(room))
}

fn nulls(valid: &mut Vec<bool>) -> Option<arrow::buffer::NullBuffer> {
    let mut builder = NullBufferBuilder::new(valid.len());
    builder.append_slice(valid);
    valid.clear();
    builder.finish()
}

/// The lines of one bucket.
#[derive(Default)]
pub(super) struct Columns {
    timestamp: Vec<i64>,
    kind: Vec<u8>,
    source: Vec<u16>,
    row: Vec<u64>,
    group: Vec<u64>,
    key: Vec<i128>,
    texts: [Texts; Column::TEXTS.len()],
    numbers: [Numbers; Column::NUMBERS.len()],
    bytes: usize,
}

/// What every line has.
pub(super) struct Place {
    pub(super) timestamp: i64,
    pub(super) kind: u8,
    pub(super) source: u16,
    pub(super) row: u64,
    pub(super) group: u64,
    pub(super) key: Key,
}

/// Bytes of text after which a batch is full.
const FULL: usize = 64 << 20;

impl Columns {
    /// Begins a line.
    pub(super) fn line(&mut self, place: &Place) {
        self.timestamp.push(place.timestamp);
        self.kind.push(place.kind);
        self.source.push(place.source);
        self.row.push(place.row);
        self.group.push(place.group);
        self.key.push(place.key.0);
    }

    /// A text of the line begun last.
    #[inline]
    pub(super) fn text(&mut self, column: TextColumn, text: Option<&str>) {
        let line = self.timestamp.len().saturating_sub(1);
        if let (Some(text), Some(texts)) = (text, self.texts.get_mut(column as usize)) {
            texts.push(line, text);
            self.bytes += text.len();
        }
    }

    /// A number of the line begun last.
    #[inline]
    pub(super) fn number(&mut self, column: NumberColumn, number: Option<f64>) {
        let line = self.timestamp.len().saturating_sub(1);
        if let (Some(number), Some(numbers)) = (number, self.numbers.get_mut(column as usize)) {
            numbers.push(line, number);
        }
    }

    /// Whether the batch should be taken now.
    pub(super) const fn full(&self) -> bool {
        self.bytes > FULL
    }

    /// Takes the lines as a batch of those columns that hold anything.
    pub(super) fn finish(&mut self) -> Result<Option<(ColumnSet, RecordBatch)>, ArrowError> {
        let lines = self.timestamp.len();
        if lines == 0 {
            return Ok(None);
        }
        self.bytes = 0;
        let mut set = ColumnSet::default();
        let mut found: Vec<(Column, ArrayRef)> = Vec::new();
        for (column, texts) in Column::TEXTS.into_iter().zip(&mut self.texts) {
            if let Some(array) = texts.finish(lines)? {
                set.insert(column);
                found.push((column, array));
            }
        }
        for (column, numbers) in Column::NUMBERS.into_iter().zip(&mut self.numbers) {
            if let Some(array) = numbers.finish(lines)? {
                set.insert(column);
                found.push((column, array));
            }
        }
        let timestamp =
            TimestampMillisecondArray::from(hand_over(&mut self.timestamp)).with_timezone("UTC");
        let key =
            Decimal128Array::from(hand_over(&mut self.key)).with_precision_and_scale(38, 0)?;
        let always: [(Column, ArrayRef); 6] = [
            (Column::Timestamp, Arc::new(timestamp)),
            (
                Column::Event,
                Arc::new(UInt8Array::from(hand_over(&mut self.kind))),
            ),
            (
                Column::Source,
                Arc::new(UInt16Array::from(hand_over(&mut self.source))),
            ),
            (
                Column::Row,
                Arc::new(UInt64Array::from(hand_over(&mut self.row))),
            ),
            (
                Column::Group,
                Arc::new(UInt64Array::from(hand_over(&mut self.group))),
            ),
            (Column::Key, Arc::new(key)),
        ];
        found.extend(always);
        found.sort_by_key(|(column, _)| *column);
        let batch = RecordBatch::try_new_with_options(
            staged_schema(set),
            found.into_iter().map(|(_, array)| array).collect(),
            &RecordBatchOptions::new().with_row_count(Some(lines)),
        )?;
        Ok(Some((set, batch)))
    }
}

/// The text columns: positions in [`Column::TEXTS`].
#[derive(Clone, Copy)]
pub(super) enum TextColumn {
    UserId,
    AnonymousId,
    SessionId,
    ItemId,
    ItemName,
    ItemCategory,
    ItemBrand,
    PageType,
    Currency,
    TransactionId,
    SearchTerm,
    Context,
}

/// The columns of numbers: positions in [`Column::NUMBERS`].
#[derive(Clone, Copy)]
pub(super) enum NumberColumn {
    Price,
    Quantity,
    Value,
    Rating,
}

/// Sorted lines of owners with so many lines each, for tests.
#[cfg(test)]
pub(crate) fn lines_of_owners(owners: &[usize]) -> RecordBatch {
    let mut columns = Columns::default();
    let mut row = 0;
    for (owner, lines) in owners.iter().enumerate() {
        for _ in 0..*lines {
            let timestamp = 1_700_000_000_000 + row as i64;
            columns.line(&Place {
                timestamp,
                kind: 0,
                source: 0,
                row,
                group: 0,
                key: Key::new(owner as u64, timestamp, row),
            });
            columns.text(TextColumn::UserId, Some(&owner.to_string()));
            row += 1;
        }
    }
    match columns.finish().expect("arrays") {
        Some((_, batch)) => batch,
        None => RecordBatch::new_empty(staged_schema(ColumnSet::default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Lines, number_at, text_at};

    #[test]
    fn the_positions_are_those_of_the_table() {
        assert_eq!(Column::TEXTS[TextColumn::Context as usize], Column::Context);
        assert_eq!(
            Column::TEXTS[TextColumn::Currency as usize],
            Column::Currency
        );
        assert_eq!(
            Column::NUMBERS[NumberColumn::Rating as usize],
            Column::Rating
        );
        assert_eq!(Column::NUMBERS[NumberColumn::Value as usize], Column::Value);
    }

    #[test]
    fn a_column_begins_with_its_first_value() {
        let mut columns = Columns::default();
        for line in 0..5u64 {
            columns.line(&Place {
                timestamp: 7,
                kind: 1,
                source: 0,
                row: line,
                group: 0,
                key: Key::new(3, 7, line),
            });
            columns.text(TextColumn::ItemId, (line == 2).then_some("a"));
            columns.number(NumberColumn::Price, (line >= 3).then_some(1.5));
        }
        let (set, batch) = columns.finish().expect("arrays").expect("lines");
        assert!(set.contains(Column::ItemId) && !set.contains(Column::UserId));
        let lines = Lines::new(&batch).expect("the table");
        let items: Vec<_> = (0..5).map(|line| text_at(lines.item_id, line)).collect();
        assert_eq!(items, [None, None, Some("a"), None, None]);
        let prices: Vec<_> = (0..5).map(|line| number_at(lines.price, line)).collect();
        assert_eq!(prices, [None, None, None, Some(1.5), Some(1.5)]);
        assert!(lines.user_id.is_none());
        assert!(columns.finish().expect("empty").is_none());
    }
}
