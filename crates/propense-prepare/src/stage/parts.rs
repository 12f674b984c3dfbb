//! Staged lines on disk: Arrow IPC streams, one for each bucket.
//!
//! A stream's columns are fixed, but a column is carried on only once a value stands in it. So
//! when the first value of a column turns up, all streams of the input are closed and new ones
//! begun, with one column more.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use crate::PrepareError;
use crate::table::{ColumnSet, staged_schema, widen};

/// The streams of one input under construction.
pub(crate) struct Parts {
    folder: PathBuf,
    carried: ColumnSet,
    /// How often new streams were begun.
    round: usize,
    open: Vec<Option<StreamWriter<BufWriter<File>>>>,
    bytes: u64,
}

/// The name of a bucket's file.
fn name(bucket: usize, round: usize) -> String {
    format!("{bucket:05}-{round:02}.arrows")
}

impl Parts {
    /// Begins in an empty folder.
    pub(crate) fn create(folder: PathBuf, buckets: usize) -> Result<Self, PrepareError> {
        fs::create_dir_all(&folder).map_err(PrepareError::io(&folder))?;
        Ok(Self {
            folder,
            carried: ColumnSet::default(),
            round: 0,
            open: (0..buckets).map(|_| None).collect(),
            bytes: 0,
        })
    }

    /// Lays lines down.
    pub(crate) fn write(
        &mut self,
        bucket: usize,
        set: ColumnSet,
        lines: &RecordBatch,
    ) -> Result<(), PrepareError> {
        let all = self.carried.union(set);
        if all != self.carried {
            self.close()?;
            self.carried = all;
            self.round += 1;
        }
        let path = self.folder.join(name(bucket, self.round));
        let failed = || PrepareError::engine(path.display());
        let schema = staged_schema(self.carried);
        let Some(open) = self.open.get_mut(bucket) else {
            return Ok(());
        };
        let writer = match open {
            Some(writer) => writer,
            None => {
                let file = File::create_new(&path).map_err(PrepareError::io(&path))?;
                open.insert(
                    StreamWriter::try_new(BufWriter::with_capacity(1 << 16, file), &schema)
                        .map_err(failed())?,
                )
            }
        };
        let lines = widen(lines, &schema).map_err(failed())?;
        writer.write(&lines).map_err(failed())
    }

    /// Closes everything; returns the bytes written.
    pub(crate) fn finish(mut self) -> Result<u64, PrepareError> {
        self.close()?;
        Ok(self.bytes)
    }

    fn close(&mut self) -> Result<(), PrepareError> {
        for (bucket, open) in self.open.iter_mut().enumerate() {
            if let Some(writer) = open.take() {
                let path = self.folder.join(name(bucket, self.round));
                let mut out = writer
                    .into_inner()
                    .map_err(PrepareError::engine(path.display()))?;
                std::io::Write::flush(&mut out).map_err(PrepareError::io(&path))?;
                let file = out.get_ref();
                self.bytes += file.metadata().map_or(0, |metadata| metadata.len());
            }
        }
        Ok(())
    }
}

/// The files of a bucket in an input's folder, in the order in which they were written.
pub(crate) fn of_bucket(folder: &Path, bucket: usize) -> Result<Vec<PathBuf>, PrepareError> {
    let start = format!("{bucket:05}-");
    let mut files = all(folder)?;
    files.retain(|path| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(&start)
    });
    Ok(files)
}

/// The files of all buckets, in the order of their names.
pub(crate) fn all(folder: &Path) -> Result<Vec<PathBuf>, PrepareError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(PrepareError::io(folder))? {
        let path = entry.map_err(PrepareError::io(folder))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "arrows")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Opens a part.
pub(crate) fn read(path: &Path) -> Result<StreamReader<BufReader<File>>, PrepareError> {
    let file = File::open(path).map_err(PrepareError::io(path))?;
    StreamReader::try_new(BufReader::with_capacity(1 << 16, file), None)
        .map_err(PrepareError::engine(path.display()))
}
