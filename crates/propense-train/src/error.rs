//! What can go wrong, with the file, the field and the remedy where there is one.

use std::path::PathBuf;

use propense_features::FeatureError;
use propense_model::ModelError;
use propense_prepare::PrepareError;

/// The crate's error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A file or folder could not be opened, read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file could not be read as events.
    #[error(transparent)]
    Data(#[from] PrepareError),
    /// A bundle could not be read.
    #[error("{path}: {source}", path = path.display())]
    BundleFile {
        /// The file.
        path: PathBuf,
        /// What was wrong in it.
        source: ModelError,
    },
    /// The network, its bundle or its device failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The feature specification could not be fitted or applied.
    #[error("features: {0}")]
    Features(#[from] FeatureError),
    /// The task is not known.
    #[error("unknown task `{0}`; one of: {list}", list = crate::Task::list())]
    UnknownTask(String),
    /// The task is measured, but makes no bundle.
    #[error("task `{0}` is for `propense eval` alone: it makes no bundle; one of: {list}", list = crate::Task::list())]
    TaskAbsent(&'static str),
    /// The data is not what the task needs.
    #[error("task `{task}`: {reason}")]
    Unsuited {
        /// The task.
        task: crate::Task,
        /// What is missing and what to do.
        reason: String,
    },
    /// Sessions or users were asked for by name that the data does not have.
    #[error("no session or user that could be scored is called {list}; `propense score --out` lists them all", list = asked.join(" or "))]
    NotThere {
        /// The names.
        asked: Vec<String>,
    },
    /// Training (or earlier) and test data of a forecast overlap in time.
    #[error(
        "the data overlap in time: what is known beforehand (--train, --history) runs to {train_to} and the test data \
         start at {test_from}; thirty-day needs test data that continue the earlier ones, so cut both at one date"
    )]
    Overlap {
        /// Last moment of the training data (UTC).
        train_to: String,
        /// First moment of the test data (UTC).
        test_from: String,
    },
    /// No row of the files could be used.
    #[error(
        "{places}: no rows to use ({set_aside} set aside); look with `propense inspect` at what is wrong with them"
    )]
    NoRows {
        /// The files.
        places: String,
        /// Rows that were set aside.
        set_aside: u64,
    },
    /// A part of the data is empty.
    #[error("{part}: no examples; more data is needed")]
    NoExamples {
        /// Which part of the data.
        part: &'static str,
    },
    /// Too little is new for an update.
    #[error(
        "{found} examples with a known outcome, at {moments} different moments, are new since {since}; needed are at \
         least {needed}, at two or more: wait for more data, or name an earlier moment with --since"
    )]
    TooLittleNew {
        /// New examples whose horizon has passed.
        found: usize,
        /// Different moments that they belong to.
        moments: usize,
        /// Fewest that an update is tried with.
        needed: usize,
        /// From when on they count as new (UTC).
        since: String,
    },
    /// The bundle cannot be updated.
    #[error("the bundle cannot be updated: {reason}")]
    NotUpdatable {
        /// Why, and what to do.
        reason: String,
    },
    /// No session is long enough to be measured.
    #[error(
        "{part}: none of the {examples} sessions has 2 events before its order, the fewest after which scores are \
         measured; longer sessions are needed"
    )]
    TooShort {
        /// Which part of the data.
        part: &'static str,
        /// How many examples it has.
        examples: usize,
    },
    /// No outcome is known yet.
    #[error(
        "{part}: the outcomes of all {examples} examples lie beyond the end of the data; give data that reach further, \
         or a shorter --horizon"
    )]
    NotKnownYet {
        /// Which part of the data.
        part: &'static str,
        /// How many examples it has.
        examples: usize,
    },
    /// One class is missing, so nothing can be learnt or measured.
    #[error(
        "{part}: all {examples} examples have the same outcome ({outcome}); more data, or data with orders, is needed"
    )]
    OneClass {
        /// Which part of the data.
        part: &'static str,
        /// How many examples it has.
        examples: usize,
        /// `no order` or `an order`.
        outcome: &'static str,
    },
    /// There is no device of this name.
    #[error("unknown device `{0}`; one of: auto, cpu, wgpu, cuda")]
    UnknownDevice(String),
    /// CUDA was asked for.
    #[error(
        "this build has no CUDA support; use --device wgpu, which drives NVIDIA cards through Vulkan, or --device cpu"
    )]
    NoCuda,
    /// A checkpoint cannot be continued.
    #[error("checkpoint {path}: {reason}", path = path.display())]
    Checkpoint {
        /// The checkpoint folder.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// An option has a value that cannot work.
    #[error("{option}: {reason}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// Why.
        reason: String,
    },
    /// The tensor library failed.
    #[error("tensor operation failed: {0}")]
    Tensor(String),
    /// Training left the range of numbers.
    #[error(
        "the loss is no longer a number in epoch {epoch}; try a smaller --learning-rate or --clip 1"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
    },
    /// Whoever watches stopped the work before there was a result.
    #[error("interrupted {0}")]
    Interrupted(String),
}

impl TrainError {
    /// For `map_err` on file operations.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
