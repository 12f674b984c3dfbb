//! What can go wrong while data is made.

use std::path::{Path, PathBuf};

use propense_events::EventsError;

/// Why no data was made. Every variant that concerns a file names it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SynthError {
    /// A file could not be opened, read, made or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file was read but is not in the format that was expected.
    #[error("{path}: {source}")]
    Events {
        /// The file.
        path: PathBuf,
        /// What the reader found.
        source: EventsError,
    },
    /// A file was read but holds nothing to draw from.
    #[error("{path}: {what}; is it the right file?")]
    Empty {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// A session summary lacks a column or holds a value that cannot be.
    #[error("{path}: session {session}: {what}")]
    Summary {
        /// The file.
        path: PathBuf,
        /// The session's number in the file.
        session: String,
        /// The column and what is wrong with it.
        what: String,
    },
    /// The name of a layout that there is not.
    #[error("there is no layout `{0}`; take `events` or `taobao`")]
    Layout(String),
    /// A result could not be written down as JSON.
    #[error("{path}: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// What the writer said.
        source: serde_json::Error,
    },
}

impl SynthError {
    /// Adds the path to an error of the system; made for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// Adds the path to an error of the JSON writer; made for `map_err`.
    pub(crate) fn json(path: &Path) -> impl FnOnce(serde_json::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Json { path, source }
    }
}
