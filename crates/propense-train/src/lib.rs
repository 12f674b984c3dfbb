//! Training, calibration and measuring, native only.
//!
//! # What it is for
//!
//! From files of events to a bundle that a browser can score with, and to figures that can be
//! trusted. [`fit_bundle`] trains a model for a shop, [`eval`] runs one task of the evaluation
//! protocol, [`evaluate`] and [`score`] use a finished bundle.
//!
//! # What is deliberately absent
//!
//! Nothing is printed: an [`Observer`] is told. No format is known here (`propense-events` reads
//! files), no feature is computed here (`propense-features` writes rows), no network is defined
//! here (`propense-model`). There is no clock in the results: the same data, seed and CPU give
//! the same bundle to the last bit, resumed or not.
//!
//! # How data passes
//!
//! ```text
//! files ── load ── events ── tasks ── sessions, cut and split ── encode ── examples
//!                                                                            │
//!   bundle ── threshold, percentiles ── calibration ── best weights ── trainer ┘
//! ```
//!
//! Everything that is fitted sees the training part only; early stopping, calibration, threshold
//! and percentiles see the validation part; the test part is measured once.

mod adam;
mod adversarial;
mod against;
mod augment;
mod background;
mod balanced;
mod base;
mod baselines;
mod batch;
mod bootstrap;
mod calendar;
mod calibrate;
mod checkpoint;
mod compare;
mod decide;
mod delong;
mod device;
mod draws;
mod drift;
mod encode;
mod ensemble;
mod error;
mod evaluation;
mod example;
mod explain;
mod fit;
mod horizon;
mod learner;
mod loss;
mod metrics;
mod network;
mod next_item;
mod objectives;
mod options;
mod overlap;
mod pace;
mod paired;
mod progress;
mod rates;
mod recipe;
mod scoring;
mod segments;
mod split;
mod start;
mod task;
mod tasks;
mod test_data;
mod threads;
mod trainer;
mod tune;
mod update;

pub use adversarial::{ADVERSARIAL_BOUND, Adversarial, Telltale};
pub use against::evaluate_against;
pub use augment::{Augmentation, Shift};
pub use background::in_background;
pub use balanced::{Gained, ThreeFigures, ValidationFigures};
pub use bootstrap::{Interval, Intervals, MeasureOptions};
pub use calibrate::Scaling;
pub use compare::{
    CompareReport, CompareRequest, Compared, Contender, Figure, Learner, ShiftFigures, compare,
};
pub use decide::{CalibrationKind, CalibrationTrial, Deciding, ThresholdRule};
pub use delong::DeLong;
pub use device::{Chosen, DeviceChoice};
pub use draws::ThreeIntervals;
pub use drift::{
    Alert, ColumnDrift, DriftOptions, DriftReport, Drifted, LabelDrift, Recalibration,
    StreamChange, Window, drift,
};
pub use error::TrainError;
pub use evaluation::{
    Against, Both, Evaluation, ScoreRow, evaluate, score, tell_apart, uses_history,
};
pub use explain::{Explanation, Influence, Reason, explain, influences};
pub use fit::{
    FitReport, FitRequest, Fitted, NamedMetrics, NetworkSizes, PartSizes, eval, fit_bundle,
};
pub use horizon::{Horizon, Target};
pub use metrics::{
    CALIBRATION_BINS, Confusion, Metrics, ReliabilityBin, average_precision, best_f1_threshold,
    brier, log_loss, reliability, roc_auc,
};
pub use next_item::{Gru4Rec, GruOptions};
pub use objectives::Objective;
pub use options::{Preset, TrainOptions};
pub use overlap::{Overlap, overlap};
pub use pace::training_pace;
pub use paired::{Chance, Comparison, Gain};
pub use progress::{EpochReport, Observer, Pace, Progress, Silent, StopReason};
pub use propense_prepare::{FileReport, LoadOptions, Loaded, Mappings, load};
pub use recipe::RecipeChange;
pub use segments::{SegmentMetrics, Wrong};
pub use task::Task;
pub use tasks::{ExampleOptions, Sizes};
pub use test_data::TestData;
pub use threads::use_threads;
pub use tune::{Axis, Choice, Finished, Search, Space, TuneRequest, Tuned, tune};
pub use update::{
    Decision, Judgement, LEVEL, UpdateReport, UpdateRequest, Updated, new_examples, update,
};
