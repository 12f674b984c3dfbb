//! A written event table as events again.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, Float64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimestampMillisecondType, UInt32Type};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use propense_events::{Context, Event, EventKind, Item};

use super::{Column, number_at, text_at};
use crate::PrepareError;

/// Key of the file's metadata that holds the shop's offset from UTC in minutes.
pub(crate) const OFFSET: &str = "propense.utc_offset_minutes";

/// All events of a table.
#[derive(Debug, Clone, Default)]
pub struct TableEvents {
    /// The events in the table's order.
    pub events: Vec<Event>,
    /// The shop's offset from UTC in minutes.
    pub utc_offset_minutes: i32,
}

/// Reads a whole table. `path` is for messages.
///
/// # Errors
/// The file is not an event table, or it is damaged.
pub fn read_events(file: File, path: &Path) -> Result<TableEvents, PrepareError> {
    let mut table = EventTable::open(file, path)?;
    let mut all = TableEvents {
        utc_offset_minutes: table.utc_offset_minutes(),
        ..TableEvents::default()
    };
    for read in table.by_ref() {
        let read = read?;
        all.events.push(read.event);
    }
    Ok(all)
}

/// One event of a table.
pub(crate) struct Read {
    pub(crate) event: Event,
    /// The first of its lines in the file, from 1.
    pub(crate) row: u64,
}

/// A table read event by event.
pub(crate) struct EventTable {
    reader: ParquetRecordBatchReader,
    path: PathBuf,
    utc_offset_minutes: i32,
    batch: Option<Texts>,
    line: usize,
    row: u64,
    pending: Option<(Read, u32)>,
}

/// A batch whose columns are of the types that the reading needs.
struct Texts {
    batch: RecordBatch,
}

impl EventTable {
    pub(crate) fn open(file: File, path: &Path) -> Result<Self, PrepareError> {
        let failed = PrepareError::engine::<parquet::errors::ParquetError>;
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed(path.display()))?;
        let utc_offset_minutes = builder
            .metadata()
            .file_metadata()
            .key_value_metadata()
            .into_iter()
            .flatten()
            .find(|pair| pair.key == OFFSET)
            .and_then(|pair| pair.value.as_deref()?.parse().ok())
            .unwrap_or_default();
        let reader = builder
            .with_batch_size(8192)
            .build()
            .map_err(failed(path.display()))?;
        Ok(Self {
            reader,
            path: path.to_owned(),
            utc_offset_minutes,
            batch: None,
            line: 0,
            row: 0,
            pending: None,
        })
    }

    pub(crate) const fn utc_offset_minutes(&self) -> i32 {
        self.utc_offset_minutes
    }

    /// Goes to the next line; false at the end.
    fn advance(&mut self) -> Result<bool, PrepareError> {
        self.line += 1;
        while self
            .batch
            .as_ref()
            .is_none_or(|texts| self.line >= texts.batch.num_rows())
        {
            let Some(batch) = self.reader.next() else {
                return Ok(false);
            };
            let batch = batch.map_err(PrepareError::engine(self.path.display()))?;
            self.batch = Some(Texts::new(batch, &self.path)?);
            self.line = 0;
        }
        self.row += 1;
        Ok(true)
    }

    fn step(&mut self) -> Result<Option<Read>, PrepareError> {
        while self.advance()? {
            let Some(texts) = &self.batch else { break };
            let (event, number) = texts.event(self.line);
            if let Some((before, before_number)) = &mut self.pending
                && *before_number == number
                && before.event.session_id == event.session_id
                && before.event.kind == event.kind
                && before.event.timestamp == event.timestamp
                && before.event.user_id == event.user_id
            {
                before.event.items.extend(event.items);
                continue;
            }
            let read = Read {
                event,
                row: self.row,
            };
            if let Some((done, _)) = self.pending.replace((read, number)) {
                return Ok(Some(done));
            }
        }
        Ok(self.pending.take().map(|(read, _)| read))
    }
}

impl Iterator for EventTable {
    type Item = Result<Read, PrepareError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

impl Texts {
    fn new(batch: RecordBatch, path: &Path) -> Result<Self, PrepareError> {
        let (schema, columns, _) = batch.into_parts();
        let mut fields = Vec::new();
        let mut arrays = Vec::new();
        for (field, array) in schema.fields().iter().zip(columns) {
            let Some(column) = Column::from_name(field.name()) else {
                continue;
            };
            // Another writer may have chosen other widths or encodings.
            let wanted = match column {
                Column::Event => DataType::Utf8,
                other => other.written().unwrap_or(DataType::Utf8),
            };
            let array = cast(&array, &wanted).map_err(PrepareError::engine(path.display()))?;
            fields.push(arrow::datatypes::Field::new(field.name(), wanted, true));
            arrays.push(array);
        }
        let schema = std::sync::Arc::new(arrow::datatypes::Schema::new(fields));
        let batch =
            RecordBatch::try_new(schema, arrays).map_err(PrepareError::engine(path.display()))?;
        Ok(Self { batch })
    }

    fn text(&self, column: Column, line: usize) -> Option<&str> {
        let array: Option<&StringArray> = self
            .batch
            .column_by_name(column.name())
            .and_then(|array| array.as_string_opt());
        text_at(array, line)
    }

    fn own(&self, column: Column, line: usize) -> Option<String> {
        self.text(column, line).map(str::to_owned)
    }

    fn number(&self, column: Column, line: usize) -> Option<f64> {
        let array: Option<&Float64Array> = self
            .batch
            .column_by_name(column.name())
            .and_then(|array| array.as_primitive_opt());
        number_at(array, line)
    }

    /// The event of a line with the line's item, and its number in the session.
    fn event(&self, line: usize) -> (Event, u32) {
        let timestamp = self
            .batch
            .column_by_name(Column::Timestamp.name())
            .and_then(|array| array.as_primitive_opt::<TimestampMillisecondType>())
            .filter(|array| array.is_valid(line))
            .map_or(0, |array| array.value(line));
        let number = self
            .batch
            .column_by_name(Column::EventNo.name())
            .and_then(|array| array.as_primitive_opt::<UInt32Type>())
            .filter(|array| array.is_valid(line))
            .map_or(0, |array| array.value(line));
        let kind = EventKind::from_name(self.text(Column::Event, line).unwrap_or_default());
        let mut event = Event::new(kind, timestamp);
        event.user_id = self.own(Column::UserId, line);
        event.anonymous_id = self.own(Column::AnonymousId, line);
        event.session_id = self.own(Column::SessionId, line);
        event.page_type = self.own(Column::PageType, line);
        event.value = self.number(Column::Value, line);
        event.currency = self.own(Column::Currency, line);
        event.transaction_id = self.own(Column::TransactionId, line);
        event.search_term = self.own(Column::SearchTerm, line);
        event.rating = self.number(Column::Rating, line);
        event.context = self
            .text(Column::Context, line)
            .and_then(|text| serde_json::from_str::<Context>(text).ok())
            .unwrap_or_default();
        if let Some(item_id) = self.own(Column::ItemId, line) {
            event.items.push(Item {
                item_id,
                item_name: self.own(Column::ItemName, line),
                item_category: self.own(Column::ItemCategory, line),
                item_brand: self.own(Column::ItemBrand, line),
                price: self.number(Column::Price, line),
                quantity: self.number(Column::Quantity, line),
            });
        }
        (event, number)
    }
}
