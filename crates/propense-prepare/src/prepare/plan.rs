//! What is settled before the work begins.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::clean::Options;
use crate::load::hex;
use crate::work::Fingerprint;
use crate::{PrepareError, Request};

/// Refuses an input that the run would write over.
pub(super) fn apart(file: &Path, out: &Path) -> Result<(), PrepareError> {
    let real = |path: &Path| fs::canonicalize(path).map_err(PrepareError::io(path));
    let parent = real(file)?.parent().map(Path::to_owned);
    if parent == Some(real(out)?) {
        return Err(PrepareError::Unreadable {
            path: file.to_owned(),
            reason: "the input lies in the output folder, where it could be written over; choose another output folder"
                .to_owned(),
        });
    }
    Ok(())
}

/// More buckets than this would need more open files than systems allow.
pub(super) const MOST_BITS: u32 = 8;

/// How many buckets, as a power of two: so many that the lines of one take a sixteenth of the
/// memory: smaller ones sort faster, and far larger ones still fit.
pub(super) fn bits(
    files: &[PathBuf],
    inputs: &[Fingerprint],
    memory: usize,
) -> Result<u32, PrepareError> {
    let mut staged = 0u64;
    for (file, input) in files.iter().zip(inputs) {
        // Measured on the data sets of the README: a byte of CSV becomes about three of staged
        // lines, and texts of events shrink to a quarter when compressed.
        let mut start = [0; 4];
        let count = File::open(file)
            .and_then(|mut file| io::Read::read(&mut file, &mut start))
            .map_err(PrepareError::io(file))?;
        let growth = match start.get(..count) {
            Some([0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd] | b"PAR1") => 12,
            _ => 3,
        };
        staged = staged.saturating_add(input.size.saturating_mul(growth));
    }
    let buckets = staged.div_ceil((memory as u64 / 16).max(1)).max(1);
    Ok(buckets.next_power_of_two().ilog2().min(MOST_BITS))
}

/// Everything asked for on which the result depends, as a hash.
pub(super) fn options(request: &Request) -> String {
    let cleaning = Options {
        latest: None,
        ..request.cleaning.clone()
    };
    let text = format!(
        "{:?} {:?} {:?} {cleaning:?} {:?} {}",
        request.format, request.mappings, request.encoding, request.sides, request.memory,
    );
    hex(&Sha256::digest(text))
}
