//! Reading an input of any format, block by block.

use std::io::{Chain, Cursor, Read};

use crate::records::{Block, Framing, Records};
use crate::{
    Counts, Delimiter, EventsError, Format, Limits, Mapping, Sink, adapters, format::is_json,
    ledger::Ledger, recognise::recognise,
};

/// How much of the input is looked at to recognise it, in bytes.
const START: u64 = 64 * 1024;

/// The bytes already looked at, then the rest.
type Input<R> = Chain<Cursor<Vec<u8>>, R>;

/// How one input is to be read: everything that is needed to make events of a [`Block`] of it,
/// on whichever thread.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) format: Format,
    pub(crate) mapping: Mapping,
    pub(crate) framing: Framing,
    /// The first record, where it names the columns.
    pub(crate) header: Vec<u8>,
    limits: Limits,
    /// Whether rows outside the period that a public set promises are set aside.
    period: bool,
}

/// An input of a known format, handed out in blocks of whole records.
///
/// Memory stays bounded whatever the input: a record of more than [`crate::MAX_RECORD`] bytes is
/// set aside, and a quote that is never closed costs one line.
#[derive(Debug)]
pub struct Reader<R> {
    plan: Plan,
    records: Records<Input<R>>,
}

impl<R: Read> Reader<R> {
    /// Looks at the beginning of the input. With `format` absent the format is recognised by
    /// content, or is [`Format::Csv`] or
    /// [`Format::Jsonl`] where a mapping is given. A byte-order mark, either line
    /// end, columns in another order and extra columns are fine.
    ///
    /// # Errors
    /// Where the input is empty, compressed, of no known format or without its mapping, or cannot
    /// be read.
    pub fn open(
        input: R,
        format: Option<Format>,
        mapping: Option<&Mapping>,
        limits: Limits,
    ) -> Result<Self, EventsError> {
        let (start, input) = peek(input)?;
        let format = match (format, mapping) {
            (Some(format), _) => format,
            (None, Some(_)) if is_json(&start) => Format::Jsonl,
            (None, Some(_)) => Format::Csv,
            (None, None) => recognise(&start)?,
        };
        let mapping = match (format, mapping) {
            (Format::Csv | Format::Jsonl, None) => {
                return Err(EventsError::MissingMapping { format });
            }
            (Format::Csv | Format::Jsonl, Some(mapping)) => mapping.clone(),
            _ => Mapping::own(),
        };
        let framing = framing(format, &mapping, &start)?;
        let mut records = Records::new(input, framing, 1);
        let header = if format.has_header(&start, &mapping) {
            records.take_first()?
        } else {
            Vec::new()
        };
        let plan = Plan {
            format,
            mapping,
            framing,
            header,
            limits,
            period: true,
        };
        Ok(Self { plan, records })
    }

    /// What turns the blocks into events.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Replaces `block` with the next records; false at the end.
    ///
    /// # Errors
    /// Where the bytes cannot be read.
    pub fn next_block(&mut self, block: &mut Block) -> Result<bool, EventsError> {
        self.records.next(block)
    }
}

impl Plan {
    /// The format.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The shop's offset from UTC in minutes, where the format or the mapping says it.
    #[must_use]
    pub const fn utc_offset_minutes(&self) -> i32 {
        match self.format {
            Format::Csv | Format::Jsonl => self.mapping.utc_offset_minutes,
            format => format.utc_offset_minutes(),
        }
    }

    /// The same plan, but rows outside the period that a public set promises
    /// ([`Rule::OutsidePeriod`](crate::Rule::OutsidePeriod)) are kept.
    #[must_use]
    pub fn of_any_time(mut self) -> Self {
        self.period = false;
        self
    }

    /// Makes events of a block. Blocks do not depend on each other, so they may be parsed on
    /// several threads; what they give belongs in their order.
    ///
    /// # Errors
    /// Where a column is missing that the format cannot do without.
    pub fn parse(&self, block: &Block, sink: &mut dyn Sink) -> Result<Counts, EventsError> {
        // An adapter counts the header as its first record, if there is one.
        let before = 1 + u64::from(!self.header.is_empty());
        let base = block.first_row.saturating_sub(before);
        let mut ledger = Ledger::new(sink, self.limits, base);
        ledger.period = self.period;
        if !block.is_empty() || block.too_long.is_none() {
            let input = self.header.as_slice().chain(block.bytes.as_slice());
            adapters::read(self, input, &mut ledger)?;
        }
        if let Some(problem) = &block.too_long {
            ledger.count_row();
            ledger.reject(problem.clone());
        }
        Ok(ledger.counts)
    }
}

/// Where records of this format end.
fn framing(format: Format, mapping: &Mapping, start: &[u8]) -> Result<Framing, EventsError> {
    if format.has_lines(start) {
        return Ok(Framing::Lines);
    }
    // As Snowplow's pipeline writes it: the JSON in a line holds more commas than it has tabs.
    let enriched = format == Format::Snowplow && !format.has_header(start, mapping);
    let delimiter = match format {
        Format::Csv => mapping.delimiter,
        _ if enriched => Delimiter::Character('\t'),
        _ => Delimiter::Auto,
    };
    Ok(Framing::Csv {
        delimiter: delimiter.byte(start)?,
        // There, and in Taobao's file, no field is ever quoted, and a stray quote would swallow
        // the lines after it.
        quoting: format != Format::Taobao && !enriched,
    })
}

/// Looks at the beginning, refuses what is not plain UTF-8 text, and takes off a byte-order mark.
fn peek<R: Read>(mut input: R) -> Result<(Vec<u8>, Input<R>), EventsError> {
    let mut start = Vec::new();
    input
        .by_ref()
        .take(START)
        .read_to_end(&mut start)
        .map_err(EventsError::Read)?;
    let compressed = match start.as_slice() {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        [b'P', b'K', 3, 4, ..] => Some("zip"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some("xz"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some("bzip2"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(EventsError::Utf16),
        _ => None,
    };
    if let Some(kind) = compressed {
        return Err(EventsError::Compressed { kind });
    }
    if start.starts_with(&[0xef, 0xbb, 0xbf]) {
        start.drain(..3);
    }
    if start.iter().all(u8::is_ascii_whitespace) {
        return Err(EventsError::Empty);
    }
    let input = Cursor::new(start.clone()).chain(input);
    Ok((start, input))
}
