//! How many CPU threads are used.

use crate::TrainError;

/// Limits the CPU backend to this many threads. To be called before anything is computed.
///
/// # Errors
///
/// Where the number is 0, or threads were started before.
pub fn use_threads(threads: usize) -> Result<(), TrainError> {
    let wrong = |reason: String| TrainError::Option {
        option: "--threads",
        reason,
    };
    if threads == 0 {
        return Err(wrong("at least 1".to_owned()));
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|error| wrong(error.to_string()))
}
