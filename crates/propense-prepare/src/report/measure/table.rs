//! Measuring a table that lies on disk.

use std::fs::File;
use std::path::Path;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;

use super::Measure;
use crate::PrepareError;

/// Takes the figures of a written table, `path`, into `measure`.
///
/// # Errors
/// The file cannot be read, or is not an event table.
pub fn measure_table(path: &Path, measure: &mut Measure) -> Result<(), PrepareError> {
    let file = File::open(path).map_err(PrepareError::io(path))?;
    let failed = PrepareError::engine::<ParquetError>;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(failed(path.display()))?
        .with_batch_size(8192)
        .build()
        .map_err(failed(path.display()))?;
    for batch in reader {
        let batch = batch.map_err(PrepareError::engine(path.display()))?;
        measure
            .push(&batch)
            .map_err(PrepareError::engine(path.display()))?;
    }
    Ok(())
}
