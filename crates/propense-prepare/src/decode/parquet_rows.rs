//! Parquet as text, so that one set of adapters reads both: a table of a known format as CSV, any
//! other, flat or nested, as JSON lines.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema, TimeUnit};
use arrow::error::ArrowError;
use arrow::json::LineDelimitedWriter;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use propense_events::{Format, recognise_columns};

use super::Content;
use crate::PrepareError;
use crate::table::is_event_table;

/// Rows turned into text at a time: nested rows can be some kilobytes each.
const ROWS: usize = 1024;

/// Opens a Parquet file: our own table as it is, any other as text. With `mapped` a mapping says
/// what is where, which always finds JSON lines.
pub(super) fn open(
    file: File,
    path: &Path,
    mapped: bool,
    read: &Arc<AtomicU64>,
) -> Result<Content, PrepareError> {
    let damaged = |error: parquet::errors::ParquetError| PrepareError::Unreadable {
        path: path.to_owned(),
        reason: format!("the Parquet file is damaged or cut short ({error}); fetch it again"),
    };
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let copy = file.try_clone().map_err(PrepareError::io(path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(damaged)?;
    if is_event_table(builder.schema()) {
        return Ok(Content::Table(copy));
    }
    let table = (!mapped).then(|| known_table(builder.schema())).flatten();
    let mut text = Vec::new();
    if table.is_some() {
        let names = builder.schema().fields().iter().map(|field| field.name());
        let mut writer = csv::Writer::from_writer(&mut text);
        let written = writer
            .write_record(names)
            .and_then(|()| Ok(writer.flush()?));
        written.map_err(|error| PrepareError::Unreadable {
            path: path.to_owned(),
            reason: format!("the names of its columns cannot be read ({error})"),
        })?;
    }
    let rows = builder.metadata().file_metadata().num_rows();
    let reader = builder.with_batch_size(ROWS).build().map_err(damaged)?;
    Ok(Content::Text(Box::new(Lines {
        reader,
        table,
        text: Cursor::new(text),
        rows: u64::try_from(rows).unwrap_or_default().max(1),
        done: 0,
        size,
        read: Arc::clone(read),
    })))
}

/// The format of a flat table, by the names of its columns.
fn known_table(schema: &Schema) -> Option<Format> {
    let flat = schema
        .fields()
        .iter()
        .all(|field| !field.data_type().is_nested());
    let names = schema.fields().iter().map(|field| field.name().as_str());
    flat.then(|| recognise_columns(names)).flatten()
}

struct Lines {
    reader: ParquetRecordBatchReader,
    /// The format of the table that is written as CSV; none for JSON lines.
    table: Option<Format>,
    text: Cursor<Vec<u8>>,
    rows: u64,
    done: u64,
    size: u64,
    read: Arc<AtomicU64>,
}

impl Lines {
    /// Turns the next rows into text; false at the end.
    fn refill(&mut self) -> io::Result<bool> {
        let Some(batch) = self.reader.next() else {
            return Ok(false);
        };
        let batch = batch.map_err(|error| damaged(&error))?;
        let mut text = std::mem::take(&mut self.text).into_inner();
        text.clear();
        let text = match self.table {
            Some(format) => {
                write_table(&batch, format, &mut text).map_err(|error| damaged(&error))?;
                text
            }
            None => {
                let mut writer = LineDelimitedWriter::new(text);
                writer.write(&batch).map_err(|error| damaged(&error))?;
                writer.finish().map_err(|error| damaged(&error))?;
                writer.into_inner()
            }
        };
        self.text = Cursor::new(text);
        self.done += batch.num_rows() as u64;
        // The reader jumps about in the file, so progress is told by rows.
        let share = self.done as f64 / self.rows as f64 * self.size as f64;
        self.read.store(share as u64, Ordering::Relaxed);
        Ok(true)
    }
}

/// The rows as CSV; what is missing is empty.
fn write_table(batch: &RecordBatch, format: Format, text: &mut Vec<u8>) -> Result<(), ArrowError> {
    let columns: Vec<ArrayRef> = batch
        .columns()
        .iter()
        .map(|column| as_written(column, format))
        .collect::<Result<_, _>>()?;
    let options = FormatOptions::new();
    let columns: Vec<ArrayFormatter<'_>> = columns
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options))
        .collect::<Result<_, _>>()?;
    let mut writer = csv::Writer::from_writer(text);
    let failed = |error: csv::Error| ArrowError::CsvError(error.to_string());
    let mut field = String::new();
    for row in 0..batch.num_rows() {
        for column in &columns {
            field.clear();
            column.value(row).write(&mut field)?;
            writer.write_field(&field).map_err(failed)?;
        }
        writer.write_record(None::<&[u8]>).map_err(failed)?;
    }
    writer.flush()?;
    Ok(())
}

/// The column as the format's own files write it: texts that nobody declared as such (a writer
/// without logical types) as text, and times of our own schema in milliseconds.
fn as_written(column: &ArrayRef, format: Format) -> Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            cast(column, &DataType::Utf8)
        }
        DataType::Timestamp(_, zone) if format == Format::Events => {
            let milliseconds = DataType::Timestamp(TimeUnit::Millisecond, zone.clone());
            cast(&cast(column, &milliseconds)?, &DataType::Int64)
        }
        _ => Ok(Arc::clone(column)),
    }
}

fn damaged(error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!(
        "the Parquet data cannot be read as rows ({error}); fetch the file again, or export it as JSON lines"
    ))
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.text.read(buffer)?;
            if count > 0 || buffer.is_empty() || !self.refill()? {
                return Ok(count);
            }
        }
    }
}
