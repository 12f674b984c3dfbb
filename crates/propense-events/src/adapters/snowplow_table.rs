//! Snowplow's enriched events as a table.
//!
//! The pipeline writes one event a line, 131 columns separated by tabs, without a header and
//! without quotes: `contexts`, `unstruct_event` and `derived_contexts` are JSON as it stands. What
//! comes out of a database has a header, quotes where it needs them, and, with the newer loaders,
//! one column for each schema (`contexts_com_snowplowanalytics_…`). Source:
//! <https://docs.snowplow.io/docs/fundamentals/canonical-event/>.

use std::io::Read;

use serde_json::Value as Json;

use crate::{
    EventsError, Format, Place, Problem, Rule,
    json_fields::{FieldReader, Fields},
    ledger::Ledger,
};

use super::rows::{Header, Row, Rows};
use super::snowplow::enriched;

/// The columns that are read, with their place (from 0) in the pipeline's lines.
const TEXTS: [(&str, usize); 11] = [
    ("collector_tstamp", 3),
    ("event", 5),
    ("user_id", 12),
    ("domain_userid", 15),
    ("network_userid", 17),
    ("geo_country", 18),
    ("mkt_medium", 47),
    ("dvce_type", 101),
    ("domain_sessionid", 123),
    ("derived_tstamp", 124),
    ("event_name", 126),
];

/// The same for those that hold JSON.
const JSON: [(&str, usize); 3] = [
    ("contexts", 52),
    ("unstruct_event", 58),
    ("derived_contexts", 122),
];

pub(crate) fn read<R: Read>(
    input: R,
    delimiter: u8,
    header: bool,
    ledger: &mut Ledger<'_>,
) -> Result<(), EventsError> {
    let mut rows = Rows::new(input, Format::Snowplow, delimiter, header, ledger);
    let layout = if header {
        Layout::named(&rows.header()?)?
    } else {
        Layout::enriched()
    };
    let mut row = Row::new();
    while rows.next(&mut row)? {
        ledger.count_row();
        let limits = ledger.limits;
        let mut reader = FieldReader::new(row.number, &limits);
        let found = layout
            .fields(&row, ledger)
            .and_then(|fields| enriched(&fields, &mut reader));
        for problem in reader.problems {
            ledger.note(problem);
        }
        match found {
            Ok(event) => ledger.emit(event, Place::own(row.number)),
            Err(problem) => ledger.reject(problem),
        }
    }
    Ok(())
}

/// Which column holds what.
struct Layout {
    texts: Vec<(String, usize)>,
    json: Vec<(String, usize)>,
    /// A shorter row was cut off.
    least: usize,
}

impl Layout {
    fn enriched() -> Self {
        let owned = |(name, column): (&str, usize)| (name.to_owned(), column);
        let texts: Vec<_> = TEXTS.into_iter().map(owned).collect();
        let last = texts.iter().map(|(_, column)| column + 1).max();
        Self {
            texts,
            json: JSON.into_iter().map(owned).collect(),
            least: last.unwrap_or_default(),
        }
    }

    fn named(header: &Header) -> Result<Self, EventsError> {
        let remedy = "Export the table with its column names, or the enriched events as they are";
        header.require(&["collector_tstamp"], remedy)?;
        let texts = TEXTS.into_iter().filter_map(|(name, _)| {
            let column = header.find(&[name])?;
            Some((name.to_owned(), column))
        });
        let json = header.names().enumerate().filter_map(|(column, name)| {
            let name = name.to_lowercase();
            let of_schema = ["contexts_", "unstruct_event_"]
                .iter()
                .any(|part| name.starts_with(part));
            (of_schema || JSON.iter().any(|(known, _)| *known == name)).then_some((name, column))
        });
        Ok(Self {
            texts: texts.collect(),
            json: json.collect(),
            least: 0,
        })
    }

    /// The row as the object that the same event is as JSON.
    fn fields(&self, row: &Row, ledger: &mut Ledger<'_>) -> Result<Fields, Problem> {
        if row.record.len() < self.least {
            let detail = format!("{} columns of at least {}", row.record.len(), self.least);
            return Err(row.rejected(Rule::Malformed, "record", detail.as_bytes()));
        }
        let mut fields = Fields::new();
        for (name, column) in &self.texts {
            if let Some(text) = row.optional(Some(*column), name, ledger) {
                fields.insert(name.clone(), Json::String(text));
            }
        }
        for (name, column) in &self.json {
            let Some(text) = row.optional(Some(*column), name, ledger) else {
                continue;
            };
            match serde_json::from_str(&text) {
                Ok(value) => {
                    fields.insert(name.clone(), value);
                }
                Err(_) => ledger.repaired(row.number, Rule::WrongType, name, &text),
            }
        }
        Ok(fields)
    }
}
