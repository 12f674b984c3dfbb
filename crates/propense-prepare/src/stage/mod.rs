//! Reading: an input becomes lines, laid down by owner.
//!
//! One thread decodes and splits the input into blocks of whole records, as many threads as asked
//! for parse them, and the calling thread lays the lines down in the order of the file.

mod columns;
mod parts;
mod prices;
mod sink;
mod stitch;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use arrow::array::{Array, AsArray, Decimal128Array, RecordBatch};
use arrow::datatypes::Decimal128Type;
use crossbeam_channel::{Receiver, Sender, bounded};
use propense_events::{Block, Format, Limits, Mapping, Plan, Reader};

use crate::PrepareError;
use crate::account::{InputAccount, balanced};
use crate::decode::{self, Content, Text};
use crate::table::{Column, EventTable, MOST_LINES};

#[cfg(test)]
pub(crate) use columns::lines_of_owners;
use parts::Parts;
pub(crate) use parts::{of_bucket, read};
pub(crate) use prices::sample_prices;
use sink::{Laid, Layout};
pub(crate) use stitch::{move_lines, sightings, staying};

/// What is needed to read one input.
pub(crate) struct Job<'a> {
    pub(crate) path: &'a Path,
    /// Its number.
    pub(crate) source: u16,
    /// Where its lines go.
    pub(crate) folder: &'a Path,
    /// There are `1 << bits` buckets.
    pub(crate) bits: u32,
    pub(crate) format: Option<Format>,
    pub(crate) mapping: Option<&'a Mapping>,
    pub(crate) encoding: Option<&'a str>,
    pub(crate) limits: Limits,
    /// Whether rows outside the period that a public set promises are set aside.
    pub(crate) period: bool,
    /// Lines of the inputs before it.
    pub(crate) lines_before: u64,
    pub(crate) workers: usize,
}

