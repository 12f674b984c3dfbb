//! Bundles, and which of them is rolled out to whom.
//!
//! A bundle never changes. What changes is a list of moves, to which each promotion and each
//! roll-back adds one: its last row says what pages get, and the list is the history.

use propense_model::Manifest;
use serde::Serialize;

use super::{Store, each};
use crate::{ServeError, clock};

/// What the registry knows of a bundle.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BundleRecord {
    /// SHA-256 of the file, in hexadecimal: its name.
    pub sha256: String,
    /// The name under which its scores are reported.
    pub version: String,
    /// What it was trained for.
    pub task: String,
    /// SHA-256 of the bundle that it was made from, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Size of the file.
    pub bytes: i64,
    /// When it was trained, RFC 3339.
    pub made_at: String,
    /// What it was trained on: name, checksum, rows, sessions, base rate, first and last time.
    pub data: serde_json::Value,
    /// How it did.
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    pub metrics: serde_json::Value,
    /// The position of the last stored event that it has learnt from; 0 where it knows none.
    pub learnt_up_to: i64,
    /// Why it was made, or why it was not promoted.
    pub note: String,
    /// When it was published, in milliseconds since 1970.
    pub published_ms: i64,
}

impl BundleRecord {
    /// What a bundle says of itself, to be published now.
    #[must_use]
    pub fn new(sha256: String, bytes: usize, manifest: &Manifest) -> Self {
        Self {
            sha256,
            version: manifest.version(),
            task: manifest.task.clone(),
            parent: None,
            bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            made_at: manifest.created_at.clone(),
            data: serde_json::to_value(&manifest.data).unwrap_or_default(),
            metrics: manifest.metrics.clone(),
            learnt_up_to: 0,
            note: String::new(),
            published_ms: clock::now_ms(),
        }
    }
}

/// What became of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// The bundle is in the registry.
    New,
    /// It was there before, and stays as it was.
    Before,
}

/// What pages get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rollout {
    /// Counts the moves from 1.
    pub number: i64,
    /// SHA-256 of the bundle that is being rolled out, or is.
    pub current: String,
    /// The share of visitors who get it, in percent.
    pub percentage: i64,
    /// What the others get, and what a roll-back leads to.
    pub previous: Option<String>,
    /// When the last move was, in milliseconds since 1970.
    pub moved_ms: i64,
    /// Whether the last move was a roll-back.
    pub rolled_back: bool,
}

impl Rollout {
    /// The bundle for a visitor whose share is this, from 0 up to but not 100.
    pub(crate) fn for_share(&self, share: f64) -> &str {
        match &self.previous {
            Some(previous) if share >= self.percentage as f64 => previous,
            _ => &self.current,
        }
    }
}

/// A change of the roll-out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// This bundle to this percentage of the visitors.
    Promote {
        /// Its SHA-256.
        sha256: String,
        /// From 1 to 100.
        percentage: i64,
    },
    /// The previous bundle to everybody.
    RollBack,
}

/// A row of `moves`.
pub(super) type MoveRow = (i64, String, i64, Option<String>, i64, String);

/// A row of `bundles`.
type BundleRow = (
    (String, String, String, Option<String>, i64, String),
    (String, String, i64, String, i64),
);

pub(super) const LAST_MOVE: &str = "SELECT place, current_bundle, percentage, previous_bundle, moved_ms, \
    action FROM moves ORDER BY place DESC LIMIT 1";

/// What a move that takes a bundle back is called in the table.
const ROLL_BACK: &str = "rollback";

/// Adds a bundle's row within a transaction; how many rows that were, 0 where it was there.
macro_rules! insert_bundle {
    ($tx:ident, $record:expr) => {{
        const INSERT: &str = "INSERT INTO bundles (sha256, version, task, parent, bytes, made_at, \
            data, metrics, learnt_up_to, note, published_ms) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (sha256) DO NOTHING";
        let record: &$crate::store::BundleRecord = $record;
        let done = sqlx::query(INSERT)
            .bind(&record.sha256)
            .bind(&record.version)
            .bind(&record.task)
            .bind(&record.parent)
            .bind(record.bytes)
            .bind(&record.made_at)
            .bind(record.data.to_string())
            .bind(record.metrics.to_string())
            .bind(record.learnt_up_to)
            .bind(&record.note)
            .bind(record.published_ms)
            .execute(&mut *$tx)
            .await?;
        done.rows_affected()
    }};
}
pub(super) use insert_bundle;

