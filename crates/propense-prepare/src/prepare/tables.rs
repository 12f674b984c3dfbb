//! The finished buckets as one table: their row groups are copied as they are.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use crate::PrepareError;
use crate::catalogue::Catalogue;

/// Lines in one file of the finished table, about.
const LINES: i64 = 32_000_000;

/// The names of the finished table's files, and the draft each is made from.
pub(super) struct Joined {
    pub(super) drafts: Vec<PathBuf>,
    pub(super) names: Vec<String>,
}

/// Joins `buckets` into files in `folder`.
pub(super) fn join(
    buckets: &[PathBuf],
    folder: &Path,
    properties: &WriterProperties,
) -> Result<Joined, PrepareError> {
    fs::create_dir_all(folder).map_err(PrepareError::io(folder))?;
    let mut drafts = Vec::new();
    let mut open: Option<(Writer, i64)> = None;
    for bucket in buckets {
        let file = File::open(bucket).map_err(PrepareError::io(bucket))?;
        let metadata = ParquetMetaDataReader::new()
            .parse_and_finish(&file)
            .map_err(PrepareError::engine(bucket.display()))?;
        let lines = metadata.file_metadata().num_rows();
        let full = open
            .as_ref()
            .is_some_and(|(_, before)| *before > 0 && *before + lines > LINES);
        if full && let Some((writer, _)) = open.take() {
            close(writer)?;
        }
        let (writer, before) = match &mut open {
            Some(open) => open,
            None => {
                let draft = folder.join(format!("{:03}.parquet", drafts.len()));
                let writer = Writer::create(&draft, &metadata, properties)?;
                drafts.push(draft);
                open.insert((writer, 0))
            }
        };
        copy(&file, &metadata, writer).map_err(PrepareError::engine(bucket.display()))?;
        *before += lines;
    }
    if let Some((writer, _)) = open {
        close(writer)?;
    }
    let names = match drafts.len() {
        1 => vec!["events.parquet".to_owned()],
        count => (0..count)
            .map(|number| format!("events-{number:03}.parquet"))
            .collect(),
    };
    Ok(Joined { drafts, names })
}

/// Writes the catalogue as it was used.
pub(super) fn write_items(path: &Path, catalogue: &Catalogue) -> Result<(), PrepareError> {
    let failed = PrepareError::engine::<ParquetError>;
    let batch = catalogue
        .to_batch()
        .map_err(PrepareError::engine(path.display()))?;
    let zstd = ZstdLevel::try_new(1).map_err(failed(path.display()))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(zstd))
        .build();
    let file = File::create(path).map_err(PrepareError::io(path))?;
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties))
        .map_err(failed(path.display()))?;
    writer.write(&batch).map_err(failed(path.display()))?;
    writer.close().map_err(failed(path.display()))?;
    Ok(())
}

struct Writer {
    file: SerializedFileWriter<BufWriter<File>>,
    path: PathBuf,
}

impl Writer {
    fn create(
        path: &Path,
        like: &ParquetMetaData,
        properties: &WriterProperties,
    ) -> Result<Self, PrepareError> {
        let file = File::create(path).map_err(PrepareError::io(path))?;
        let schema = like.file_metadata().schema_descr().root_schema_ptr();
        // With the Arrow schema that the buckets carry, so that a reader gets the same types.
        let pairs = like.file_metadata().key_value_metadata().cloned();
        let properties = properties
            .clone()
            .into_builder()
            .set_key_value_metadata(pairs)
            .build();
        let file = SerializedFileWriter::new(
            BufWriter::with_capacity(1 << 18, file),
            schema,
            Arc::new(properties),
        )
        .map_err(PrepareError::engine(path.display()))?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }
}

fn close(writer: Writer) -> Result<(), PrepareError> {
    let path = writer.path;
    let mut out = writer
        .file
        .into_inner()
        .map_err(PrepareError::engine(path.display()))?;
    std::io::Write::flush(&mut out).map_err(PrepareError::io(&path))
}

/// Copies every row group without decoding it.
fn copy(file: &File, metadata: &ParquetMetaData, writer: &mut Writer) -> Result<(), ParquetError> {
    for group in metadata.row_groups() {
        let mut out = writer.file.next_row_group()?;
        for column in group.columns() {
            let result = ColumnCloseResult {
                bytes_written: u64::try_from(column.compressed_size()).unwrap_or_default(),
                rows_written: u64::try_from(group.num_rows()).unwrap_or_default(),
                metadata: column.clone(),
                bloom_filter: None,
                column_index: None,
                offset_index: None,
            };
            out.append_column(file, result)?;
        }
        out.close()?;
    }
    Ok(())
}
