//! Universal Analytics' enhanced ecommerce, as shops pushed it to the data layer before GA4.
//!
//! The name of a push is the shop's own; what happened is told by the keys of `ecommerce`, each an
//! action of its own: `{"ecommerce": {"add": {"products": […]}}}`. One push may hold a product's
//! page and a list beside it. Source:
//! <https://developers.google.com/analytics/devguides/collection/ua/gtm/enhanced-ecommerce>.

use serde_json::Value as Json;

use crate::{
    Event, EventKind, Item, json,
    json_fields::{FieldReader, Fields},
};

/// The actions, and what each is here. What a later step of the checkout asks for is the shop's
/// own: only the first one is known by its number.
const ACTIONS: [(&str, EventKind); 11] = [
    ("detail", EventKind::ViewItem),
    ("click", EventKind::SelectItem),
    ("add", EventKind::AddToCart),
    ("remove", EventKind::RemoveFromCart),
    ("checkout", EventKind::BeginCheckout),
    ("checkout_option", EventKind::Other),
    ("purchase", EventKind::Purchase),
    ("refund", EventKind::Refund),
    ("impressions", EventKind::ViewItemList),
    ("promoView", EventKind::Other),
    ("promoClick", EventKind::Other),
];

/// One of the actions in a push.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    name: &'static str,
    kind: EventKind,
    ecommerce: &'a Fields,
    action: &'a Json,
}

/// The actions in a push; none where it is one of GA4, whose `ecommerce` has `items`.
pub(super) fn actions(fields: &Fields) -> Vec<Found<'_>> {
    let Some(ecommerce) = fields.get("ecommerce").and_then(Json::as_object) else {
        return Vec::new();
    };
    if ecommerce.contains_key("items") {
        return Vec::new();
    }
    let found = |(name, kind): (&'static str, EventKind)| {
        let action = ecommerce.get(name)?;
        (action.is_object() || action.is_array()).then_some(Found {
            name,
            kind,
            ecommerce,
            action,
        })
    };
    ACTIONS.into_iter().filter_map(found).collect()
}

/// The event of one action. `visit` has its time and whose it is.
pub(super) fn event(visit: &Event, found: Found<'_>, reader: &mut FieldReader<'_>) -> Event {
    let mut event = visit.clone();
    event.kind = found.kind;
    let about = found.action.get("actionField");
    let about = |key: &str| about.and_then(|about| about.get(key));
    match found.name {
        "checkout" | "checkout_option" => {
            event.page_type = Some("checkout".to_owned());
            let step = reader.number(about("step"), "checkout.actionField.step");
            if step.is_some_and(|step| step > 1.0) {
                event.kind = EventKind::Other;
            }
        }
        "purchase" | "refund" => {
            event.value = reader.number(about("revenue"), "actionField.revenue");
            event.transaction_id = reader.identifier(about("id"), "actionField.id");
        }
        _ => {}
    }
    let currency = found.ecommerce.get("currencyCode");
    event.currency = reader
        .identifier(currency, "currencyCode")
        .or(event.currency.take());
    let products = match found.name {
        "impressions" => Some(found.action),
        // Promotions are no products.
        "promoView" | "promoClick" => None,
        _ => found.action.get("products"),
    };
    event.items = reader.list(products, "products", item);
    event
}

/// One item under GA4's names, or else those of Universal Analytics.
pub(super) fn item(reader: &mut FieldReader<'_>, fields: &Fields) -> Item {
    let mut item = json::item(reader, fields);
    let mut text = |known: &mut Option<String>, key: &str| {
        if known.is_none() {
            *known = reader.identifier(fields.get(key), key);
        }
    };
    let mut id = Some(std::mem::take(&mut item.item_id)).filter(|id| !id.is_empty());
    text(&mut id, "id");
    item.item_id = id.unwrap_or_default();
    text(&mut item.item_name, "name");
    text(&mut item.item_category, "category");
    text(&mut item.item_brand, "brand");
    item
}
