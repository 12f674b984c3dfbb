//! `GET /manifest.json`: which bundle a page is to use.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use propense_events::format_timestamp;
use serde_json::{Value, json};

use super::App;
use crate::ServeError;
use crate::error::Refusal;
use crate::files::{hex, integrity};
use crate::store::{BundleRecord, Rollout};

/// The form of the manifest.
const FORMAT: u32 = 1;

/// The manifest of the last move, ready to send: its number, its tag, its text.
#[derive(Debug, Default)]
pub(crate) struct ManifestCache(Mutex<Option<(i64, String, String)>>);

pub(super) async fn manifest(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let rollout = app.store.rollout().await?.ok_or_else(none)?;
    let (etag, text) = ready(&app, &rollout).await?;
    let caching = "no-cache";
    if not_modified(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, fresh(&etag, caching)).into_response());
    }
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((fresh(&etag, caching), kind, text).into_response())
}

/// Nothing has been promoted.
pub(super) fn none() -> Refusal {
    let message = "no model is promoted yet";
    Refusal::new(StatusCode::NOT_FOUND, "NO_MODEL", message)
}

async fn ready(app: &App, rollout: &Rollout) -> Result<(String, String), ServeError> {
    if let Ok(cached) = app.manifest.0.lock()
        && let Some((number, etag, text)) = cached.as_ref()
        && *number == rollout.number
    {
        return Ok((etag.clone(), text.clone()));
    }
    let current = app.store.bundle(&rollout.current).await?;
    let previous = match &rollout.previous {
        Some(previous) => Some(app.store.bundle(previous).await?),
        None => None,
    };
    let manifest = json!({
        "format": FORMAT,
        "current": entry(&current),
        "percentage": rollout.percentage,
        "previous": previous.as_ref().map(entry),
        "changed_at": format_timestamp(rollout.moved_ms),
    });
    let text = format!("{manifest:#}\n");
    let etag = format!("\"{}\"", hex(text.as_bytes()).get(..16).unwrap_or_default());
    if let Ok(mut cached) = app.manifest.0.lock() {
        *cached = Some((rollout.number, etag.clone(), text.clone()));
    }
    Ok((etag, text))
}

/// A bundle as a page needs it: `url` is relative to the manifest, `integrity` is what the
/// JavaScript module's `delivery` takes.
fn entry(bundle: &BundleRecord) -> Value {
    json!({
        "version": bundle.version,
        "url": format!("bundles/{}.propense", bundle.sha256),
        "sha256": bundle.sha256,
        "integrity": integrity(&bundle.sha256),
        "bytes": bundle.bytes,
    })
}

/// Whether the asker has this already.
pub(super) fn not_modified(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    known.filter_map(|value| value.to_str().ok()).any(|value| {
        let mut tags = value
            .split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"));
        tags.any(|tag| tag == "*" || tag == etag)
    })
}

/// Headers of what is kept as long as it is the same.
pub(super) fn fresh(etag: &str, caching: &str) -> [(HeaderName, String); 2] {
    [
        (header::ETAG, etag.to_owned()),
        (header::CACHE_CONTROL, caching.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_are_known() {
        let check = |known: &str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, known.parse().expect("a header"));
            assert_eq!(not_modified(&headers, "\"b\""), expected, "{known}");
        };
        check("\"b\"", true);
        check("W/\"b\"", true);
        check("\"a\", \"b\"", true);
        check("*", true);
        check("\"a\"", false);
        check("b", false);
    }
}
