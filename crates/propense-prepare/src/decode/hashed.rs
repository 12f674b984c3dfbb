//! A hash over the bytes of files, taken while they are read for another reason.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::PrepareError;
use crate::load::hex;

/// A SHA-256 that several readers, one after the other, add to.
#[derive(Clone, Default)]
pub(crate) struct SharedHash(Arc<Mutex<Sha256>>);

impl SharedHash {
    pub(super) fn add(&self, bytes: &[u8]) {
        let mut hash = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hash.update(bytes);
    }

    /// Adds what is left of a file.
    pub(crate) fn take(&self, mut rest: File, path: &Path) -> Result<(), PrepareError> {
        let mut buffer = vec![0; 1 << 18];
        loop {
            match rest.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.add(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(PrepareError::io(path)(error)),
            }
        }
    }

    /// The hash in hexadecimal.
    pub(crate) fn hex(&self) -> String {
        let hash = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hex(&hash.clone().finalize())
    }
}
