//! Any table under a [`Mapping`]; Propense's own CSV is one of them.

use std::io::Read;

use crate::{
    Context, Event, EventKind, EventsError, Format, Item, Key, Mapping, Place, Rule, Value,
    json::join, json_fields::FieldReader, ledger::Ledger,
};

use super::rows::{Header, Row, Rows};

pub(crate) fn read<R: Read>(
    input: R,
    format: Format,
    delimiter: u8,
    mapping: &Mapping,
    ledger: &mut Ledger<'_>,
) -> Result<(), EventsError> {
    let mut rows = Rows::new(input, format, delimiter, true, ledger);
    let mut row = Row::new();
    let mut more = true;
    let header = if mapping.header {
        let header = rows.header()?;
        more = rows.next(&mut row)?;
        header
    } else {
        more &= rows.next(&mut row)?;
        rows.numbered(row.record.len())
    };
    let layout = Layout::new(&header, mapping)?;
    while more {
        ledger.count_row();
        match layout.event(&row, mapping, ledger) {
            Ok(event) => {
                let number = layout.event_no.map(|column| row.bytes(column));
                let number = number.and_then(|bytes| std::str::from_utf8(bytes).ok());
                let key = match number {
                    Some(number) if !number.is_empty() => Key::Next(number),
                    _ => Key::Own,
                };
                ledger.emit(event, Place::new(row.number, key));
            }
            Err(problem) => ledger.reject(problem),
        }
        more = rows.next(&mut row)?;
    }
    Ok(())
}

/// The mapping's names resolved to positions.
struct Layout {
    timestamp: usize,
    event: Option<usize>,
    event_no: Option<usize>,
    user_id: Option<usize>,
    anonymous_id: Option<usize>,
    session_id: Option<usize>,
    item_id: Option<usize>,
    item_name: Option<usize>,
    item_category: Option<usize>,
    item_category_levels: Vec<usize>,
    item_brand: Option<usize>,
    price: Option<usize>,
    quantity: Option<usize>,
    page_type: Option<usize>,
    value: Option<usize>,
    currency: Option<usize>,
    transaction_id: Option<usize>,
    search_term: Option<usize>,
    rating: Option<usize>,
    context_json: Option<usize>,
    /// Position, key, whether always a category.
    context: Vec<(usize, String, bool)>,
}

impl Layout {
    fn new(header: &Header, mapping: &Mapping) -> Result<Self, EventsError> {
        let columns = &mapping.columns;
        // In a mapping a named column must exist; in Propense's own format only the time, the
        // event and nothing else are indispensable.
        let own = *mapping == Mapping::own();
        let find = |name: &Option<String>| match name {
            None => Ok(None),
            Some(name) if own => Ok(header.find(&[name])),
            Some(name) => header
                .require(&[name], "Add it, or take it out of the mapping")
                .map(Some),
        };
        let remedy = if own {
            "Add it, or describe the table with a mapping (format `csv`)"
        } else {
            "Add it, or correct its name in the mapping"
        };
        let timestamp = header.require(&[&columns.timestamp], remedy)?;
        let event = match &columns.event {
            Some(name) => Some(header.require(&[name], remedy)?),
            None if mapping.default_event.is_some() => None,
            None => Some(header.require(&["event"], "Set `default_event` in the mapping")?),
        };
        let mut context = Vec::new();
        for (names, category) in [
            (&columns.context, false),
            (&columns.context_categories, true),
        ] {
            for name in names {
                let remedy = "Add it, or take it out of the mapping";
                context.push((header.require(&[name], remedy)?, name.clone(), category));
            }
        }
        let mut levels = Vec::new();
        for name in &columns.item_category_levels {
            let remedy = "Add it, or take it out of the mapping";
            levels.push(header.require(&[name], remedy)?);
        }
        Ok(Self {
            timestamp,
            event,
            event_no: find(&columns.event_no)?,
            user_id: find(&columns.user_id)?,
            anonymous_id: find(&columns.anonymous_id)?,
            session_id: find(&columns.session_id)?,
            item_id: find(&columns.item_id)?,
            item_name: find(&columns.item_name)?,
            item_category: find(&columns.item_category)?,
            item_category_levels: levels,
            item_brand: find(&columns.item_brand)?,
            price: find(&columns.price)?,
            quantity: find(&columns.quantity)?,
            page_type: find(&columns.page_type)?,
            value: find(&columns.value)?,
            currency: find(&columns.currency)?,
            transaction_id: find(&columns.transaction_id)?,
            search_term: find(&columns.search_term)?,
            rating: find(&columns.rating)?,
            context_json: find(&columns.context_json)?,
            context,
        })
    }

