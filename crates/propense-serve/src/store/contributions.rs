//! What browsers contribute, round by round. A round belongs to one bundle, once; its contributions
//! are numbers without sender or time, and are deleted in the transaction that publishes what came
//! of them.

use super::bundles::insert_bundle;
use super::{BundleRecord, Store, each, transaction};
use crate::ServeError;

/// A round of contributions to one bundle.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(crate) struct Gathering {
    /// Counts the rounds from 1.
    #[sqlx(rename = "place")]
    pub(crate) number: i64,
    /// The bundle whose head is improved, by its checksum.
    pub(crate) bundle: String,
    /// The noise that each contribution carries.
    pub(crate) multiplier: f64,
    /// So many contributions make the round complete.
    pub(crate) wanted: i64,
    /// When it was begun, in milliseconds since 1970.
    pub(crate) begun_ms: i64,
    /// The bundle that came of it; none while it is under way.
    pub(crate) candidate: Option<String>,
}

/// What became of a contribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contributed {
    /// It is stored, or was before; so many are.
    Stored(i64),
    /// The round has all that it wants.
    Over,
}

const COUNT: &str = "SELECT COUNT(*) FROM contributions WHERE gathering = $1";

impl Store {
    /// Every round, the first first.
    pub(crate) async fn gatherings(&self) -> Result<Vec<Gathering>, ServeError> {
        const QUERY: &str = "SELECT place, bundle, multiplier, wanted, begun_ms, candidate \
            FROM gatherings ORDER BY place";
        let rows = each!(self, pool => sqlx::query_as(QUERY).fetch_all(pool).await);
        rows.map_err(self.failed())
    }

    /// Begins the round of this bundle, unless it has had one. It is on disk on return.
    pub(crate) async fn begin_gathering(
        &self,
        bundle: &str,
        multiplier: f64,
        wanted: i64,
        begun_ms: i64,
    ) -> Result<(), ServeError> {
        const INSERT: &str = "INSERT INTO gatherings (place, bundle, multiplier, wanted, begun_ms) \
            SELECT COALESCE(MAX(place), 0) + 1, $1, $2, $3, $4 FROM gatherings \
            WHERE TRUE ON CONFLICT (bundle) DO NOTHING";
        let _writing = self.writing.lock().await;
        let done = each!(self, pool => {
            sqlx::query(INSERT)
                .bind(bundle)
                .bind(multiplier)
                .bind(wanted)
                .bind(begun_ms)
                .execute(pool)
                .await
                .map(drop)
        });
        done.map_err(self.failed())
    }

    /// Adds a contribution; the same again adds nothing. It is on disk on return.
    pub(crate) async fn contribute(
        &self,
        round: &Gathering,
        digest: &str,
        numbers: &str,
    ) -> Result<Contributed, ServeError> {
        // Locks the row: nobody completes the round meanwhile.
        const LOCK: &str = "UPDATE gatherings SET wanted = wanted \
            WHERE place = $1 AND candidate IS NULL RETURNING wanted";
        const INSERT: &str = "INSERT INTO contributions (gathering, digest, numbers) \
            VALUES ($1, $2, $3) ON CONFLICT (gathering, digest) DO NOTHING";
        transaction!(self, tx => {
            let wanted: Option<i64> =
                sqlx::query_scalar(LOCK).bind(round.number).fetch_optional(&mut *tx).await?;
            let before: i64 =
                sqlx::query_scalar(COUNT).bind(round.number).fetch_one(&mut *tx).await?;
            if wanted.is_none_or(|wanted| before >= wanted) {
                return Ok(Contributed::Over);
            }
            let added = sqlx::query(INSERT)
                .bind(round.number)
                .bind(digest)
                .bind(numbers)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            let added = i64::try_from(added.rows_affected()).unwrap_or(0);
            Ok(Contributed::Stored(before + added))
        })
    }

    /// How many contributions a round has.
    pub(crate) async fn contributed(&self, round: &Gathering) -> Result<i64, ServeError> {
        let found = each!(self, pool => {
            sqlx::query_scalar::<_, i64>(COUNT).bind(round.number).fetch_one(pool).await
        });
        found.map_err(self.failed())
    }

    /// A round's contributions, in an order that says nothing of their coming.
    pub(crate) async fn contributions(&self, round: &Gathering) -> Result<Vec<String>, ServeError> {
        const QUERY: &str =
            "SELECT numbers FROM contributions WHERE gathering = $1 ORDER BY digest";
        let rows = each!(self, pool => {
            sqlx::query_scalar::<_, String>(QUERY).bind(round.number).fetch_all(pool).await
        });
        rows.map_err(self.failed())
    }

    /// Ends a round: publishes what came of it and deletes its contributions, all or nothing. Does
    /// nothing where it has ended.
    pub(crate) async fn end_gathering(
        &self,
        round: &Gathering,
        candidate: &BundleRecord,
    ) -> Result<(), ServeError> {
        const END: &str =
            "UPDATE gatherings SET candidate = $1 WHERE place = $2 AND candidate IS NULL";
        const DELETE: &str = "DELETE FROM contributions WHERE gathering = $1";
        transaction!(self, tx => {
            insert_bundle!(tx, candidate);
            let ended = sqlx::query(END)
                .bind(&candidate.sha256)
                .bind(round.number)
                .execute(&mut *tx)
                .await?;
            if ended.rows_affected() == 0 {
                return Ok(());
            }
            sqlx::query(DELETE).bind(round.number).execute(&mut *tx).await?;
            tx.commit().await
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::store::bundles::tests::bundle;
    use crate::store::tests::on_sqlite;

    /// Whatever the database: each contribution counts once, and a round ends once.
    pub(in crate::store) async fn gathers_each_contribution_once(store: &Store) {
        let publish = async |name: &str| store.publish(&bundle(name), None).await;
        publish("ga").await.expect("published");
        for _ in 0..2 {
            store
                .begin_gathering("ga", 0.75, 2, 5)
                .await
                .expect("begun");
        }
        let rounds = store.gatherings().await.expect("read");
        let [round] = rounds.as_slice() else {
            panic!("{rounds:?}");
        };
        assert_eq!((round.number, round.multiplier, round.wanted), (1, 0.75, 2));
        let send = async |digest: &str| store.contribute(round, digest, "[1]").await;
        assert_eq!(send("x").await.expect("sent"), Contributed::Stored(1));
        assert_eq!(send("x").await.expect("sent"), Contributed::Stored(1));
        assert_eq!(send("y").await.expect("sent"), Contributed::Stored(2));
        assert_eq!(send("z").await.expect("sent"), Contributed::Over);
        assert_eq!(store.contributions(round).await.expect("read").len(), 2);
        let candidate = BundleRecord {
            parent: Some("ga".to_owned()),
            ..bundle("gb")
        };
        for _ in 0..2 {
            store.end_gathering(round, &candidate).await.expect("ended");
        }
        assert_eq!(store.contributed(round).await.expect("read"), 0);
        assert_eq!(send("z").await.expect("sent"), Contributed::Over);
        assert_eq!(store.bundle("gb").await.expect("there"), candidate);
        let ended = store.gatherings().await.expect("read");
        assert_eq!(ended[0].candidate.as_deref(), Some("gb"));
        // The next one is another bundle's.
        store
            .begin_gathering("gb", 0.75, 2, 6)
            .await
            .expect("begun");
        assert_eq!(store.gatherings().await.expect("read")[1].number, 2);
    }

    #[tokio::test]
    async fn sqlite_gathers_each_contribution_once() {
        on_sqlite(gathers_each_contribution_once).await;
    }
}
