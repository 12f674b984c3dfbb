//! What the data card calls real is real: session by session, against the session summaries.
//!
//! Both stand in the repository.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use propense_events::{Event, EventKind, Session, Value};
use propense_synth::{CATALOGUE_FILE, SAMPLE_FILE};

use crate::real;

const PAGE_TYPES: [(&str, &str); 3] = [
    ("administrative", "Administrative"),
    ("informational", "Informational"),
    ("product", "ProductRelated"),
];

/// The rows of the session summaries, by session id.
fn summaries() -> BTreeMap<String, BTreeMap<String, String>> {
    let text = real::shoppers();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.deserialize().enumerate();
    rows.map(|(number, row)| (format!("s{}", number + 1), row.unwrap()))
        .collect()
}

fn is_page(event: &Event) -> bool {
    use EventKind::{PageView, ViewItem, ViewItemList};
    matches!(event.kind, PageView | ViewItem | ViewItemList)
}

/// Pages and milliseconds by page type, from the events alone. The last page has no time.
fn measured(session: &Session) -> BTreeMap<&str, (u32, i64)> {
    let pages: Vec<&Event> = session.events.iter().filter(|e| is_page(e)).collect();
    let mut measured: BTreeMap<&str, (u32, i64)> = BTreeMap::new();
    for (position, page) in pages.iter().enumerate() {
        let Some(page_type) = page.page_type.as_deref() else {
            continue;
        };
        let next = pages
            .get(position + 1)
            .map_or(page.timestamp, |next| next.timestamp);
        let (count, stay) = measured.entry(page_type).or_default();
        *count += 1;
        *stay += next - page.timestamp;
    }
    measured
}

#[test]
fn page_counts_seconds_and_outcomes_are_those_of_the_summaries() {
    let summaries = summaries();
    let sessions = real::read_sessions(&real::committed());
    assert_eq!(sessions.len(), 9_801);
    assert_eq!(sessions.len(), summaries.len());
    let (mut orders, mut hidden, mut landing) = (0, 0, 0);
    for session in &sessions {
        let row = &summaries[&session.id];
        let number = |column: &str| row[column].parse::<f64>().unwrap();
        let measured = measured(session);
        let mut difference = 0;
        for (page_type, column) in PAGE_TYPES {
            let (count, stay) = measured.get(page_type).copied().unwrap_or_default();
            assert_eq!(f64::from(count), number(column), "{} {column}", session.id);
            let real = number(&format!("{column}_Duration")) * 1_000.0;
            assert!(real + 0.5 >= stay as f64, "{} {column}", session.id);
            difference += real.round() as i64 - stay;
        }
        // Only where each type's measured time lies on its only page can it not show.
        hidden += usize::from(difference > 0);
        assert!(difference == 0 || measured.values().all(|(count, _)| *count == 1));
        landing += usize::from(measured.is_empty());

        let bought = row["Revenue"] == "True";
        orders += u32::from(bought);
        assert_eq!(session.converted(), bought, "{}", session.id);
        let visitor = match row["VisitorType"].as_str() {
            "New_Visitor" => "new",
            "Returning_Visitor" => "returning",
            _ => "other",
        };
        let month = row["Month"][..3].to_lowercase();
        assert_eq!(
            session.context["visitor_type"],
            Value::Category(visitor.to_owned())
        );
        assert_eq!(session.context["month"], Value::Category(month));
        assert_eq!(
            session.context["weekend"],
            Value::Flag(row["Weekend"] == "True")
        );
        assert_eq!(session.context.len(), 3);
    }
    assert_eq!(orders, 1_539);
    assert_eq!((hidden, landing), (45, 5));
    let carts = sessions.iter().filter(|session| {
        session
            .events
            .iter()
            .any(|event| event.kind == EventKind::AddToCart)
    });
    let abandoned = 1.0 - f64::from(orders) / carts.count() as f64;
    assert!((abandoned - 0.70).abs() < 0.001, "{abandoned}");
}

#[test]
fn days_are_of_the_real_month_and_kind() {
    let summaries = summaries();
    for session in real::read_sessions(&real::committed()) {
        let row = &summaries[&session.id];
        let at = time::OffsetDateTime::from_unix_timestamp(session.start / 1_000).unwrap();
        let month = &at.month().to_string()[..3];
        assert_eq!(month, &row["Month"][..3]);
        let year = if month == "Dec" { 2010 } else { 2011 };
        assert_eq!(at.year(), year);
        use time::Weekday::{Saturday, Sunday};
        let weekend = matches!(at.weekday(), Saturday | Sunday);
        assert_eq!(weekend, row["Weekend"] == "True", "{}", session.id);
    }
}

