//! Blocks of whole records: what makes a file readable in bounded memory, and on several threads.

use std::io::Read;

use crate::{Action, EventsError, Problem, Rule};

/// The longest record in bytes. A longer one is set aside, and no more of it than this is held.
pub const MAX_RECORD: usize = 16 << 20;

/// A block is handed over as soon as it holds this many bytes.
const BLOCK: usize = 1 << 20;

/// Bytes read at a time.
const STEP: usize = 256 << 10;

/// Where one record ends and the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Comma-separated values as the `csv` crate reads them: a record ends at `\n`, `\r` or
    /// `\r\n` outside of quotes, and an empty line is no record.
    Csv {
        /// The character between fields: a quote counts only where a field begins.
        delimiter: u8,
        /// Whether a field may be quoted at all.
        quoting: bool,
    },
    /// One record a line, blank lines counted: the row is the line's number.
    Lines,
}

/// Some whole records of one file.
#[derive(Debug, Clone, Default)]
pub struct Block {
    pub(crate) bytes: Vec<u8>,
    /// Row of the first record.
    pub(crate) first_row: u64,
    /// A record after the others that could not be taken in.
    pub(crate) too_long: Option<Problem>,
}

impl Block {
    /// The size of the records in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Splits an input into blocks.
#[derive(Debug)]
pub(crate) struct Records<R> {
    input: R,
    framing: Framing,
    /// Bytes read and not yet handed over.
    held: Vec<u8>,
    /// Whole records lie before here.
    boundary: usize,
    scan: Scan,
    /// Row of the first record in `held`.
    row: u64,
    end: bool,
}

/// How far `held` has been looked at.
#[derive(Debug, Clone, Copy, Default)]
struct Scan {
    position: usize,
    quoted: bool,
    /// Records before `boundary`.
    rows: u64,
}

impl<R: Read> Records<R> {
    /// `row` is the number of the first record.
    pub(crate) fn new(input: R, framing: Framing, row: u64) -> Self {
        Self {
            input,
            framing,
            held: Vec::new(),
            boundary: 0,
            scan: Scan::default(),
            row,
            end: false,
        }
    }

    /// Takes off the first record, with its line end: a header.
    pub(crate) fn take_first(&mut self) -> Result<Vec<u8>, EventsError> {
        while self.scan.rows == 0 && !self.end && self.held.len() <= MAX_RECORD {
            self.more()?;
            self.look(1);
        }
        if self.scan.rows == 0 {
            self.boundary = self.held.len();
        }
        let rest = self.held.split_off(self.boundary);
        let first = std::mem::replace(&mut self.held, rest);
        self.restart();
        self.row += 1;
        Ok(first)
    }

    /// Replaces `block` with the next records; false where there are none left.
    pub(crate) fn next(&mut self, block: &mut Block) -> Result<bool, EventsError> {
        block.bytes.clear();
        block.too_long = None;
        loop {
            self.look(u64::MAX);
            if self.boundary >= BLOCK {
                break;
            }
            if self.held.len() - self.boundary > MAX_RECORD || self.end && self.scan.quoted {
                block.first_row = self.row;
                self.hand_over(block);
                block.too_long = Some(self.skip_line()?);
                return Ok(true);
            }
            if self.end {
                break;
            }
            self.more()?;
        }
        if self.end && self.boundary < self.held.len() {
            // The last record has no line end.
            let last = self.held.get(self.boundary..).unwrap_or_default();
            self.scan.rows += u64::from(!last.is_empty());
            self.boundary = self.held.len();
            self.scan.position = self.boundary;
        }
        block.first_row = self.row;
        self.hand_over(block);
        Ok(!block.bytes.is_empty())
    }

    fn more(&mut self) -> Result<(), EventsError> {
        let before = self.held.len();
        let got = self
            .input
            .by_ref()
            .take(STEP as u64)
            .read_to_end(&mut self.held)
            .map_err(EventsError::Read)?;
        self.end = got == 0;
        debug_assert_eq!(self.held.len(), before + got);
        Ok(())
    }

