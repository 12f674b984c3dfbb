//! How a shop's own table is laid out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Delimiter, EventKind, EventsError, Format, parse_timestamp, timestamp};

/// Names the columns of a plain table, or the fields of JSON lines, and the meaning of their
/// values. Kept as a JSON file:
///
/// ```
/// use propense_events::{Delimiter, Mapping};
///
/// let mapping = Mapping::from_json(
///     r#"{
///         "delimiter": ";",
///         "columns": { "timestamp": "when", "event": "what", "user_id": "visitor", "item_id": "sku" },
///         "timestamp_unit": "seconds",
///         "events": { "click": "view_item", "order": "purchase" }
///     }"#,
/// )?;
/// assert_eq!(mapping.delimiter, Delimiter::Character(';'));
/// # Ok::<(), propense_events::EventsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Which column holds what.
    pub columns: Columns,
    /// Whether the first line names the columns. Without it, columns are named `1`, `2`, ….
    #[serde(default = "yes")]
    pub header: bool,
    /// The character between fields; `auto`, the default, finds it in the first line.
    #[serde(default)]
    pub delimiter: Delimiter,
    /// How times are written.
    #[serde(default)]
    pub timestamp_unit: TimestampUnit,
    /// The shop's offset from UTC in minutes. Times written as text without an offset are taken
    /// to be local.
    #[serde(default)]
    pub utc_offset_minutes: i32,
    /// The shop's words for events. A word that is not listed is tried as a GA4 name; any other
    /// becomes [`EventKind::Other`] and is counted.
    #[serde(default)]
    pub events: BTreeMap<String, EventKind>,
    /// The kind of every row, for a table without an event column: a table of orders.
    #[serde(default)]
    pub default_event: Option<EventKind>,
    /// What stands between the levels of a category, where that is not `/`: `.` in
    /// `electronics.smartphone`.
    #[serde(default)]
    pub category_separator: Option<String>,
}

/// The column for each field of an event. Only the timestamp is indispensable.
///
/// In JSON lines a name is a field of the object, or a path into it: `user.id`, `lines.0.sku`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// When.
    pub timestamp: String,
    /// What was done; needed unless [`Mapping::default_event`] is set.
    pub event: Option<String>,
    /// Who, signed in.
    pub user_id: Option<String>,
    /// Who, by cookie or device.
    pub anonymous_id: Option<String>,
    /// The visit.
    pub session_id: Option<String>,
    /// Neighbouring rows with equal values here, and equal time, event, user and session, are
    /// the items of one event.
    pub event_no: Option<String>,
    /// JSON lines only: the list whose elements are the event's items. The names below are
    /// looked up in each element first, and then in the whole object.
    pub items: Option<String>,
    /// The item's identifier.
    pub item_id: Option<String>,
    /// The item's name.
    pub item_name: Option<String>,
    /// The item's category: its outermost level, or the whole path.
    pub item_category: Option<String>,
    /// The category's further levels, outermost first.
    pub item_category_levels: Vec<String>,
    /// The item's brand.
    pub item_brand: Option<String>,
    /// The price of one unit.
    pub price: Option<String>,
    /// The number of units.
    pub quantity: Option<String>,
    /// The kind of page.
    pub page_type: Option<String>,
    /// The event's value.
    pub value: Option<String>,
    /// The currency of price and value (ISO 4217).
    pub currency: Option<String>,
    /// The order's number.
    pub transaction_id: Option<String>,
    /// What was searched for.
    pub search_term: Option<String>,
    /// The stars of a review, 1 to 5.
    pub rating: Option<String>,
    /// One column that holds a whole context as a JSON object.
    pub context_json: Option<String>,
    /// Columns that go into the context under their own names. `true` and `false` become flags,
    /// numbers numbers, everything else categories.
    pub context: Vec<String>,
    /// The same, but always as categories: codes that only look like numbers.
    pub context_categories: Vec<String>,
}

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimestampUnit {
    /// Milliseconds since 1970.
    #[default]
    Milliseconds,
    /// Seconds since 1970, with or without a fraction.
    Seconds,
    /// Microseconds since 1970.
    Microseconds,
    /// Text: `2010-12-01 08:26:00` or another form of [`crate::parse_timestamp`].
    Text,
    /// Each time as it is: text, or a number whose unit is told by its magnitude. Below 10¹¹
    /// it counts seconds, below 10¹⁴ milliseconds, below 10¹⁷ microseconds, else nanoseconds.
    Auto,
}

