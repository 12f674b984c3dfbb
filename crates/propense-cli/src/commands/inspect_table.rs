//! `propense inspect` of a prepared table.

use std::collections::BTreeMap;
use std::path::Path;

use propense_events::format_timestamp;
use propense_prepare::table::{ColumnOverview, overview};
use serde_json::{Value, json};

use super::Outcome;
use super::event_cells::cells;
use crate::output::Table;

/// Columns, figures and first events of a table; none where the path holds something else.
pub(super) fn look(path: &Path, shown: usize) -> Outcome<Option<(Table, Value)>> {
    let Some(found) = overview(path, shown)? else {
        return Ok(None);
    };
    let figures = &found.figures;
    let totals = &figures.totals;
    let mut table = Table::new();
    table.block(format!("{} ({} rows)", path.display(), totals.lines));
    for (name, count) in [
        ("files", found.files.len() as u64),
        ("events", totals.events),
        ("visitors", totals.visitors),
        ("sessions", totals.sessions),
        ("sessions with an order", totals.order_sessions),
    ] {
        table.row([name.to_owned(), count.to_string()]);
    }
    if let Some(span) = &figures.span {
        table.row(["from".to_owned(), format_timestamp(span.first)]);
        table.row(["to".to_owned(), format_timestamp(span.last)]);
    }
    let kinds: BTreeMap<&str, u64> = figures
        .kinds
        .iter()
        .map(|kind| (kind.kind.as_str(), kind.events))
        .collect();
    for (kind, count) in &kinds {
        table.row([(*kind).to_owned(), count.to_string()]);
    }
    table.block("columns");
    table.row(["", "type", "missing", "least", "greatest"]);
    for column in &found.columns {
        let (least, greatest) = range(column);
        table.row([
            column.name.clone(),
            column.data_type.clone(),
            column.missing.to_string(),
            least,
            greatest,
        ]);
    }
    if shown > 0 {
        table.block("first events");
        table.row(["time", "event", "user", "session", "items", "value"]);
        for event in &found.head {
            table.row(cells(event));
        }
    }
    let columns: Vec<Value> = found
        .columns
        .iter()
        .map(|column| {
            json!({
                "name": column.name,
                "type": column.data_type,
                "missing": column.missing,
                "least": column.range.map(|range| range.0),
                "greatest": column.range.map(|range| range.1),
            })
        })
        .collect();
    let value = json!({
        "rows": totals.lines,
        "events": totals.events,
        "visitors": totals.visitors,
        "sessions": totals.sessions,
        "orders": totals.order_sessions,
        "kinds": kinds,
        "from_ms": figures.span.as_ref().map(|span| span.first),
        "to_ms": figures.span.as_ref().map(|span| span.last),
        "problems": 0,
        "columns": columns,
        "head": found.head,
    });
    Ok(Some((table, value)))
}

/// Both ends as text; times as times.
fn range(column: &ColumnOverview) -> (String, String) {
    let Some((least, greatest)) = column.range else {
        return Default::default();
    };
    if column.data_type.starts_with("Timestamp") {
        (
            format_timestamp(least as i64),
            format_timestamp(greatest as i64),
        )
    } else {
        (least.to_string(), greatest.to_string())
    }
}