    fn event(
        &self,
        row: &Row,
        mapping: &Mapping,
        ledger: &mut Ledger<'_>,
    ) -> Result<Event, crate::Problem> {
        let timestamp = row.bytes(self.timestamp);
        if timestamp.is_empty() {
            return Err(row.rejected(Rule::MissingField, "timestamp", b""));
        }
        let timestamp = std::str::from_utf8(timestamp)
            .ok()
            .and_then(|text| mapping.time(text))
            .ok_or_else(|| row.rejected(Rule::Malformed, "timestamp", timestamp))?;
        let kind = self.kind(row, mapping, ledger)?;
        let mut event = Event::new(kind, timestamp);
        event.user_id = row.optional(self.user_id, "user_id", ledger);
        event.anonymous_id = row.optional(self.anonymous_id, "anonymous_id", ledger);
        event.session_id = row.optional(self.session_id, "session_id", ledger);
        event.page_type = row.optional(self.page_type, "page_type", ledger);
        event.value = row.number(self.value, "value", ledger);
        event.currency = row.optional(self.currency, "currency", ledger);
        event.transaction_id = row.optional(self.transaction_id, "transaction_id", ledger);
        event.search_term = row.optional(self.search_term, "search_term", ledger);
        event.rating = row.number(self.rating, "rating", ledger);
        let item = Item {
            item_id: row
                .optional(self.item_id, "item_id", ledger)
                .unwrap_or_default(),
            item_name: row.optional(self.item_name, "item_name", ledger),
            item_category: self.category(row, mapping, ledger),
            item_brand: row.optional(self.item_brand, "item_brand", ledger),
            price: row.number(self.price, "price", ledger),
            quantity: row.number(self.quantity, "quantity", ledger),
        };
        if item != Item::default() {
            event.items.push(item);
        }
        self.context(row, &mut event.context, ledger);
        Ok(event)
    }

    fn category(&self, row: &Row, mapping: &Mapping, ledger: &mut Ledger<'_>) -> Option<String> {
        let mut path = row.optional(self.item_category, "item_category", ledger);
        for level in &self.item_category_levels {
            path = join(path, row.optional(Some(*level), "item_category", ledger));
        }
        path.map(|path| mapping.category(path))
    }

    fn kind(
        &self,
        row: &Row,
        mapping: &Mapping,
        ledger: &mut Ledger<'_>,
    ) -> Result<EventKind, crate::Problem> {
        let missing = || row.rejected(Rule::MissingField, "event", b"");
        let Some(column) = self.event else {
            return mapping.default_event.ok_or_else(missing);
        };
        let word = row.text(column, "event", ledger);
        if word.is_empty() {
            return mapping.default_event.ok_or_else(missing);
        }
        let (kind, known) = mapping.kind(&word);
        if !known {
            ledger.repaired(row.number, Rule::UnknownEvent, "event", &word);
        }
        Ok(kind)
    }

    fn context(&self, row: &Row, context: &mut Context, ledger: &mut Ledger<'_>) {
        if let Some(column) = self.context_json {
            let text = row.text(column, "context", ledger);
            if !text.is_empty() {
                match serde_json::from_str::<serde_json::Value>(&text) {
                    // As a live event's: an entry that cannot be used costs itself alone.
                    Ok(found) => {
                        let limits = ledger.limits;
                        let mut reader = FieldReader::new(row.number, &limits);
                        *context = reader.context(Some(&found));
                        for problem in reader.problems {
                            ledger.note(problem);
                        }
                    }
                    Err(_) => ledger.repaired(row.number, Rule::WrongType, "context", &text),
                }
            }
        }
        for (column, name, category) in &self.context {
            let text = row.text(*column, name, ledger);
            let value = match text.as_ref() {
                "" => continue,
                text if *category => Value::Category(text.to_owned()),
                "true" | "True" | "TRUE" => Value::Flag(true),
                "false" | "False" | "FALSE" => Value::Flag(false),
                text => match text.parse::<f64>() {
                    Ok(number) if number.is_finite() => Value::Number(number),
                    _ => Value::Category(text.to_owned()),
                },
            };
            context.insert(name.clone(), value);
        }
    }
}
