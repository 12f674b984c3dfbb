//! Segment's ecommerce spec (v2, and the names of v1): `track`, `page`, `screen`, `identify` and
//! `alias` calls as JSON lines. RudderStack writes the same.
//!
//! An `identify` or `alias` is no act of the visitor, but says who the visitor is: it becomes
//! [`EventKind::Other`] with both identifiers, and an `identify`'s traits go into the context,
//! but for those that name or describe a person.

use std::io::Read;

use serde_json::Value as Json;

use crate::{
    Action, Event, EventKind, EventsError, Item, Problem, Rule, Value,
    format::plain,
    json_fields::{FieldReader, Fields},
    ledger::Ledger,
};

use super::json_event::read_events;

/// Segment's reserved traits that say who somebody is. A model must not learn from a name.
const PERSONAL: [&str; 17] = [
    "address",
    "avatar",
    "birthday",
    "company",
    "description",
    "email",
    "employees",
    "firstname",
    "id",
    "ip",
    "lastname",
    "name",
    "phone",
    "title",
    "userid",
    "username",
    "website",
];

pub(crate) fn read<R: Read>(input: R, ledger: &mut Ledger<'_>) -> Result<(), EventsError> {
    read_events(input, ledger, |fields, reader| {
        // The spec's own examples write ratings and some prices as text.
        reader.text_numbers = true;
        call(fields, reader)
    })
}

fn call(fields: &Fields, reader: &mut FieldReader<'_>) -> Result<Event, Problem> {
    let word = fields.get("type").and_then(Json::as_str);
    let word = word.ok_or_else(|| reader.missing("type"))?;
    let time = ["timestamp", "originalTimestamp", "sentAt", "receivedAt"]
        .iter()
        .find_map(|key| fields.get(*key).filter(|found| !found.is_null()));
    let timestamp = reader.any_time(time, "timestamp")?;
    let mut event = Event::new(EventKind::Other, timestamp);
    event.user_id = reader.identifier(fields.get("userId"), "userId");
    event.anonymous_id = reader.identifier(fields.get("anonymousId"), "anonymousId");
    environment(&mut event, fields, reader);
    let nothing = Fields::new();
    let under = |key: &str| {
        fields
            .get(key)
            .and_then(Json::as_object)
            .unwrap_or(&nothing)
    };
    match word {
        "track" => {
            let name = fields.get("event").and_then(Json::as_str);
            let name = name.ok_or_else(|| reader.missing("event"))?;
            track(&mut event, name, under("properties"), reader);
        }
        "page" | "screen" => {
            event.kind = EventKind::PageView;
            let found = [fields.get("category"), fields.get("name")];
            let found = found.into_iter().flatten().find(|found| !found.is_null());
            event.page_type = reader.identifier(found, "category");
        }
        "identify" => {
            let traits = fields
                .get("traits")
                .or_else(|| fields.get("context")?.get("traits"));
            if let Some(Json::Object(traits)) = traits {
                for (key, found) in traits {
                    let personal = PERSONAL.contains(&plain(key).as_str());
                    if !personal && !found.is_object() && !found.is_array() {
                        let value = reader.value(found, String::new);
                        event
                            .context
                            .extend(value.map(|value| (key.clone(), value)));
                    }
                }
            }
        }
        "alias" => {
            let before = reader.identifier(fields.get("previousId"), "previousId");
            event.anonymous_id = event.anonymous_id.or(before);
        }
        "group" => {}
        other => {
            let problem = Problem::new(Rule::Malformed, Action::Rejected, reader.row);
            return Err(problem.field("type").detail(other));
        }
    }
    Ok(event)
}

/// What the call says of the visitor's session, device and place.
fn environment(event: &mut Event, fields: &Fields, reader: &mut FieldReader<'_>) {
    let Some(context) = fields.get("context") else {
        return;
    };
    let session = reader.identifier(context.get("sessionId"), "context.sessionId");
    let visitor = event.anonymous_id.as_ref().or(event.user_id.as_ref());
    if let (Some(visitor), Some(session)) = (visitor, session) {
        event.session_id = Some(format!("{visitor}.{session}"));
    }
    for (key, outer, inner) in [
        ("device", "device", "type"),
        ("country", "location", "country"),
        ("medium", "campaign", "medium"),
    ] {
        let found = context.get(outer).and_then(|outer| outer.get(inner));
        if let Some(found) = found.and_then(Json::as_str) {
            let value = Value::Category(found.to_owned());
            event.context.insert(key.to_owned(), value);
        }
    }
}

