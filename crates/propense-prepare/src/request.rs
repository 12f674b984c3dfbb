//! What is asked of [`crate::prepare`], and what comes back.

use std::path::PathBuf;
use std::time::Duration;

use propense_events::Format;

use crate::Mappings;
use crate::account::{BucketAccount, InputAccount};
use crate::clean::Options;
use crate::report::Measure;
use crate::sides::{SideAccount, SideTables};
use crate::stitch::StitchCounts;

/// What to prepare, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// Files and folders; a folder stands for the data files in it.
    pub inputs: Vec<PathBuf>,
    /// The folder to write into; it is made where it does not exist.
    pub out: PathBuf,
    /// The format of every input; `None` recognises each by its content.
    pub format: Option<Format>,
    /// Column names for tables of the shop's own making.
    pub mappings: Mappings,
    /// The text encoding of every input, by its name on the web; `None` is UTF-8, or UTF-16 where
    /// the file says so.
    pub encoding: Option<String>,
    /// The cleaning rules. Where no offset from UTC is given, midnight is that of the first input's
    /// format. A run that goes on from an earlier one takes `latest` from there: the moment of
    /// preparation is when it began.
    pub cleaning: Options,
    /// Tables beside the events.
    pub sides: SideTables,
    /// Whether figures are taken of what is written, for a report.
    pub measure: bool,
    /// Bytes of memory for sorting.
    pub memory: usize,
    /// Threads; `None` takes those of the machine.
    pub threads: Option<usize>,
    /// Buckets as a power of two; `None` takes it from the inputs' sizes.
    pub bucket_bits: Option<u32>,
}

impl Request {
    /// A request with the usual options: every rule, and one gibibyte for sorting.
    #[must_use]
    pub fn new(inputs: Vec<PathBuf>, out: PathBuf) -> Self {
        Self {
            inputs,
            out,
            format: None,
            mappings: Mappings::default(),
            encoding: None,
            cleaning: Options::default(),
            sides: SideTables::default(),
            measure: true,
            memory: 1 << 30,
            threads: None,
            bucket_bits: None,
        }
    }
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Name for people: the names of the inputs.
    pub name: String,
    /// The written tables, in order; empty where the inputs hold only summary sessions.
    pub tables: Vec<PathBuf>,
    /// `quarantine.csv`.
    pub quarantine: PathBuf,
    /// `sessions.jsonl`, where an input holds sessions only as summaries.
    pub summaries: Option<PathBuf>,
    /// One account for each input; the `source` column of the table counts them from zero.
    pub inputs: Vec<InputAccount>,
    /// Sorting and cleaning, all buckets together.
    pub cleaning: BucketAccount,
    /// `items.parquet`, where a catalogue was given.
    pub items: Option<PathBuf>,
    /// The tables beside the events.
    pub sides: SideAccount,
    /// Lines under an anonymous id alone that got the user it belongs to.
    pub stitched_lines: u64,
    /// Anonymous ids and their users.
    pub stitched: StitchCounts,
    /// Records in: lines of the event table that came of the inputs, rows (of the tables beside
    /// them, too) that could not be used, and summary sessions.
    pub records_in: u64,
    /// Records out: lines of the written tables, and summary sessions.
    pub records_out: u64,
    /// Records in quarantine, each a line of `quarantine.csv`.
    pub records_quarantined: u64,
    /// Whether the run went on from an earlier one.
    pub resumed: bool,
    /// Figures of what was written, where they were asked for.
    pub figures: Option<Measure>,
    /// Time spent reading, cleaning and joining in this run.
    pub times: [Duration; 3],
}
