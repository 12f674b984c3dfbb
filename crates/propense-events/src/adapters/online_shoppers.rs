//! UCI Online Shoppers Purchasing Intention (Sakar et al. 2018): one line for each session,
//! already summarised.
//!
//! The 17 columns go into the session's context under their own names; `Revenue` is the outcome
//! (unknown where the field is empty). The set has no times: every session starts at 0. The
//! session's id is its row number, counted from 1 with the header.

use std::io::Read;

use crate::{Context, EventsError, Format, Problem, Rule, Session, Value, ledger::Ledger};

use super::rows::{Row, Rows};

#[derive(Clone, Copy)]
enum Kind {
    /// A number of at least zero.
    Number,
    Category,
    Flag,
}

const COLUMNS: [(&str, Kind); 17] = [
    ("Administrative", Kind::Number),
    ("Administrative_Duration", Kind::Number),
    ("Informational", Kind::Number),
    ("Informational_Duration", Kind::Number),
    ("ProductRelated", Kind::Number),
    ("ProductRelated_Duration", Kind::Number),
    ("BounceRates", Kind::Number),
    ("ExitRates", Kind::Number),
    ("PageValues", Kind::Number),
    ("SpecialDay", Kind::Number),
    ("Month", Kind::Category),
    ("OperatingSystems", Kind::Category),
    ("Browser", Kind::Category),
    ("Region", Kind::Category),
    ("TrafficType", Kind::Category),
    ("VisitorType", Kind::Category),
    ("Weekend", Kind::Flag),
];

pub(crate) fn read<R: Read>(
    input: R,
    delimiter: u8,
    ledger: &mut Ledger<'_>,
) -> Result<(), EventsError> {
    let mut rows = Rows::new(input, Format::OnlineShoppers, delimiter, true, ledger);
    let header = rows.header()?;
    let remedy = "Take the file as UCI publishes it; a column may be left empty where unknown, and PageValues and \
                  Revenue left out";
    let mut columns = [None; COLUMNS.len()];
    for (column, (name, _)) in columns.iter_mut().zip(COLUMNS) {
        *column = match name {
            // Known only where orders are counted: who scores a visit that is going on has neither.
            "PageValues" => header.find(&[name]),
            _ => Some(header.require(&[name], remedy)?),
        };
    }
    let revenue = header.find(&["Revenue"]);
    let mut row = Row::new();
    while rows.next(&mut row)? {
        ledger.count_row();
        match session(&row, &columns, revenue, ledger) {
            Ok(session) => ledger.emit_session(session, row.number),
            Err(problem) => ledger.reject(problem),
        }
    }
    Ok(())
}

fn session(
    row: &Row,
    columns: &[Option<usize>; COLUMNS.len()],
    revenue: Option<usize>,
    ledger: &mut Ledger<'_>,
) -> Result<Session, Problem> {
    // A short line has lost its end, and nobody knows which end.
    let last = columns.iter().chain([&revenue]).flatten().max();
    if last.is_some_and(|last| row.record.len() <= *last) {
        let found = format!("{} fields", row.record.len());
        return Err(row.rejected(Rule::Malformed, "Revenue", found.as_bytes()));
    }
    let outcome = match revenue.map(|column| row.bytes(column)) {
        None | Some(b"") => None,
        Some(bytes) => {
            Some(flag(bytes).ok_or_else(|| row.rejected(Rule::Malformed, "Revenue", bytes))?)
        }
    };
    let mut context = Context::new();
    let named = columns.iter().zip(COLUMNS);
    for (column, (name, kind)) in named.filter_map(|(column, of)| Some(((*column)?, of))) {
        let value = match kind {
            Kind::Number => match row.number(Some(column), name, ledger) {
                Some(number) if number.is_finite() && number >= 0.0 => Some(Value::Number(number)),
                Some(number) => {
                    ledger.repaired(row.number, Rule::AbsurdNumber, name, &number.to_string());
                    None
                }
                None => None,
            },
            Kind::Category => row.optional(Some(column), name, ledger).map(|mut text| {
                let limit = ledger.limits.max_text;
                if text.len() > limit {
                    ledger.repaired(row.number, Rule::TextTooLong, name, &text);
                    text.truncate(text.floor_char_boundary(limit));
                }
                Value::Category(text)
            }),
            Kind::Flag => {
                let bytes = row.bytes(column);
                let value = flag(bytes).map(Value::Flag);
                if value.is_none() && !bytes.is_empty() {
                    let detail = String::from_utf8_lossy(bytes);
                    ledger.repaired(row.number, Rule::WrongType, name, &detail);
                }
                value
            }
        };
        if let Some(value) = value {
            context.insert(name.to_owned(), value);
        }
    }
    Ok(Session {
        id: row.number.to_string(),
        user: None,
        start: 0,
        events: Vec::new(),
        context,
        outcome,
    })
}

fn flag(bytes: &[u8]) -> Option<bool> {
    match bytes {
        b"True" | b"TRUE" | b"true" | b"1" => Some(true),
        b"False" | b"FALSE" | b"false" | b"0" => Some(false),
        _ => None,
    }
}