/// Adds a move within a transaction; leaves the function with an error where it cannot be made.
macro_rules! move_in {
    ($tx:ident, $to:expr) => {{
        // Locks the row: of two at once, the later sees what the first has done.
        const NUMBER: &str =
            "UPDATE marks SET value = value + 1 WHERE name = 'moves' RETURNING value";
        let number: i64 = sqlx::query_scalar(NUMBER).fetch_one(&mut *$tx).await?;
        use $crate::store::registry::{LAST_MOVE, MoveRow, rollout};
        let last = sqlx::query_as::<_, MoveRow>(LAST_MOVE);
        let last = last.fetch_optional(&mut *$tx).await?.map(rollout);
        // What stood behind the bundle that a roll-back returns to, when it was made current.
        const BEFORE: &str = "SELECT previous_bundle FROM moves WHERE current_bundle = $1 \
            AND (previous_bundle IS NULL OR previous_bundle <> $2) ORDER BY place DESC LIMIT 1";
        let behind = match &last {
            Some($crate::store::Rollout {
                current,
                previous: Some(previous),
                ..
            }) => {
                let behind = sqlx::query_scalar::<_, Option<String>>(BEFORE);
                let behind = behind.bind(previous).bind(current);
                behind.fetch_optional(&mut *$tx).await?.flatten()
            }
            _ => None,
        };
        let next = $crate::store::registry::next(number, last, $to, behind);
        let (action, next) = match next {
            Ok(next) => next,
            Err(error) => return Ok(Err(error)),
        };
        const INSERT_MOVE: &str = "INSERT INTO moves (place, action, current_bundle, \
            previous_bundle, percentage, moved_ms) VALUES ($1, $2, $3, $4, $5, $6)";
        sqlx::query(INSERT_MOVE)
            .bind(next.number)
            .bind(action)
            .bind(&next.current)
            .bind(&next.previous)
            .bind(next.percentage)
            .bind(next.moved_ms)
            .execute(&mut *$tx)
            .await?;
        next
    }};
}
pub(super) use move_in;

impl Store {
    /// Adds a bundle, whose file must be safe on disk already. With `promotion` it is rolled out in
    /// the same transaction: after a kill it is published, learnt up to and live, or none of it.
    ///
    /// # Errors
    /// Where the database cannot be written, the parent is unknown, or `learnt_up_to` lies ahead of
    /// the events.
    pub async fn publish(
        &self,
        record: &BundleRecord,
        promotion: Option<i64>,
    ) -> Result<Published, ServeError> {
        let stored = self.last_position().await?;
        if record.learnt_up_to > stored || record.learnt_up_to < 0 {
            return Err(ServeError::Future {
                asked: record.learnt_up_to,
                stored,
            });
        }
        if let Some(parent) = &record.parent {
            self.bundle(parent).await?;
        }
        let to = promotion.map(|percentage| Move::Promote {
            sha256: record.sha256.clone(),
            percentage,
        });
        let _writing = self.writing.lock().await;
        let done: Result<Result<u64, ServeError>, sqlx::Error> = each!(self, pool, begin => async {
            let mut tx = pool.begin_with(begin).await?;
            let inserted = insert_bundle!(tx, record);
            if let Some(to) = &to {
                move_in!(tx, to);
            }
            tx.commit().await?;
            Ok(Ok(inserted))
        }.await);
        Ok(match done.map_err(self.failed())?? {
            0 => Published::Before,
            _ => Published::New,
        })
    }

    /// Changes the roll-out. The change is on disk on return.
    ///
    /// # Errors
    /// Where the database cannot be written, the bundle is unknown, or there is nothing to go back
    /// to.
    pub async fn roll_out(&self, to: &Move) -> Result<Rollout, ServeError> {
        if let Move::Promote { sha256, .. } = to {
            self.bundle(sha256).await?;
        }
        let _writing = self.writing.lock().await;
        let done: Result<Result<Rollout, ServeError>, sqlx::Error> = each!(self, pool, begin => async {
            let mut tx = pool.begin_with(begin).await?;
            let next = move_in!(tx, to);
            tx.commit().await?;
            Ok(Ok(next))
        }.await);
        done.map_err(self.failed())?
    }

