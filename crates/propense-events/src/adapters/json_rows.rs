//! JSON lines: one object a line, or a list of objects on one line.

use std::io::{BufRead, BufReader, Read};

use serde_json::Value as Json;

use crate::{
    Action, Event, EventsError, Key, Place, Problem, Rule,
    json_fields::{FieldReader, Fields},
    ledger::Ledger,
};

/// What an object holds.
pub(super) struct Found {
    /// In their order; several where the object is a whole session.
    pub(super) events: Vec<Event>,
    /// What makes neighbouring lines one event ([`Key::Next`]).
    pub(super) key: Option<String>,
}

impl From<Event> for Found {
    fn from(event: Event) -> Self {
        Self {
            events: vec![event],
            key: None,
        }
    }
}

/// Makes events of each object. A line is a row, also where it is a list of objects: then what
/// cannot be kept is left out and counted, and the row is set aside if nothing can. The brackets
/// and commas of a list over several lines, one element a line, are no rows.
pub(super) fn json_rows<R: Read>(
    input: R,
    ledger: &mut Ledger<'_>,
    make: impl Fn(&Fields, &mut FieldReader<'_>) -> Result<Found, Problem>,
) -> Result<(), EventsError> {
    let mut input = BufReader::with_capacity(1 << 18, input);
    let mut line = Vec::new();
    let mut row = ledger.base;
    loop {
        line.clear();
        if input
            .read_until(b'\n', &mut line)
            .map_err(EventsError::Read)?
            == 0
        {
            return Ok(());
        }
        row += 1;
        let line = bare(&line);
        if line.is_empty() {
            continue;
        }
        ledger.count_row();
        match serde_json::from_slice(line) {
            Ok(Json::Object(fields)) => match objects(&fields, row, ledger, &make) {
                Ok(found) => only(found, row, ledger),
                Err(problem) => ledger.reject(problem),
            },
            Ok(Json::Array(list)) => several(&list, row, ledger, &make),
            Ok(other) => ledger.reject(malformed(row).detail(other)),
            Err(error) => {
                let text = String::from_utf8_lossy(line);
                let start: String = text.chars().take(40).collect();
                ledger.reject(malformed(row).detail(format_args!("{error}: {start}")));
            }
        }
    }
}

/// Makes what the object holds, and notes the repairs.
fn objects(
    fields: &Fields,
    row: u64,
    ledger: &mut Ledger<'_>,
    make: &impl Fn(&Fields, &mut FieldReader<'_>) -> Result<Found, Problem>,
) -> Result<Found, Problem> {
    let limits = ledger.limits;
    let mut reader = FieldReader::new(row, &limits);
    let found = make(fields, &mut reader);
    for problem in reader.problems {
        ledger.note(problem);
    }
    found
}

/// A line with one object.
fn only(mut found: Found, row: u64, ledger: &mut Ledger<'_>) {
    if found.events.len() == 1
        && let Some(event) = found.events.pop()
    {
        let key = found.key.as_deref().map_or(Key::Own, Key::Next);
        ledger.emit(event, Place::new(row, key));
    } else if !parts(found, row, ledger) {
        ledger.reject(malformed(row).detail("none of its events can be kept"));
    }
}

/// A line with a list of objects.
fn several(
    list: &[Json],
    row: u64,
    ledger: &mut Ledger<'_>,
    make: &impl Fn(&Fields, &mut FieldReader<'_>) -> Result<Found, Problem>,
) {
    let mut kept = false;
    for element in list {
        let found = match element {
            Json::Object(fields) => objects(fields, row, ledger, make),
            other => Err(malformed(row).detail(other)),
        };
        match found {
            Ok(found) => kept |= parts(found, row, ledger),
            Err(mut problem) => {
                problem.action = Action::Repaired;
                ledger.note(problem);
            }
        }
    }
    if !kept {
        ledger.reject(malformed(row).detail("none of its elements can be kept"));
    }
}

/// Hands on the events of a row that holds more; false if none passed.
fn parts(found: Found, row: u64, ledger: &mut Ledger<'_>) -> bool {
    let mut kept = false;
    for event in found.events {
        let key = found.key.as_deref().map_or(Key::Own, Key::Next);
        kept |= ledger.emit_part(event, Place::new(row, key));
    }
    kept
}

fn malformed(row: u64) -> Problem {
    Problem::new(Rule::Malformed, Action::Rejected, row)
}

/// The line without blanks, and without what a list over several lines puts around its elements.
fn bare(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii();
    let line = line.strip_suffix(b",").unwrap_or(line).trim_ascii_end();
    match line {
        b"[" | b"]" => &[],
        // `[{…},` begins such a list, `{…}]` ends it.
        [b'[', rest @ ..] if !line.ends_with(b"]") => rest.trim_ascii_start(),
        [rest @ .., b']'] if !line.starts_with(b"[") => rest.trim_ascii_end(),
        line => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_list_are_bared() {
        let rows: [(&[u8], &[u8]); 8] = [
            (b" {\"a\":1}\r\n", b"{\"a\":1}"),
            (b"[\n", b""),
            (b"]", b""),
            (b"[{\"a\":[1]},\n", b"{\"a\":[1]}"),
            (b"{\"a\":[1]},\n", b"{\"a\":[1]}"),
            (b"{\"a\":[1]}]\n", b"{\"a\":[1]}"),
            (b"[{\"a\":1}]\n", b"[{\"a\":1}]"),
            (b"\n", b""),
        ];
        for (line, expected) in rows {
            assert_eq!(bare(line), expected, "{}", String::from_utf8_lossy(line));
        }
    }
}
