//! What stands in a written table: its columns, its figures and its first events, in one pass and
//! in bounded memory.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{cast, max, min};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use propense_events::Event;

use super::{EventTable, is_event_table};
use crate::PrepareError;
use crate::decode::is_parquet;
use crate::load::files_of;
use crate::report::{DataReport, Intake, Measure};

/// A table as it lies on disk.
#[derive(Debug, Clone)]
pub struct Overview {
    /// Its files.
    pub files: Vec<PathBuf>,
    /// The columns, in order.
    pub columns: Vec<ColumnOverview>,
    /// The first events.
    pub head: Vec<Event>,
    /// The figures of `report.json`, without the accounts of the preparation.
    pub figures: DataReport,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnOverview {
    /// Its name.
    pub name: String,
    /// Its type, in Arrow's words.
    pub data_type: String,
    /// Lines without a value.
    pub missing: u64,
    /// The least and the greatest value of a column of numbers; of times in milliseconds since 1970.
    pub range: Option<(f64, f64)>,
}

/// Looks at a table, or at all files of one in a folder; `None` where a file is something else.
/// The first `events` are shown.
///
/// # Errors
/// A file cannot be read, or is damaged.
pub fn overview(path: &Path, events: usize) -> Result<Option<Overview>, PrepareError> {
    let files = files_of(path)?;
    let mut found = Overview {
        files: files.clone(),
        columns: Vec::new(),
        head: Vec::new(),
        figures: DataReport::default(),
    };
    let mut measure: Option<Measure> = None;
    for path in &files {
        let file = File::open(path).map_err(PrepareError::io(path))?;
        if !is_parquet(&file, path)? {
            return Ok(None);
        }
        let failed = PrepareError::engine::<ParquetError>;
        let copy = file.try_clone().map_err(PrepareError::io(path))?;
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed(path.display()))?;
        if !is_event_table(builder.schema()) {
            return Ok(None);
        }
        let table = EventTable::open(copy, path)?;
        let offset = table.utc_offset_minutes();
        let room = events.saturating_sub(found.head.len());
        for read in table.take(room) {
            found.head.push(read?.event);
        }
        if found.columns.is_empty() {
            let fields = builder.schema().fields().iter();
            found.columns = fields
                .map(|field| ColumnOverview {
                    name: field.name().clone(),
                    data_type: field.data_type().to_string(),
                    missing: 0,
                    range: None,
                })
                .collect();
        }
        let measure = measure.get_or_insert_with(|| Measure::new(&[offset]));
        let reader = builder.build().map_err(failed(path.display()))?;
        for batch in reader {
            let batch = batch.map_err(PrepareError::engine(path.display()))?;
            for column in &mut found.columns {
                if let Some(array) = batch.column_by_name(&column.name) {
                    column.add(array);
                }
            }
            measure
                .push(&batch)
                .map_err(PrepareError::engine(path.display()))?;
        }
    }
    found.figures = match measure {
        Some(measure) => measure.report(Intake::default()),
        None => return Ok(None),
    };
    Ok(Some(found))
}

impl ColumnOverview {
    fn add(&mut self, array: &ArrayRef) {
        self.missing += array.null_count() as u64;
        let Some((least, greatest)) = range(array) else {
            return;
        };
        self.range = Some(match self.range {
            None => (least, greatest),
            Some(before) => (before.0.min(least), before.1.max(greatest)),
        });
    }
}

/// The least and the greatest value of numbers or times.
fn range(array: &ArrayRef) -> Option<(f64, f64)> {
    match array.data_type() {
        DataType::Float64 => {
            let numbers = array.as_primitive_opt::<Float64Type>()?;
            min(numbers).zip(max(numbers))
        }
        kind if kind.is_integer() || matches!(kind, DataType::Timestamp(..)) => {
            let numbers = cast(array, &DataType::Int64).ok()?;
            let numbers = numbers.as_primitive_opt::<Int64Type>()?;
            let (least, greatest) = min(numbers).zip(max(numbers))?;
            Some((least as f64, greatest as f64))
        }
        _ => None,
    }
}