    /// What pages get; nothing before the first promotion.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn rollout(&self) -> Result<Option<Rollout>, ServeError> {
        let row = each!(self, pool => {
            sqlx::query_as::<_, MoveRow>(LAST_MOVE).fetch_optional(pool).await
        });
        Ok(row.map_err(self.failed())?.map(rollout))
    }

    /// One bundle.
    ///
    /// # Errors
    /// Where the database cannot be read, or the bundle is unknown.
    pub async fn bundle(&self, sha256: &str) -> Result<BundleRecord, ServeError> {
        let found = self.bundles_where(Some(sha256)).await?.pop();
        found.ok_or_else(|| ServeError::UnknownBundle(sha256.to_owned()))
    }

    /// Every bundle, the newest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn bundles(&self) -> Result<Vec<BundleRecord>, ServeError> {
        self.bundles_where(None).await
    }

    async fn bundles_where(&self, sha256: Option<&str>) -> Result<Vec<BundleRecord>, ServeError> {
        const QUERY: &str = "SELECT sha256, version, task, parent, bytes, made_at, data, metrics, \
            learnt_up_to, note, published_ms FROM bundles WHERE sha256 = $1 OR $1 = '' \
            ORDER BY published_ms DESC, sha256";
        let rows = each!(self, pool => {
            let rows = sqlx::query(QUERY).bind(sha256.unwrap_or_default()).fetch_all(pool).await;
            rows.and_then(|rows| rows.iter().map(|row| {
                use sqlx::Row;
                Ok((
                    (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?, row.try_get(5)?),
                    (row.try_get(6)?, row.try_get(7)?, row.try_get(8)?, row.try_get(9)?, row.try_get(10)?),
                ))
            }).collect::<Result<Vec<BundleRow>, sqlx::Error>>())
        });
        Ok(rows
            .map_err(self.failed())?
            .into_iter()
            .map(record)
            .collect())
    }
}

/// The state after a move. `behind` is what stood behind the last one's previous bundle.
pub(super) fn next(
    number: i64,
    last: Option<Rollout>,
    to: &Move,
    behind: Option<String>,
) -> Result<(&'static str, Rollout), ServeError> {
    let moved_ms = clock::now_ms();
    match to {
        Move::Promote { sha256, percentage } => {
            if !(1..=100).contains(percentage) {
                return Err(ServeError::Rollout("percentage: 1 to 100"));
            }
            let previous = match last {
                // The same to more visitors, or to fewer.
                Some(last) if last.current == *sha256 => last.previous,
                // What never reached everybody is not what to go back to.
                Some(last) if last.percentage < 100 => last.previous,
                Some(last) => Some(last.current),
                None => None,
            };
            // A candidate promoted back to what is behind it leaves nothing to compare with.
            let previous = previous.filter(|previous| previous != sha256);
            if previous.is_none() && *percentage < 100 {
                let why = "percentage: 100, for there is no other bundle that the rest could get";
                return Err(ServeError::Rollout(why));
            }
            let next = Rollout {
                number,
                current: sha256.clone(),
                percentage: *percentage,
                previous,
                moved_ms,
                rolled_back: false,
            };
            Ok(("promote", next))
        }
        Move::RollBack => {
            let Some(current) = last.and_then(|last| last.previous) else {
                let why = "there is no earlier bundle to go back to; promote another one";
                return Err(ServeError::Rollout(why));
            };
            let next = Rollout {
                number,
                previous: behind.filter(|behind| *behind != current),
                current,
                percentage: 100,
                moved_ms,
                rolled_back: true,
            };
            Ok((ROLL_BACK, next))
        }
    }
}

pub(super) fn rollout(row: MoveRow) -> Rollout {
    let (number, current, percentage, previous, moved_ms, action) = row;
    Rollout {
        number,
        current,
        percentage,
        previous,
        moved_ms,
        rolled_back: action == ROLL_BACK,
    }
}

