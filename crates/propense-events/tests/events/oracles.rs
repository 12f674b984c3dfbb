//! What holds for every input, whatever its bytes. The property tests and the fuzz targets
//! (`fuzz/`) hold the same.

use std::io::Read;

use propense_events::{
    Action, Block, Event, Format, Limits, Mapping, Problem, Reader, Table, check_event,
    parse_event, read, sessionise, write_events,
};

/// Reads the bytes after the first in the format that the first byte names (past the last format:
/// the one recognised by content), and checks what comes out.
pub(crate) fn any_table(bytes: &[u8]) {
    let Some((choice, input)) = bytes.split_first() else {
        return;
    };
    let format = Format::ALL.get(usize::from(*choice) % (Format::ALL.len() + 1));
    table(input, format.copied(), None);
}

/// The byte by which [`any_table`] chooses this format; for seeds.
pub(crate) fn choice(format: Format) -> u8 {
    let position = Format::ALL.iter().position(|other| *other == format);
    position.unwrap_or_default() as u8
}

/// The byte by which [`any_table`] recognises the format by content.
pub(crate) const BY_CONTENT: u8 = Format::ALL.len() as u8;

/// Takes what stands before the first zero byte for a mapping, and reads the rest under it.
pub(crate) fn any_mapping(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let json = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let Ok(mapping) = Mapping::from_json(&json) else {
        return;
    };
    let written = serde_json::to_string(&mapping).expect("a mapping is JSON");
    let again = Mapping::from_json(&written).expect("a mapping reads what it wrote");
    assert_eq!(again, mapping);
    let input = parts.next().unwrap_or_default();
    for format in [Some(Format::Csv), None] {
        table(input, format, Some(&mapping));
    }
}

/// Takes the bytes for one live event.
pub(crate) fn any_event(bytes: &[u8]) {
    let json = String::from_utf8_lossy(bytes);
    let limits = Limits::default();
    let (event, problems) = parse_event(&json, 1, &limits);
    assert_eq!(rejections(&problems), usize::from(event.is_none()));
    assert!(problems.iter().all(|problem| problem.row == 1));
    let Some(event) = event else {
        return;
    };
    is_checked(&event, &limits);
    let written = serde_json::to_string(&event).expect("an event is JSON");
    let (again, problems) = parse_event(&written, 1, &limits);
    assert_eq!(problems, []);
    assert_eq!(again, Some(event));
}

fn rejections(problems: &[Problem]) -> usize {
    let rejected = |problem: &&Problem| problem.action == Action::Rejected;
    problems.iter().filter(rejected).count()
}

/// A second look finds nothing.
fn is_checked(event: &Event, limits: &Limits) {
    let (again, problems) = check_event(event.clone(), 1, limits);
    assert_eq!(problems, []);
    assert_eq!(again.as_ref(), Some(event));
}

fn table(input: &[u8], format: Option<Format>, mapping: Option<&Mapping>) {
    let whole = read(input, format, mapping);
    let trickled = read(Trickle(input), format, mapping);
    assert_eq!(
        whole.as_ref().map_err(ToString::to_string),
        trickled.as_ref().map_err(ToString::to_string),
        "how the bytes arrive must not matter"
    );
    let Ok(table) = whole else {
        return;
    };
    accounts(&table);
    in_blocks(input, format, mapping, &table);
    for event in &table.events {
        is_checked(event, &Limits::file());
    }
    let (sessions, _) = sessionise(table.events.clone(), 1_800_000);
    let events: usize = sessions.iter().map(|session| session.events.len()).sum();
    assert_eq!(events, table.events.len());
    written_and_read(&table.events);
}

/// No row is lost uncounted.
fn accounts(table: &Table) {
    assert_eq!(table.rows, table.kept + table.rejected);
    assert_eq!(table.rejected, rejections(&table.problems) as u64);
    let mut rejected: Vec<u64> = table
        .problems
        .iter()
        .filter(|problem| problem.action == Action::Rejected)
        .map(|problem| problem.row)
        .collect();
    rejected.sort_unstable();
    let all = rejected.len();
    rejected.dedup();
    assert_eq!(rejected.len(), all, "a row is set aside once");
}

/// The blocks, each parsed for itself, hold the same rows.
fn in_blocks(input: &[u8], format: Option<Format>, mapping: Option<&Mapping>, table: &Table) {
    let reader = Reader::open(input, format, mapping, Limits::file());
    let mut reader = reader.expect("it was read before");
    let mut block = Block::default();
    let mut rows = 0;
    while reader.next_block(&mut block).expect("a slice can be read") {
        let mut nowhere = Nowhere;
        let counts = reader.plan().parse(&block, &mut nowhere);
        rows += counts.expect("it was parsed before").rows;
    }
    assert_eq!(rows, table.rows);
}

struct Nowhere;

impl propense_events::Sink for Nowhere {
    fn event(&mut self, _: Event, _: propense_events::Place<'_>) {}
    fn session(&mut self, _: propense_events::Session, _: u64) {}
    fn problem(&mut self, _: Problem) {}
}

/// Events that were read can be written and come back the same.
fn written_and_read(events: &[Event]) {
    if events.is_empty() {
        return;
    }
    let mut bytes = Vec::new();
    write_events(events, &mut bytes).expect("a vector can be written to");
    let table = read(bytes.as_slice(), Some(Format::Events), None).expect("it was just written");
    assert_eq!(table.problems, []);
    assert_eq!(table.events, events);
}

/// Hands out a few bytes at a time.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let few = into.len().min(7);
        self.0.read(into.get_mut(..few).unwrap_or_default())
    }
}
