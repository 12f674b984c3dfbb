//! Reading files and folders into memory, in any format that this crate reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use propense_events::{Action, Event, Format, Problem, Rule, Session};

use crate::decode::{self, Content, SharedHash};
use crate::several::{drop_repeated, tell_apart};
use crate::{Mappings, PrepareError};

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

impl FileReport {
    /// Repairs of rows that were kept, by rule and field, most first.
    #[must_use]
    pub fn repairs(&self) -> Vec<(String, usize)> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let repaired = |problem: &&Problem| problem.action == Action::Repaired;
        for problem in self.problems.iter().filter(repaired) {
            let rule = problem.rule;
            let name = match &problem.field {
                Some(field) => format!("{rule} in {field}"),
                None => rule.to_string(),
            };
            *counts.entry(name).or_default() += 1;
        }
        let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
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

/// How to read: `None` recognises by content.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// The format of every file.
    pub format: Option<Format>,
    /// Column names for tables of the shop's own making.
    pub mappings: Mappings,
    /// The text encoding of every file, by its name on the web.
    pub encoding: Option<String>,
}

/// Reads every path; a folder stands for the data files in it, by name: see [`files_of`].
///
/// # Errors
///
/// A path that cannot be read, a folder without data files, or a file that is in no known format.
pub fn load(paths: &[PathBuf], options: &LoadOptions) -> Result<Loaded, PrepareError> {
    let files = inputs(paths)?;
    options.mappings.all_used(&files)?;
    let mut loaded = Loaded::default();
    let hash = SharedHash::default();
    for file in files {
        read_into(&mut loaded, file, options, &hash)?;
    }
    loaded.name = names(paths);
    loaded.sha256 = hash.hex();
    Ok(loaded)
}

