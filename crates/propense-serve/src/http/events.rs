//! `POST /v1/events`: what has happened in the shop.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use propense_events::{Action, Problem};
use serde::{Deserialize, Serialize};

use super::App;
use crate::clock;
use crate::error::Refusal;
use crate::files::hex;
use crate::intake::{Taken, take};
use crate::queue::NotStored;
use crate::store::{Appended, Batch};

/// Problems named in a reply; the rest is only counted.
const NAMED: usize = 100;
/// The longest key of a batch, in bytes.
const KEY: usize = 200;

/// What became of a batch.
#[derive(Debug, Serialize, Deserialize)]
struct Reply {
    /// Events on disk.
    accepted: usize,
    /// Events that were not kept.
    rejected: usize,
    /// Repairs to those that were.
    repaired: usize,
    /// Whether the batch was on disk before.
    duplicate: bool,
    /// What was repaired or rejected: the row counts the batch's events from 1.
    problems: Vec<Problem>,
}

impl Reply {
    fn new(taken: &Taken) -> Self {
        // Rejections first: they are what a sender can act on.
        let of = |action| {
            taken
                .problems
                .iter()
                .filter(move |problem| problem.action == action)
        };
        let problems = of(Action::Rejected).chain(of(Action::Repaired));
        Self {
            accepted: taken.events.len(),
            rejected: taken.rejected,
            repaired: of(Action::Repaired).count(),
            duplicate: false,
            problems: problems.take(NAMED).cloned().collect(),
        }
    }
}

pub(super) async fn append(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Refusal> {
    app.guard.may_write(request.headers())?;
    let key = key(request.headers())?;
    let body = app.body(request, app.limits.body).await?;
    let taken = take(&body, app.limits.events)?;
    let reply = Reply::new(&taken);
    let digest = hex(&body);
    let json = |reply: &Reply| serde_json::to_string(reply).unwrap_or_default();
    let batch = Batch {
        // The same bytes are the same batch, where nothing else is said: events carry their times.
        key: Some(key.unwrap_or_else(|| digest.clone())),
        digest,
        bodies: taken.bodies(),
        reply: json(&reply),
        received_ms: clock::now_ms(),
        progress: None,
    };
    match app.queue.store(batch).await {
        Ok(Appended::New) => {
            app.metrics.events("http", "accepted", reply.accepted);
            app.metrics.events("http", "rejected", reply.rejected);
            Ok(answer(json(&reply)))
        }
        Ok(Appended::Again(before)) => {
            app.metrics.events("http", "duplicate", taken.events.len());
            let before = serde_json::from_str::<Reply>(&before).unwrap_or(reply);
            let reply = Reply {
                duplicate: true,
                ..before
            };
            Ok(answer(json(&reply)))
        }
        Ok(Appended::KeyReused | Appended::Overtaken) => {
            let message = "another batch was sent under this Idempotency-Key; give each its own";
            Err(Refusal::new(StatusCode::CONFLICT, "KEY_REUSED", message))
        }
        Err(NotStored::Full) => {
            app.metrics.events("http", "refused", taken.events.len());
            let message = "the queue is full; nothing of this batch is stored; send it again";
            let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "BUSY", message);
            Err(refusal.retry_after(1))
        }
        Err(NotStored::Failed) => {
            app.metrics.events("http", "refused", taken.events.len());
            let message = "the batch may not be stored; send it again under the same key";
            let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message);
            Err(refusal.retry_after(5))
        }
    }
}

fn answer(json: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], json).into_response()
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > KEY {
        let message = format!("Idempotency-Key: 1 to {KEY} printable characters");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "KEY", message));
    }
    // Apart from the keys that are checksums.
    Ok(Some(format!("key:{key}")))
}
