//! Parquet, flat or nested, as JSON lines: so that one set of adapters reads both.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::json::LineDelimitedWriter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::Content;
use crate::PrepareError;
use crate::table::is_event_table;

/// Rows turned into text at a time: nested rows can be some kilobytes each.
const ROWS: usize = 1024;

/// Opens a Parquet file: our own table as it is, any other as JSON lines.
pub(super) fn open(
    file: File,
    path: &Path,
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
    let rows = builder.metadata().file_metadata().num_rows();
    let reader = builder.with_batch_size(ROWS).build().map_err(damaged)?;
    Ok(Content::Text(Box::new(JsonLines {
        reader,
        text: Cursor::default(),
        rows: u64::try_from(rows).unwrap_or_default().max(1),
        done: 0,
        size,
        read: Arc::clone(read),
    })))
}

struct JsonLines {
    reader: ParquetRecordBatchReader,
    text: Cursor<Vec<u8>>,
    rows: u64,
    done: u64,
    size: u64,
    read: Arc<AtomicU64>,
}

impl JsonLines {
    /// Turns the next rows into text; false at the end.
    fn refill(&mut self) -> io::Result<bool> {
        let Some(batch) = self.reader.next() else {
            return Ok(false);
        };
        let batch = batch.map_err(|error| damaged(&error))?;
        let mut text = std::mem::take(&mut self.text).into_inner();
        text.clear();
        let mut writer = LineDelimitedWriter::new(text);
        writer.write(&batch).map_err(|error| damaged(&error))?;
        writer.finish().map_err(|error| damaged(&error))?;
        self.text = Cursor::new(writer.into_inner());
        self.done += batch.num_rows() as u64;
        // The reader jumps about in the file, so progress is told by rows.
        let share = self.done as f64 / self.rows as f64 * self.size as f64;
        self.read.store(share as u64, Ordering::Relaxed);
        Ok(true)
    }
}

fn damaged(error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!(
        "the Parquet data cannot be read as rows ({error}); fetch the file again, or export it as JSON lines"
    ))
}

impl Read for JsonLines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.text.read(buffer)?;
            if count > 0 || buffer.is_empty() || !self.refill()? {
                return Ok(count);
            }
        }
    }
}
