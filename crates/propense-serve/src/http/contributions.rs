//! `/v1/contributions`: what browsers have learnt, without what they have seen.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use propense_model::Contribution;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{App, Client};
use crate::error::Refusal;
use crate::files::hex;
use crate::gathering::{Gatherer, Standing};
use crate::store::Contributed;

/// Bytes of a contribution: more than the widest head needs.
const BODY: usize = 128 << 10;

/// What a browser sends. Nothing else: a body with another field is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    /// The bundle to whose head it belongs.
    bundle: String,
    /// The noise that it carries.
    multiplier: f64,
    /// `[width]`: whole numbers of 1/64 of the noise's deviation.
    update: Vec<i32>,
}

fn gatherer(app: &App) -> Result<&Gatherer, Refusal> {
    app.gatherer.as_ref().ok_or_else(|| {
        let message = "this service takes no contributions; start it with --contributions N";
        Refusal::new(StatusCode::NOT_FOUND, "NO_CONTRIBUTIONS", message)
    })
}

/// Whether contributions are wanted, to which bundle, and what they tell at most.
pub(super) async fn standing(State(app): State<Arc<App>>) -> Result<Json<Value>, Refusal> {
    let gatherer = gatherer(&app)?;
    let (standing, settings) = (gatherer.standing().await?, gatherer.settings());
    let privacy = json!({
        "budget": settings.epsilon,
        "delta": settings.delta,
        "spent": gatherer.epsilon().await?,
    });
    Ok(Json(match standing {
        Standing::Open(round, _) => json!({
            "open": true,
            "version": app.store.bundle(&round.bundle).await?.version,
            "bundle": round.bundle,
            "multiplier": round.multiplier,
            "epsilon": privacy,
        }),
        Standing::Closed(code, message) => {
            json!({ "open": false, "code": code, "message": message, "epsilon": privacy })
        }
    }))
}

pub(super) async fn contribute(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let result = take(&app, request).await;
    let outcome = match &result {
        Ok(_) => "accepted",
        Err(_) => "refused",
    };
    app.metrics.gathering.sent(outcome);
    result
}

async fn take(app: &App, request: Request) -> Result<(StatusCode, Json<Value>), Refusal> {
    let gatherer = gatherer(app)?;
    let client = request.extensions().get::<Client>().copied();
    if client.is_some_and(|client| !gatherer.allows(client.network())) {
        let message = "too many contributions from this address";
        let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "RATE", message);
        return Err(refusal.retry_after(60));
    }
    let body = app.body(request, BODY).await?;
    let sent: Sent = serde_json::from_slice(&body).map_err(|error| {
        let message = format!("no contribution: {error}");
        Refusal::new(StatusCode::BAD_REQUEST, "CONTRIBUTION", message)
    })?;
    let (round, width) = match gatherer.standing().await? {
        Standing::Open(round, width) => (round, width),
        Standing::Closed(code, message) => {
            return Err(Refusal::new(StatusCode::CONFLICT, code, message));
        }
    };
    let other = |message| Err(Refusal::new(StatusCode::CONFLICT, "ROUND", message));
    if sent.bundle != round.bundle {
        return other("the update belongs to another model than the current one");
    }
    let off = (sent.multiplier - round.multiplier).abs();
    // Not `>`: what is no number is off, too.
    let same = off <= round.multiplier * 1e-9;
    if !same {
        return other("the update carries other noise than the round asks for");
    }
    let contribution = Contribution {
        numbers: sent.update,
    };
    contribution
        .check(width, round.multiplier)
        .map_err(|unfit| {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Refusal::new(status, "UPDATE_INVALID", unfit.to_string())
        })?;
    match gatherer.take(&round, &hex(&body), &contribution).await? {
        Contributed::Stored(_) => Ok((StatusCode::ACCEPTED, Json(json!({ "accepted": true })))),
        Contributed::Over => other("the round is complete"),
    }
}
