//! An event as cells of a table.

use propense_events::Event;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Time, kind, visitor, session, the first items, value.
pub(super) fn cells(event: &Event) -> [String; 6] {
    let items: Vec<&str> = event
        .items
        .iter()
        .take(3)
        .map(|item| item.item_id.as_str())
        .collect();
    let more = event.items.len().saturating_sub(items.len());
    let mut items = items.join(" ");
    if more > 0 {
        items.push_str(&format!(" and {more} more"));
    }
    [
        moment(event.timestamp),
        event.kind.name().to_owned(),
        event.user_id.clone().unwrap_or_default(),
        event.session_id.clone().unwrap_or_default(),
        items,
        event
            .value
            .map_or(String::new(), |value| format!("{value:.2}")),
    ]
}

/// A time of UTC as RFC 3339 has it.
pub(super) fn moment(milliseconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(milliseconds.div_euclid(1000))
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| milliseconds.to_string())
}
