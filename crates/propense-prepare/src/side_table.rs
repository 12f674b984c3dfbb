//! A table that stands beside the events: one row for an item or a user, as CSV or JSON lines.
//!
//! CSV has a header; the delimiter (comma, semicolon, tab or bar) is taken from it. JSON lines have
//! one object a line. A byte-order mark and either line end are fine. A damaged row is set aside
//! and named; the table as a whole is refused only where nothing can be read.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

use propense_events::{Action, Problem, Rule};
use serde_json::{Map, Value};

/// The longest record in bytes; a longer one is no row of a table.
const LONGEST: usize = 16 << 20;

/// Why a table beside the events cannot be used. The caller adds the file's name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SideTableError {
    /// The input has no bytes, or only blanks.
    #[error("the table is empty")]
    Empty,
    /// A column that the table cannot do without is missing.
    #[error("no column for `{wanted}`; found: {found}. Name it in the mapping")]
    MissingColumn {
        /// What the column is needed for.
        wanted: &'static str,
        /// The columns that are there.
        found: String,
    },
    /// A record that does not end.
    #[error("the record at row {row} is longer than 16 MiB: look for a quote that is not closed")]
    RecordTooLong {
        /// The row.
        row: u64,
    },
    /// Reading failed.
    #[error("reading failed: {0}")]
    Read(#[from] std::io::Error),
}

/// One row: texts or JSON values by the names of their columns.
pub(crate) enum Row<'a> {
    Csv {
        names: &'a HashMap<String, usize>,
        record: &'a csv::StringRecord,
    },
    Json(&'a Map<String, Value>),
}

impl Row<'_> {
    /// The value in the column with this name, as text; `None` where it is missing or blank.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        let text = match self {
            Row::Csv { names, record } => Cow::Borrowed(record.get(*names.get(name)?)?),
            Row::Json(object) => match object.get(name)? {
                Value::String(text) => Cow::Borrowed(text.as_str()),
                Value::Number(number) => Cow::Owned(number.to_string()),
                Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
                Value::Array(levels) => {
                    let levels: Vec<&str> = levels.iter().filter_map(Value::as_str).collect();
                    Cow::Owned(levels.join("/"))
                }
                Value::Null | Value::Object(_) => return None,
            },
        };
        let blank = text.trim().is_empty();
        let trimmed = text.trim().len() == text.len();
        match blank {
            true => None,
            false if trimmed => Some(text),
            false => Some(Cow::Owned(text.trim().to_owned())),
        }
    }

    /// The names of the columns, in the row's order.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Row::Csv { names, .. } => {
                let mut list: Vec<(&String, &usize)> = names.iter().collect();
                list.sort_unstable_by_key(|(_, position)| **position);
                list.into_iter().map(|(name, _)| name.as_str()).collect()
            }
            Row::Json(object) => object.keys().map(String::as_str).collect(),
        }
    }

    /// The value as JSON: typed where the input is, else as it looks.
    pub(crate) fn value(&self, name: &str) -> Option<Value> {
        if let Row::Json(object) = self
            && let Some(value @ (Value::Bool(_) | Value::Number(_))) = object.get(name)
        {
            return Some(value.clone());
        }
        let text = self.text(name)?;
        let typed = matches!(self, Row::Json(_));
        Some(match text.as_ref() {
            "true" | "True" | "TRUE" if !typed => Value::Bool(true),
            "false" | "False" | "FALSE" if !typed => Value::Bool(false),
            text => match text.parse::<f64>() {
                Ok(number) if !typed && number.is_finite() => Value::from(number),
                _ => Value::from(text),
            },
        })
    }
}

