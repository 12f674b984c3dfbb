//! JSON lines: one object a line, or a list of objects on one line.

use std::io::{BufRead, BufReader, Read};

use serde_json::Value as Json;

use crate::{Action, EventsError, Problem, Rule, json_fields::Fields, ledger::Ledger};

/// Hands over one object at a time, with the number of its line. The objects of a list are rows
/// of one line. A line that is no JSON is set aside, but for the brackets and commas of a list
/// that was written with one element a line.
pub(super) fn json_rows<R: Read>(
    input: R,
    ledger: &mut Ledger<'_>,
    mut each: impl FnMut(&Fields, u64, &mut Ledger<'_>),
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
        match serde_json::from_slice(line) {
            Ok(Json::Array(list)) => {
                for element in &list {
                    object(element, row, ledger, &mut each);
                }
            }
            Ok(element) => object(&element, row, ledger, &mut each),
            Err(error) => {
                ledger.count_row();
                let text = String::from_utf8_lossy(line);
                let start: String = text.chars().take(40).collect();
                ledger.reject(malformed(row).detail(format_args!("{error}: {start}")));
            }
        }
    }
}

fn object(
    element: &Json,
    row: u64,
    ledger: &mut Ledger<'_>,
    each: &mut impl FnMut(&Fields, u64, &mut Ledger<'_>),
) {
    ledger.count_row();
    match element {
        Json::Object(fields) => each(fields, row, ledger),
        other => ledger.reject(malformed(row).detail(other)),
    }
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
