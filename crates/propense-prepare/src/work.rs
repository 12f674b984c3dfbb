//! The work folder: what a run has done so far, so that the next can go on.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::PrepareError;
use crate::account::{BucketAccount, InputAccount};
use crate::clean::Options;
use crate::stitch::StitchCounts;
use crate::table::ColumnSet;
use crate::usual_price::UsualPrices;

/// What a run has done. It is written after each finished input and each finished bucket; what it
/// does not name is done again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// What the work depends on.
    pub(crate) plan: Plan,
    /// The cleaning rules as they were when the work began.
    pub(crate) cleaning: Options,
    /// The usual prices of those items of which some price contradicts them; set when all inputs
    /// are read.
    pub(crate) usual: Option<UsualPrices>,
    /// Lines that moved to the user of their anonymous id; set when they lie in their buckets.
    pub(crate) moved: Option<Moved>,
    /// Finished inputs, from the first.
    pub(crate) inputs: Vec<InputAccount>,
    /// Finished buckets by number.
    pub(crate) buckets: Vec<Option<BucketAccount>>,
}

/// What the result depends on: if any of it has changed, the work is done afresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The version of this crate.
    pub(crate) version: String,
    /// The inputs.
    pub(crate) inputs: Vec<Fingerprint>,
    /// The tables beside them.
    pub(crate) sides: Vec<Fingerprint>,
    /// Everything asked for, as a hash.
    pub(crate) options: String,
    /// There are `1 << bits` buckets.
    pub(crate) bits: u32,
}

/// Lines that moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Moved {
    pub(crate) lines: u64,
    pub(crate) carried: ColumnSet,
    pub(crate) counts: StitchCounts,
}

/// A file as it was when the work began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    /// Nanoseconds since 1970; zero where the system does not say.
    pub(crate) modified: u64,
}

impl Fingerprint {
    pub(crate) fn of(path: &Path) -> Result<Self, PrepareError> {
        let metadata = fs::metadata(path).map_err(PrepareError::io(path))?;
        let modified = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .and_then(|since| u64::try_from(since.as_nanos()).ok());
        Ok(Self {
            path: path.to_owned(),
            size: metadata.len(),
            modified: modified.unwrap_or_default(),
        })
    }
}

/// The work folder.
pub(crate) struct Work {
    folder: PathBuf,
    pub(crate) manifest: Manifest,
    /// Whether an earlier run left something to go on from.
    pub(crate) resumed: bool,
}

const MANIFEST: &str = "manifest.json";

/// The manifest while it is written.
const DRAFT: &str = "manifest.draft";

impl Work {
    /// Opens the work folder in `out`: goes on where the plan is that of the run before, begins
    /// afresh otherwise.
    pub(crate) fn open(out: &Path, plan: Plan, cleaning: &Options) -> Result<Self, PrepareError> {
        let folder = out.join(".work");
        let path = folder.join(MANIFEST);
        let found = fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Manifest>(&bytes).ok());
        if let Some(manifest) = found.filter(|manifest| manifest.plan == plan) {
            let resumed = !manifest.inputs.is_empty();
            return Ok(Self {
                folder,
                manifest,
                resumed,
            });
        }
        if path.exists() {
            discard(&folder)?;
        } else if holds_anything(&folder) {
            return Err(PrepareError::Unreadable {
                path: folder,
                reason: "the folder is not a work folder of propense; move it away or choose another output folder".to_owned(),
            });
        }
        fs::create_dir_all(&folder).map_err(PrepareError::io(&folder))?;
        let buckets = vec![None; 1 << plan.bits];
        let work = Self {
            folder,
            manifest: Manifest {
                plan,
                cleaning: cleaning.clone(),
                usual: None,
                moved: None,
                inputs: Vec::new(),
                buckets,
            },
            resumed: false,
        };
        work.save()?;
        fs::create_dir_all(work.spill()).map_err(PrepareError::io(&work.spill()))?;
        Ok(work)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where an input's lines lie.
    pub(crate) fn input(&self, number: usize) -> PathBuf {
        self.folder.join(format!("input-{number:05}"))
    }

    /// Where lines lie that moved to the user of their anonymous id.
    pub(crate) fn moved(&self) -> PathBuf {
        self.folder.join("moved")
    }

    /// Where a bucket's table lies.
    pub(crate) fn table(&self, number: usize) -> PathBuf {
        self.folder.join(format!("bucket-{number:05}.parquet"))
    }

    /// Where a bucket's quarantine lines lie.
    pub(crate) fn quarantine(&self, number: usize) -> PathBuf {
        self.folder.join(format!("bucket-{number:05}.csv"))
    }

    /// Where the sort may lay down what does not fit into memory.
    pub(crate) fn spill(&self) -> PathBuf {
        self.folder.join("spill")
    }

    /// Where finished files wait for their names.
    pub(crate) fn drafts(&self) -> PathBuf {
        self.folder.join("out")
    }

    /// Writes the manifest, whole or not at all.
    pub(crate) fn save(&self) -> Result<(), PrepareError> {
        let path = self.folder.join(MANIFEST);
        let draft = self.folder.join(DRAFT);
        let bytes = serde_json::to_vec(&self.manifest).map_err(PrepareError::engine(MANIFEST))?;
        fs::write(&draft, bytes).map_err(PrepareError::io(&draft))?;
        fs::rename(&draft, &path).map_err(PrepareError::io(&path))
    }

    /// Removes the folder; the work is done.
    pub(crate) fn remove(self) -> Result<(), PrepareError> {
        discard(&self.folder)
    }
}

/// Removes a work folder. Whenever this is stopped, what is left is still known for a work folder
/// that is worth nothing: the manifest is emptied first and goes last.
fn discard(folder: &Path) -> Result<(), PrepareError> {
    let (manifest, draft) = (folder.join(MANIFEST), folder.join(DRAFT));
    fs::write(&draft, "{}").map_err(PrepareError::io(&draft))?;
    fs::rename(&draft, &manifest).map_err(PrepareError::io(&manifest))?;
    for entry in fs::read_dir(folder).map_err(PrepareError::io(folder))? {
        let entry = entry.map_err(PrepareError::io(folder))?;
        let path = entry.path();
        if path == manifest {
            continue;
        }
        let kind = entry.file_type().map_err(PrepareError::io(&path))?;
        if kind.is_dir() {
            fs::remove_dir_all(&path).map_err(PrepareError::io(&path))?;
        } else {
            fs::remove_file(&path).map_err(PrepareError::io(&path))?;
        }
    }
    fs::remove_dir_all(folder).map_err(PrepareError::io(folder))
}

/// Whether a folder without a manifest holds anything that is not ours: a run that was killed before
/// its first manifest was whole leaves a draft.
fn holds_anything(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| entry.file_name() != DRAFT)
}
