//! Events from a Redis stream.
//!
//! Where the reading stands is stored in the transaction that stores the events, not in Redis: after
//! a kill it goes on exactly after the last event that is on disk. No consumer group is needed for
//! that; a second service on the same database and stream would find itself overtaken, and reads on
//! from where the first one is.

use std::sync::Arc;
use std::time::Duration;

use redis::streams::{StreamId, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, AsyncConnectionConfig, Client, RedisError};
use tokio::sync::watch;

use crate::intake::{Taken, bounds};
use crate::metrics::Metrics;
use crate::queue::{NotStored, Queue};
use crate::store::{Appended, Batch, Progress, Store};
use crate::{ServeError, clock};

/// Entries read at a time.
const COUNT: usize = 500;
/// How long a read waits for the next entry, in milliseconds.
const BLOCK_MS: usize = 1000;
/// The field of an entry that holds the event.
const FIELD: &str = "event";

/// Where the stream is.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    client: Client,
    name: String,
}

impl Source {
    /// From `redis://[:PASSWORD@]HOST[:PORT][/DATABASE]/STREAM`.
    pub(crate) fn parse(address: &str) -> Result<Self, ServeError> {
        let invalid = |what: &str| ServeError::StreamAddress(what.to_owned());
        let rest = address.strip_prefix("redis://");
        let (server, name) = rest
            .and_then(|rest| rest.rsplit_once('/'))
            .filter(|(server, name)| !server.is_empty() && !name.is_empty())
            .ok_or_else(|| invalid("no address of a stream"))?;
        let client = Client::open(format!("redis://{server}"));
        Ok(Self {
            client: client.map_err(|error| invalid(&error.to_string()))?,
            name: name.to_owned(),
        })
    }
}

/// Why the reading begins anew.
enum Broken {
    Redis(RedisError),
    Store(ServeError),
    NotStored,
}

/// Reads until it is told to stop. What is not reachable is tried again.
pub(crate) async fn consume(
    source: Source,
    store: Arc<Store>,
    queue: Queue,
    metrics: Arc<Metrics>,
    mut stop: watch::Receiver<bool>,
) {
    let mut wait = Duration::from_millis(200);
    while !*stop.borrow() {
        let reading = read(&source, &store, &queue, &metrics, &mut wait);
        let broken = tokio::select! {
            // What is in the queue by then is still stored, position and all.
            _ = stop.wait_for(|stop| *stop) => return,
            broken = reading => broken,
        };
        let stream = source.name.as_str();
        match broken {
            Broken::Redis(error) => tracing::warn!(%error, stream, "the stream cannot be read"),
            Broken::Store(error) => {
                tracing::warn!(%error, stream, "the stream's position cannot be read");
            }
            Broken::NotStored => tracing::warn!(stream, "events of the stream are not stored yet"),
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = (wait * 2).min(Duration::from_secs(15));
    }
}

/// Reads until something breaks.
async fn read(
    source: &Source,
    store: &Store,
    queue: &Queue,
    metrics: &Metrics,
    wait: &mut Duration,
) -> Broken {
    let patience = Duration::from_millis(BLOCK_MS as u64 + 5000);
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(patience));
    let connection = source
        .client
        .get_multiplexed_async_connection_with_config(&config)
        .await;
    let mut connection = match connection {
        Ok(connection) => connection,
        Err(error) => return Broken::Redis(error),
    };
    let options = StreamReadOptions::default().count(COUNT).block(BLOCK_MS);
    loop {
        let from = match store.stream_entry(&source.name).await {
            Ok(from) => from,
            Err(error) => return Broken::Store(error),
        };
        let after = if from.is_empty() { "0" } else { from.as_str() };
        let reply: Result<Option<StreamReadReply>, RedisError> = connection
            .xread_options(&[source.name.as_str()], &[after], &options)
            .await;
        let entries: Vec<StreamId> = match reply {
            Ok(Some(reply)) => reply.keys.into_iter().flat_map(|key| key.ids).collect(),
            Ok(None) => continue,
            Err(error) => return Broken::Redis(error),
        };
        let Some(last) = entries.last() else { continue };
        let progress = Progress {
            stream: source.name.clone(),
            from,
            to: last.id.clone(),
        };
        let taken = take(&entries);
        let batch = batch(&taken, progress);
        *wait = Duration::from_millis(200);
        loop {
            match queue.store(batch.clone()).await {
                Ok(Appended::New) => {
                    metrics.events("stream", "accepted", taken.events.len());
                    metrics.events("stream", "rejected", taken.rejected);
                    break;
                }
                Ok(_) => {
                    tracing::info!(
                        stream = source.name,
                        "another service reads this stream, too"
                    );
                    break;
                }
                // Back-pressure: the stream keeps what waits.
                Err(NotStored::Full) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(NotStored::Failed) => return Broken::NotStored,
            }
        }
    }
}

fn take(entries: &[StreamId]) -> Taken {
    let bounds = bounds();
    let mut taken = Taken::default();
    for (entry, row) in entries.iter().zip(1..) {
        let json: Option<String> = entry.get(FIELD);
        let before = taken.rejected;
        taken.add(json.as_deref().unwrap_or_default(), row, &bounds);
        if taken.rejected > before {
            let problem = taken.problems.last().map(ToString::to_string);
            let problem = problem.unwrap_or_default();
            tracing::warn!(
                entry = entry.id,
                problem,
                "an entry of the stream holds no event"
            );
        }
    }
    taken
}

fn batch(taken: &Taken, progress: Progress) -> Batch {
    Batch {
        bodies: taken.bodies(),
        received_ms: clock::now_ms(),
        progress: Some(progress),
        ..Batch::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_streams() {
        let check = |address: &str, expected: Option<&str>| {
            let name = Source::parse(address).ok().map(|source| source.name);
            assert_eq!(name.as_deref(), expected, "{address}");
        };
        check("redis://localhost/shop", Some("shop"));
        check("redis://:secret@localhost:6380/3/shop", Some("shop"));
        check("redis://localhost", None);
        check("redis:///shop", None);
        check("redis://localhost/", None);
        check("nats://localhost/shop", None);
    }
}
