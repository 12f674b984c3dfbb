//! GA4: the BigQuery export as JSON lines, and pushes to a data layer.
//!
//! The export's `event_timestamp` counts microseconds, and BigQuery writes its integers as text.
//! What is no column of its own stands in `event_params`, a list of keys with typed values.
//! `(not set)` is how the export writes that a text is missing.
//!
//! A data layer's recording mixes four shapes: pushes (`event` with `ecommerce`), pushes of
//! Universal Analytics ([`super::enhanced_ecommerce`]), `gtag` calls
//! (`["event", name, parameters]`, which JSON writes as an object with the keys `0`, `1`, `2`),
//! and messages of the tag manager to itself. The messages are no events; they, and
//! pushes without an event, are set aside as [`Rule::LeftOut`]. A data layer has no clock: the
//! recording must add `timestamp` to each push.

use std::io::Read;

use serde_json::Value as Json;

use crate::{
    Action, Event, EventKind, EventsError, Item, Problem, Rule, Value,
    json::{self, join},
    json_fields::{FieldReader, Fields},
    ledger::Ledger,
};

use super::enhanced_ecommerce;
use super::json_rows::{Found, json_rows};

/// What GA4 collects by itself, what its other industries and `gtag` for Universal Analytics use:
/// known, but no shop event.
const KNOWN: [&str; 23] = [
    "app_remove",
    "checkout_progress",
    "click",
    "exception",
    "file_download",
    "first_open",
    "first_visit",
    "form_start",
    "form_submit",
    "generate_lead",
    "login",
    "other",
    "scroll",
    "select_content",
    "select_promotion",
    "session_start",
    "set_checkout_option",
    "share",
    "sign_up",
    "user_engagement",
    "video_progress",
    "video_start",
    "view_promotion",
];

pub(crate) fn read<R: Read>(input: R, ledger: &mut Ledger<'_>) -> Result<(), EventsError> {
    json_rows(input, ledger, |fields, reader| {
        reader.text_numbers = true;
        if fields.contains_key("event_timestamp") || fields.contains_key("event_params") {
            exported(fields, reader).map(Found::from)
        } else {
            pushed(fields, reader)
        }
    })
}

/// One row of the BigQuery export.
fn exported(fields: &Fields, reader: &mut FieldReader<'_>) -> Result<Event, Problem> {
    let name = text(fields.get("event_name")).ok_or_else(|| reader.missing("event_name"))?;
    let timestamp = reader.any_time(fields.get("event_timestamp"), "event_timestamp")?;
    let mut event = Event::new(kind(name, reader), timestamp);
    event.user_id = set(reader.identifier(fields.get("user_id"), "user_id"));
    event.anonymous_id = set(reader.identifier(fields.get("user_pseudo_id"), "user_pseudo_id"));
    let session = reader.identifier(parameter(fields, "ga_session_id"), "ga_session_id");
    event.session_id = session_name(&event, session);

    let order = fields.get("ecommerce");
    let in_order = |key: &str| {
        order
            .and_then(|order| order.get(key))
            .filter(|found| !is_unset(found))
    };
    let revenue = match event.kind {
        EventKind::Purchase => in_order("purchase_revenue"),
        EventKind::Refund => in_order("refund_value"),
        _ => None,
    };
    event.value = reader.number(parameter(fields, "value").or(revenue), "value");
    event.currency = set(reader.identifier(parameter(fields, "currency"), "currency"));
    let transaction = in_order("transaction_id").or(parameter(fields, "transaction_id"));
    event.transaction_id = reader.identifier(transaction, "transaction_id");
    event.search_term = set(reader.identifier(parameter(fields, "search_term"), "search_term"));
    event.rating = reader.number(parameter(fields, "rating"), "rating");
    let page = parameter(fields, "page_type").or(parameter(fields, "content_group"));
    event.page_type = set(reader.identifier(page, "page_type"));
    event.items = reader.list(fields.get("items"), "items", exported_item);
    for (key, outer, inner) in [
        ("device", "device", "category"),
        ("country", "geo", "country"),
        ("medium", "traffic_source", "medium"),
    ] {
        let found = text(fields.get(outer).and_then(|outer| outer.get(inner)));
        if let Some(found) = found {
            let value = Value::Category(found.to_owned());
            event.context.insert(key.to_owned(), value);
        }
    }
    Ok(event)
}

/// The export's items have GA4's names, and `(not set)` for what is missing.
fn exported_item(reader: &mut FieldReader<'_>, fields: &Fields) -> Item {
    let mut item = json::item(reader, fields);
    item.item_id = set(Some(item.item_id)).unwrap_or_default();
    item.item_name = set(item.item_name);
    item.item_brand = set(item.item_brand);
    if let Some(path) = item.item_category.take() {
        item.item_category = path
            .split('/')
            .map(|level| set(Some(level.to_owned())))
            .fold(None, join);
    }
    item
}

