//! `POST /v1/score`: propensities for a shop's own servers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use propense_events::Problem;
use serde::Serialize;

use super::App;
use crate::ServeError;
use crate::blocking::blocking;
use crate::error::Refusal;
use crate::intake::{Taken, take};
use crate::scoring::{Score, Scorer, score_for};

/// Requests that may wait for a core, for each that has one.
const WAITING: usize = 32;

#[derive(Debug, Serialize)]
pub(super) struct Reply {
    /// One for each session, by its start.
    scores: Vec<Score>,
    /// What was repaired or rejected: the row counts the request's events from 1.
    problems: Vec<Problem>,
}

/// As many permits as may be scored and wait.
pub(crate) fn permits() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from) * WAITING
}

pub(super) async fn score(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Reply>, Refusal> {
    app.guard.may_ask(request.headers())?;
    let Some(rollout) = app.store.rollout().await? else {
        let message = "no model is promoted yet";
        return Err(Refusal::new(StatusCode::CONFLICT, "NO_MODEL", message));
    };
    let Ok(_permit) = Arc::clone(&app.scoring).try_acquire_owned() else {
        let message = "too many sessions are being scored; try again";
        let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "BUSY", message);
        return Err(refusal.retry_after(1));
    };
    let current = usable(&app, &rollout.current).await?;
    let previous = match &rollout.previous {
        Some(previous) if rollout.percentage < 100 => Some(usable(&app, previous).await?),
        _ => None,
    };
    let body = app.body(request, app.limits.body).await?;
    let most = app.limits.events;
    let work = move || {
        let Taken {
            events,
            rejected,
            problems,
        } = take(&body, most)?;
        let scores = score_for(&rollout, &current, previous.as_deref(), events);
        Ok((Reply { scores, problems }, rejected))
    };
    let done: Result<(Reply, usize), Refusal> = blocking(move || Ok(work())).await?;
    let (reply, rejected) = done?;
    app.metrics.scored(reply.scores.len());
    tracing::debug!(sessions = reply.scores.len(), rejected, "scored");
    Ok(Json(reply))
}

/// The bundle, if it scores sessions at all.
async fn usable(app: &App, sha256: &str) -> Result<Arc<Scorer>, Refusal> {
    let scorer = app
        .scorer(sha256)
        .await
        .map_err(|error: ServeError| Refusal::unavailable(&error))?;
    if scorer.scores_sessions() {
        return Ok(scorer);
    }
    let message = format!(
        "the promoted model is for `{}`; only in-session models score sessions (use `propense score`)",
        scorer.task()
    );
    Err(Refusal::new(StatusCode::CONFLICT, "TASK", message))
}
