//! Reading files and folders: plain or gzip by content, any format that `propense-events` reads.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use propense_events::{Event, Format, Mapping, Problem, Session};
use sha2::{Digest, Sha256};

use crate::TrainError;

/// What one file gave.
#[derive(Debug, Clone)]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// The format in which it was read.
    pub format: Format,
    /// Rows read.
    pub rows: u64,
    /// Rows kept, with or without a repair.
    pub kept: u64,
    /// Rows set aside.
    pub rejected: u64,
    /// What was wrong, row by row.
    pub problems: Vec<Problem>,
}

/// The events (or summary sessions) of all files, and where they came from.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// Name for people: the file or folder names.
    pub name: String,
    /// SHA-256 over the files' bytes in reading order, in hexadecimal.
    pub sha256: String,
    /// One report for each file.
    pub files: Vec<FileReport>,
    /// The events in file order.
    pub events: Vec<Event>,
    /// Summary sessions (data sets without events).
    pub sessions: Vec<Session>,
    /// The shop's offset from UTC in minutes: that of the first file.
    pub utc_offset_minutes: i32,
}

impl Loaded {
    /// Rows read in all files.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// The paths, for messages.
    #[must_use]
    pub fn places(&self) -> String {
        let paths: Vec<_> = self
            .files
            .iter()
            .map(|file| file.path.display().to_string())
            .collect();
        paths.join(", ")
    }
}

/// How to read: `None` recognises the format by content.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// The format of every file.
    pub format: Option<Format>,
    /// Column names for a CSV of the shop's own making.
    pub mapping: Option<Mapping>,
}

/// Reads every path; a folder stands for the data files in it, by name.
///
/// In a folder, hidden files, folders, `.md`, `.json` and `.html` files, `README`, `LICENSE` and
/// `NOTICE` files and `quarantine` files (what `propense prepare` set aside) are passed over.
///
/// # Errors
///
/// A path that cannot be read, a folder without data files, or a file that is in no known format.
pub fn load(paths: &[PathBuf], options: &LoadOptions) -> Result<Loaded, TrainError> {
    let mut loaded = Loaded::default();
    let mut hash = Sha256::new();
    let mut names = Vec::new();
    for path in paths {
        names.push(path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        ));
        for file in files_of(path)? {
            let bytes = fs::read(&file).map_err(TrainError::io(&file))?;
            hash.update(&bytes);
            read_into(&mut loaded, file, &bytes, options)?;
        }
    }
    loaded.name = names.join(" + ");
    loaded.sha256 = hex(&hash.finalize());
    Ok(loaded)
}

fn read_into(
    loaded: &mut Loaded,
    file: PathBuf,
    bytes: &[u8],
    options: &LoadOptions,
) -> Result<(), TrainError> {
    let plain;
    let text: &[u8] = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut out = Vec::new();
        MultiGzDecoder::new(bytes)
            .read_to_end(&mut out)
            .map_err(TrainError::io(&file))?;
        plain = out;
        &plain
    } else {
        bytes
    };
    let table = propense_events::read(text, options.format, options.mapping.as_ref()).map_err(
        |source| TrainError::Events {
            path: file.clone(),
            source,
        },
    )?;
    if loaded.files.is_empty() {
        loaded.utc_offset_minutes = table.utc_offset_minutes;
    }
    loaded.files.push(FileReport {
        path: file,
        format: table.format,
        rows: table.rows,
        kept: table.kept,
        rejected: table.rejected,
        problems: table.problems,
    });
    loaded.events.extend(table.events);
    loaded.sessions.extend(table.sessions);
    Ok(())
}

fn files_of(path: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let kind = fs::metadata(path).map_err(TrainError::io(path))?;
    if !kind.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(TrainError::io(path))? {
        let file = entry.map_err(TrainError::io(path))?.path();
        if file.is_file() && is_data(&file) {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(TrainError::Io {
            path: path.to_owned(),
            source: std::io::Error::other(
                "the folder holds no data file (hidden, .md, .json, .html and quarantine files are passed over)",
            ),
        });
    }
    Ok(files)
}

fn is_data(file: &Path) -> bool {
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let passed_over = [".", "readme", "license", "notice", "quarantine"];
    let endings = [".md", ".json", ".html"];
    !passed_over.iter().any(|start| name.starts_with(start))
        && !endings.iter().any(|ending| name.ends_with(ending))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
