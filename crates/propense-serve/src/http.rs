//! The routes.

mod bundles;
mod contributions;
mod events;
mod guard;
mod manifest;
mod score;
mod state;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::services::ServeDir;

use crate::error::Refusal;

pub(crate) use guard::{Client, Guard};
pub(crate) use manifest::ManifestCache;
pub(crate) use score::permits;
pub(crate) use state::{App, Kept};

/// All routes of the service.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let router = Router::new()
        .route("/v1/events", post(events::append))
        .route("/v1/score", post(score::score))
        .route("/v1/bundles", get(bundles::list).post(bundles::publish))
        .route("/v1/bundles/{sha256}/promote", post(bundles::promote))
        .route("/v1/rollback", post(bundles::roll_back))
        .route(
            "/v1/contributions",
            get(contributions::standing).post(contributions::contribute),
        )
        .route("/manifest.json", get(manifest::manifest))
        .route("/bundles/{file}", get(bundles::file))
        .route("/model.propense", get(bundles::model))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics));
    let router = match &app.static_dir {
        Some(folder) => router.fallback_service(ServeDir::new(folder).precompressed_br()),
        None => router.fallback(nothing_here),
    };
    router
        .method_not_allowed_fallback(not_so)
        .layer(from_fn_with_state(Arc::clone(app), watch))
        .with_state(Arc::clone(app))
}

/// Around every request: the rate, then counters, the log, and headers that all answers have.
async fn watch(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().as_str().to_owned();
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("other", MatchedPath::as_str).to_owned();
    let client = request.extensions().get::<Client>().copied();
    let is_probe = matches!(route.as_str(), "/healthz" | "/readyz" | "/metrics");
    let is_for_pages = matches!(
        route.as_str(),
        "/manifest.json" | "/bundles/{file}" | "/model.propense" | "/v1/contributions"
    );
    let mut response = match client.filter(|_| !is_probe) {
        Some(client) if !app.guard.allows(client) => {
            let message = "too many requests from this address; send fewer and larger batches";
            Refusal::new(StatusCode::TOO_MANY_REQUESTS, "RATE", message)
                .retry_after(1)
                .into_response()
        }
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if is_for_pages {
        // Refusals too: else a page cannot tell a model that is missing from a server that is.
        let anybody = HeaderValue::from_static("*");
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
    }
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    app.metrics.answered(&method, &route, status, took);
    let milliseconds = took.as_secs_f64() * 1e3;
    if status >= 500 {
        tracing::warn!(method, route, status, milliseconds, "answered");
    } else {
        tracing::debug!(method, route, status, milliseconds, "answered");
    }
    response
}

async fn nothing_here() -> Refusal {
    let message = "nothing here; docs/serve.md has the routes";
    Refusal::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
}

async fn not_so() -> Refusal {
    let message = "this route takes another method; docs/serve.md has the routes";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD", message)
}

/// Whether requests will be answered: the database is there, and the service is not stopping.
async fn ready(State(app): State<Arc<App>>) -> Result<&'static str, Refusal> {
    if app.is_stopping() {
        let message = "the service is stopping";
        let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "STOPPING", message);
        return Err(refusal.retry_after(5));
    }
    app.store.ping().await?;
    Ok("ready\n")
}

async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, TEXT)], app.metrics.text())
}
