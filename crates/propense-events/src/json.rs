//! One live event, as the page's `track` hands it over: GA4-shaped JSON.

use serde_json::Value as Json;

use crate::{
    Action, Event, EventKind, Item, Limits, Problem, Rule, check_event,
    json_fields::{FieldReader, Fields},
};

/// Reads one GA4-shaped event from JSON and checks it with [`check_event`].
///
/// Required are `event` (or `event_name`, or GA4's `name`) and `timestamp` in milliseconds.
/// `items`, `value`, `currency`, `transaction_id`, `search_term` and `rating` may also stand
/// inside `ecommerce` (as shops push them to a data layer) or `params` (as GA4 sends them).
/// `anonymous_id` may be called `user_pseudo_id`; `item_category` to `item_category5` are joined
/// to one path. Numbers as identifiers become text. A number written as text, or an ISO 8601
/// timestamp, is read and counted as a repair; any other wrong type is taken as missing and
/// counted. A name that is no GA4 ecommerce event becomes [`EventKind::Other`]. Fields that the
/// schema does not know are ignored.
#[must_use]
pub fn parse_event(json: &str, row: u64, limits: &Limits) -> (Option<Event>, Vec<Problem>) {
    let rejected = |rule| Problem::new(rule, Action::Rejected, row);
    let fields = match serde_json::from_str(json) {
        Ok(Json::Object(fields)) => fields,
        Ok(_) => {
            let problem = rejected(Rule::Malformed).detail("not a JSON object");
            return (None, vec![problem]);
        }
        Err(error) => return (None, vec![rejected(Rule::Malformed).detail(error)]),
    };
    let mut reader = FieldReader::new(row, limits);
    match event(&fields, &mut reader) {
        Err(problem) => {
            reader.problems.push(problem);
            (None, reader.problems)
        }
        Ok(event) => {
            let (event, problems) = check_event(event, row, limits);
            reader.problems.extend(problems);
            (event, reader.problems)
        }
    }
}

/// The event as it stands, not yet checked.
pub(crate) fn event(fields: &Fields, reader: &mut FieldReader<'_>) -> Result<Event, Problem> {
    let name = name(fields).ok_or_else(|| reader.missing("event"))?;
    let timestamp = reader.milliseconds(fields.get("timestamp"))?;
    let mut event = Event::new(EventKind::from_name(name), timestamp);
    fill(&mut event, fields, reader, item);
    Ok(event)
}

/// The event's name, under any of the names that GA4 has for it.
pub(crate) fn name(fields: &Fields) -> Option<&str> {
    ["event", "event_name", "name"]
        .iter()
        .find_map(|key| fields.get(*key))
        .and_then(Json::as_str)
}

/// Everything but kind and time. `item` reads one of the items.
pub(crate) fn fill(
    event: &mut Event,
    fields: &Fields,
    reader: &mut FieldReader<'_>,
    item: impl FnMut(&mut FieldReader<'_>, &Fields) -> Item,
) {
    let anonymous = fields
        .get("anonymous_id")
        .or_else(|| fields.get("user_pseudo_id"));
    event.user_id = reader.identifier(fields.get("user_id"), "user_id");
    event.anonymous_id = reader.identifier(anonymous, "anonymous_id");
    event.session_id = reader.identifier(fields.get("session_id"), "session_id");
    event.page_type = reader.identifier(fields.get("page_type"), "page_type");

    let nested = |key: &str| {
        fields.get(key).or_else(|| {
            ["ecommerce", "params"]
                .iter()
                .find_map(|outer| fields.get(*outer)?.get(key))
        })
    };
    event.value = reader.number(nested("value"), "value");
    event.currency = reader.identifier(nested("currency"), "currency");
    event.transaction_id = reader.identifier(nested("transaction_id"), "transaction_id");
    event.search_term = reader.identifier(nested("search_term"), "search_term");
    event.rating = reader.number(nested("rating"), "rating");
    event.items = reader.list(nested("items"), "items", item);
    event.context = reader.context(fields.get("context"));
}

/// One item under GA4's names.
pub(crate) fn item(reader: &mut FieldReader<'_>, fields: &Fields) -> Item {
    let levels = [
        "item_category",
        "item_category2",
        "item_category3",
        "item_category4",
        "item_category5",
    ];
    Item {
        item_id: reader
            .identifier(fields.get("item_id"), "items.item_id")
            .unwrap_or_default(),
        item_name: reader.identifier(fields.get("item_name"), "items.item_name"),
        item_category: levels.iter().fold(None, |path, level| {
            join(
                path,
                reader.identifier(fields.get(*level), "items.item_category"),
            )
        }),
        item_brand: reader.identifier(fields.get("item_brand"), "items.item_brand"),
        price: reader.number(fields.get("price"), "items.price"),
        quantity: reader.number(fields.get("quantity"), "items.quantity"),
    }
}

/// Adds one level to a category path.
pub(crate) fn join(path: Option<String>, level: Option<String>) -> Option<String> {
    match (path, level.filter(|level| !level.trim().is_empty())) {
        (Some(mut path), Some(level)) => {
            path.push('/');
            path.push_str(&level);
            Some(path)
        }
        (path, level) => path.or(level),
    }
}
