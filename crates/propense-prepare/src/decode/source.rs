//! Readers laid over a file: one counts its bytes, one says what damage means.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{SharedHash, Text};

/// Counts the bytes that were read, and adds them to a hash where one is asked for.
pub(super) struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
    hash: Option<SharedHash>,
}

impl<R> Counted<R> {
    pub(super) fn new(inner: R, read: Arc<AtomicU64>, hash: Option<SharedHash>) -> Self {
        Self { inner, read, hash }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        if let Some(hash) = &self.hash {
            hash.add(buffer.get(..count).unwrap_or_default());
        }
        Ok(count)
    }
}

/// A decoder whose errors name the remedy.
pub(super) struct Layer<R> {
    inner: R,
    remedy: &'static str,
}

impl<R: Read + Send + 'static> Layer<R> {
    pub(super) fn boxed(inner: R, remedy: &'static str) -> Text {
        Box::new(Self { inner, remedy })
    }
}

impl<R: Read> Read for Layer<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                return error;
            }
            io::Error::new(error.kind(), format!("{} ({error})", self.remedy))
        })
    }
}