fn record(row: BundleRow) -> BundleRecord {
    let (
        (sha256, version, task, parent, bytes, made_at),
        (data, metrics, learnt_up_to, note, published_ms),
    ) = row;
    let json = |text: String| serde_json::from_str(&text).unwrap_or_default();
    BundleRecord {
        sha256,
        version,
        task,
        parent,
        bytes,
        made_at,
        data: json(data),
        metrics: json(metrics),
        learnt_up_to,
        note,
        published_ms,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::store) fn bundle(name: &str) -> BundleRecord {
        BundleRecord {
            sha256: name.to_owned(),
            version: name.to_owned(),
            task: "in-session".to_owned(),
            parent: None,
            bytes: 1,
            made_at: String::new(),
            data: serde_json::Value::Null,
            metrics: serde_json::json!({ "auc": 0.75 }),
            learnt_up_to: 0,
            note: String::new(),
            published_ms: 7,
        }
    }

    /// Whatever the database: the same moves lead to the same state.
    pub(in crate::store) async fn rolls_out_and_back(store: &Store) {
        assert_eq!(store.rollout().await.expect("read"), None);
        for name in ["a", "b", "c"] {
            let published = store.publish(&bundle(name), None).await;
            assert_eq!(published.expect("published"), Published::New);
            let again = BundleRecord {
                note: "x".to_owned(),
                ..bundle(name)
            };
            assert_eq!(
                store.publish(&again, None).await.expect("known"),
                Published::Before
            );
            assert_eq!(store.bundle(name).await.expect("there"), bundle(name));
        }
        let ahead = BundleRecord {
            learnt_up_to: 1 << 40,
            ..bundle("d")
        };
        assert!(matches!(
            store.publish(&ahead, Some(100)).await,
            Err(ServeError::Future { .. })
        ));
        let orphan = BundleRecord {
            parent: Some("z".to_owned()),
            ..bundle("d")
        };
        assert!(matches!(
            store.publish(&orphan, None).await,
            Err(ServeError::UnknownBundle(_))
        ));

        // `a 10` promotes a to 10 %, `-` rolls back; then current, percentage, previous.
        let rows = [
            ("-", None),
            ("a 10", None),
            ("a 100", Some(("a", 100, None))),
            ("-", None),
            ("b 10", Some(("b", 10, Some("a")))),
            ("b 50", Some(("b", 50, Some("a")))),
            ("b 101", None),
            ("z 100", None),
            ("c 5", Some(("c", 5, Some("a")))),
            ("-", Some(("a", 100, None))),
            ("b 100", Some(("b", 100, Some("a")))),
            ("c 20", Some(("c", 20, Some("b")))),
            ("-", Some(("b", 100, Some("a")))),
            ("-", Some(("a", 100, None))),
            ("-", None),
        ];
        for (step, (row, expected)) in rows.into_iter().enumerate() {
            let to = match row.split_once(' ') {
                Some((sha256, percentage)) => Move::Promote {
                    sha256: sha256.to_owned(),
                    percentage: percentage.parse().expect("a number"),
                },
                None => Move::RollBack,
            };
            let before = store.rollout().await.expect("read");
            let moved = store.roll_out(&to).await;
            let state = store.rollout().await.expect("read");
            match expected {
                None => {
                    moved.expect_err(row);
                    assert_eq!(state, before, "step {step}, {row}");
                }
                Some((current, percentage, previous)) => {
                    assert_eq!(moved.ok().as_ref(), state.as_ref(), "step {step}, {row}");
                    let state = state.expect("a state");
                    let found = (
                        state.current.as_str(),
                        state.percentage,
                        state.previous.as_deref(),
                    );
                    assert_eq!(found, (current, percentage, previous), "step {step}, {row}");
                }
            }
        }
        // Published and live at once.
        store
            .publish(&bundle("e"), Some(30))
            .await
            .expect("published");
        let state = store.rollout().await.expect("read").expect("a state");
        assert_eq!((state.for_share(29.9), state.for_share(30.0)), ("e", "a"));
        assert_eq!(store.bundles().await.expect("read").len(), 4);
    }

    #[tokio::test]
    async fn sqlite_rolls_out_and_back() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open_file(&dir.path().join("registry.db"))
            .await
            .expect("opened");
        rolls_out_and_back(&store).await;
    }
}
