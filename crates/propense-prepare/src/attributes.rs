//! User attributes: what a shop knows of its users, put into the context of their events.
//!
//! The file is a CSV with a header, or JSON lines: a column that names the user (`user_id`, `user`,
//! `customer_id`, `visitor_id`, `client_id` or `id`, whatever their case and punctuation) and any
//! others. Each becomes `user.<name>` in the context: `true` and `false` are flags, numbers numbers,
//! everything else categories. Of two rows on one user the one with the later time (in a column
//! `timestamp` or `updated_at`) wins as a whole, else the last; rows that lose and differ are
//! counted. An event's own context wins over the file.
//!
//! Attributes hold for the user's whole history. Whatever becomes known only later (the value of all
//! orders, say) tells the label, and does not belong here.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray, StringBuilder};
use arrow::error::ArrowError;
use foldhash::fast::FixedState;
use propense_events::{Action, Problem, Rule};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::side_table::{Row, SideTableError, plain, read, time};
use crate::table::{Column, Lines, text_at};

const ID: [&str; 6] = [
    "userid",
    "user",
    "customerid",
    "visitorid",
    "clientid",
    "id",
];
const TIME: [&str; 2] = ["timestamp", "updatedat"];

/// Attributes by user.
#[derive(Debug, Clone, Default)]
pub struct UserAttributes {
    /// The time of the row, and its attributes as the inside of a JSON object.
    users: HashMap<Box<str>, (i64, Box<str>), FixedState>,
    counts: AttributeCounts,
}

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AttributeCounts {
    /// Rows of all files.
    pub rows: u64,
    /// Rows set aside.
    pub rejected: u64,
    /// Users.
    pub users: u64,
    /// Rows that lost to another row on the same user, and differ from it.
    pub conflicts: u64,
}

/// The columns of a file.
struct Layout {
    id: String,
    time: Option<String>,
}

impl UserAttributes {
    /// Reads a file; several add up. `problem` gets every row that is set aside. `id` names the
    /// column of the user, where it is not found by itself.
    ///
    /// # Errors
    /// Where the file is empty, has no column for the user, or cannot be read.
    pub fn read(
        &mut self,
        input: impl Read,
        id: Option<&str>,
        problem: &mut dyn FnMut(Problem),
    ) -> Result<(), SideTableError> {
        let mut layout = None;
        let mut rejected = 0;
        let mut each = |row: &Row<'_>, number: u64| {
            let layout = match &layout {
                Some(layout) => layout,
                None => layout.insert(layout_of(row, id)?),
            };
            let Some(user) = row.text(&layout.id) else {
                let problem = Problem::new(Rule::MissingField, Action::Rejected, number);
                return Ok(Some(problem.field("user_id")));
            };
            self.add(&user, layout, row);
            Ok(None)
        };
        let rows = read(input, &mut each, &mut |found| {
            rejected += 1;
            problem(found);
        })?;
        self.counts.rows += rows;
        self.counts.rejected += rejected;
        self.counts.users = self.users.len() as u64;
        Ok(())
    }

    fn add(&mut self, user: &str, layout: &Layout, row: &Row<'_>) {
        let at = layout.time.as_deref().and_then(|name| row.text(name));
        let at = at.and_then(|at| time(&at)).unwrap_or(i64::MIN);
        let mut attributes = Map::new();
        for name in row.names() {
            if name == layout.id || Some(name) == layout.time.as_deref() {
                continue;
            }
            if let Some(value) = row.value(name) {
                attributes.insert(format!("user.{name}"), value);
            }
        }
        let text = Value::Object(attributes).to_string();
        let inside = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
            .unwrap_or_default();
        match self.users.get_mut(user) {
            None => {
                self.users.insert(user.into(), (at, inside.into()));
            }
            Some((before, old)) => {
                self.counts.conflicts += u64::from(&**old != inside);
                if at >= *before {
                    *before = at;
                    *old = inside.into();
                }
            }
        }
    }

    /// What was read.
    #[must_use]
    pub const fn counts(&self) -> AttributeCounts {
        self.counts
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Puts the attributes into the contexts of a batch, which must have the column: into the
    /// first line of each event, where its context stands. Adds the number of events that got
    /// any to `events`.
    ///
    /// # Errors
    /// A batch that is not in the staged table's schema.
    pub fn fill(&self, batch: &RecordBatch, events: &mut u64) -> Result<RecordBatch, ArrowError> {
        let lines =
            Lines::new(batch).map_err(|error| ArrowError::from_external_error(Box::new(error)))?;
        let Ok(position) = batch.schema().index_of(Column::Context.name()) else {
            return Ok(batch.clone());
        };
        let mut contexts = StringBuilder::with_capacity(lines.len(), lines.len() * 16);
        let mut merged = String::new();
        for line in 0..lines.len() {
            let own = text_at(lines.context, line);
            let goes_on = line
                .checked_sub(1)
                .is_some_and(|before| lines.same_event(before, line));
            let attributes = text_at(lines.user_id, line)
                .filter(|_| !goes_on)
                .and_then(|user| self.users.get(user))
                .map(|(_, inside)| &**inside)
                .filter(|inside| !inside.is_empty());
            match attributes {
                Some(inside) => {
                    *events += 1;
                    merge(own, inside, &mut merged);
                    contexts.append_value(&merged);
                }
                None => contexts.append_option(own),
            }
        }
        let contexts: StringArray = contexts.finish();
        let (schema, mut columns, _) = batch.clone().into_parts();
        if let Some(place) = columns.get_mut(position) {
            *place = Arc::new(contexts);
        }
        RecordBatch::try_new(schema, columns)
    }
}

fn layout_of(row: &Row<'_>, id: Option<&str>) -> Result<Layout, SideTableError> {
    let names = row.names();
    let find = |wanted: &[&str]| {
        let found = |wanted: &&str| names.iter().find(|name| plain(name) == **wanted);
        wanted.iter().find_map(found).map(|name| (*name).to_owned())
    };
    let named = id.map(str::to_owned).or_else(|| find(&ID));
    let id = named.filter(|id| names.contains(&id.as_str()));
    let id = id.ok_or_else(|| SideTableError::MissingColumn {
        wanted: "user_id",
        found: names.join(", ").chars().take(300).collect(),
    })?;
    Ok(Layout {
        id,
        time: find(&TIME),
    })
}

/// Writes the event's own context with the attributes that it does not have itself.
fn merge(own: Option<&str>, inside: &str, out: &mut String) {
    out.clear();
    let own = own.map(str::trim).filter(|own| *own != "{}");
    let Some(own) = own else {
        out.extend(["{", inside, "}"]);
        return;
    };
    // A context written by an earlier preparation has them already.
    let object: Option<Map<String, Value>> = if own.contains("\"user.") {
        serde_json::from_str(own).ok()
    } else {
        None
    };
    match (object, own.strip_suffix('}')) {
        (Some(mut object), _) => {
            let attributes: Map<String, Value> =
                serde_json::from_str(&format!("{{{inside}}}")).unwrap_or_default();
            for (name, value) in attributes {
                object.entry(name).or_insert(value);
            }
            out.push_str(&Value::Object(object).to_string());
        }
        (None, Some(open)) => out.extend([open, ",", inside, "}"]),
        (None, None) => out.push_str(own),
    }
}