#[cfg_attr(
    not(feature = "engine"),
    expect(
        clippy::infallible_destructuring_match,
        reason = "there is an event table to tell apart only with the engine"
    )
)]
fn read_into(
    loaded: &mut Loaded,
    file: PathBuf,
    options: &LoadOptions,
    hash: &SharedHash,
) -> Result<(), PrepareError> {
    let mapping = options.mappings.of(&file);
    let opened = decode::open_hashed(&file, options.encoding.as_deref(), mapping.is_some(), hash)?;
    let rest = opened.rest;
    let text = match opened.content {
        Content::Text(text) => text,
        #[cfg(feature = "engine")]
        Content::Table(table) => {
            let events = crate::table::read_events(table, &file)?;
            loaded.files.push(FileReport {
                path: file,
                format: Format::Events,
                rows: events.events.len() as u64,
                kept: events.events.len() as u64,
                rejected: 0,
                problems: Vec::new(),
            });
            if loaded.files.len() == 1 {
                loaded.utc_offset_minutes = events.utc_offset_minutes;
            }
            loaded.events.extend(events.events);
            return Ok(());
        }
    };
    let table = propense_events::read(text, options.format, mapping).map_err(|source| {
        PrepareError::Events {
            path: file.clone(),
            source,
        }
    })?;
    if let Some(rest) = rest {
        hash.take(rest, &file)?;
    }
    if loaded.files.is_empty() {
        loaded.utc_offset_minutes = table.utc_offset_minutes;
    }
    let mut table = table;
    let source = loaded.files.len();
    for event in &mut table.events {
        tell_apart(event, table.format, source);
    }
    if table.format == Format::Taobao && source > 0 {
        // A Taobao row is an event, so what goes is a row set aside.
        let repeated = drop_repeated(&loaded.events, &mut table.events) as u64;
        table.kept -= repeated;
        table.rejected += repeated;
        if repeated > 0 {
            let problem = Problem::new(Rule::Duplicate, Action::Rejected, 0)
                .detail(format!("{repeated} rows that an earlier file has"));
            table.problems.push(problem);
        }
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

/// The last parts of the paths, joined: a name for people.
pub(crate) fn names(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths
        .iter()
        .map(|path| {
            path.file_name().map_or_else(
                || path.display().to_string(),
                |name| name.to_string_lossy().into_owned(),
            )
        })
        .collect();
    names.join(" + ")
}

/// The data files that a path stands for: itself, or the files of the folder, by name.
///
/// In a folder, hidden files, folders, `.md` and `.html` files, `README`, `LICENSE` and `NOTICE`
/// files, and what `propense prepare` writes beside its event table (`quarantine`, `report`,
/// `sessions.jsonl`, `items.parquet`) are passed over. `.json` files are mostly about the data
/// beside them, and are read only where the folder holds no other data file.
///
/// # Errors
/// The path cannot be read, or the folder holds no data file.
pub fn files_of(path: &Path) -> Result<Vec<PathBuf>, PrepareError> {
    let kind = fs::metadata(path).map_err(PrepareError::io(path))?;
    if !kind.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(PrepareError::io(path))? {
        let file = entry.map_err(PrepareError::io(path))?.path();
        if file.is_file() && is_data(&file) {
            files.push(file);
        }
    }
    let is_json = |file: &PathBuf| lower_name(file).ends_with(".json");
    if !files.iter().all(is_json) {
        files.retain(|file| !is_json(file));
    }
    files.sort();
    if files.is_empty() {
        return Err(PrepareError::Unreadable {
            path: path.to_owned(),
            reason: "the folder holds no data file (hidden, .md, .html, quarantine and report files are passed over); name the file itself"
                .to_owned(),
        });
    }
    Ok(files)
}

/// The data files of all these paths, each of them once.
pub(crate) fn inputs(paths: &[PathBuf]) -> Result<Vec<PathBuf>, PrepareError> {
    let mut files = Vec::new();
    for path in paths {
        files.extend(files_of(path)?);
    }
    let mut known = BTreeSet::new();
    for file in &files {
        let real = fs::canonicalize(file).map_err(PrepareError::io(file))?;
        if !known.insert(real) {
            return Err(PrepareError::Repeated { path: file.clone() });
        }
    }
    Ok(files)
}

fn lower_name(file: &Path) -> String {
    file.file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default()
}

fn is_data(file: &Path) -> bool {
    let name = lower_name(file);
    let passed_over = [
        ".",
        "readme",
        "license",
        "notice",
        "quarantine",
        "report.",
        "prepare.json",
        "items.parquet",
        "sessions.jsonl",
    ];
    let endings = [".md", ".html", ".manifest.json"];
    !passed_over.iter().any(|start| name.starts_with(start))
        && !endings.iter().any(|ending| name.ends_with(ending))
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// The files that a folder with these stands for.
    fn check(files: &[&str], expected: &[&str]) {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            fs::write(folder.path().join(file), "x").expect("a file");
        }
        let found = files_of(folder.path()).unwrap_or_default();
        let found: Vec<_> = found.iter().map(|file| lower_name(file)).collect();
        assert_eq!(found, expected, "{files:?}");
    }

    #[test]
    fn a_folder_stands_for_its_data() {
        check(
            &[
                "b.csv",
                "a.csv.gz",
                "README.md",
                ".hidden",
                "page.html",
                "LICENSE",
            ],
            &["a.csv.gz", "b.csv"],
        );
        check(
            &[
                "events.parquet",
                "quarantine.csv",
                "report.json",
                "items.parquet",
            ],
            &["events.parquet"],
        );
        check(&["events.csv", "catalogue.json"], &["events.csv"]);
        check(
            &["ga4-2.json", "ga4-1.json", "x.manifest.json"],
            &["ga4-1.json", "ga4-2.json"],
        );
        check(&["README.md"], &[]);
    }

    #[test]
    fn an_empty_folder_names_the_remedy() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = files_of(folder.path()).expect_err("no data").to_string();
        assert!(error.contains("name the file itself"), "{error}");
    }

    #[test]
    fn what_is_loaded_is_named_and_hashed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.csv");
        fs::write(&path, "timestamp,event\n1700000000000,page_view\n").expect("a file");
        let loaded = load(&[path], &LoadOptions::default()).expect("loaded");
        assert_eq!((loaded.rows(), loaded.events.len()), (1, 1));
        assert_eq!(loaded.name, "log.csv");
        let bytes = b"timestamp,event\n1700000000000,page_view\n";
        assert_eq!(loaded.sha256, hex(&Sha256::digest(bytes)));
    }

    #[test]
    fn every_byte_is_hashed_once_in_the_order_of_the_files() {
        use std::io::Write;
        let folder = tempfile::tempdir().expect("a folder");
        let text = "timestamp,event\n1700000000000,page_view\n".repeat(2);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).expect("packed");
        let rows = [
            ("b.csv", text.clone().into_bytes()),
            ("a.csv.gz", gzip.finish().expect("packed")),
            // A line without an end, in blocks that no reader's buffer divides.
            ("c.csv", [text.as_bytes(), &vec![b'x'; 700_001]].concat()),
        ];
        let mut hash = Sha256::new();
        let mut paths = Vec::new();
        for (name, bytes) in rows {
            let path = folder.path().join(name);
            fs::write(&path, &bytes).expect("a file");
            hash.update(&bytes);
            paths.push(path);
        }
        let loaded = load(&paths, &LoadOptions::default()).expect("loaded");
        assert_eq!(loaded.sha256, hex(&hash.finalize()));
    }

    #[test]
    fn a_file_is_read_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.csv");
        fs::write(&file, "1,2,3,pv,1511600000\n").expect("a file");
        let twice = [folder.path().to_owned(), file.clone()];
        let refused = load(&twice, &LoadOptions::default()).expect_err("refused");
        assert!(
            matches!(&refused, PrepareError::Repeated { path } if *path == file),
            "{refused}"
        );
        assert!(load(&twice[1..], &LoadOptions::default()).is_ok());
    }

    #[test]
    fn files_of_one_set_are_told_apart_and_repeat_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("a file");
            path
        };
        let sessions = [
            path("a.txt", "61+5+44+14+9 62+10+44+5+19\n"),
            path("b.txt", "61+5+44+14+9 62+6+44+5+19\n"),
        ];
        let loaded = load(&sessions, &LoadOptions::default()).expect("loaded");
        let ids: Vec<_> = loaded
            .events
            .iter()
            .map(|event| event.session_id.as_deref().unwrap_or_default())
            .collect();
        assert_eq!(ids, ["1", "1", "1:1", "1:1"]);

        let rows = [
            path("a.csv", "1,2,3,pv,1511600000\n1,2,3,pv,1511600001\n"),
            path("b.csv", "1,2,3,pv,1511600001\n1,2,3,pv,1511600002\n"),
        ];
        let loaded = load(&rows, &LoadOptions::default()).expect("loaded");
        assert_eq!((loaded.rows(), loaded.events.len()), (4, 3));
        assert_eq!((loaded.files[1].kept, loaded.files[1].rejected), (1, 1));
    }
}