    /// Moves the whole records into the block, and the rest to the front.
    fn hand_over(&mut self, block: &mut Block) {
        let rows = self.scan.rows;
        let rest = self.held.len() - self.boundary;
        block.bytes.reserve(self.boundary);
        if rest < self.boundary {
            // The rest is small: swapping saves copying the records.
            let left: Vec<u8> = self.held.get(self.boundary..).unwrap_or_default().to_vec();
            self.held.truncate(self.boundary);
            std::mem::swap(&mut block.bytes, &mut self.held);
            self.held.clear();
            self.held.extend_from_slice(&left);
        } else {
            block.bytes.extend(self.held.drain(..self.boundary));
        }
        self.scan.position -= self.boundary;
        self.scan.rows = 0;
        self.boundary = 0;
        self.row += rows;
    }

    fn restart(&mut self) {
        self.boundary = 0;
        self.scan = Scan::default();
    }

    /// Drops the first line, however long: it belongs to a record that cannot be taken in, either
    /// for its length or because a quote in it is never closed. What follows is looked at anew.
    fn skip_line(&mut self) -> Result<Problem, EventsError> {
        let detail: Vec<u8> = self.held.iter().copied().take(200).collect();
        let unclosed = self.scan.quoted;
        loop {
            let line_end = memchr::memchr2(b'\n', b'\r', &self.held);
            if let Some(at) = line_end {
                self.held.drain(..=at);
                break;
            }
            self.held.clear();
            if self.end {
                break;
            }
            self.more()?;
        }
        self.restart();
        let row = self.row;
        self.row += 1;
        let (rule, field) = if unclosed {
            (Rule::Malformed, "quote never closed")
        } else {
            (Rule::RecordTooLong, "record")
        };
        Ok(Problem::new(rule, Action::Rejected, row)
            .field(field)
            .detail(String::from_utf8_lossy(&detail)))
    }

    /// Looks on for record ends, until so many records are whole.
    fn look(&mut self, most: u64) {
        while self.scan.rows < most {
            let from = self.scan.position;
            let Some(rest) = self.held.get(from..) else {
                return;
            };
            let found = match self.framing {
                Framing::Lines => memchr::memchr(b'\n', rest),
                Framing::Csv { .. } if self.scan.quoted => memchr::memchr(b'"', rest),
                Framing::Csv { quoting: true, .. } => memchr::memchr3(b'"', b'\n', b'\r', rest),
                Framing::Csv { quoting: false, .. } => memchr::memchr2(b'\n', b'\r', rest),
            };
            let Some(at) = found.map(|at| from + at) else {
                self.scan.position = self.held.len();
                return;
            };
            let byte = self.held.get(at).copied();
            let next = self.held.get(at + 1).copied();
            if next.is_none() && !self.end && byte != Some(b'\n') {
                // What follows decides: a doubled quote, `\r\n`.
                self.scan.position = at;
                return;
            }
            match (self.framing, byte) {
                (Framing::Csv { delimiter, .. }, Some(b'"')) => {
                    self.scan.position = at + 1;
                    if !self.scan.quoted {
                        let before = at.checked_sub(1).and_then(|at| self.held.get(at));
                        self.scan.quoted = at == self.boundary || before == Some(&delimiter);
                    } else if next == Some(b'"') {
                        self.scan.position = at + 2;
                    } else {
                        self.scan.quoted = false;
                    }
                }
                (Framing::Csv { .. }, Some(b'\r')) if next == Some(b'\n') => {
                    self.record_end(at, at + 2);
                }
                _ => self.record_end(at, at + 1),
            }
        }
    }

