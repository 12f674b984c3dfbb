//! What can go wrong with a whole file. Trouble with single rows is a [`Problem`], not an error.

use crate::{Format, Problem};

/// Why a file could not be read, or events could not be written. The caller adds the file's name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventsError {
    /// The input has no bytes, or only blanks.
    #[error("the input is empty")]
    Empty,
    /// The input is compressed: this crate reads plain bytes.
    #[error("the input is compressed ({kind}); decompress it first")]
    Compressed {
        /// The kind of compression, by its magic number.
        kind: &'static str,
    },
    /// The input is text in an encoding other than UTF-8.
    #[error("the input is UTF-16; save it as UTF-8")]
    Utf16,
    /// No supported format starts like this.
    #[error(
        "the format was not recognised. Looked for: {looked_for}. The input starts with: {found}. \
         For any other table or JSON lines, give a mapping of the fields (formats `csv`, `jsonl`)"
    )]
    Unrecognised {
        /// The formats tried, each with what it is recognised by.
        looked_for: String,
        /// The beginning of the first line.
        found: String,
    },
    /// A column that the format cannot do without is missing.
    #[error("column `{column}` is missing ({format}); found: {found}. {remedy}")]
    MissingColumn {
        /// The format being read.
        format: Format,
        /// The missing column.
        column: String,
        /// The columns that are there.
        found: String,
        /// What to do about it.
        remedy: String,
    },
    /// A plain table was given without its mapping.
    #[error("format `{format}` needs a mapping that names its fields (--mapping FILE)")]
    MissingMapping {
        /// The format.
        format: Format,
    },
    /// The mapping file is not valid.
    #[error("the mapping is not valid: {0}")]
    Mapping(#[from] serde_json::Error),
    /// The mapping's delimiter is not one ASCII character.
    #[error(
        "the mapping's delimiter must be one ASCII character other than a quote or line end, not {0:?}"
    )]
    Delimiter(char),
    /// The name of a format that does not exist.
    #[error("unknown format `{name}`; known are: {known}")]
    UnknownFormat {
        /// The name given.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// There were rows, but not one of them could be kept.
    #[error("none of the {rows} rows could be read as {format}; the first problem: {first}")]
    NothingReadable {
        /// The format being read.
        format: Format,
        /// The number of rows.
        rows: u64,
        /// The first problem that set a row aside.
        first: Box<Problem>,
    },
    /// Reading the bytes failed.
    #[error("reading failed: {0}")]
    Read(#[source] std::io::Error),
    /// Writing the bytes failed.
    #[error("writing failed: {0}")]
    Write(#[source] std::io::Error),
}