const fn yes() -> bool {
    true
}

impl Mapping {
    /// Reads and checks a mapping file.
    ///
    /// # Errors
    /// Where the JSON is not a mapping, the timestamp column is not named, there is neither an
    /// event column nor a default event, or the delimiter cannot be one.
    pub fn from_json(json: &str) -> Result<Self, EventsError> {
        let mapping: Self = serde_json::from_str(json)?;
        mapping.delimiter.check()?;
        let missing = |column: &str, remedy: &str| EventsError::MissingColumn {
            format: Format::Csv,
            column: column.to_owned(),
            found: "(the mapping)".to_owned(),
            remedy: remedy.to_owned(),
        };
        if mapping.columns.timestamp.is_empty() {
            return Err(missing("timestamp", "Name it under `columns`"));
        }
        if mapping.columns.event.is_none() && mapping.default_event.is_none() {
            return Err(missing(
                "event",
                "Name it under `columns`, or set `default_event`",
            ));
        }
        Ok(mapping)
    }

    /// A time as this mapping has it, in milliseconds since 1970.
    pub(crate) fn time(&self, text: &str) -> Option<i64> {
        let (times, per) = match self.timestamp_unit {
            TimestampUnit::Text => return parse_timestamp(text, self.utc_offset_minutes),
            TimestampUnit::Auto => {
                return timestamp::any_timestamp(text, self.utc_offset_minutes);
            }
            TimestampUnit::Seconds => (1000, 1),
            TimestampUnit::Milliseconds => (1, 1),
            TimestampUnit::Microseconds => (1, 1000),
        };
        match text.parse::<i64>() {
            Ok(number) => Some(number.checked_mul(times)?.div_euclid(per)),
            Err(_) => {
                let number = text.parse::<f64>().ok()? * times as f64 / per as f64;
                // Beyond the range of i64 the cast saturates, and the check then rejects it.
                number.is_finite().then_some(number as i64)
            }
        }
    }

    /// A category path with `/` between its levels.
    pub(crate) fn category(&self, text: String) -> String {
        match self.category_separator.as_deref() {
            None | Some("" | "/") => text,
            Some(separator) => {
                let levels: Vec<&str> = text.split(separator).map(str::trim).collect();
                levels.join("/")
            }
        }
    }

    /// The kind of an event by the shop's word for it; the flag is false for a word that nobody
    /// knows.
    pub(crate) fn kind(&self, word: &str) -> (EventKind, bool) {
        if let Some(kind) = self.events.get(word) {
            return (*kind, true);
        }
        let kind = EventKind::from_name(word);
        (
            kind,
            kind != EventKind::Other || word == EventKind::Other.name(),
        )
    }

    /// The mapping under which [`Format::Events`] is read.
    pub(crate) fn own() -> Self {
        let some = |name: &str| Some(name.to_owned());
        Self {
            columns: Columns {
                timestamp: "timestamp".to_owned(),
                event: some("event"),
                user_id: some("user_id"),
                anonymous_id: some("anonymous_id"),
                session_id: some("session_id"),
                event_no: some("event_no"),
                items: None,
                item_id: some("item_id"),
                item_name: some("item_name"),
                item_category: some("item_category"),
                item_category_levels: Vec::new(),
                item_brand: some("item_brand"),
                price: some("price"),
                quantity: some("quantity"),
                page_type: some("page_type"),
                value: some("value"),
                currency: some("currency"),
                transaction_id: some("transaction_id"),
                search_term: some("search_term"),
                rating: some("rating"),
                context_json: some("context"),
                context: Vec::new(),
                context_categories: Vec::new(),
            },
            header: true,
            delimiter: Delimiter::Auto,
            timestamp_unit: TimestampUnit::Milliseconds,
            utc_offset_minutes: 0,
            events: BTreeMap::new(),
            default_event: None,
            category_separator: None,
        }
    }
}
