//! CSV rows as bytes: a damaged row must never end the reading.

use std::{
    borrow::Cow,
    io::{self, BufRead, BufReader, Read},
};

use crate::{Action, EventsError, Format, Problem, Rule, format::plain, ledger::Ledger};

/// The columns named by a header.
#[derive(Debug)]
pub(crate) struct Header {
    format: Format,
    names: Vec<String>,
}

impl Header {
    /// The names as they stand, in the table's order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The position of the column with one of these names, exactly or but for case, blanks and
    /// underscores.
    pub(crate) fn find(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| {
            let exact = self.names.iter().position(|found| found == name);
            let wanted = plain(name);
            exact.or_else(|| {
                self.names
                    .iter()
                    .position(|found| !wanted.is_empty() && plain(found) == wanted)
            })
        })
    }

    /// The same for a column that the format cannot do without.
    pub(crate) fn require(&self, names: &[&str], remedy: &str) -> Result<usize, EventsError> {
        self.find(names).ok_or_else(|| {
            let mut found: String = self.names.join(", ").chars().take(300).collect();
            if found.is_empty() {
                found.push_str("(nothing)");
            }
            EventsError::MissingColumn {
                format: self.format,
                column: names.first().copied().unwrap_or_default().to_owned(),
                found,
                remedy: remedy.to_owned(),
            }
        })
    }
}

/// A stream of rows.
pub(crate) struct Rows<R> {
    reader: Source<R>,
    format: Format,
    /// Row of the last record read.
    number: u64,
}

enum Source<R> {
    /// A table whose fields may be quoted.
    Quoted(csv::Reader<R>),
    /// One where they never are: splitting is all there is to do.
    Plain(Plain<R>),
}

/// Lines cut at every delimiter.
struct Plain<R> {
    reader: BufReader<R>,
    delimiter: u8,
    line: Vec<u8>,
}

impl<R: Read> Plain<R> {
    /// The same records as the `csv` crate makes without quoting: they end at `\n`, `\r` or
    /// `\r\n`, and an empty line is none.
    fn read(&mut self, record: &mut csv::ByteRecord) -> io::Result<bool> {
        record.clear();
        self.line.clear();
        loop {
            let held = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                held => held?,
            };
            let end = memchr::memchr2(b'\n', b'\r', held);
            let taken = held.get(..end.unwrap_or(held.len())).unwrap_or_default();
            let whole = end.is_some() || held.is_empty();
            if whole && self.line.is_empty() {
                // Most often the whole line lies there already.
                cut(taken, self.delimiter, record);
            } else {
                self.line.extend_from_slice(taken);
            }
            let used = taken.len() + usize::from(end.is_some());
            let at_end = held.is_empty();
            self.reader.consume(used);
            if whole && !self.line.is_empty() {
                cut(&self.line, self.delimiter, record);
            }
            if !record.is_empty() {
                return Ok(true);
            }
            if at_end {
                return Ok(false);
            }
        }
    }
}

/// Adds the fields of a line; none of an empty one.
fn cut(line: &[u8], delimiter: u8, record: &mut csv::ByteRecord) {
    if line.is_empty() {
        return;
    }
    let mut from = 0;
    for at in memchr::memchr_iter(delimiter, line) {
        record.push_field(line.get(from..at).unwrap_or_default());
        from = at + 1;
    }
    record.push_field(line.get(from..).unwrap_or_default());
}

/// One row with its number in the file, counted from 1 with the header.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) number: u64,
    pub(crate) record: csv::ByteRecord,
}

impl<R: Read> Rows<R> {
    pub(crate) fn new(
        input: R,
        format: Format,
        delimiter: u8,
        quoting: bool,
        ledger: &Ledger<'_>,
    ) -> Self {
        let reader = if quoting {
            let reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(delimiter)
                .buffer_capacity(1 << 18)
                .from_reader(input);
            Source::Quoted(reader)
        } else {
            Source::Plain(Plain {
                reader: BufReader::with_capacity(1 << 18, input),
                delimiter,
                line: Vec::new(),
            })
        };
        Self {
            reader,
            format,
            number: ledger.base,
        }
    }

    /// Reads the first row as a header.
    pub(crate) fn header(&mut self) -> Result<Header, EventsError> {
        let mut row = Row::new();
        if !self.next(&mut row)? {
            return Err(EventsError::Empty);
        }
        Ok(row.header(self.format))
    }

