//! What can go wrong, with the file and the remedy where there is one.

use std::io;
use std::path::{Path, PathBuf};

use propense_events::EventsError;

/// The crate's error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// A file or folder could not be opened, read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file's content could not be read as events.
    #[error("{path}: {source}", path = path.display())]
    Events {
        /// The file.
        path: PathBuf,
        /// What was wrong in it.
        source: EventsError,
    },
    /// A file that this build cannot read.
    #[error("{path}: {reason}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The name of a text encoding that does not exist.
    #[error(
        "unknown encoding `{0}`; use a name that web browsers know: utf-8, windows-1252, iso-8859-1, utf-16le, shift_jis, …"
    )]
    UnknownEncoding(String),
    /// A file that is named twice, by itself or in a folder.
    #[error("{path} is given twice: its rows would count twice; give it once", path = path.display())]
    Repeated {
        /// The file.
        path: PathBuf,
    },
    /// Nothing was given to read.
    #[error("no input: give at least one file or folder")]
    NoInput,
    /// More inputs than the table can number.
    #[error("{0} inputs; at most 65535 can go into one table: join some of them first")]
    TooManyInputs(usize),
    /// A mapping for inputs that are not there.
    #[error(
        "no input has a name like `{0}`, for which a mapping was given; correct the pattern, or leave the mapping out"
    )]
    UnusedMapping(String),
    /// The engine (Arrow, Parquet, the sort) failed.
    #[cfg(feature = "engine")]
    #[error("{place}: {reason}")]
    Engine {
        /// The file or the step.
        place: String,
        /// What the engine said.
        reason: String,
    },
    /// The cleaning rules cannot be applied as asked.
    #[cfg(feature = "engine")]
    #[error("cleaning rules: {0}")]
    Options(#[from] crate::clean::OptionsError),
    /// The caller asked to stop. What is done stays in the work folder.
    #[error(
        "stopped; what is done is kept in {work}: the same command goes on from there",
        work = work.display()
    )]
    Interrupted {
        /// The work folder.
        work: PathBuf,
    },
    /// The accounts do not balance: a defect.
    #[error(
        "{place}: {found} records came in, but {out} went out and {quarantined} into quarantine; \
         nothing was written: please report this as a defect"
    )]
    Unbalanced {
        /// The step.
        place: String,
        /// Records in.
        found: u64,
        /// Records out.
        out: u64,
        /// Records set aside.
        quarantined: u64,
    },
}

impl PrepareError {
    /// To be given to `map_err`: adds the path to a system error.
    pub fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// To be given to `map_err`: adds the place to an error of the engine.
    #[cfg(feature = "engine")]
    pub(crate) fn engine<E: std::fmt::Display>(
        place: impl std::fmt::Display,
    ) -> impl FnOnce(E) -> Self {
        let place = place.to_string();
        move |error| Self::Engine {
            place,
            reason: error.to_string(),
        }
    }
}