/// A name without case, blanks and punctuation, by which columns are found.
pub(crate) fn plain(name: &str) -> String {
    name.chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Takes a row and its number (from 1, with a CSV's header), and says what was wrong with it.
pub(crate) type Each<'a> = dyn FnMut(&Row<'_>, u64) -> Result<Option<Problem>, SideTableError> + 'a;

/// Reads a table row by row; returns the number of rows. What `each` says is wrong with a row goes
/// to `problem`, as do rows that cannot be read.
pub(crate) fn read(
    input: impl Read,
    each: &mut Each<'_>,
    problem: &mut dyn FnMut(Problem),
) -> Result<u64, SideTableError> {
    let mut input = BufReader::with_capacity(1 << 18, input);
    let start = input.fill_buf()?;
    if start.starts_with(&[0xef, 0xbb, 0xbf]) {
        input.consume(3);
    }
    loop {
        let start = input.fill_buf()?;
        match start.iter().position(|byte| !byte.is_ascii_whitespace()) {
            Some(position) => {
                let json = start.get(position) == Some(&b'{');
                return if json {
                    read_json(input, each, problem)
                } else {
                    input.consume(position);
                    read_csv(input, each, problem)
                };
            }
            None if start.is_empty() => return Err(SideTableError::Empty),
            None => {
                let blank = start.len();
                input.consume(blank);
            }
        }
    }
}

fn malformed(row: u64, detail: impl std::fmt::Display) -> Problem {
    Problem::new(Rule::Malformed, Action::Rejected, row).detail(detail)
}

fn read_json(
    mut input: impl BufRead,
    each: &mut Each<'_>,
    problem: &mut dyn FnMut(Problem),
) -> Result<u64, SideTableError> {
    let (mut line, mut row, mut rows) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        row += 1;
        let most = LONGEST as u64 + 1;
        if input.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
            return Ok(rows);
        }
        if line.len() > LONGEST {
            return Err(SideTableError::RecordTooLong { row });
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        rows += 1;
        let object: Result<Map<String, Value>, _> = serde_json::from_slice(&line);
        let found = match &object {
            Ok(object) => each(&Row::Json(object), row)?,
            Err(error) => Some(malformed(row, error)),
        };
        if let Some(found) = found {
            problem(found);
        }
    }
}

fn read_csv(
    mut input: impl BufRead,
    each: &mut Each<'_>,
    problem: &mut dyn FnMut(Problem),
) -> Result<u64, SideTableError> {
    let delimiter = delimiter(input.fill_buf()?);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(Bounded::new(input));
    let (mut bytes, mut names) = (csv::ByteRecord::new(), HashMap::new());
    let (mut row, mut rows) = (0, 0);
    loop {
        row += 1;
        match reader.read_byte_record(&mut bytes) {
            Ok(true) => {}
            Ok(false) => return Ok(rows),
            Err(_) if reader.get_ref().too_long => {
                return Err(SideTableError::RecordTooLong { row });
            }
            Err(error) => match error.into_kind() {
                csv::ErrorKind::Io(error) => return Err(SideTableError::Read(error)),
                other => {
                    rows += 1;
                    problem(malformed(row, format!("{other:?}")));
                    continue;
                }
            },
        }
        let record = csv::StringRecord::from_byte_record_lossy(std::mem::take(&mut bytes));
        if names.is_empty() {
            for (position, name) in record.iter().enumerate() {
                names.entry(name.trim().to_owned()).or_insert(position);
            }
        } else {
            rows += 1;
            let row_of_names = Row::Csv {
                names: &names,
                record: &record,
            };
            if let Some(found) = each(&row_of_names, row)? {
                problem(found);
            }
        }
        bytes = record.into_byte_record();
    }
}

/// The delimiter that the first line has most of.
fn delimiter(start: &[u8]) -> u8 {
    let line = start
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let count = |delimiter: &u8| line.iter().filter(|byte| *byte == delimiter).count();
    // The last of equals wins, and a comma is the likeliest.
    let likely = [b'|', b'\t', b';', b','];
    likely.into_iter().max_by_key(count).unwrap_or(b',')
}

/// Fails where a record goes on for too long, so that an open quote cannot fill the memory.
struct Bounded<R> {
    input: R,
    quoted: bool,
    since: usize,
    too_long: bool,
}

impl<R> Bounded<R> {
    const fn new(input: R) -> Self {
        Self {
            input,
            quoted: false,
            since: 0,
            too_long: false,
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        for byte in buffer.get(..read).unwrap_or_default() {
            self.since += 1;
            match byte {
                b'"' => self.quoted = !self.quoted,
                b'\n' if !self.quoted => self.since = 0,
                _ => {}
            }
            if self.since > LONGEST {
                self.too_long = true;
                return Err(std::io::Error::other("a record that does not end"));
            }
        }
        Ok(read)
    }
}

/// A time as number (seconds, milliseconds or microseconds since 1970, told by their size) or as
/// text, in milliseconds since 1970.
pub(crate) fn time(text: &str) -> Option<i64> {
    match text.parse::<f64>() {
        Ok(number) if number.abs() < 1e11 => Some((number * 1e3) as i64),
        Ok(number) if number.abs() < 1e14 => Some(number as i64),
        Ok(number) if number.is_finite() => Some((number / 1e3) as i64),
        _ => propense_events::parse_timestamp(text, 0),
    }
}
