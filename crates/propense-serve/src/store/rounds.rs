//! Rounds of learning: what each one learns from is written down before it begins, what came of it
//! in the transaction that publishes the candidate. A round that a kill breaks off is done again,
//! from the same events and with the same seed, and so gives the same bundle.

use super::bundles::insert_bundle;
use super::rollout::move_in;
use super::{BundleRecord, Store, each, transaction};
use crate::ServeError;

/// One round of learning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Round {
    /// Counts the rounds from 1; its seed, too.
    pub(crate) number: i64,
    /// The bundle that it goes on from, by its checksum.
    pub(crate) parent: String,
    /// The move that had made the parent live.
    pub(crate) after_move: i64,
    /// It looks at the events up to this position.
    pub(crate) up_to: i64,
    /// So many new sessions with a known outcome are among them.
    pub(crate) sessions: i64,
    /// When it was begun, in milliseconds since 1970.
    pub(crate) begun_ms: i64,
    /// What came of it; none while it is under way.
    pub(crate) outcome: Option<Outcome>,
}

/// What comes of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The candidate was promoted.
    Promoted,
    /// The candidate is kept, and the live bundle stays.
    Kept,
    /// The candidate was better, but than a bundle that is not live any more.
    Overtaken,
    /// There is no candidate.
    Failed,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Promoted, Self::Kept, Self::Overtaken, Self::Failed];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::Kept => "kept",
            Self::Overtaken => "overtaken",
            Self::Failed => "failed",
        }
    }
}

/// How the end of a round was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With this outcome.
    With(Outcome),
    /// Another service had ended it.
    Before,
}

type RoundRow = (i64, String, i64, i64, i64, i64, String);

impl Store {
    /// The last round that was begun.
    pub(crate) async fn last_round(&self) -> Result<Option<Round>, ServeError> {
        const QUERY: &str = "SELECT place, parent, after_move, up_to, sessions, begun_ms, outcome \
            FROM rounds ORDER BY place DESC LIMIT 1";
        let row = each!(self, pool => {
            sqlx::query_as::<_, RoundRow>(QUERY).fetch_optional(pool).await
        });
        Ok(row.map_err(self.failed())?.map(|row| {
            let (number, parent, after_move, up_to, sessions, begun_ms, outcome) = row;
            Round {
                number,
                parent,
                after_move,
                up_to,
                sessions,
                begun_ms,
                outcome: Outcome::ALL.into_iter().find(|o| o.name() == outcome),
            }
        }))
    }

    /// Writes a round down. It is on disk on return, with its number.
    ///
    /// # Errors
    /// Where the database cannot be written, or another service has begun the same.
    pub(crate) async fn begin_round(&self, round: Round) -> Result<Round, ServeError> {
        const INSERT: &str = "INSERT INTO rounds \
            (place, parent, after_move, up_to, sessions, begun_ms, outcome, reason) \
            SELECT COALESCE(MAX(place), 0) + 1, $1, $2, $3, $4, $5, '', '' FROM rounds \
            RETURNING place";
        let _writing = self.writing.lock().await;
        let number = each!(self, pool => {
            sqlx::query_scalar::<_, i64>(INSERT)
                .bind(&round.parent)
                .bind(round.after_move)
                .bind(round.up_to)
                .bind(round.sessions)
                .bind(round.begun_ms)
                .fetch_one(pool)
                .await
        });
        let number = number.map_err(self.failed())?;
        Ok(Round { number, ..round })
    }

