//! OTTO: one session a line, `session` and `events`, each event with `aid` (article), `ts`
//! (milliseconds) and `type`.
//!
//! `clicks` is [`EventKind::ViewItem`], `carts` [`EventKind::AddToCart`], `orders`
//! [`EventKind::Purchase`]. Orders that follow each other at the same millisecond are one order
//! of several items. An event that cannot be read is left out and counted; a line in which none
//! can be read is set aside.
//!
//! The re-releases for RecSys competitions are tables of one event a row, `session`, `aid`, `ts` in
//! seconds and `type` as a word or as its number: 0, 1, 2.

use std::io::Read;

use serde_json::Value as Json;

use crate::{
    Action, Event, EventKind, EventsError, Format, Item, Key, Place, Problem, Rule,
    json_fields::{FieldReader, Fields},
    ledger::Ledger,
    timestamp::any_timestamp,
};

use super::json_rows::{Found, json_rows};
use super::rows::{Header, Row, Rows, identifier};

pub(crate) fn read<R: Read>(input: R, ledger: &mut Ledger<'_>) -> Result<(), EventsError> {
    json_rows(input, ledger, session)
}

/// The events of one line; at least one.
fn session(fields: &Fields, reader: &mut FieldReader<'_>) -> Result<Found, Problem> {
    let id = reader.identifier(fields.get("session"), "session");
    let id = id.ok_or_else(|| reader.missing("session"))?;
    let list = fields.get("events").and_then(Json::as_array);
    let list = list.ok_or_else(|| reader.missing("events"))?;
    let malformed = |action| Problem::new(Rule::Malformed, action, reader.row).field("events");
    let mut unreadable: Vec<Problem> = Vec::new();
    let mut events: Vec<Event> = Vec::new();
    for element in list {
        let Some((kind, timestamp, item)) = action(element, reader) else {
            unreadable.push(malformed(Action::Repaired).detail(element));
            continue;
        };
        match events.last_mut() {
            Some(order)
                if kind == EventKind::Purchase
                    && order.kind == kind
                    && order.timestamp == timestamp =>
            {
                order.items.push(item);
            }
            _ => {
                let mut event = Event::new(kind, timestamp);
                event.session_id = Some(id.clone());
                event.items.push(item);
                events.push(event);
            }
        }
    }
    if events.is_empty() {
        let detail = format!("session {id} without a readable event");
        return Err(malformed(Action::Rejected).detail(detail));
    }
    reader.problems.extend(unreadable);
    Ok(Found { events, key: None })
}

fn action(element: &Json, reader: &FieldReader<'_>) -> Option<(EventKind, i64, Item)> {
    let kind = kind(element.get("type")?.as_str()?)?;
    let timestamp = reader.any_time(element.get("ts"), "ts").ok()?;
    let item_id = match element.get("aid")? {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    let item = Item {
        item_id,
        ..Item::default()
    };
    Some((kind, timestamp, item))
}

fn kind(word: &str) -> Option<EventKind> {
    match word {
        "clicks" | "0" => Some(EventKind::ViewItem),
        "carts" | "1" => Some(EventKind::AddToCart),
        "orders" | "2" => Some(EventKind::Purchase),
        _ => None,
    }
}

/// The table of one event a row.
pub(crate) fn read_table<R: Read>(
    input: R,
    delimiter: u8,
    ledger: &mut Ledger<'_>,
) -> Result<(), EventsError> {
    let mut rows = Rows::new(input, Format::Otto, delimiter, true, ledger);
    let layout = Layout::new(&rows.header()?)?;
    let mut row = Row::new();
    while rows.next(&mut row)? {
        ledger.count_row();
        match layout.event(&row) {
            Ok(event) => {
                let order = event.kind == EventKind::Purchase;
                // Time and session are compared by whoever joins the lines.
                let key = if order { Key::Next("order") } else { Key::Own };
                ledger.emit(event, Place::new(row.number, key));
            }
            Err(problem) => ledger.reject(problem),
        }
    }
    Ok(())
}

struct Layout {
    session: usize,
    article: usize,
    time: usize,
    kind: usize,
}

impl Layout {
    fn new(header: &Header) -> Result<Self, EventsError> {
        let remedy = "Take the file as published, or use format `csv` with a mapping";
        Ok(Self {
            session: header.require(&["session"], remedy)?,
            article: header.require(&["aid"], remedy)?,
            time: header.require(&["ts"], remedy)?,
            kind: header.require(&["type"], remedy)?,
        })
    }

    fn event(&self, row: &Row) -> Result<Event, Problem> {
        let word = identifier(row.required(self.kind, "type")?);
        let kind =
            kind(word).ok_or_else(|| row.rejected(Rule::Malformed, "type", word.as_bytes()))?;
        let time = row.required(self.time, "ts")?;
        let timestamp = any_timestamp(time, 0)
            .ok_or_else(|| row.rejected(Rule::Malformed, "ts", time.as_bytes()))?;
        let mut event = Event::new(kind, timestamp);
        event.session_id = Some(identifier(row.required(self.session, "session")?).to_owned());
        event.items.push(Item {
            item_id: identifier(row.required(self.article, "aid")?).to_owned(),
            ..Item::default()
        });
        Ok(event)
    }
}
