//! What a long run tells while it runs.

use std::time::{Duration, Instant};

/// Where the run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The inputs are read and laid down by owner.
    Reading,
    /// Buckets are sorted, cleaned and written.
    Cleaning,
    /// The finished parts are joined.
    Joining,
}

/// One report of progress.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Rows of the inputs read so far, in this run and before.
    pub rows: u64,
    /// Bytes of the inputs read so far.
    pub bytes: u64,
    /// Bytes of all inputs.
    pub total_bytes: u64,
    /// Lines sorted and cleaned so far.
    pub lines: u64,
    /// Lines to sort and clean; zero while reading.
    pub total_lines: u64,
    /// Time since this run began.
    pub elapsed: Duration,
    /// An estimate of the time left; `None` in the first second.
    pub left: Option<Duration>,
}

/// Receives progress and can stop a run. Called on the caller's thread, a few times a second.
pub trait Observer {
    /// Takes note.
    fn progress(&mut self, progress: &Progress);

    /// Whether to stop as soon as possible; what is done is kept for the next run.
    fn interrupted(&self) -> bool {
        false
    }
}

/// Takes no note and never stops.
impl Observer for () {
    fn progress(&mut self, _progress: &Progress) {}
}

/// Time that reading takes as a share of the whole, from measurements: reading and cleaning cost
/// about the same.
const READING: f64 = 0.5;

/// Keeps the time.
pub(crate) struct Clock {
    start: Instant,
    /// The share that was done when this run began.
    resumed: Option<f64>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            resumed: None,
        }
    }

    /// Fills in elapsed time and time left.
    pub(crate) fn stamp(&mut self, progress: &mut Progress) {
        progress.elapsed = self.start.elapsed();
        let share = |done: u64, total: u64| done as f64 / total.max(1) as f64;
        let done = match progress.stage {
            Stage::Reading => READING * share(progress.bytes, progress.total_bytes),
            Stage::Cleaning => {
                READING + (1.0 - READING) * share(progress.lines, progress.total_lines)
            }
            Stage::Joining => 1.0,
        }
        .min(1.0);
        let before = *self.resumed.get_or_insert(done);
        progress.left = (progress.elapsed.as_secs_f64() > 1.0 && done > before).then(|| {
            let rate = (done - before) / progress.elapsed.as_secs_f64();
            Duration::from_secs_f64(((1.0 - done) / rate).clamp(0.0, 1e9))
        });
    }
}
