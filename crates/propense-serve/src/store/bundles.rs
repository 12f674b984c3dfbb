//! Bundles: what is known of them, and their publication. A bundle never changes.

use propense_model::Manifest;
use serde::Serialize;

use super::rollout::{Move, move_in};
use super::{Store, each, transaction};
use crate::{ServeError, clock};

/// The longest note on a bundle, in bytes.
pub(crate) const LONGEST_NOTE: usize = 2000;

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

    /// Its promotion to so many percent of the visitors.
    pub(super) fn promoted(&self, percentage: i64) -> Move {
        Move::Promote {
            sha256: self.sha256.clone(),
            percentage,
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

/// A row of `bundles`.
type BundleRow = (
    (String, String, String, Option<String>, i64, String),
    (String, String, i64, String, i64),
);

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
        let to = promotion.map(|percentage| record.promoted(percentage));
        let done = transaction!(self, tx => {
            let inserted = insert_bundle!(tx, record);
            if let Some(to) = &to {
                move_in!(tx, to);
            }
            tx.commit().await?;
            Ok(Ok(inserted))
        });
        Ok(match done?? {
            0 => Published::Before,
            _ => Published::New,
        })
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
}
