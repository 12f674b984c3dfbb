//! Writing events as Propense's own CSV.

use std::io::Write;

use crate::{Event, EventsError, Item};

/// The columns that are always there.
const HEADER: [&str; 13] = [
    "timestamp",
    "event",
    "user_id",
    "session_id",
    "item_id",
    "item_name",
    "item_category",
    "price",
    "quantity",
    "page_type",
    "value",
    "context",
    "event_no",
];

/// A column that is there only where an event fills it.
struct Optional {
    name: &'static str,
    /// What stands in the column on this line of this event.
    text: fn(&Event, &Item, usize) -> Option<String>,
}

const OPTIONAL: [Optional; 6] = [
    Optional {
        name: "anonymous_id",
        text: |event, _, _| event.anonymous_id.clone(),
    },
    Optional {
        name: "item_brand",
        text: |_, item, _| item.item_brand.clone(),
    },
    Optional {
        name: "currency",
        text: |event, _, line| on_first(event.currency.clone(), line),
    },
    Optional {
        name: "transaction_id",
        text: |event, _, line| on_first(event.transaction_id.clone(), line),
    },
    Optional {
        name: "search_term",
        text: |event, _, line| on_first(event.search_term.clone(), line),
    },
    Optional {
        name: "rating",
        text: |event, _, line| on_first(event.rating.map(|number| number.to_string()), line),
    },
];

fn on_first(text: Option<String>, line: usize) -> Option<String> {
    text.filter(|_| line == 0)
}

/// Writes events as [`crate::Format::Events`]: one line for each item, one for an event without
/// items; `event_no` says which lines belong to one event. What concerns the event as a whole
/// stands on its first line only.
///
/// [`crate::read`] gives back exactly the events written, provided that
/// [`crate::check_event`] would leave them as they are.
///
/// # Errors
/// Where `out` cannot be written to.
pub fn write_events<W: Write>(events: &[Event], out: W) -> Result<(), EventsError> {
    let nothing = Item::default();
    let lines = |event| lines(event, &nothing);
    let optional: Vec<Optional> = OPTIONAL
        .into_iter()
        .filter(|column| {
            let filled =
                |event| lines(event).any(|(line, item)| (column.text)(event, item, line).is_some());
            events.iter().any(filled)
        })
        .collect();
    let mut out = csv::Writer::from_writer(out);
    let names = optional.iter().map(|column| column.name);
    out.write_record(HEADER.into_iter().chain(names))
        .map_err(failed)?;
    let mut record = csv::StringRecord::new();
    for (position, event) in events.iter().enumerate() {
        let number = (position + 1).to_string();
        for (line, item) in lines(event) {
            record.clear();
            record.push_field(&event.timestamp.to_string());
            record.push_field(event.kind.name());
            record.push_field(event.user_id.as_deref().unwrap_or_default());
            record.push_field(event.session_id.as_deref().unwrap_or_default());
            record.push_field(&item.item_id);
            record.push_field(item.item_name.as_deref().unwrap_or_default());
            record.push_field(item.item_category.as_deref().unwrap_or_default());
            record.push_field(&number_text(item.price));
            record.push_field(&number_text(item.quantity));
            if line == 0 {
                record.push_field(event.page_type.as_deref().unwrap_or_default());
                record.push_field(&number_text(event.value));
                record.push_field(&context_text(event)?);
            } else {
                record.push_field("");
                record.push_field("");
                record.push_field("");
            }
            record.push_field(&number);
            for column in &optional {
                let text = (column.text)(event, item, line);
                record.push_field(text.as_deref().unwrap_or_default());
            }
            out.write_record(&record).map_err(failed)?;
        }
    }
    out.flush().map_err(EventsError::Write)
}

/// An event's items, numbered; one line with nothing for an event without items.
fn lines<'a>(event: &'a Event, nothing: &'a Item) -> impl Iterator<Item = (usize, &'a Item)> {
    let first = event.items.first().unwrap_or(nothing);
    std::iter::once(first)
        .chain(event.items.iter().skip(1))
        .enumerate()
}

/// The shortest text that reads back as the same number.
fn number_text(number: Option<f64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

fn context_text(event: &Event) -> Result<String, EventsError> {
    if event.context.is_empty() {
        return Ok(String::new());
    }
    serde_json::to_string(&event.context).map_err(|error| EventsError::Write(error.into()))
}

fn failed(error: csv::Error) -> EventsError {
    EventsError::Write(error.into())
}
