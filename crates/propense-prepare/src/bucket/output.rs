//! Writing the finished lines of a bucket as Parquet.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, DictionaryArray, Int8Array, RecordBatch, StringArray, new_null_array,
};
use arrow::datatypes::{Int8Type, SchemaRef, UInt8Type};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use propense_events::EventKind;

use crate::PrepareError;
use crate::report::Measure;
use crate::table::{Column, OFFSET, output_schema};

/// The columns that cleaning adds to the lines that stay.
pub(super) struct Sessions {
    pub(super) session_id: ArrayRef,
    pub(super) event_no: ArrayRef,
}

/// Writes one bucket. The file lies under a draft name until it is whole.
pub(super) struct Output {
    writer: ArrowWriter<BufWriter<File>>,
    measure: Option<Measure>,
    schema: SchemaRef,
    names: ArrayRef,
    path: PathBuf,
    draft: PathBuf,
}

impl Output {
    pub(super) fn create(
        path: &Path,
        utc_offset_minutes: i32,
        measure: Option<Measure>,
    ) -> Result<Self, PrepareError> {
        let draft = path.with_extension("draft");
        let file = File::create(&draft).map_err(PrepareError::io(&draft))?;
        let schema = output_schema();
        let writer = ArrowWriter::try_new(
            BufWriter::with_capacity(1 << 18, file),
            Arc::clone(&schema),
            Some(properties(utc_offset_minutes)?),
        )
        .map_err(PrepareError::engine(draft.display()))?;
        Ok(Self {
            writer,
            measure,
            schema,
            names: Arc::new(StringArray::from_iter_values(
                EventKind::ALL.iter().map(|kind| kind.name()),
            )),
            path: path.to_owned(),
            draft,
        })
    }

    /// Writes lines with their sessions.
    pub(super) fn write(
        &mut self,
        lines: &RecordBatch,
        sessions: Sessions,
    ) -> Result<(), PrepareError> {
        let batch = self
            .finished(lines, sessions)
            .map_err(PrepareError::engine(self.draft.display()))?;
        if let Some(measure) = &mut self.measure {
            measure
                .push(&batch)
                .map_err(PrepareError::engine(self.draft.display()))?;
        }
        self.writer
            .write(&batch)
            .map_err(PrepareError::engine(self.draft.display()))
    }

    /// The lines in the written table's columns.
    fn finished(&self, lines: &RecordBatch, sessions: Sessions) -> Result<RecordBatch, ArrowError> {
        let Sessions {
            session_id,
            event_no,
        } = sessions;
        let columns = self
            .schema
            .fields()
            .iter()
            .map(|field| {
                let found = lines.column_by_name(field.name());
                Ok(match (Column::from_name(field.name()), found) {
                    (Some(Column::SessionId), _) => Arc::clone(&session_id),
                    (Some(Column::EventNo), _) => Arc::clone(&event_no),
                    (Some(Column::Event), Some(found)) => self.event_names(found)?,
                    (_, Some(found)) => Arc::clone(found),
                    (_, None) => new_null_array(field.data_type(), lines.num_rows()),
                })
            })
            .collect::<Result<Vec<_>, ArrowError>>()?;
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }

    fn event_names(&self, codes: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        let codes = codes.as_primitive::<UInt8Type>();
        let keys: Int8Array = codes.unary(|code| i8::try_from(code).unwrap_or_default());
        let names = DictionaryArray::<Int8Type>::try_new(keys, Arc::clone(&self.names))?;
        Ok(Arc::new(names))
    }

    /// Closes the file and gives it its name; returns the figures of what was written.
    pub(super) fn finish(self) -> Result<Option<Measure>, PrepareError> {
        let mut out = self
            .writer
            .into_inner()
            .map_err(PrepareError::engine(self.draft.display()))?;
        std::io::Write::flush(&mut out).map_err(PrepareError::io(&self.draft))?;
        drop(out);
        std::fs::rename(&self.draft, &self.path).map_err(PrepareError::io(&self.path))?;
        Ok(self.measure)
    }
}

/// How the table is written: zstd at its quickest level, dictionaries for what repeats, and
/// differences for what counts up.
pub(crate) fn properties(utc_offset_minutes: i32) -> Result<WriterProperties, PrepareError> {
    let zstd = ZstdLevel::try_new(1).map_err(PrepareError::engine("zstd"))?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(zstd))
        .set_created_by(concat!("propense ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new(
            OFFSET.to_owned(),
            utc_offset_minutes.to_string(),
        )]));
    let counting = [
        Column::Timestamp,
        Column::EventNo,
        Column::Source,
        Column::Row,
    ];
    for column in counting {
        let path = ColumnPath::from(column.name());
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    // A session's name begins as the one before it, and a visitor's is most often the same.
    for column in [Column::SessionId, Column::UserId, Column::AnonymousId] {
        let path = ColumnPath::from(column.name());
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BYTE_ARRAY);
    }
    // The least and the greatest identifier, place or row of a page help nobody, and cost two
    // comparisons a line.
    let unordered = [Column::EventNo, Column::Source, Column::Row];
    for column in Column::TEXTS.into_iter().chain(unordered) {
        properties = properties.set_column_statistics_enabled(
            ColumnPath::from(column.name()),
            EnabledStatistics::None,
        );
    }
    Ok(properties.build())
}
