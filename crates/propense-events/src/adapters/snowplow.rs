//! Snowplow: enriched events with the ecommerce actions of its web and mobile trackers. This is
//! what one of them means, and how it is read as JSON lines; [`super::snowplow_table`] reads tables.
//!
//! Self-describing events and entities are found both as the loaders write them (a field
//! `unstruct_event_<vendor>_<name>_<version>`, and `contexts_…` with a list) and in the original
//! envelope (`unstruct_event`, `contexts` and `derived_contexts` with `iglu:` schemas). The version does not matter.
//!
//! The action has one word and no data: products, order, cart and step come as entities beside
//! it. Page pings, which a timer sends, are set aside as [`Rule::LeftOut`].

use std::io::Read;

use serde_json::Value as Json;

use crate::{
    Action, Event, EventKind, EventsError, Item, Problem, Rule, Value,
    json_fields::{FieldReader, Fields},
    ledger::Ledger,
};

use super::json_event::read_events;

const ECOMMERCE: &str = "com.snowplowanalytics.snowplow.ecommerce";

pub(crate) fn read<R: Read>(input: R, ledger: &mut Ledger<'_>) -> Result<(), EventsError> {
    read_events(input, ledger, enriched)
}

/// The event that the fields are.
pub(super) fn enriched(fields: &Fields, reader: &mut FieldReader<'_>) -> Result<Event, Problem> {
    let name = ["event_name", "event"]
        .iter()
        .find_map(|key| fields.get(*key).and_then(Json::as_str))
        .unwrap_or_default();
    if name == "page_ping" {
        let problem = Problem::new(Rule::LeftOut, Action::Rejected, reader.row);
        return Err(problem.field("event").detail(name));
    }
    // The derived time is the visitor's clock set right by the collector's.
    let time = ["derived_tstamp", "collector_tstamp"]
        .iter()
        .find_map(|key| fields.get(*key).filter(|found| !found.is_null()));
    let timestamp = reader.any_time(time, "collector_tstamp")?;
    let mut event = Event::new(EventKind::Other, timestamp);
    let first = |keys: [&str; 2]| {
        keys.iter()
            .find_map(|key| fields.get(*key).filter(|found| !found.is_null()))
    };
    event.user_id = reader.identifier(fields.get("user_id"), "user_id");
    let anonymous = first(["domain_userid", "network_userid"]);
    event.anonymous_id = reader.identifier(anonymous, "domain_userid");
    event.session_id = reader.identifier(fields.get("domain_sessionid"), "domain_sessionid");

    let action = occurrence(fields, ECOMMERCE, "snowplow_ecommerce_action");
    let search = occurrence(fields, "com.snowplowanalytics.snowplow", "site_search");
    if let Some(action) = action {
        ecommerce(&mut event, action, fields, reader)?;
    } else if let Some(search) = search {
        event.kind = EventKind::Search;
        event.search_term = terms(search);
    } else if matches!(name, "page_view" | "screen_view") {
        event.kind = EventKind::PageView;
    } else if name.is_empty() {
        return Err(reader.missing("event_name"));
    } else {
        event.kind = EventKind::from_name(name);
        reader.unless_known(event.kind, name);
    }
    surroundings(&mut event, fields, reader);
    Ok(event)
}

/// An ecommerce action with the entities beside it.
fn ecommerce(
    event: &mut Event,
    action: &Fields,
    fields: &Fields,
    reader: &mut FieldReader<'_>,
) -> Result<(), Problem> {
    let word = action.get("type").and_then(Json::as_str);
    let word = word.ok_or_else(|| reader.missing("snowplow_ecommerce_action.type"))?;
    let entity = |name: &str| entities(fields, ECOMMERCE, name).into_iter().next();
    let step = entity("checkout_step");
    event.kind = match word {
        "product_view" => EventKind::ViewItem,
        "list_view" => EventKind::ViewItemList,
        "list_click" => EventKind::SelectItem,
        "add_to_cart" => EventKind::AddToCart,
        "remove_from_cart" => EventKind::RemoveFromCart,
        "checkout_step" => step.map_or(EventKind::BeginCheckout, checkout),
        "transaction" => EventKind::Purchase,
        "refund" => EventKind::Refund,
        "site_search" => EventKind::Search,
        "promo_view" | "promo_click" | "trns_error" => EventKind::Other,
        other => {
            reader.unknown_event(other);
            EventKind::Other
        }
    };
    if word == "checkout_step" {
        event.page_type = Some("checkout".to_owned());
    }
    let products = entities(fields, ECOMMERCE, "product");
    let most = reader.limits.max_items.saturating_add(1);
    event.items = products
        .iter()
        .take(most)
        .map(|found| product(found, reader))
        .collect();
    // Beyond the limit only the count matters: the check reports it and cuts.
    event.items.resize_with(products.len(), Item::default);
    let order = entity("transaction");
    let refund = entity("refund");
    let cart = entity("cart");
    if let Some(order) = order.or(refund) {
        let amount = order.get("revenue").or_else(|| order.get("refund_amount"));
        event.value = reader.number(amount, "revenue");
        let number = order.get("transaction_id");
        event.transaction_id = reader.identifier(number, "transaction_id");
    }
    let currency = [order, refund, cart, products.first().copied()]
        .into_iter()
        .flatten()
        .find_map(|entity| entity.get("currency").filter(|found| !found.is_null()));
    event.currency = reader.identifier(currency, "currency");
    Ok(())
}