    /// Ends a round: publishes its candidate, promotes it to `promotion` percent where that is given
    /// and the round's parent is still live, and writes down what came of it, all or nothing.
    ///
    /// # Errors
    /// Where the database cannot be written, or the candidate cannot be promoted so.
    pub(crate) async fn end_round(
        &self,
        round: &Round,
        candidate: Option<&BundleRecord>,
        promotion: Option<i64>,
        reason: &str,
    ) -> Result<Ended, ServeError> {
        const END: &str = "UPDATE rounds SET outcome = $1, reason = $2, bundle = $3 \
            WHERE place = $4 AND outcome = ''";
        const LOCK: &str = "UPDATE marks SET value = value WHERE name = 'moves' RETURNING value";
        let to = candidate
            .zip(promotion)
            .map(|(record, percentage)| record.promoted(percentage));
        let sha256 = candidate.map(|record| record.sha256.as_str());
        transaction!(self, tx => {
            if let Some(record) = candidate {
                insert_bundle!(tx, record);
            }
            // From here on nobody else moves the roll-out.
            let last_move: i64 = sqlx::query_scalar(LOCK).fetch_one(&mut *tx).await?;
            let outcome = match (&to, candidate) {
                (Some(_), _) if last_move == round.after_move => Outcome::Promoted,
                (Some(_), _) => Outcome::Overtaken,
                (None, Some(_)) => Outcome::Kept,
                (None, None) => Outcome::Failed,
            };
            let ended = sqlx::query(END)
                .bind(outcome.name())
                .bind(reason)
                .bind(sha256)
                .bind(round.number)
                .execute(&mut *tx)
                .await?;
            if ended.rows_affected() == 0 {
                return Ok(Ok(Ended::Before));
            }
            if let (Some(to), Outcome::Promoted) = (&to, outcome) {
                move_in!(tx, to);
            }
            tx.commit().await?;
            Ok(Ok(Ended::With(outcome)))
        })?
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::store::Move;
    use crate::store::bundles::tests::bundle;
    use crate::store::tests::on_sqlite;

    fn record(name: &str, parent: &str) -> BundleRecord {
        BundleRecord {
            parent: Some(parent.to_owned()),
            ..bundle(name)
        }
    }

    async fn begin(store: &Store, parent: &str) -> Round {
        let live = store.rollout().await.expect("read").expect("a roll-out");
        let round = Round {
            number: 0,
            parent: parent.to_owned(),
            after_move: live.number,
            up_to: 7,
            sessions: 5,
            begun_ms: 3,
            outcome: None,
        };
        let round = store.begin_round(round).await.expect("begun");
        assert_eq!(
            store.last_round().await.expect("read").as_ref(),
            Some(&round)
        );
        round
    }

    /// Whatever the database: a round ends once, and moves the roll-out only where nobody else has.
    pub(in crate::store) async fn rounds_end_once(store: &Store) {
        assert_eq!(store.last_round().await.expect("read"), None);
        store
            .publish(&bundle("ra"), Some(100))
            .await
            .expect("published");
        let current = async || {
            let state = store.rollout().await.expect("read").expect("a roll-out");
            (state.current, state.percentage)
        };
        let outcome = async || {
            store
                .last_round()
                .await
                .expect("read")
                .expect("a round")
                .outcome
        };

        let round = begin(store, "ra").await;
        assert_eq!(round.number, 1);
        let b = record("rb", "ra");
        let ended = store.end_round(&round, Some(&b), None, "no better").await;
        assert_eq!(ended.expect("ended"), Ended::With(Outcome::Kept));
        assert_eq!(outcome().await, Some(Outcome::Kept));
        assert_eq!(store.bundle("rb").await.expect("published"), b);
        assert_eq!(current().await, ("ra".to_owned(), 100));
        // The same again, as after a kill that came when all was done.
        let again = store.end_round(&round, Some(&b), Some(100), "").await;
        assert_eq!(again.expect("ended"), Ended::Before);
        assert_eq!(current().await, ("ra".to_owned(), 100));

        let round = begin(store, "ra").await;
        let c = record("rc", "ra");
        let ended = store.end_round(&round, Some(&c), Some(25), "better").await;
        assert_eq!(ended.expect("ended"), Ended::With(Outcome::Promoted));
        assert_eq!(current().await, ("rc".to_owned(), 25));

        // Somebody moves the roll-out meanwhile.
        let round = begin(store, "rc").await;
        store.roll_out(&Move::RollBack).await.expect("rolled back");
        let back = store.rollout().await.expect("read").expect("a roll-out");
        assert!(back.rolled_back);
        let d = record("rd", "rc");
        let ended = store.end_round(&round, Some(&d), Some(100), "better").await;
        assert_eq!(ended.expect("ended"), Ended::With(Outcome::Overtaken));
        assert_eq!(store.rollout().await.expect("read"), Some(back));
        assert_eq!(store.bundle("rd").await.expect("published"), d);

        // What cannot be done leaves nothing behind.
        let round = begin(store, "ra").await;
        let e = record("re", "ra");
        let failed = store.end_round(&round, Some(&e), Some(101), "").await;
        assert!(matches!(failed, Err(ServeError::Rollout(_))));
        assert_eq!(outcome().await, None);
        store.bundle("re").await.expect_err("not published");
        let ended = store.end_round(&round, None, None, "broken").await;
        assert_eq!(ended.expect("ended"), Ended::With(Outcome::Failed));
        assert_eq!(round.number, 4);
    }

    #[tokio::test]
    async fn sqlite_rounds_end_once() {
        on_sqlite(rounds_end_once).await;
    }
}