    fn record_end(&mut self, at: usize, after: usize) {
        let empty = at == self.boundary;
        let counts = !empty || self.framing == Framing::Lines;
        self.scan.rows += u64::from(counts);
        self.boundary = after;
        self.scan.position = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: Framing = Framing::Csv {
        delimiter: b',',
        quoting: true,
    };

    /// The records as the `csv` crate sees them, block by block, each with its row.
    fn rows(input: &[u8], framing: Framing) -> Vec<(u64, String)> {
        let mut records = Records::new(input, framing, 1);
        let mut block = Block::default();
        let mut found = Vec::new();
        while records.next(&mut block).expect("readable") {
            let mut row = block.first_row;
            let text = String::from_utf8_lossy(&block.bytes).into_owned();
            if framing == Framing::Lines {
                for line in text.lines() {
                    found.push((row, line.to_owned()));
                    row += 1;
                }
            } else {
                let mut reader = csv::ReaderBuilder::new()
                    .has_headers(false)
                    .flexible(true)
                    .from_reader(text.as_bytes());
                for record in reader.records() {
                    let record = record.expect("a record");
                    found.push((row, record.iter().collect::<Vec<_>>().join("|")));
                    row += 1;
                }
            }
            if let Some(problem) = &block.too_long {
                found.push((problem.row, format!("{:?}", problem.rule)));
            }
        }
        found
    }

    fn check(input: &str, framing: Framing, expected: &[(u64, &str)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(row, text)| (*row, (*text).to_owned()))
            .collect();
        assert_eq!(rows(input.as_bytes(), framing), expected, "{input:?}");
    }

    #[test]
    fn records_and_their_rows() {
        check("a,b\nc\n", CSV, &[(1, "a|b"), (2, "c")]);
        check("a\r\n\r\nb\rc", CSV, &[(1, "a"), (2, "b"), (3, "c")]);
        check("a,\"b\n\"\"c\",d\ne", CSV, &[(1, "a|b\n\"c|d"), (2, "e")]);
        check("5\" disk,a\nb\n", CSV, &[(1, "5\" disk|a"), (2, "b")]);
        check("a\n\nb", Framing::Lines, &[(1, "a"), (2, ""), (3, "b")]);
        check("", CSV, &[]);
    }

    #[test]
    fn a_quote_that_is_never_closed_costs_one_line() {
        check(
            "a\n\"b,c\nd\ne\n",
            CSV,
            &[(1, "a"), (2, "Malformed"), (3, "d"), (4, "e")],
        );
        check("\"", CSV, &[(1, "Malformed")]);
    }

    #[test]
    fn a_record_beyond_all_bounds_costs_itself_and_little_memory() {
        let mut input = b"a\n".to_vec();
        input.extend(std::iter::repeat_n(b'x', 3 * MAX_RECORD));
        input.extend(b"\nb\n");
        for framing in [CSV, Framing::Lines] {
            let mut records = Records::new(input.as_slice(), framing, 1);
            let mut block = Block::default();
            let mut found = Vec::new();
            while records.next(&mut block).expect("readable") {
                found.push((block.first_row, block.bytes.clone()));
                found.extend(block.too_long.as_ref().map(|p| (p.row, b"!".to_vec())));
                assert!(records.held.capacity() <= 2 * (MAX_RECORD + STEP));
            }
            let expected: [(u64, &[u8]); 3] = [(1, b"a\n"), (2, b"!"), (3, b"b\n")];
            assert!(found.iter().map(|(r, b)| (*r, b.as_slice())).eq(expected));
        }
    }

    #[test]
    fn many_blocks_hold_every_row_once() {
        let mut input = String::new();
        for row in 1..=200_000 {
            let quoted = if row % 7 == 0 {
                "\"x\r\ny,\"\"\""
            } else {
                "plain"
            };
            input.push_str(&format!("{row},{quoted}\r\n"));
        }
        let found = rows(input.as_bytes(), CSV);
        assert_eq!(found.len(), 200_000);
        for (row, text) in &found {
            assert!(text.starts_with(&format!("{row}|")), "{row}: {text}");
        }
    }

    #[test]
    fn a_header_is_taken_off() {
        let mut records = Records::new(b"a,\"b\nc\"\n1,2\n".as_slice(), CSV, 1);
        assert_eq!(records.take_first().expect("a header"), b"a,\"b\nc\"\n");
        let mut block = Block::default();
        assert!(records.next(&mut block).expect("readable"));
        assert_eq!(
            (block.first_row, block.bytes.as_slice()),
            (2, b"1,2\n".as_slice())
        );
        assert!(!records.next(&mut block).expect("readable"));
    }
}