    /// A header `1`, `2`, … for a table without one.
    pub(crate) fn numbered(&self, columns: usize) -> Header {
        Header {
            format: self.format,
            names: (1..=columns).map(|number| number.to_string()).collect(),
        }
    }

    /// Reads the next row into `row`; false at the end.
    pub(crate) fn next(&mut self, row: &mut Row) -> Result<bool, EventsError> {
        let more = match &mut self.reader {
            Source::Quoted(reader) => reader
                .read_byte_record(&mut row.record)
                .map_err(|error| EventsError::Read(error.into()))?,
            Source::Plain(reader) => reader.read(&mut row.record).map_err(EventsError::Read)?,
        };
        self.number += u64::from(more);
        row.number = self.number;
        Ok(more)
    }
}

impl Row {
    pub(crate) fn new() -> Self {
        Self {
            number: 0,
            record: csv::ByteRecord::new(),
        }
    }

    /// This row taken as a header.
    pub(crate) fn header(&self, format: Format) -> Header {
        let names = self
            .record
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim().to_owned())
            .collect();
        Header { format, names }
    }

    /// A field's bytes without surrounding blanks; empty where the row is too short.
    pub(crate) fn bytes(&self, column: usize) -> &[u8] {
        self.record.get(column).unwrap_or_default().trim_ascii()
    }

    /// A field as text. Bytes that are not UTF-8 are replaced and counted.
    pub(crate) fn text(&self, column: usize, name: &str, ledger: &mut Ledger<'_>) -> Cow<'_, str> {
        let bytes = self.bytes(column);
        match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => {
                let text = String::from_utf8_lossy(bytes);
                ledger.repaired(self.number, Rule::NotUtf8, name, &text);
                text
            }
        }
    }

    /// The same; `None` where it is empty or the table has no such column.
    pub(crate) fn optional(
        &self,
        column: Option<usize>,
        name: &str,
        ledger: &mut Ledger<'_>,
    ) -> Option<String> {
        let text = self.text(column?, name, ledger);
        (!text.is_empty()).then(|| text.into_owned())
    }

    /// A number. Empty is missing; anything that is no number is missing too, and counted.
    pub(crate) fn number(
        &self,
        column: Option<usize>,
        name: &str,
        ledger: &mut Ledger<'_>,
    ) -> Option<f64> {
        let text = self.text(column?, name, ledger);
        if text.is_empty() {
            return None;
        }
        let number = text.parse().ok();
        if number.is_none() {
            ledger.repaired(self.number, Rule::WrongType, name, &text);
        }
        number
    }

    /// A field that the row cannot do without, as text.
    pub(crate) fn required(&self, column: usize, name: &str) -> Result<&str, Problem> {
        match self.bytes(column) {
            b"" => Err(self.rejected(Rule::MissingField, name, b"")),
            bytes => {
                std::str::from_utf8(bytes).map_err(|_| self.rejected(Rule::Malformed, name, bytes))
            }
        }
    }

    /// A problem that sets this row aside.
    pub(crate) fn rejected(&self, rule: Rule, field: &str, detail: &[u8]) -> Problem {
        Problem::new(rule, Action::Rejected, self.number)
            .field(field)
            .detail(String::from_utf8_lossy(detail))
    }
}

/// An identifier that a spreadsheet has turned into a number: `17850.0` is `17850`.
pub(crate) fn identifier(text: &str) -> &str {
    match text.strip_suffix(".0") {
        Some(whole) if whole.bytes().all(|byte| byte.is_ascii_digit()) && !whole.is_empty() => {
            whole
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hands out some bytes at a time.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let few = into.len().min(self.1);
            self.0.read(into.get_mut(..few).unwrap_or_default())
        }
    }

    proptest! {
        /// Splitting gives the records of the `csv` crate, in whatever pieces the bytes come.
        #[test]
        fn plain_rows_are_those_of_csv(text in "[ab\",;\t\r\n ]{0,60}", few in 1..9_usize) {
            let mut plain = Plain {
                reader: BufReader::with_capacity(8, Trickle(text.as_bytes(), few)),
                delimiter: b',',
                line: Vec::new(),
            };
            let mut csv = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .quoting(false)
                .from_reader(text.as_bytes());
            let (mut ours, mut theirs) = (csv::ByteRecord::new(), csv::ByteRecord::new());
            loop {
                let more = csv.read_byte_record(&mut theirs).expect("readable");
                prop_assert_eq!(plain.read(&mut ours).expect("readable"), more);
                if !more {
                    break;
                }
                prop_assert_eq!(&ours, &theirs);
            }
        }
    }
}
