//! Which bundle is rolled out to whom: a list of moves, to which each promotion and each roll-back adds
//! one. Its last row says what pages get, and the list is the history.

use serde::Serialize;

use super::{Store, each, transaction};
use crate::{ServeError, clock};

/// What pages get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Rollout {
    /// Counts the moves from 1.
    #[sqlx(rename = "place")]
    pub number: i64,
    /// SHA-256 of the bundle that is being rolled out, or is.
    #[sqlx(rename = "current_bundle")]
    pub current: String,
    /// The share of visitors who get it, in percent.
    pub percentage: i64,
    /// What the others get, and what a roll-back leads to.
    #[sqlx(rename = "previous_bundle")]
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

/// What a move that takes a bundle back is called in the table.
const ROLL_BACK: &str = "rollback";

pub(super) const LAST_MOVE: &str = "SELECT place, current_bundle, percentage, previous_bundle, moved_ms, \
    action = 'rollback' AS rolled_back FROM moves ORDER BY place DESC LIMIT 1";

/// Adds a move within a transaction; leaves the function with an error where it cannot be made.
macro_rules! move_in {
    ($tx:ident, $to:expr) => {{
        // Locks the row: of two at once, the later sees what the first has done.
        const NUMBER: &str =
            "UPDATE marks SET value = value + 1 WHERE name = 'moves' RETURNING value";
        let number: i64 = sqlx::query_scalar(NUMBER).fetch_one(&mut *$tx).await?;
        use $crate::store::rollout::{LAST_MOVE, Rollout, next};
        let last: Option<Rollout> = sqlx::query_as(LAST_MOVE).fetch_optional(&mut *$tx).await?;
        // What stood behind the bundle that a roll-back returns to, when it was made current.
        const BEFORE: &str = "SELECT previous_bundle FROM moves WHERE current_bundle = $1 \
            AND (previous_bundle IS NULL OR previous_bundle <> $2) ORDER BY place DESC LIMIT 1";
        let behind = match &last {
            Some(Rollout {
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
        let (action, next) = match next(number, last, $to, behind) {
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
    /// Changes the roll-out. The change is on disk on return.
    ///
    /// # Errors
    /// Where the database cannot be written, the bundle is unknown, or there is nothing to go back
    /// to.
    pub async fn roll_out(&self, to: &Move) -> Result<Rollout, ServeError> {
        if let Move::Promote { sha256, .. } = to {
            self.bundle(sha256).await?;
        }
        transaction!(self, tx => {
            let next = move_in!(tx, to);
            tx.commit().await?;
            Ok(Ok(next))
        })?
    }

    /// What pages get; nothing before the first promotion.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn rollout(&self) -> Result<Option<Rollout>, ServeError> {
        let last = each!(self, pool => sqlx::query_as(LAST_MOVE).fetch_optional(pool).await);
        last.map_err(self.failed())
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::store::bundles::tests::bundle;
    use crate::store::tests::on_sqlite;
    use crate::store::{BundleRecord, Published};

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
        on_sqlite(rolls_out_and_back).await;
    }
}
