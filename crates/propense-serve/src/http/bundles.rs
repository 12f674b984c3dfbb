//! Bundles: published, promoted, taken back, fetched.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::App;
use super::manifest::{fresh, not_modified};
use crate::ServeError;
use crate::blocking::blocking;
use crate::error::Refusal;
use crate::publishing::{keep, tell_rollout};
use crate::store::{BundleRecord, LONGEST_NOTE, Move, Published, Rollout};

/// What is said of a bundle beside the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct About {
    parent: Option<String>,
    learnt_up_to: i64,
    note: String,
    /// Percentage to promote it to at once.
    promote: Option<i64>,
}

/// A published bundle.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    /// False where it was there before.
    new: bool,
    bundle: BundleRecord,
}

pub(super) async fn publish(
    State(app): State<Arc<App>>,
    Query(about): Query<About>,
    request: Request,
) -> Result<(StatusCode, Json<Answer>), Refusal> {
    app.guard.may_write(request.headers())?;
    if about.note.len() > LONGEST_NOTE {
        let message = format!("note: at most {LONGEST_NOTE} bytes");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "NOTE", message));
    }
    let bytes = app.body(request, app.limits.bundle).await?;
    let (new, bundle) = app.publish(bytes, about).await?;
    let status = if new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(Answer { new, bundle })))
}

impl App {
    async fn publish(
        &self,
        bytes: Bytes,
        about: About,
    ) -> Result<(bool, BundleRecord), ServeError> {
        let files = Arc::clone(&self.files);
        let checked = blocking(move || keep(&files, &bytes));
        let record = BundleRecord {
            parent: about.parent,
            learnt_up_to: about.learnt_up_to,
            note: about.note,
            ..checked.await?
        };
        let published = self.store.publish(&record, about.promote).await?;
        let record = self.store.bundle(&record.sha256).await?;
        tracing::info!(
            version = record.version,
            sha256 = record.sha256,
            ?published,
            "a bundle is published"
        );
        if about.promote.is_some() {
            self.moved().await?;
        }
        Ok((published == Published::New, record))
    }

    /// Publishes and promotes a bundle where nothing is promoted yet: how a service is begun.
    pub(crate) async fn begin_with(&self, bytes: Vec<u8>) -> Result<(), ServeError> {
        if self.store.rollout().await?.is_some() {
            return Ok(());
        }
        let about = About {
            note: "the service began with it".to_owned(),
            promote: Some(100),
            ..About::default()
        };
        self.publish(bytes.into(), about).await.map(drop)
    }

    /// Tells the monitor and the log of what is rolled out now.
    pub(crate) async fn moved(&self) -> Result<(), ServeError> {
        tell_rollout(&self.store, &self.metrics).await
    }
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    app.guard.may_ask(&headers)?;
    let (bundles, rollout) = (app.store.bundles().await?, app.store.rollout().await?);
    let events = app.store.last_position().await?;
    Ok(Json(
        json!({ "bundles": bundles, "rollout": rollout, "events": events }),
    ))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct To {
    #[serde(default = "everybody")]
    percentage: i64,
}

const fn everybody() -> i64 {
    100
}

pub(super) async fn promote(
    State(app): State<Arc<App>>,
    Path(sha256): Path<String>,
    Query(To { percentage }): Query<To>,
    headers: HeaderMap,
) -> Result<Json<Rollout>, Refusal> {
    app.guard.may_write(&headers)?;
    // What is promoted is known, there and whole.
    app.store.bundle(&sha256).await?;
    app.scorer(&sha256).await?;
    let rollout = app
        .store
        .roll_out(&Move::Promote { sha256, percentage })
        .await?;
    app.moved().await?;
    Ok(Json(rollout))
}

pub(super) async fn roll_back(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<Rollout>, Refusal> {
    app.guard.may_write(&headers)?;
    let rollout = app.store.roll_out(&Move::RollBack).await?;
    app.moved().await?;
    Ok(Json(rollout))
}

/// A bundle under the name of its checksum: it never changes.
pub(super) async fn file(
    State(app): State<Arc<App>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let unknown = || ServeError::UnknownBundle(file.clone());
    let sha256 = file.strip_suffix(".propense").ok_or_else(unknown)?;
    app.store.bundle(sha256).await?;
    serve(
        &app,
        sha256,
        &headers,
        "public, max-age=31536000, immutable",
    )
    .await
}

#[derive(Debug, Deserialize)]
pub(super) struct Visitor {
    /// From 0 up to but not 100, fixed for a visitor.
    #[serde(default)]
    share: Option<f64>,
}

/// The bundle for a visitor, under an address that stays: what a page without the manifest uses.
pub(super) async fn model(
    State(app): State<Arc<App>>,
    Query(Visitor { share }): Query<Visitor>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let rollout = app
        .store
        .rollout()
        .await?
        .ok_or_else(super::manifest::none)?;
    // Who does not say gets what has proved itself.
    let share = share
        .filter(|share| (0.0..100.0).contains(share))
        .unwrap_or(100.0);
    let sha256 = rollout.for_share(share).to_owned();
    serve(&app, &sha256, &headers, "no-cache").await
}

async fn serve(
    app: &App,
    sha256: &str,
    headers: &HeaderMap,
    caching: &'static str,
) -> Result<Response, Refusal> {
    let etag = format!("\"{sha256}\"");
    if not_modified(headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, fresh(&etag, caching)).into_response());
    }
    let bytes = app.bundle_bytes(sha256).await?;
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    Ok((fresh(&etag, caching), kind, bytes).into_response())
}
