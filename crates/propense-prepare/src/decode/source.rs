//! Readers laid over a file: one counts its bytes, one says what damage means.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Text;

/// Counts the bytes that were read.
pub(super) struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    pub(super) fn new(inner: R, read: Arc<AtomicU64>) -> Self {
        Self { inner, read }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
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
