//! The dirt of the `events` layout, found again by the plainest means.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use csv::StringRecord;
use propense_synth::EventsLayout;

use crate::made;

const ROWS: u64 = 500_000;

const DAY: i64 = 86_400_000;

/// A row with its fields by column.
struct Row(StringRecord, HashMap<&'static str, usize>);

impl Row {
    fn get(&self, column: &str) -> &str {
        &self.0[self.1[column]]
    }

    fn time(&self) -> i64 {
        self.get("timestamp").parse().unwrap()
    }
}

fn rows(text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns: HashMap<&'static str, usize> = reader
        .headers()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(at, name)| (&*Box::leak(name.to_owned().into_boxed_str()), at))
        .collect();
    let rows = reader
        .records()
        .map(|row| Row(row.unwrap(), columns.clone()));
    rows.collect()
}

#[test]
fn the_dirt_is_what_the_manifest_says() {
    let (text, manifest) = made(EventsLayout::Events, ROWS, 12);
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    let mut rule = |name, rows: usize| {
        if rows > 0 {
            *found.entry(name).or_default() += rows as u64;
        }
    };
    let all = rows(&text);
    let (from, to) = manifest.period;
    let mut seen = HashSet::new();
    let mut sessions: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &all {
        let name = if row.get("timestamp").is_empty() || row.get("event").is_empty() {
            "missing_field"
        } else if row.get("timestamp").parse::<i64>().is_err() {
            "malformed"
        } else if row.time() < 946_684_800_000 {
            "absurd_timestamp"
        } else if row.time() > to + 365 * DAY {
            "future_timestamp"
        } else if !(from..=to).contains(&row.time()) {
            "outside_period"
        } else if !seen.insert(row.0.iter().collect::<Vec<_>>()) {
            "duplicate"
        } else if row.get("user_id").starts_with("test-") {
            assert_eq!(
                row.get("event") == "purchase",
                row.get("transaction_id").starts_with("TEST-")
            );
            "test_order"
        } else {
            sessions.entry(row.get("session_id")).or_default().push(row);
            continue;
        };
        rule(name, 1);
    }

    let mut kept: Vec<&Row> = Vec::new();
    let mut orders: HashMap<&str, &str> = HashMap::new();
    for session in sessions.values_mut() {
        let late = session.windows(2).filter(|w| w[1].time() < w[0].time());
        let late: BTreeSet<&str> = late.map(|w| w[1].get("event_no")).collect();
        let late = |row: &&&Row| late.contains(row.get("event_no"));
        rule("out_of_order", session.iter().filter(late).count());
        session.sort_by_key(|row| row.time());
        let gaps = session.windows(2).map(|w| w[1].time() - w[0].time());
        let mut gaps: Vec<i64> = gaps.collect();
        gaps.sort_unstable();
        let fast = session.len() >= 100 && gaps[gaps.len() / 2] < 300;
        let declared = session[0].get("context").contains("\"bot\":true");
        if session.len() >= 1_000 || fast || declared {
            rule("bot", session.len());
            continue;
        }
        if session[session.len() - 1].time() - session[0].time() > DAY {
            rule("impossible_session", session.len());
            continue;
        }
        for (at, row) in session.iter().enumerate() {
            let same = |column| row.get(column) == session[at - 1].get(column);
            let number = row.get("event_no");
            let order = row.get("transaction_id");
            if at > 0
                && !same("event_no")
                && row.time() - session[at - 1].time() <= 1_000
                && ["event", "item_id", "page_type"].into_iter().all(same)
            {
                rule("double_fire", 1);
            } else if row.get("event") == "purchase"
                && *orders.entry(order).or_insert(number) != number
            {
                rule("repeated_order", 1);
            } else {
                kept.push(row);
            }
        }
    }

    let mut prices: HashMap<&str, Vec<f64>> = HashMap::new();
    let mut devices: HashMap<&str, bool> = HashMap::new();
    for row in &kept {
        let known = devices.entry(row.get("anonymous_id")).or_default();
        *known |= !row.get("user_id").is_empty();
        if row.get("currency") == "GBP" {
            let price = row.get("price").parse().unwrap();
            prices.entry(row.get("item_id")).or_default().push(price);
        }
    }
    for row in &kept {
        if row.get("user_id").is_empty() {
            let guest = row.get("anonymous_id").starts_with('g');
            assert_eq!(devices[row.get("anonymous_id")], !guest);
            rule(if guest { "guest" } else { "logged_in_later" }, 1);
        }
        let name = row.get("item_name");
        rule(
            "name_missing",
            usize::from(name.is_empty() && !row.get("item_id").is_empty()),
        );
        rule("name_with_comma", usize::from(name.contains(',')));
        rule("name_with_quotation_mark", usize::from(name.contains('"')));
        rule("name_with_line_break", usize::from(name.contains('\n')));
        if !["", "GBP"].contains(&row.get("currency")) {
            rule("foreign_currency", 1);
        } else if row.get("price").starts_with('-') {
            rule("absurd_price", 1);
        } else if let Some(prices) = prices.get_mut(row.get("item_id")) {
            prices.sort_by(f64::total_cmp);
            let usual = prices[prices.len() / 2];
            let price: f64 = row.get("price").parse().unwrap();
            rule(
                "price_unit",
                usize::from((price / usual / 100.0 - 1.0).abs() < 0.02),
            );
        }
    }

    let mut laid_in = manifest.set_aside.clone();
    laid_in.extend(manifest.repaired.clone());
    laid_in.extend(manifest.unusual.clone());
    let found = found
        .into_iter()
        .map(|(rule, rows)| (rule.to_owned(), rows));
    assert_eq!(found.collect::<BTreeMap<_, _>>(), laid_in);
}
