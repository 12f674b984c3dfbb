//! What can go wrong: [`ServeError`] for whoever runs the service, [`Refusal`] for whoever asks it.

use std::path::PathBuf;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use propense_model::ModelError;
use serde_json::json;
use thiserror::Error;

/// Why the service cannot start, or cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The database cannot be opened, read or written.
    #[error("the database {place}: {source}")]
    Database {
        /// Which one, without its password.
        place: String,
        /// What it said.
        #[source]
        source: sqlx::Error,
    },
    /// The address of the database is neither SQLite nor PostgreSQL.
    #[error("--database: `{0}` is no address; write sqlite:FILE or postgres://USER@HOST/NAME")]
    DatabaseAddress(String),
    /// A later version has written the database.
    #[error(
        "the database {place} has schema version {found}, this build knows {known}: update Propense"
    )]
    Schema {
        /// Which one.
        place: String,
        /// Its version.
        found: i64,
        /// The newest that this build knows.
        known: i64,
    },
    /// A file or folder cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Another service works in the same folder.
    #[error("{}: another service works here; stop it, or give another --dir", .0.display())]
    Taken(PathBuf),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Nothing may be written without a token.
    #[error(
        "no token: whoever reaches the service could publish a model. Give --token-file FILE, or set \
         PROPENSE_TOKEN (at least {} characters), or allow no writing with --read-only",
        crate::settings::TOKEN_LENGTH
    )]
    NoToken,
    /// The address of the stream cannot be used.
    #[error("--stream: {0}; write redis://HOST[:PORT]/STREAM")]
    StreamAddress(String),
    /// A bundle cannot be used.
    #[error(transparent)]
    Bundle(#[from] ModelError),
    /// A bundle was asked for that was never published.
    #[error("no bundle {0} was published")]
    UnknownBundle(String),
    /// The roll-out cannot be changed so.
    #[error("{0}")]
    Rollout(&'static str),
    /// A part of the service broke.
    #[error("a worker of the service broke: {0}; please report this")]
    Worker(String),
    /// A bundle is said to have learnt from events that are not stored.
    #[error("a bundle cannot have learnt up to event {asked}: {stored} are stored")]
    Future {
        /// The position given.
        asked: i64,
        /// The last position.
        stored: i64,
    },
}

/// A request that is not granted: `{ "code": …, "message": … }` with its status.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Seconds after which to try again.
    pub(crate) retry_after: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// The same request may well be granted in a while.
    pub(crate) const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The service cannot write or read its database at the moment.
    pub(crate) fn unavailable(error: &ServeError) -> Self {
        tracing::error!(%error, "a request failed");
        let message = "the service cannot reach its storage; what was sent is not stored";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message).retry_after(5)
    }
}

impl From<ServeError> for Refusal {
    fn from(error: ServeError) -> Self {
        let (status, code) = match &error {
            ServeError::Bundle(_) => (StatusCode::UNPROCESSABLE_ENTITY, "BUNDLE_INVALID"),
            ServeError::UnknownBundle(_) => (StatusCode::NOT_FOUND, "UNKNOWN_BUNDLE"),
            ServeError::Rollout(_) => (StatusCode::CONFLICT, "ROLLOUT"),
            ServeError::Future { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "LEARNT_UP_TO"),
            _ => return Self::unavailable(&error),
        };
        Self::new(status, code, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "code": self.code, "message": self.message });
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
