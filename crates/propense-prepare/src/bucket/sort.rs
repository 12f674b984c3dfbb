//! Sorting a bucket with DataFusion's sort operator, which spills to disk when memory is short.
//!
//! Why this engine: it is the one external merge sort over Arrow batches that can be had as a
//! library without a query language, its memory pool is a hard bound, and its spill files are
//! Arrow IPC. Polars would bring its own memory format and its own Parquet, and its sort cannot be
//! given a memory bound.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion_common::DataFusionError;
use datafusion_execution::config::SessionConfig;
use datafusion_execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion_execution::memory_pool::GreedyMemoryPool;
use datafusion_execution::runtime_env::RuntimeEnvBuilder;
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_physical_expr::expressions::col;
use datafusion_physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion_physical_plan::ExecutionPlan;
use datafusion_physical_plan::sorts::sort::SortExec;
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use datafusion_physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::StreamExt;

use crate::PrepareError;
use crate::stitch::Stitching;
use crate::table::{Column, widen};

/// Lines in one sorted batch. The merge of spilled runs holds a batch of each run.
const LINES: usize = 16 * 1024;

/// The sort is done in one piece below this size (the pool counts a batch twice): Arrow's texts
/// can hold two gigabytes in one batch.
const ONE_PIECE: usize = 2 << 30;

/// Sorts the lines of staged parts by [`Column::Key`] and hands them on, batch by batch. Returns
/// the bytes that were spilled.
pub(super) fn sorted(
    staged: Staged,
    memory: usize,
    spill: &Path,
    each: &mut dyn FnMut(RecordBatch) -> Result<(), PrepareError>,
) -> Result<u64, PrepareError> {
    let failed = PrepareError::engine::<DataFusionError>;
    let plan = plan(staged).map_err(failed("sorting"))?;
    let context = context(memory, spill).map_err(failed("sorting"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(PrepareError::engine("sorting"))?;
    runtime.block_on(async {
        let mut stream = plan.execute(0, context).map_err(failed("sorting"))?;
        while let Some(batch) = stream.next().await {
            each(batch.map_err(failed("sorting"))?)?;
        }
        Ok::<_, PrepareError>(())
    })?;
    let spilled = plan
        .metrics()
        .and_then(|metrics| metrics.spilled_bytes())
        .unwrap_or_default();
    Ok(spilled as u64)
}

/// The sort over the parts.
fn plan(staged: Staged) -> Result<SortExec, DataFusionError> {
    let schema = Arc::clone(&staged.schema);
    let staged = Arc::new(staged);
    let input = StreamingTableExec::try_new(
        Arc::clone(&schema),
        vec![staged],
        None,
        std::iter::empty::<LexOrdering>(),
        false,
        None,
    )?;
    let by = PhysicalSortExpr::new_default(col(Column::Key.name(), &schema)?);
    Ok(SortExec::new([by].into(), Arc::new(input)))
}

/// The bounds under which it runs.
fn context(memory: usize, spill: &Path) -> Result<Arc<TaskContext>, DataFusionError> {
    let disk = DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::Directories(vec![spill.to_owned()]))
        // The work folder is bounded by the input, not by a number of ours.
        .with_max_temp_directory_size(u64::MAX);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(memory)))
        .with_disk_manager_builder(disk)
        .build_arc()?;
    let config = SessionConfig::new()
        .with_batch_size(LINES)
        .with_sort_in_place_threshold_bytes(memory.min(ONE_PIECE))
        .with_sort_spill_reservation_bytes(memory / 8);
    Ok(Arc::new(TaskContext::new(
        None,
        String::new(),
        config,
        Default::default(),
        Default::default(),
        Default::default(),
        Default::default(),
        runtime,
    )))
}

/// The staged parts of a bucket as a source of the engine.
pub(super) struct Staged {
    pub(super) parts: Vec<PathBuf>,
    /// The columns of the whole table.
    pub(super) schema: SchemaRef,
    /// Knows which lines have moved to their user's bucket, where any have.
    pub(super) stitching: Option<Arc<Stitching>>,
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} staged parts", self.parts.len())
    }
}

impl PartitionStream for Staged {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        let external = |error: PrepareError| DataFusionError::External(Box::new(error));
        let stitching = self.stitching.clone();
        let batches = self.parts.clone().into_iter().flat_map(move |part| {
            let (schema, stitching) = (Arc::clone(&schema), stitching.clone());
            let (reader, failed) = match crate::stage::read(&part) {
                Ok(reader) => (Some(reader), None),
                Err(error) => (None, Some(Err(external(error)))),
            };
            let batches = reader.into_iter().flatten().map(move |batch| {
                batch
                    .and_then(|batch| match &stitching {
                        Some(stitching) => crate::stage::staying(batch, stitching),
                        None => Ok(batch),
                    })
                    .and_then(|batch| widen(&batch, &schema))
                    .map_err(DataFusionError::from)
            });
            failed.into_iter().chain(batches)
        });
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            futures::stream::iter(batches),
        ))
    }
}
