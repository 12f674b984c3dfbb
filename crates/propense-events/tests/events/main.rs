//! Tests of the public surface, in one binary.

mod adapters;
mod any_input;
mod bad_input;
mod fixtures;
mod json_properties;
mod live;
mod oracles;
mod properties;
mod sessions;
mod shared_data;
mod shop_formats;
mod snowplow_tables;
mod strategies;
mod variants;

use propense_events::{Action, EventsError, Format, Mapping, Table};

/// Reads text and checks what holds for every table.
fn read(text: &str, format: Option<Format>) -> Result<Table, EventsError> {
    read_bytes(text.as_bytes(), format, None)
}

fn read_bytes(
    bytes: &[u8],
    format: Option<Format>,
    mapping: Option<&Mapping>,
) -> Result<Table, EventsError> {
    let table = propense_events::read(bytes, format, mapping)?;
    assert_accounts(&table);
    Ok(table)
}

/// No row is lost uncounted.
fn assert_accounts(table: &Table) {
    assert_eq!(table.rows, table.kept + table.rejected);
    let rejections = table
        .problems
        .iter()
        .filter(|problem| problem.action == Action::Rejected)
        .count();
    assert_eq!(table.rejected, rejections as u64, "{:?}", table.problems);
}
