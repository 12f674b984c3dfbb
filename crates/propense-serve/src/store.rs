//! The database: events in the order of their arrival, bundles, and which of them is rolled out.
//!
//! One schema and one set of queries for SQLite and PostgreSQL: both take `$1` for a parameter,
//! `ON CONFLICT`, and `RETURNING`. Positions of events are counted by a row of `marks` that is
//! locked first, so that they grow in the order of the commits even where several services share
//! one PostgreSQL: whoever has read up to a position has missed nothing before it.

mod bundles;
mod contributions;
mod events;
#[cfg(test)]
mod postgres_tests;
mod rollout;
mod rounds;

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};
use tokio::sync::Mutex;

use crate::ServeError;

pub(crate) use bundles::LONGEST_NOTE;
pub use bundles::{BundleRecord, Published};
pub(crate) use contributions::{Contributed, Gathering};
pub use events::StoredEvents;
pub(crate) use events::{Appended, Batch, Progress};
pub use rollout::{Move, Rollout};
pub(crate) use rounds::{Ended, Outcome, Round};

/// The newest schema.
const SCHEMA_VERSION: i64 = 1;

const SCHEMA: &str = include_str!("store/schema.sql");

/// Connections: one writes at a time, the others read.
const CONNECTIONS: u32 = 4;

/// The stored events and the registry of bundles.
#[derive(Debug)]
pub struct Store {
    pool: Pool,
    /// The address without its password.
    place: String,
    /// SQLite lets one connection write at a time: waiting here is fair, waiting there is not.
    writing: Mutex<()>,
}

#[derive(Debug)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// The same for either database.
macro_rules! each {
    ($store:expr, $pool:ident => $body:expr) => {
        match &$store.pool {
            $crate::store::Pool::Sqlite($pool) => $body,
            $crate::store::Pool::Postgres($pool) => $body,
        }
    };
}
use each;

/// A transaction that writes, one at a time, the same for either database. The body commits it; of
/// what leaves the body otherwise, nothing stays.
macro_rules! transaction {
    ($store:expr, $tx:ident => $body:block) => {{
        let _writing = $store.writing.lock().await;
        let done: Result<_, sqlx::Error> = match &$store.pool {
            $crate::store::Pool::Sqlite(pool) => {
                async {
                    let mut $tx = pool.begin_with("BEGIN IMMEDIATE").await?;
                    $body
                }
                .await
            }
            $crate::store::Pool::Postgres(pool) => {
                async {
                    let mut $tx = pool.begin_with("BEGIN").await?;
                    $body
                }
                .await
            }
        };
        done.map_err($store.failed())
    }};
}
use transaction;

impl Store {
    /// Opens the database at this address, `sqlite:FILE` or `postgres://…`, and makes its tables.
    ///
    /// # Errors
    /// Where it cannot be reached, or a later version has written it.
    pub async fn open(address: &str) -> Result<Self, ServeError> {
        let invalid = |_| ServeError::DatabaseAddress(without_password(address));
        let place = without_password(address);
        let failed = |source| ServeError::Database {
            place: place.clone(),
            source,
        };
        let pool = if address.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(address).map_err(invalid)?;
            Pool::Sqlite(sqlite(options).await.map_err(failed)?)
        } else if address.starts_with("postgres:") || address.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(address).map_err(invalid)?;
            let pool = PgPoolOptions::new()
                .max_connections(CONNECTIONS)
                .acquire_timeout(Duration::from_secs(10));
            Pool::Postgres(pool.connect_with(options).await.map_err(failed)?)
        } else {
            return Err(ServeError::DatabaseAddress(without_password(address)));
        };
        let store = Self {
            pool,
            place,
            writing: Mutex::new(()),
        };
        store.prepare().await?;
        Ok(store)
    }

    /// Opens a SQLite database in this file.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_file(path: &Path) -> Result<Self, ServeError> {
        let place = path.display().to_string();
        let options = SqliteConnectOptions::new().filename(path);
        let pool = sqlite(options)
            .await
            .map_err(|source| ServeError::Database {
                place: place.clone(),
                source,
            })?;
        let store = Self {
            pool: Pool::Sqlite(pool),
            place,
            writing: Mutex::new(()),
        };
        store.prepare().await?;
        Ok(store)
    }

    async fn prepare(&self) -> Result<(), ServeError> {
        let schema = match &self.pool {
            // There it is the row's own number, and needs no second index.
            Pool::Sqlite(_) => SCHEMA.replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY"),
            Pool::Postgres(_) => SCHEMA.to_owned(),
        };
        let made =
            each!(self, pool => sqlx::raw_sql(AssertSqlSafe(schema)).execute(pool).await.map(drop));
        made.map_err(self.failed())?;
        let found = self.mark("schema").await?;
        if found > SCHEMA_VERSION {
            return Err(ServeError::Schema {
                place: self.place.clone(),
                found,
                known: SCHEMA_VERSION,
            });
        }
        Ok(())
    }

    /// One of the numbers in `marks`.
    async fn mark(&self, name: &str) -> Result<i64, ServeError> {
        const QUERY: &str = "SELECT value FROM marks WHERE name = $1";
        let found = each!(self, pool => {
            sqlx::query_scalar::<_, i64>(QUERY).bind(name).fetch_optional(pool).await
        });
        Ok(found.map_err(self.failed())?.unwrap_or(0))
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), ServeError> {
        self.mark("schema").await.map(drop)
    }

    /// Lets go of the database; SQLite folds its log into the file.
    pub async fn close(&self) {
        each!(self, pool => pool.close().await);
    }

    fn failed(&self) -> impl Fn(sqlx::Error) -> ServeError + '_ {
        |source| ServeError::Database {
            place: self.place.clone(),
            source,
        }
    }
}

async fn sqlite(options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    // FULL: a commit is on the disk before it is acknowledged, also where the power fails.
    let options = options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10));
    let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS);
    pool.connect_with(options).await
}

/// The address with what stands between `:` and `@` left out.
fn without_password(address: &str) -> String {
    let (Some(start), Some(end)) = (address.find("://"), address.rfind('@')) else {
        return address.to_owned();
    };
    let start = start + "://".len();
    match address.get(start..end).and_then(|user| user.find(':')) {
        Some(colon) => format!(
            "{}:…{}",
            address.get(..start + colon).unwrap_or_default(),
            address.get(end..).unwrap_or_default()
        ),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does this with a new database of SQLite.
    pub(super) async fn on_sqlite(check: impl AsyncFnOnce(&Store)) {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open_file(&dir.path().join("new.db")).await;
        check(&store.expect("opened")).await;
    }

    #[test]
    fn passwords_stay_out_of_messages() {
        let check = |address: &str, expected: &str| {
            assert_eq!(without_password(address), expected);
        };
        check(
            "postgres://me:secret@host/shop",
            "postgres://me:…@host/shop",
        );
        check("postgres://me@host/shop", "postgres://me@host/shop");
        check("sqlite:/srv/propense.db", "sqlite:/srv/propense.db");
        check("nonsense", "nonsense");
    }
}
