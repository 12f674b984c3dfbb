//! Work that no request may wait behind.

use crate::ServeError;

/// Does work that takes a while, or waits for the disk, where no request waits for it.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ServeError> + Send + 'static,
) -> Result<T, ServeError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(ServeError::Worker(error.to_string())))
}