#[test]
fn every_order_was_filled_piece_by_piece_and_comes_last() {
    let catalogue = real::json(&real::committed(), CATALOGUE_FILE);
    let prices: BTreeMap<&str, f64> = catalogue["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["item_id"].as_str().unwrap(),
                item["price"].as_f64().unwrap(),
            )
        })
        .collect();
    assert_eq!(prices.len(), 1_500);
    assert!(prices.values().all(|price| *price > 0.0));
    for session in real::read_sessions(&real::committed()) {
        let mut cart: BTreeMap<&str, f64> = BTreeMap::new();
        let mut checkout = false;
        for (position, event) in session.events.iter().enumerate() {
            for item in &event.items {
                assert_eq!(item.price, Some(prices[item.item_id.as_str()]));
            }
            let item = || (event.items[0].item_id.as_str(), event.items[0].quantity);
            match event.kind {
                EventKind::AddToCart => {
                    let (id, quantity) = item();
                    assert!(!checkout);
                    assert_eq!(cart.insert(id, quantity.unwrap()), None);
                }
                EventKind::RemoveFromCart => {
                    let (id, quantity) = item();
                    assert_eq!(cart.remove(id), quantity);
                }
                EventKind::BeginCheckout => checkout = true,
                EventKind::Purchase => {
                    assert!(checkout);
                    assert_eq!(position + 1, session.events.len());
                    let value: f64 = cart.iter().map(|(id, units)| prices[id] * units).sum();
                    assert!((event.value.unwrap() - value).abs() < 1e-6);
                    let order = event.items.iter();
                    let order = order.map(|i| (i.item_id.as_str(), i.quantity.unwrap()));
                    assert_eq!(order.collect::<BTreeMap<_, _>>(), cart);
                }
                _ => assert!(is_page(event) || event.kind == EventKind::ViewCart),
            }
        }
    }
}

/// The products and units of an order, from the lines that have a stock code and a price.
fn basket(order: &Event) -> BTreeMap<String, u64> {
    let mut basket = BTreeMap::new();
    for item in &order.items {
        let code = item.item_id.trim().to_uppercase();
        let digits = code.bytes().take_while(u8::is_ascii_digit).count();
        let units = item.quantity.unwrap_or_default();
        if digits == 5 && units >= 1.0 && item.price.unwrap_or_default() >= 0.01 {
            *basket.entry(code).or_default() += units as u64;
        }
    }
    basket
}

#[test]
fn every_order_is_a_real_invoice_of_its_month() {
    let Some((_, retail)) = real::sources() else {
        return;
    };
    let month = |milliseconds: i64| {
        let at = time::OffsetDateTime::from_unix_timestamp(milliseconds / 1_000).unwrap();
        (at.year(), u8::from(at.month()))
    };
    let file = std::fs::File::open(retail).unwrap();
    let format = Some(propense_events::Format::OnlineRetail);
    let invoices = propense_events::read(flate2::read::GzDecoder::new(file), format, None).unwrap();
    let real: BTreeSet<_> = invoices
        .events
        .iter()
        .filter(|event| event.kind == EventKind::Purchase)
        .map(|event| (month(event.timestamp), basket(event)))
        .collect();
    let mut orders = 0;
    for session in real::read_sessions(&real::committed()) {
        let Some(order) = session.events.last().filter(|_| session.converted()) else {
            continue;
        };
        // The invoices end with October 2011.
        let month = month(order.timestamp).min((2011, 10));
        let basket = basket(order);
        assert_eq!(basket.len(), order.items.len());
        assert!(real.contains(&(month, basket)), "{}", session.id);
        orders += 1;
    }
    assert_eq!(orders, 1_539);
}

#[test]
fn the_sample_is_of_the_newest_sessions_and_leaves_the_order_out() {
    let sessions = real::read_sessions(&real::committed());
    let sample = real::json(&real::committed(), SAMPLE_FILE);
    let replays = sample["sessions"].as_array().unwrap();
    assert_eq!(replays.len(), 1_000);
    let newest = &sessions[sessions.len() * 85 / 100..];
    let mut bought = 0;
    for replay in replays {
        let start = replay["start"].as_i64().unwrap();
        bought += usize::from(replay["bought"].as_bool().unwrap());
        let events = replay["events"].as_array().unwrap();
        let same = newest
            .iter()
            .filter(|session| session.start == start)
            .find(|session| {
                let before = session.before_purchase();
                before.len() == events.len()
                    && session.converted() == replay["bought"]
                    && before.iter().zip(events).all(|(event, replayed)| {
                        let item = replayed[2].as_u64().map(|i| &sample["items"][i as usize]);
                        sample["kinds"][replayed[1].as_u64().unwrap() as usize] == event.kind.name()
                            && item.and_then(|item| item.as_str())
                                == event.items.first().map(|item| item.item_id.as_str())
                    })
            });
        let same = same.unwrap();
        let seconds: f64 = events.iter().map(|event| event[0].as_f64().unwrap()).sum();
        let end = same.before_purchase().last().unwrap().timestamp;
        assert!((seconds * 1_000.0 - (end - start) as f64).abs() < 0.5);
    }
    // About as often as among the newest sessions at large.
    let share = newest.iter().filter(|s| s.converted()).count() as f64 / newest.len() as f64;
    assert!(
        (bought as f64 / 1_000.0 - share).abs() < 0.03,
        "{bought} of 1000, {share}"
    );
}

#[test]
fn making_the_data_takes_seconds() {
    let Some(made) = real::made() else { return };
    println!("made in {:?}", made.time);
    assert!(made.time < Duration::from_secs(120), "{:?}", made.time);
}
