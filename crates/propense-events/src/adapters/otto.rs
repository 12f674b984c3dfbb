//! OTTO: one session a line, `session` and `events`, each event with `aid` (article), `ts`
//! (milliseconds) and `type`.
//!
//! `clicks` is [`EventKind::ViewItem`], `carts` [`EventKind::AddToCart`], `orders`
//! [`EventKind::Purchase`]. Orders that follow each other at the same millisecond are one order
//! of several items. An event that cannot be read is left out and counted; a line in which none
//! can be read is set aside.

use std::io::Read;

use serde_json::Value as Json;

use crate::{
    Action, Event, EventKind, EventsError, Item, Problem, Rule,
    json_fields::{FieldReader, Fields},
    ledger::Ledger,
};

use super::json_rows::{Found, json_rows};

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
    let kind = match element.get("type")?.as_str()? {
        "clicks" => EventKind::ViewItem,
        "carts" => EventKind::AddToCart,
        "orders" => EventKind::Purchase,
        _ => return None,
    };
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
