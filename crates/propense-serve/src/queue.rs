//! Many requests, one transaction: what arrives while a commit is under way goes into the next.
//!
//! A commit waits for the disk, whatever its size. So the writer takes everything that has
//! gathered, commits once, then tells all of them. The queue is bounded by events, not by requests;
//! where it is full, a request is told at once to come again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::clock;
use crate::metrics::Metrics;
use crate::store::{Appended, Batch, Store};

/// Batches in one transaction: below what a statement's parameters allow.
const MOST_BATCHES: usize = 1000;
/// Events in one transaction, so that the first does not wait for ever for the last.
const MOST_EVENTS: usize = 20_000;
/// How long the key of a batch is remembered.
const KEYS_KEPT_MS: i64 = 30 * 24 * 3600 * 1000;

/// Why a batch was not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotStored {
    /// The queue is full.
    Full,
    /// The database did not take it. The log says why.
    Failed,
}

struct Waiting {
    batch: Batch,
    told: oneshot::Sender<Result<Appended, NotStored>>,
    room: OwnedSemaphorePermit,
}

/// The way to the writer.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    sender: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    size: usize,
    metrics: Arc<Metrics>,
}

impl Queue {
    /// Starts the writer, which ends when the last clone of the queue is gone and everything in it
    /// is written.
    pub(crate) fn start(
        store: Arc<Store>,
        size: usize,
        metrics: Arc<Metrics>,
    ) -> (Self, JoinHandle<()>) {
        // A batch holds room for at least one event, so that the channel is never what is full.
        let (sender, receiver) = mpsc::channel(size.max(1));
        let queue = Self {
            sender,
            room: Arc::new(Semaphore::new(size)),
            size,
            metrics: Arc::clone(&metrics),
        };
        let room = Arc::clone(&queue.room);
        let writer = tokio::spawn(write(store, receiver, room, size, metrics));
        (queue, writer)
    }

    /// Stores a batch. It is on disk when this returns it as [`Appended`].
    pub(crate) async fn store(&self, batch: Batch) -> Result<Appended, NotStored> {
        let weight = u32::try_from(batch.bodies.len().max(1)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(weight);
        let room = room.map_err(|_| NotStored::Full)?;
        self.metrics
            .queued(self.size, self.room.available_permits());
        let (told, answer) = oneshot::channel();
        let waiting = Waiting { batch, told, room };
        self.sender.try_send(waiting).map_err(|_| NotStored::Full)?;
        answer.await.unwrap_or(Err(NotStored::Failed))
    }
}

async fn write(
    store: Arc<Store>,
    mut receiver: mpsc::Receiver<Waiting>,
    room: Arc<Semaphore>,
    size: usize,
    metrics: Arc<Metrics>,
) {
    let mut forgotten_ms = 0;
    while let Some(first) = receiver.recv().await {
        let mut events = first.batch.bodies.len();
        let mut batches = vec![first.batch];
        let mut told = vec![(first.told, first.room)];
        while batches.len() < MOST_BATCHES && events < MOST_EVENTS {
            let Ok(next) = receiver.try_recv() else { break };
            events += next.batch.bodies.len();
            batches.push(next.batch);
            told.push((next.told, next.room));
        }
        let answers = match store.append(&batches).await {
            Ok(appended) => {
                metrics.committed(batches.len());
                appended.into_iter().map(Ok).collect()
            }
            Err(error) => {
                tracing::error!(%error, batches = batches.len(), "events could not be stored");
                // A disk that is full does not empty itself within a millisecond.
                tokio::time::sleep(Duration::from_millis(100)).await;
                vec![Err(NotStored::Failed); batches.len()]
            }
        };
        for ((told, room), answer) in told.into_iter().zip(answers) {
            drop(room);
            // Whoever asked may have gone; what is stored stays stored.
            let _ = told.send(answer);
        }
        metrics.queued(size, room.available_permits());
        let now = clock::now_ms();
        if now - forgotten_ms > 3_600_000 {
            forgotten_ms = now;
            if let Err(error) = store.forget_keys(now - KEYS_KEPT_MS).await {
                tracing::warn!(%error, "old keys of batches are still there");
            }
        }
    }
}
