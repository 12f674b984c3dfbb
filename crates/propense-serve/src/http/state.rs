//! What the routes share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use tokio::sync::Semaphore;

use super::{Guard, ManifestCache};
use crate::blocking::blocking;
use crate::error::Refusal;
use crate::files::Files;
use crate::gathering::Gatherer;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::scoring::Scorer;
use crate::store::Store;
use crate::{Limits, ServeError};

/// Bundles kept in memory: those of a roll-out, and those of the one before.
const KEPT: usize = 4;

/// The service, as the routes see it.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Arc<Store>,
    pub(crate) files: Arc<Files>,
    pub(crate) queue: Queue,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) guard: Guard,
    pub(crate) limits: Limits,
    pub(crate) static_dir: Option<PathBuf>,
    pub(crate) bytes: Kept<Bytes>,
    pub(crate) scorers: Kept<Arc<Scorer>>,
    pub(crate) manifest: ManifestCache,
    /// None where no contributions are taken.
    pub(crate) gatherer: Option<Gatherer>,
    /// Scoring is arithmetic: more at a time than there are cores only wait for each other.
    pub(crate) scoring: Arc<Semaphore>,
    pub(crate) stopping: AtomicBool,
}

impl App {
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// A published bundle's bytes.
    pub(crate) async fn bundle_bytes(&self, sha256: &str) -> Result<Bytes, ServeError> {
        if let Some(bytes) = self.bytes.get(sha256) {
            return Ok(bytes);
        }
        let (files, name) = (Arc::clone(&self.files), sha256.to_owned());
        let bytes = Bytes::from(blocking(move || files.read(&name)).await?);
        self.bytes.put(sha256, bytes.clone());
        Ok(bytes)
    }

    /// A published bundle, ready to score.
    pub(crate) async fn scorer(&self, sha256: &str) -> Result<Arc<Scorer>, ServeError> {
        if let Some(scorer) = self.scorers.get(sha256) {
            return Ok(scorer);
        }
        let bytes = self.bundle_bytes(sha256).await?;
        let bundle = propense_model::Bundle::from_bytes(&bytes)?;
        let scorer = Arc::new(Scorer::new(bundle)?);
        self.scorers.put(sha256, Arc::clone(&scorer));
        Ok(scorer)
    }

    /// A request's body, of at most so many bytes, from a client that sends it in time.
    pub(crate) async fn body(&self, request: Request, most: usize) -> Result<Bytes, Refusal> {
        let body = axum::body::to_bytes(request.into_body(), most);
        match tokio::time::timeout(self.limits.transfer, body).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) if is_too_long(&error) => {
                let message = format!("the body is longer than {most} bytes; send smaller batches");
                Err(Refusal::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "TOO_LARGE",
                    message,
                ))
            }
            Ok(Err(error)) => {
                let message = format!("the body broke off: {error}");
                Err(Refusal::new(StatusCode::BAD_REQUEST, "BODY", message))
            }
            Err(_) => {
                let message = "the body did not arrive in time; send it faster, or less at a time";
                Err(Refusal::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "TIMEOUT",
                    message,
                ))
            }
        }
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit exceeded") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The few last used things by the checksum of their bundle.
#[derive(Debug)]
pub(crate) struct Kept<T>(Mutex<Vec<(String, T)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<T: Clone> Kept<T> {
    fn get(&self, sha256: &str) -> Option<T> {
        let mut kept = self.0.lock().ok()?;
        let place = kept.iter().position(|(known, _)| known == sha256)?;
        kept.get_mut(..=place)?.rotate_right(1);
        kept.first().map(|(_, thing)| thing.clone())
    }

    /// Two may make the same at once: the second is dropped.
    fn put(&self, sha256: &str, thing: T) {
        if let Ok(mut kept) = self.0.lock()
            && !kept.iter().any(|(known, _)| known == sha256)
        {
            kept.insert(0, (sha256.to_owned(), thing));
            kept.truncate(KEPT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_used_are_kept() {
        let kept = Kept::default();
        for name in ["a", "b", "c", "d"] {
            kept.put(name, name.to_owned());
        }
        assert_eq!(kept.get("a").as_deref(), Some("a"));
        kept.put("e", "e".to_owned());
        let there = ["a", "b", "c", "d", "e"].map(|name| kept.get(name).is_some());
        assert_eq!(there, [true, false, true, true, true]);
    }
}