/// How far the reading is.
pub(crate) struct Reading {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// The name of an input's quarantine lines in its folder.
pub(crate) const QUARANTINE: &str = "quarantine.csv";
/// The name of an input's summary sessions in its folder.
pub(crate) const SUMMARIES: &str = "sessions.jsonl";

/// Blocks that go to a thread at once: with many buckets each part must still have enough lines
/// for every bucket.
fn blocks_at_once(bits: u32) -> usize {
    ((1usize << bits) / 16).clamp(1, 16)
}

/// Reads one input from its beginning. `tick` is called after each part and can stop the work.
pub(crate) fn stage(
    job: &Job<'_>,
    tick: &mut dyn FnMut(Reading) -> Result<(), PrepareError>,
) -> Result<InputAccount, PrepareError> {
    if job.folder.exists() {
        fs::remove_dir_all(job.folder).map_err(PrepareError::io(job.folder))?;
    }
    let opened = decode::open(job.path, job.encoding, job.mapping.is_some())?;
    let mut keeper = Keeper::new(job, Arc::clone(&opened.read))?;
    match opened.content {
        Content::Text(text) => from_text(job, text, &mut keeper, tick)?,
        Content::Table(file) => from_table(job, file, &mut keeper, tick)?,
    }
    keeper.finish()
}

/// A file of which not one row could be read is in another format than it was taken for.
fn readable(account: &InputAccount, first: Option<&str>) -> Result<(), PrepareError> {
    if account.rows == 0 || account.rejected < account.rows {
        return Ok(());
    }
    Err(PrepareError::Unreadable {
        path: account.path.clone(),
        reason: format!(
            "none of the {} rows could be read as {}; the first: {}",
            account.rows,
            account.format,
            first.unwrap_or_default(),
        ),
    })
}

fn from_text(
    job: &Job<'_>,
    text: Text,
    keeper: &mut Keeper,
    tick: &mut dyn FnMut(Reading) -> Result<(), PrepareError>,
) -> Result<(), PrepareError> {
    let failed = |source| PrepareError::Events {
        path: job.path.to_owned(),
        source,
    };
    let reader = Reader::open(text, job.format, job.mapping, job.limits).map_err(failed)?;
    let mut plan = reader.plan().clone();
    if !job.period {
        plan = plan.of_any_time();
    }
    keeper.account.format = plan.format().to_string();
    keeper.account.utc_offset_minutes = plan.utc_offset_minutes();
    let workers = job.workers.max(1);
    thread::scope(|scope| {
        // A part must be asked for before it is read, so that a slow part cannot let the others
        // pile up in memory.
        let in_flight = workers * 2;
        let (leave, asked) = bounded::<()>(in_flight);
        for _ in 0..in_flight {
            let _ = leave.send(());
        }
        let (to_parse, parts) = bounded::<(u64, Vec<Block>)>(workers);
        let (to_keep, parsed) = bounded::<(u64, Result<Laid, PrepareError>)>(in_flight);
        let to_tell = to_keep.clone();
        scope.spawn(move || split(job, reader, &asked, &to_parse, &to_tell));
        for _ in 0..workers {
            let (parts, to_keep, plan) = (parts.clone(), to_keep.clone(), plan.clone());
            scope.spawn(move || parse(job, &plan, &parts, &to_keep));
        }
        drop((parts, to_keep));
        // On an error the receiver goes, the senders fail, and the threads end.
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (number, laid) in parsed {
            waiting.insert(number, laid?);
            while let Some(laid) = waiting.remove(&next) {
                next += 1;
                keeper.keep(laid)?;
                let _ = leave.try_send(());
                tick(keeper.reading())?;
            }
        }
        Ok(())
    })
}

/// Splits the input into parts.
fn split(
    job: &Job<'_>,
    mut reader: Reader<Text>,
    asked: &Receiver<()>,
    to_parse: &Sender<(u64, Vec<Block>)>,
    to_tell: &Sender<(u64, Result<Laid, PrepareError>)>,
) {
    let many = blocks_at_once(job.bits);
    for number in 0.. {
        if asked.recv().is_err() {
            return;
        }
        let mut blocks = Vec::with_capacity(many);
        while blocks.len() < many {
            let mut block = Block::default();
            match reader.next_block(&mut block) {
                Ok(true) => blocks.push(block),
                Ok(false) => break,
                Err(source) => {
                    let path = job.path.to_owned();
                    let _ = to_tell.send((number, Err(PrepareError::Events { path, source })));
                    return;
                }
            }
        }
        let end = blocks.len() < many;
        if number == 0 && blocks.is_empty() {
            // Even without a single record the adapter must see the header: a column may be missing.
            blocks.push(Block::default());
        }
        if blocks.is_empty() || to_parse.send((number, blocks)).is_err() || end {
            return;
        }
    }
}

/// Parses parts until there are no more.
fn parse(
    job: &Job<'_>,
    plan: &Plan,
    parts: &Receiver<(u64, Vec<Block>)>,
    to_keep: &Sender<(u64, Result<Laid, PrepareError>)>,
) {
    let mut layout = Layout::new(job.source, plan.format(), job.bits);
    for (number, blocks) in parts {
        let mut parse = || {
            let (mut rows, mut rejected) = (0, 0);
            for block in &blocks {
                let counts =
                    plan.parse(block, &mut layout)
                        .map_err(|source| PrepareError::Events {
                            path: job.path.to_owned(),
                            source,
                        })?;
                rows += counts.rows;
                rejected += counts.rejected;
            }
            let mut laid = layout.finish()?;
            laid.account.rows = rows;
            laid.account.rejected = rejected;
            Ok(laid)
        };
        if to_keep.send((number, parse())).is_err() {
            return;
        }
    }
}

/// Events of our own table; a row is an event here. One thread is enough: nothing is parsed.
fn from_table(
    job: &Job<'_>,
    file: File,
    keeper: &mut Keeper,
    tick: &mut dyn FnMut(Reading) -> Result<(), PrepareError>,
) -> Result<(), PrepareError> {
    use propense_events::{Key, Place, Sink, check_event};
    const EVENTS: usize = 50_000;

    let mut table = EventTable::open(file, job.path)?;
    keeper.account.format = "event table".to_owned();
    keeper.account.utc_offset_minutes = table.utc_offset_minutes();
    let mut layout = Layout::new(job.source, Format::Events, job.bits);
    let mut more = true;
    while more {
        let (mut rows, mut rejected) = (0, 0);
        for _ in 0..EVENTS {
            let Some(read) = table.next().transpose()? else {
                more = false;
                break;
            };
            rows += 1;
            let row = read.row;
            // The table may have been edited since it was written.
            let (event, problems) = check_event(read.event, row, &job.limits);
            for problem in problems {
                layout.problem(problem);
            }
            match event {
                Some(event) => layout.event(event, Place { row, key: Key::Own }),
                None => rejected += 1,
            }
        }
        let mut laid = layout.finish()?;
        laid.account.rows = rows;
        laid.account.rejected = rejected;
        keeper.keep(laid)?;
        tick(keeper.reading())?;
    }
    Ok(())
}

/// Lays parts down in order and keeps the accounts.
struct Keeper {
    place: String,
    parts: Parts,
    quarantine: BufWriter<File>,
    summaries: BufWriter<File>,
    account: InputAccount,
    quarantined: u64,
    /// The first row that was set aside.
    first: Option<String>,
    lines_before: u64,
    read: Arc<AtomicU64>,
    folder: PathBuf,
}

impl Keeper {
    fn new(job: &Job<'_>, read: Arc<AtomicU64>) -> Result<Self, PrepareError> {
        let parts = Parts::create(job.folder.to_owned(), 1 << job.bits)?;
        let create = |name: &str| {
            let path = job.folder.join(name);
            File::create_new(&path)
                .map(BufWriter::new)
                .map_err(PrepareError::io(&path))
        };
        Ok(Self {
            place: job.path.display().to_string(),
            parts,
            quarantine: create(QUARANTINE)?,
            summaries: create(SUMMARIES)?,
            account: InputAccount {
                path: job.path.to_owned(),
                ..InputAccount::default()
            },
            quarantined: 0,
            first: None,
            lines_before: job.lines_before,
            read,
            folder: job.folder.to_owned(),
        })
    }

