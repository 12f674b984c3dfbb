//! An event as cells of a table.

use propense_events::{Event, format_timestamp};

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
        format_timestamp(event.timestamp),
        event.kind.name().to_owned(),
        event.user_id.clone().unwrap_or_default(),
        event.session_id.clone().unwrap_or_default(),
        items,
        event
            .value
            .map_or(String::new(), |value| format!("{value:.2}")),
    ]
}
