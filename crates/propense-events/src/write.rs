//! Writing events as Propense's own CSV.

use std::io::Write;

use crate::{Event, EventsError, Item};

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

/// Writes events as [`crate::Format::Events`]: one line for each item, one for an event without
/// items; `event_no` says which lines belong to one event. Page type, value and context stand
/// on an event's first line only.
///
/// [`crate::read`] gives back exactly the events written, provided that
/// [`crate::check_event`] would leave them as they are.
///
/// # Errors
/// Where `out` cannot be written to.
pub fn write_events<W: Write>(events: &[Event], out: W) -> Result<(), EventsError> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(HEADER).map_err(failed)?;
    let mut record = csv::StringRecord::new();
    for (position, event) in events.iter().enumerate() {
        let number = (position + 1).to_string();
        let nothing = Item::default();
        let first = event.items.first().unwrap_or(&nothing);
        for (line, item) in std::iter::once(first)
            .chain(event.items.iter().skip(1))
            .enumerate()
        {
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
            out.write_record(&record).map_err(failed)?;
        }
    }
    out.flush().map_err(EventsError::Write)
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