fn track(event: &mut Event, name: &str, properties: &Fields, reader: &mut FieldReader<'_>) {
    let get = |key: &str| properties.get(key).filter(|found| !found.is_null());
    event.kind = kind(name, &get);
    if event.kind == EventKind::Other && !is_known(name) {
        reader.unknown_event(name);
    }
    if plain(name).starts_with("checkout") {
        event.page_type = Some("checkout".to_owned());
    }
    event.currency = reader.identifier(get("currency"), "currency");
    event.transaction_id = reader.identifier(get("order_id").or(get("orderId")), "order_id");
    event.search_term = reader.identifier(get("query"), "query");
    event.rating = reader.number(get("rating"), "rating");
    // `total` is what was paid; `revenue` leaves out shipping and tax.
    let amounts: &[&str] = match event.kind {
        EventKind::Purchase | EventKind::Refund => &["total", "revenue", "value"],
        _ => &["value", "revenue", "total"],
    };
    let amount = amounts.iter().find_map(|key| get(key));
    event.value = reader.number(amount, "value");
    event.items = reader.list(get("products"), "products", product);
    if event.items.is_empty() {
        let item = product(reader, properties);
        // Without an identifier, a name or a category belongs to the list or the page.
        if !item.item_id.is_empty() {
            event.items.push(item);
        }
    }
}

fn product(reader: &mut FieldReader<'_>, fields: &Fields) -> Item {
    let id = ["product_id", "sku", "productId", "id"]
        .iter()
        .find_map(|key| fields.get(*key).filter(|found| !found.is_null()));
    Item {
        item_id: reader.identifier(id, "product_id").unwrap_or_default(),
        item_name: reader.identifier(fields.get("name"), "name"),
        item_category: reader.identifier(fields.get("category"), "category"),
        item_brand: reader.identifier(fields.get("brand"), "brand"),
        price: reader.number(fields.get("price"), "price"),
        quantity: reader.number(fields.get("quantity"), "quantity"),
    }
}

/// The kind of a track call. Case, blanks and underscores do not count.
fn kind<'a>(name: &str, get: &impl Fn(&str) -> Option<&'a Json>) -> EventKind {
    match plain(name).as_str() {
        "productssearched" => EventKind::Search,
        "productlistviewed" | "productlistfiltered" | "viewedproductcategory" => {
            EventKind::ViewItemList
        }
        "productclicked" => EventKind::SelectItem,
        "productviewed" | "viewedproduct" => EventKind::ViewItem,
        "productadded" | "addedproduct" | "wishlistproductaddedtocart" => EventKind::AddToCart,
        "productremoved" | "removedproduct" => EventKind::RemoveFromCart,
        "productaddedtowishlist" => EventKind::AddToWishlist,
        "cartviewed" => EventKind::ViewCart,
        "checkoutstarted" => EventKind::BeginCheckout,
        "paymentinfoentered" => EventKind::AddPaymentInfo,
        "checkoutstepcompleted" => {
            if get("payment_method").is_some() {
                EventKind::AddPaymentInfo
            } else if get("shipping_method").is_some() {
                EventKind::AddShippingInfo
            } else {
                EventKind::Other
            }
        }
        "ordercompleted" | "completedorder" => EventKind::Purchase,
        "orderrefunded" | "ordercancelled" => EventKind::Refund,
        "productreviewed" => EventKind::Review,
        _ => EventKind::from_name(name),
    }
}

/// Names of the spec that are kept as [`EventKind::Other`]: known, and no remark worth.
fn is_known(name: &str) -> bool {
    const KNOWN: [&str; 14] = [
        "cartshared",
        "checkoutstepcompleted",
        "checkoutstepviewed",
        "couponapplied",
        "coupondenied",
        "couponentered",
        "couponremoved",
        "orderupdated",
        "other",
        "productremovedfromwishlist",
        "productshared",
        "promotionclicked",
        "promotionviewed",
        "signedup",
    ];
    KNOWN.contains(&plain(name).as_str())
}
