//! JSON lines of any shape under a [`Mapping`], whose names are paths into the object.

use std::{borrow::Cow, io::Read};

use serde_json::Value as Json;

use crate::{
    Event, EventsError, Item, Mapping, Problem, Value,
    json::join,
    json_fields::{FieldReader, Fields},
    ledger::Ledger,
};

use super::json_rows::{Found, json_rows};

pub(crate) fn read<R: Read>(
    input: R,
    mapping: &Mapping,
    ledger: &mut Ledger<'_>,
) -> Result<(), EventsError> {
    json_rows(input, ledger, |fields, reader| {
        reader.text_numbers = true;
        let event = event(fields, mapping, reader)?;
        let number = named(fields, mapping.columns.event_no.as_deref());
        let key = reader.identifier(number, "event_no");
        Ok(Found {
            events: vec![event],
            key: key.filter(|key| !key.is_empty()),
        })
    })
}

fn event(
    fields: &Fields,
    mapping: &Mapping,
    reader: &mut FieldReader<'_>,
) -> Result<Event, Problem> {
    let columns = &mapping.columns;
    let get = |name: &Option<String>| named(fields, name.as_deref());
    let time = named(fields, Some(&columns.timestamp)).filter(|found| !found.is_null());
    let time = time.ok_or_else(|| reader.missing(&columns.timestamp))?;
    let text = match time {
        Json::String(text) => Cow::Borrowed(text.trim()),
        other => Cow::Owned(other.to_string()),
    };
    let timestamp = mapping
        .time(&text)
        .ok_or_else(|| reader.absurd_time(&columns.timestamp, time))?;
    let word = reader.identifier(get(&columns.event), "event");
    let kind = match word.filter(|word| !word.is_empty()) {
        Some(word) => {
            let (kind, known) = mapping.kind(&word);
            if !known {
                reader.unknown_event(&word);
            }
            kind
        }
        None => mapping
            .default_event
            .ok_or_else(|| reader.missing("event"))?,
    };
    let mut event = Event::new(kind, timestamp);
    event.user_id = reader.identifier(get(&columns.user_id), "user_id");
    event.anonymous_id = reader.identifier(get(&columns.anonymous_id), "anonymous_id");
    event.session_id = reader.identifier(get(&columns.session_id), "session_id");
    event.page_type = reader.identifier(get(&columns.page_type), "page_type");
    event.value = reader.number(get(&columns.value), "value");
    event.currency = reader.identifier(get(&columns.currency), "currency");
    event.transaction_id = reader.identifier(get(&columns.transaction_id), "transaction_id");
    event.search_term = reader.identifier(get(&columns.search_term), "search_term");
    event.rating = reader.number(get(&columns.rating), "rating");
    event.items = match &columns.items {
        Some(items) => reader.list(named(fields, Some(items)), "items", |reader, element| {
            item(element, fields, mapping, reader)
        }),
        None => {
            let item = item(fields, fields, mapping, reader);
            (item != Item::default())
                .then_some(item)
                .into_iter()
                .collect()
        }
    };
    context(&mut event, fields, mapping, reader);
    Ok(event)
}

/// One item: its fields stand in `element`, or else in the whole object.
fn item(element: &Fields, whole: &Fields, mapping: &Mapping, reader: &mut FieldReader<'_>) -> Item {
    let columns = &mapping.columns;
    let get = |name: Option<&str>| named(element, name).or_else(|| named(whole, name));
    let levels = columns
        .item_category_levels
        .iter()
        .map(|name| Some(name.as_str()));
    let category = std::iter::once(columns.item_category.as_deref())
        .chain(levels)
        .fold(None, |path, name| {
            join(path, reader.identifier(get(name), "item_category"))
        });
    Item {
        item_id: reader
            .identifier(get(columns.item_id.as_deref()), "item_id")
            .unwrap_or_default(),
        item_name: reader.identifier(get(columns.item_name.as_deref()), "item_name"),
        item_category: category.map(|path| mapping.category(path)),
        item_brand: reader.identifier(get(columns.item_brand.as_deref()), "item_brand"),
        price: reader.number(get(columns.price.as_deref()), "price"),
        quantity: reader.number(get(columns.quantity.as_deref()), "quantity"),
    }
}

fn context(event: &mut Event, fields: &Fields, mapping: &Mapping, reader: &mut FieldReader<'_>) {
    let columns = &mapping.columns;
    if let Some(found) = named(fields, columns.context_json.as_deref()) {
        event.context = reader.context(Some(found));
    }
    for name in &columns.context {
        if let Some(found) = named(fields, Some(name)) {
            let value = reader.value(found, || name.clone());
            event
                .context
                .extend(value.map(|value| (name.clone(), value)));
        }
    }
    for name in &columns.context_categories {
        if let Some(text) = reader.identifier(named(fields, Some(name)), name) {
            event.context.insert(name.clone(), Value::Category(text));
        }
    }
}

/// The field of this name, or at the end of this path.
fn named<'a>(fields: &'a Fields, name: Option<&str>) -> Option<&'a Json> {
    let name = name?;
    if let Some(found) = fields.get(name) {
        return Some(found);
    }
    let mut parts = name.split('.');
    let mut found = fields.get(parts.next()?)?;
    for part in parts {
        found = match found {
            Json::Object(fields) => fields.get(part)?,
            Json::Array(list) => list.get(part.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(found)
}
