//! Events, appended in batches and read back in their order.

use std::collections::{HashMap, HashSet};

use propense_events::Event;

use super::{Store, each, transaction};
use crate::ServeError;

/// Rows of one statement: two parameters each, below what either database allows.
const ROWS: usize = 1000;

/// Events that are to be stored together or not at all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    /// By which a repetition is recognised.
    pub(crate) key: Option<String>,
    /// SHA-256 of the body, in hexadecimal.
    pub(crate) digest: String,
    /// Each event as JSON.
    pub(crate) bodies: Vec<String>,
    /// What a repetition is answered.
    pub(crate) reply: String,
    /// When it arrived, in milliseconds since 1970.
    pub(crate) received_ms: i64,
    /// Which part of a stream it is.
    pub(crate) progress: Option<Progress>,
}

/// A reader's way through a stream: from after one entry up to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) stream: String,
    /// The last entry read before; empty where nothing has been read.
    pub(crate) from: String,
    pub(crate) to: String,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is stored.
    New,
    /// It was stored before, with this reply.
    Again(String),
    /// Another batch was stored under its key.
    KeyReused,
    /// Another reader has been through this part of the stream.
    Overtaken,
}

/// Stored events in the order of their arrival.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StoredEvents {
    /// The events.
    pub events: Vec<Event>,
    /// The position of the last of them, or the one asked from where there is none: where to read
    /// on, and what a bundle that has learnt from them is published with.
    pub up_to: i64,
}

impl Store {
    /// Stores these batches in one transaction. On return they are on disk; on an error, none is
    /// known to be.
    pub(crate) async fn append(&self, batches: &[Batch]) -> Result<Vec<Appended>, ServeError> {
        transaction!(self, tx => {
            // Locks the row: whoever comes later gets later positions.
            const LOCK: &str =
                "UPDATE marks SET value = value WHERE name = 'events' RETURNING value";
            let last: i64 = sqlx::query_scalar(LOCK).fetch_one(&mut *tx).await?;

            let mut new: HashSet<String> = HashSet::new();
            let keyed: Vec<&Batch> = batches.iter().filter(|batch| batch.key.is_some()).collect();
            // Each key once: within one statement PostgreSQL and SQLite differ over repetitions.
            let mut seen: HashMap<&str, &Batch> = HashMap::new();
            let first: Vec<&Batch> = keyed
                .iter()
                .filter(|batch| {
                    let key = batch.key.as_deref().unwrap_or_default();
                    let known = seen.contains_key(key);
                    seen.entry(key).or_insert(batch);
                    !known
                })
                .copied()
                .collect();
            for part in first.chunks(ROWS) {
                let insert = "INSERT INTO batches (batch_key, digest, reply, received_ms) ";
                let mut insert = sqlx::QueryBuilder::new(insert);
                insert.push_values(part, |mut row, batch| {
                    row.push_bind(batch.key.as_deref().unwrap_or_default());
                    row.push_bind(batch.digest.as_str());
                    row.push_bind(batch.reply.as_str());
                    row.push_bind(batch.received_ms);
                });
                insert.push(" ON CONFLICT (batch_key) DO NOTHING RETURNING batch_key");
                new.extend(insert.build_query_scalar::<String>().fetch_all(&mut *tx).await?);
            }

            let mut outcomes = Vec::with_capacity(batches.len());
            let mut bodies: Vec<&str> = Vec::new();
            for batch in batches {
                let outcome = if let Some(key) = &batch.key {
                    if new.remove(key) {
                        Appended::New
                    } else {
                        const KNOWN: &str =
                            "SELECT digest, reply FROM batches WHERE batch_key = $1";
                        let (digest, reply) = sqlx::query_as::<_, (String, String)>(KNOWN)
                            .bind(key)
                            .fetch_one(&mut *tx)
                            .await?;
                        match digest == batch.digest {
                            true => Appended::Again(reply),
                            false => Appended::KeyReused,
                        }
                    }
                } else if let Some(progress) = &batch.progress {
                    const START: &str = "INSERT INTO streams (stream, entry) VALUES ($1, '') \
                        ON CONFLICT (stream) DO NOTHING";
                    const MOVE: &str =
                        "UPDATE streams SET entry = $1 WHERE stream = $2 AND entry = $3";
                    sqlx::query(START).bind(&progress.stream).execute(&mut *tx).await?;
                    let moved = sqlx::query(MOVE)
                        .bind(&progress.to)
                        .bind(&progress.stream)
                        .bind(&progress.from)
                        .execute(&mut *tx)
                        .await?;
                    match moved.rows_affected() {
                        0 => Appended::Overtaken,
                        _ => Appended::New,
                    }
                } else {
                    Appended::New
                };
                if outcome == Appended::New {
                    bodies.extend(batch.bodies.iter().map(String::as_str));
                }
                outcomes.push(outcome);
            }

            let mut place = last;
            for part in bodies.chunks(ROWS) {
                let mut insert = sqlx::QueryBuilder::new("INSERT INTO events (place, body) ");
                insert.push_values(part, |mut row, body| {
                    place += 1;
                    row.push_bind(place);
                    row.push_bind(*body);
                });
                // A statement of some other length is not worth keeping.
                let whole = part.len() == ROWS;
                insert.build().persistent(whole).execute(&mut *tx).await?;
            }
            const MARK: &str = "UPDATE marks SET value = $1 WHERE name = 'events'";
            sqlx::query(MARK).bind(place).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(outcomes)
        })
    }