    fn keep(&mut self, laid: Laid) -> Result<(), PrepareError> {
        let before = self.lines_before + self.account.lines;
        if before + laid.account.lines > MOST_LINES {
            return Err(PrepareError::Unreadable {
                path: self.account.path.clone(),
                reason: format!("more than {MOST_LINES} lines in one table; prepare it in parts"),
            });
        }
        for batch in &laid.batches {
            let lines = number(&batch.lines, before).map_err(PrepareError::engine(&self.place))?;
            self.parts.write(batch.bucket, batch.set, &lines)?;
        }
        self.quarantine
            .write_all(&laid.quarantine)
            .and_then(|()| self.summaries.write_all(&laid.summaries))
            .map_err(PrepareError::io(&self.folder))?;
        self.quarantined += laid.quarantined;
        if self.first.is_none() && laid.quarantined > 0 {
            let text = String::from_utf8_lossy(&laid.quarantine);
            self.first = text
                .lines()
                .next()
                .map(|line| line.chars().take(200).collect());
        }
        self.account.add(&laid.account);
        Ok(())
    }

    fn reading(&self) -> Reading {
        Reading {
            rows: self.account.rows,
            bytes: self.read.load(Ordering::Relaxed),
        }
    }

    fn finish(mut self) -> Result<InputAccount, PrepareError> {
        self.quarantine
            .flush()
            .and_then(|()| self.summaries.flush())
            .map_err(PrepareError::io(&self.folder))?;
        self.account.staged = self.parts.finish()?;
        readable(&self.account, self.first.as_deref())?;
        // Every row that was set aside has its line in quarantine.
        balanced(
            &format!("{}, rows set aside", self.place),
            self.account.rejected,
            0,
            self.quarantined,
        )?;
        Ok(self.account)
    }
}

/// Adds the number of lines before this part to the keys, whose lowest bits number the lines.
fn number(batch: &RecordBatch, before: u64) -> Result<RecordBatch, arrow::error::ArrowError> {
    if before == 0 {
        return Ok(batch.clone());
    }
    let (schema, mut columns, _) = batch.clone().into_parts();
    let position = schema.index_of(Column::Key.name())?;
    if let Some(column) = columns.get_mut(position) {
        let keys = column.as_primitive::<Decimal128Type>();
        let before = i128::from(before);
        let keys: Decimal128Array = keys.unary(|key| key + before);
        *column = Arc::new(keys.with_data_type(column.data_type().clone()));
    }
    RecordBatch::try_new(schema, columns)
}