/// A step of the checkout, by what the visitor gave there.
fn checkout(step: &Fields) -> EventKind {
    let given = |part: &str| {
        step.iter()
            .any(|(key, value)| key.starts_with(part) && !value.is_null())
    };
    if step.get("step").and_then(Json::as_i64) == Some(1) {
        EventKind::BeginCheckout
    } else if given("payment_method") {
        EventKind::AddPaymentInfo
    } else if given("delivery_") || given("shipping_") {
        EventKind::AddShippingInfo
    } else {
        EventKind::Other
    }
}

fn product(fields: &Fields, reader: &mut FieldReader<'_>) -> Item {
    Item {
        item_id: reader
            .identifier(fields.get("id"), "product.id")
            .unwrap_or_default(),
        item_name: reader.identifier(fields.get("name"), "product.name"),
        item_category: reader.identifier(fields.get("category"), "product.category"),
        item_brand: reader.identifier(fields.get("brand"), "product.brand"),
        price: reader.number(fields.get("price"), "product.price"),
        quantity: reader.number(fields.get("quantity"), "product.quantity"),
    }
}

/// Page, user, device, place, and whether the visitor is a machine.
fn surroundings(event: &mut Event, fields: &Fields, reader: &mut FieldReader<'_>) {
    if event.page_type.is_none()
        && let Some(page) = entities(fields, ECOMMERCE, "page").first()
    {
        event.page_type = reader.identifier(page.get("type"), "page.type");
    }
    if event.user_id.is_none()
        && let Some(user) = entities(fields, ECOMMERCE, "user").first()
    {
        event.user_id = reader.identifier(user.get("id"), "user.id");
    }
    for (key, field) in [
        ("device", "dvce_type"),
        ("country", "geo_country"),
        ("medium", "mkt_medium"),
    ] {
        if let Some(found) = fields.get(field).and_then(Json::as_str) {
            let value = Value::Category(found.to_owned());
            event.context.insert(key.to_owned(), value);
        }
    }
    let judged = entities(fields, "com.iab.snowplow", "spiders_and_robots");
    // BigQuery's loader writes its columns in snake case.
    let robot = judged.first().and_then(|found| {
        let names = ["spiderOrRobot", "spider_or_robot"];
        names.iter().find_map(|name| found.get(*name))
    });
    if robot.and_then(Json::as_bool) == Some(true) {
        event.context.insert("bot".to_owned(), Value::Flag(true));
    }
}

/// The words of a site search, with blanks between.
fn terms(search: &Fields) -> Option<String> {
    match search.get("terms")? {
        Json::String(term) => Some(term.clone()),
        Json::Array(terms) => {
            let terms: Vec<&str> = terms.iter().filter_map(Json::as_str).collect();
            Some(terms.join(" "))
        }
        _ => None,
    }
}

/// The self-describing event's data, if it is of this schema.
fn occurrence<'a>(fields: &'a Fields, vendor: &str, name: &str) -> Option<&'a Fields> {
    loaded(fields, "unstruct_event_", vendor, name)
        .or_else(|| {
            let envelope = fields.get("unstruct_event")?.get("data")?;
            of_schema(envelope, vendor, name)
        })?
        .as_object()
}

/// The entities of this schema.
fn entities<'a>(fields: &'a Fields, vendor: &str, name: &str) -> Vec<&'a Fields> {
    if let Some(found) = loaded(fields, "contexts_", vendor, name) {
        return match found {
            Json::Array(list) => list.iter().filter_map(Json::as_object).collect(),
            found => found.as_object().into_iter().collect(),
        };
    }
    // The tracker's, and those that the pipeline has added.
    ["contexts", "derived_contexts"]
        .into_iter()
        .filter_map(|key| fields.get(key)?.get("data")?.as_array())
        .flatten()
        .filter_map(|envelope| of_schema(envelope, vendor, name)?.as_object())
        .collect()
}

/// The field `<prefix><vendor>_<name>_<version>`, dots written as underscores.
fn loaded<'a>(fields: &'a Fields, prefix: &str, vendor: &str, name: &str) -> Option<&'a Json> {
    let stem = format!("{prefix}{}_{name}_", vendor.replace('.', "_"));
    fields.iter().find_map(|(key, value)| {
        let version = key.strip_prefix(&stem)?;
        let is_version = version
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_');
        (is_version && !version.is_empty() && !value.is_null()).then_some(value)
    })
}

/// The data in an envelope `{schema: "iglu:vendor/name/…", data}` of this schema.
fn of_schema<'a>(envelope: &'a Json, vendor: &str, name: &str) -> Option<&'a Json> {
    let schema = envelope.get("schema")?.as_str()?.strip_prefix("iglu:")?;
    let mut parts = schema.split('/');
    (parts.next()? == vendor && parts.next()? == name).then_some(())?;
    envelope.get("data")
}
