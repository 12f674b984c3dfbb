//! Made-up events in any number, with the rates of the real sets and dirt laid in on purpose.

mod assortment;
mod audience;
mod dirt;
mod line;
mod manifest;
pub mod rates;
mod row;
mod stream;
mod tally;
mod traffic;
mod visit;

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{BufWriter, IntoInnerError, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use flate2::{Compression, GzBuilder};

pub use manifest::EventsManifest;

use crate::SynthError;
use stream::Stream;

/// How the rows are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventsLayout {
    /// Propense's own CSV with all columns: four weeks from Monday, 5 January 2026.
    #[default]
    Events,
    /// Taobao's five columns without a header, and its nine days. For comparison with other
    /// tools; no prices, names, orders and devices, hence no dirt in them either.
    Taobao,
}

impl EventsLayout {
    /// Every layout.
    pub const ALL: [Self; 2] = [Self::Events, Self::Taobao];

    /// The word on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Taobao => "taobao",
        }
    }

    /// The first midnight, in milliseconds since 1970, and the number of days.
    const fn period(self) -> (i64, i64) {
        match self {
            Self::Events => (1_767_571_200_000, 28),
            Self::Taobao => (1_511_539_200_000, 9),
        }
    }
}

impl FromStr for EventsLayout {
    type Err = SynthError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|layout| layout.name() == name)
            .ok_or_else(|| SynthError::Layout(name.to_owned()))
    }
}

/// What is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventsOptions {
    /// Data rows, exactly. The period stays the same: more rows are more users.
    pub rows: u64,
    /// Every draw follows from it.
    pub seed: u64,
    /// How the rows are laid out.
    pub layout: EventsLayout,
}

/// Writes `options.rows` rows into the file `out` (gzip where the name ends in `.gz`) and the
/// [`EventsManifest`] beside it, under [`manifest_path`]. `progress` is told of the rows written so
/// far. The same options give the same bytes; memory does not depend on the number of rows beyond
/// some hundred bytes for each session under way (5,000 at a time for 100 million rows).
///
/// # Errors
///
/// [`SynthError`] where a file cannot be written.
pub fn events(
    options: &EventsOptions,
    out: &Path,
    mut progress: impl FnMut(u64),
) -> Result<EventsManifest, SynthError> {
    if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(SynthError::io(folder))?;
    }
    let unfinished = beside(out, ".part");
    let file = File::create(&unfinished).map_err(SynthError::io(&unfinished))?;
    let file = BufWriter::with_capacity(1 << 20, file);
    let failed = SynthError::io(&unfinished);
    let manifest = if out.extension().is_some_and(|end| end == "gz") {
        // No name and no time in the header.
        let packed = GzBuilder::new().mtime(0).write(file, Compression::fast());
        let packed = BufWriter::with_capacity(1 << 16, packed);
        Stream::new(*options, packed)
            .run(&mut progress)
            .and_then(|(packed, manifest)| {
                let packed = packed.into_inner().map_err(IntoInnerError::into_error)?;
                packed.finish()?.flush()?;
                Ok(manifest)
            })
    } else {
        Stream::new(*options, file)
            .run(&mut progress)
            .map(|(_, manifest)| manifest)
    }
    .map_err(failed)?;
    fs::rename(&unfinished, out).map_err(SynthError::io(out))?;
    let path = manifest_path(out);
    let mut json = serde_json::to_vec_pretty(&manifest).map_err(SynthError::json(&path))?;
    json.push(b'\n');
    fs::write(&path, json).map_err(SynthError::io(&path))?;
    Ok(manifest)
}

/// Where the manifest of this file lies: `FILE.manifest.json`.
#[must_use]
pub fn manifest_path(out: &Path) -> PathBuf {
    beside(out, ".manifest.json")
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(end);
    PathBuf::from(name)
}