    /// The events stored after this position (0 for all), at most `limit` of them, in the order of
    /// their arrival.
    ///
    /// # Errors
    /// Where the database cannot be read, or an event in it is not what was written.
    pub async fn events_after(
        &self,
        position: i64,
        limit: usize,
    ) -> Result<StoredEvents, ServeError> {
        self.events_between(position, i64::MAX, limit).await
    }

    /// As [`Self::events_after`], up to and with another position.
    pub(crate) async fn events_between(
        &self,
        position: i64,
        last: i64,
        limit: usize,
    ) -> Result<StoredEvents, ServeError> {
        const QUERY: &str = "SELECT place, body FROM events WHERE place > $1 AND place <= $2 \
            ORDER BY place LIMIT $3";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = each!(self, pool => {
            let query = sqlx::query_as::<_, (i64, String)>(QUERY);
            query.bind(position).bind(last).bind(limit).fetch_all(pool).await
        });
        let mut read = StoredEvents {
            up_to: position,
            ..StoredEvents::default()
        };
        for (place, body) in rows.map_err(self.failed())? {
            let event = serde_json::from_str(&body)
                .map_err(|error| self.failed()(sqlx::Error::Decode(error.into())))?;
            read.events.push(event);
            read.up_to = place;
        }
        Ok(read)
    }

    /// The position of the newest event; 0 where there is none.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn last_position(&self) -> Result<i64, ServeError> {
        self.mark("events").await
    }

    /// The last entry of this stream whose events are stored; empty where nothing is.
    pub(crate) async fn stream_entry(&self, stream: &str) -> Result<String, ServeError> {
        const QUERY: &str = "SELECT entry FROM streams WHERE stream = $1";
        let found = each!(self, pool => {
            sqlx::query_scalar::<_, String>(QUERY).bind(stream).fetch_optional(pool).await
        });
        Ok(found.map_err(self.failed())?.unwrap_or_default())
    }

    /// Forgets the keys of batches that arrived before this time (milliseconds since 1970).
    pub(crate) async fn forget_keys(&self, before_ms: i64) -> Result<u64, ServeError> {
        const QUERY: &str = "DELETE FROM batches WHERE received_ms < $1";
        let _writing = self.writing.lock().await;
        let done = each!(self, pool => {
            let done = sqlx::query(QUERY).bind(before_ms).execute(pool).await;
            done.map(|done| done.rows_affected())
        });
        done.map_err(self.failed())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn batch(key: &str, digest: &str, times: std::ops::Range<i64>) -> Batch {
        let event = |time| {
            format!(
                r#"{{"event":"view_item","timestamp":{}}}"#,
                1_700_000_000_000 + time
            )
        };
        Batch {
            key: (!key.is_empty()).then(|| key.to_owned()),
            digest: digest.to_owned(),
            bodies: times.map(event).collect(),
            reply: format!("reply to {digest}"),
            ..Batch::default()
        }
    }

    fn part(from: &str, to: &str, time: i64) -> Batch {
        Batch {
            progress: Some(Progress {
                stream: "s".to_owned(),
                from: from.to_owned(),
                to: to.to_owned(),
            }),
            ..batch("", "", time..time + 1)
        }
    }

    /// Whatever the database: what goes in comes out once, in order.
    pub(in crate::store) async fn keeps_each_event_once(store: &Store) {
        let append = async |batches: &[Batch]| store.append(batches).await.expect("stored");
        let (a, b) = (batch("a", "1", 0..3), batch("b", "2", 3..5));
        assert_eq!(append(std::slice::from_ref(&a)).await, [Appended::New]);
        let again = Appended::Again("reply to 1".to_owned());
        let other = batch("b", "other body", 90..99);
        assert_eq!(
            append(&[a, b.clone(), b, other]).await,
            [
                again,
                Appended::New,
                Appended::Again("reply to 2".to_owned()),
                Appended::KeyReused
            ]
        );
        assert_eq!(
            append(&[part("", "1-0", 5), part("1-0", "2-0", 6)]).await,
            [Appended::New, Appended::New]
        );
        assert_eq!(
            append(&[part("1-0", "2-0", 6)]).await,
            [Appended::Overtaken]
        );
        assert_eq!(store.stream_entry("s").await.expect("read"), "2-0");
        let large = batch("", "", 7..2500);
        assert_eq!(append(&[large]).await, [Appended::New]);

        let all = store.events_after(0, usize::MAX).await.expect("read");
        let times: Vec<i64> = all
            .events
            .iter()
            .map(|e| e.timestamp - 1_700_000_000_000)
            .collect();
        assert_eq!(times, (0..2500).collect::<Vec<_>>());
        assert_eq!(all.up_to, 2500);
        assert_eq!(store.last_position().await.expect("read"), 2500);
        let some = store.events_after(3, 2).await.expect("read");
        assert_eq!((some.events.len(), some.up_to), (2, 5));
        let some = store.events_between(3, 7, 1000).await.expect("read");
        assert_eq!((some.events.len(), some.up_to), (4, 7));
        let none = store.events_after(2500, 10).await.expect("read");
        assert_eq!((none.events.len(), none.up_to), (0, 2500));
    }

    #[tokio::test]
    async fn sqlite_keeps_each_event_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("events.db");
        let store = Store::open_file(&path).await.expect("opened");
        keeps_each_event_once(&store).await;
        store.close().await;
        let store = Store::open_file(&path).await.expect("opened again");
        assert_eq!(store.last_position().await.expect("read"), 2500);
        assert_eq!(store.forget_keys(i64::MAX).await.expect("forgotten"), 2);
    }
}