/// The value of one of `event_params`, whichever type it has. Some exports have made an object
/// of the list.
fn parameter<'a>(fields: &'a Fields, key: &str) -> Option<&'a Json> {
    let found = match fields.get("event_params")? {
        Json::Array(list) => list
            .iter()
            .find(|parameter| parameter.get("key").and_then(Json::as_str) == Some(key))?,
        Json::Object(fields) => {
            let found = fields.get(key)?;
            return Some(found).filter(|found| !found.is_null());
        }
        _ => return None,
    };
    ["string_value", "int_value", "double_value", "float_value"]
        .iter()
        .filter_map(|kind| found.get("value")?.get(*kind))
        .find(|value| !value.is_null())
}

/// One push to a data layer, or one `gtag` call.
fn pushed(fields: &Fields, reader: &mut FieldReader<'_>) -> Result<Found, Problem> {
    let left_out = |detail: &str| {
        Problem::new(Rule::LeftOut, Action::Rejected, reader.row)
            .field("event")
            .detail(detail)
    };
    let called = call(fields);
    let name = called.map_or_else(|| json::name(fields), |(name, _)| Some(name));
    let parameters = called.and_then(|(_, parameters)| parameters);
    if let Some(name) = name.filter(|name| name.starts_with("gtm.")) {
        return Err(left_out(name));
    }
    let actions = enhanced_ecommerce::actions(fields);
    if called.is_some() || actions.is_empty() {
        let name = name.ok_or_else(|| left_out("a push without an event"))?;
        let mut event = visit(fields, parameters, reader)?;
        event.kind = kind(name, reader);
        return Ok(Found::from(event));
    }
    let visit = visit(fields, None, reader)?;
    let event = |action| enhanced_ecommerce::event(&visit, action, reader);
    Ok(Found {
        events: actions.into_iter().map(event).collect(),
        key: None,
    })
}

/// Everything of a push but its kind.
fn visit(
    fields: &Fields,
    parameters: Option<&Fields>,
    reader: &mut FieldReader<'_>,
) -> Result<Event, Problem> {
    let time = ["timestamp", "time", "ts"]
        .iter()
        .find_map(|key| fields.get(*key).or_else(|| parameters?.get(*key)));
    let timestamp = reader.any_time(time, "timestamp")?;
    let mut event = Event::new(EventKind::Other, timestamp);
    let whole = parameters.unwrap_or(fields);
    json::fill(&mut event, whole, reader, enhanced_ecommerce::item);
    let mut other_name = |known: &mut Option<String>, keys: &[&str]| {
        if known.is_none() {
            let found = keys
                .iter()
                .find_map(|key| fields.get(*key).or_else(|| parameters?.get(*key)));
            *known = reader.identifier(found, keys.first().copied().unwrap_or_default());
        }
    };
    other_name(&mut event.user_id, &["user_id", "userId"]);
    other_name(
        &mut event.anonymous_id,
        &["user_pseudo_id", "client_id", "clientId", "anonymous_id"],
    );
    other_name(
        &mut event.page_type,
        &["page_type", "pageType", "content_group"],
    );
    if event.session_id.is_none() {
        let mut session = None;
        other_name(&mut session, &["ga_session_id", "session_id", "sessionId"]);
        event.session_id = session_name(&event, session);
    }
    Ok(event)
}

/// Name and parameters of a `gtag("event", name, parameters)`: an object with numbered keys, or
/// a list under some key of an object that adds the time.
fn call(fields: &Fields) -> Option<(&str, Option<&Fields>)> {
    let is_event = |command: &Json| command.as_str() == Some("event");
    if let (Some(command), Some(name)) = (fields.get("0"), fields.get("1")) {
        let parameters = fields.get("2").and_then(Json::as_object);
        return is_event(command).then_some((name.as_str()?, parameters));
    }
    fields.values().find_map(|value| {
        let arguments = value.as_array()?;
        let name = arguments.get(1)?.as_str()?;
        let parameters = arguments.get(2).and_then(Json::as_object);
        is_event(arguments.first()?).then_some((name, parameters))
    })
}

/// GA4 numbers the sessions of one browser by their start in seconds.
fn session_name(event: &Event, session: Option<String>) -> Option<String> {
    let visitor = event.anonymous_id.as_ref().or(event.user_id.as_ref())?;
    Some(format!("{visitor}.{}", session?))
}

fn kind(name: &str, reader: &mut FieldReader<'_>) -> EventKind {
    let kind = match name {
        "view_search_results" => EventKind::Search,
        "screen_view" => EventKind::PageView,
        "ecommerce_purchase" => EventKind::Purchase,
        "product_review" => EventKind::Review,
        name => EventKind::from_name(name),
    };
    if kind == EventKind::Other && !KNOWN.contains(&name) {
        reader.unknown_event(name);
    }
    kind
}

fn is_unset(found: &Json) -> bool {
    matches!(found, Json::Null) || matches!(found.as_str(), Some("" | "(not set)"))
}

/// A text that says something.
fn text(found: Option<&Json>) -> Option<&str> {
    found.filter(|found| !is_unset(found))?.as_str()
}

fn set(text: Option<String>) -> Option<String> {
    text.filter(|text| text != "(not set)")
}
