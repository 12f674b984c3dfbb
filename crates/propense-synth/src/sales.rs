//! Invoices as sales: who bought what together, when, at which price. Money in pence.

use std::collections::BTreeMap;

use propense_events::{Event, EventKind};
use time::{OffsetDateTime, Weekday};

/// One invoice that was not a cancellation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sale {
    pub(crate) year: i32,
    /// 1 to 12.
    pub(crate) month: u8,
    /// On a Saturday or Sunday.
    pub(crate) weekend: bool,
    /// Minutes since midnight, on the shop's own clock.
    pub(crate) minute: u16,
    /// In the order of the file; one line for each product.
    pub(crate) lines: Vec<SaleLine>,
}

/// One product of a sale.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SaleLine {
    pub(crate) code: String,
    pub(crate) title: String,
    pub(crate) units: u32,
    pub(crate) pence: u32,
}

impl Sale {
    /// The lines of products: without postage, fees and vouchers.
    pub(crate) fn products(&self) -> impl Iterator<Item = &SaleLine> {
        self.lines.iter().filter(|line| is_stock_code(&line.code))
    }
}

/// Five digits and at most two letters. Postage, fees, discounts, vouchers and corrections have
/// other codes.
pub(crate) fn is_stock_code(code: &str) -> bool {
    let letters = code.get(5..).unwrap_or("?");
    code.bytes().take(5).all(|b| b.is_ascii_digit())
        && letters.len() <= 2
        && letters.bytes().all(|b| b.is_ascii_uppercase())
}

/// The sales among these events. Cancellations are left out, and so are lines without a price or
/// without units: gifts, samples, breakages and stock corrections.
pub(crate) fn sales(events: &[Event]) -> Vec<Sale> {
    events.iter().filter_map(sale).collect()
}

fn sale(event: &Event) -> Option<Sale> {
    if event.kind != EventKind::Purchase {
        return None;
    }
    let at = OffsetDateTime::from_unix_timestamp(event.timestamp.div_euclid(1_000)).ok()?;
    let mut lines: Vec<SaleLine> = Vec::new();
    let mut line_of: BTreeMap<String, usize> = BTreeMap::new();
    for item in &event.items {
        let pence = (item.price.unwrap_or(0.0) * 100.0).round();
        let units = item.quantity.unwrap_or(1.0).round();
        // Above these bounds stand only corrections; below one, gifts and breakages.
        if !(1.0..1e6).contains(&pence) || !(1.0..1e6).contains(&units) {
            continue;
        }
        let code = item.item_id.trim().to_uppercase();
        match line_of.get(&code) {
            Some(&line) => {
                lines[line].units = lines[line].units.saturating_add(units as u32);
            }
            None => {
                line_of.insert(code.clone(), lines.len());
                lines.push(SaleLine {
                    code,
                    title: item.item_name.clone().unwrap_or_default(),
                    units: units as u32,
                    pence: pence as u32,
                });
            }
        }
    }
    (!lines.is_empty()).then_some(Sale {
        year: at.year(),
        month: u8::from(at.month()),
        weekend: matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday),
        minute: u16::from(at.hour()) * 60 + u16::from(at.minute()),
        lines,
    })
}

#[cfg(test)]
mod tests {
    use propense_events::Item;

    use super::*;

    #[test]
    fn stock_codes_are_told_from_fees() {
        for code in ["85123A", "22423", "15056BL"] {
            assert!(is_stock_code(code), "{code}");
        }
        for code in [
            "POST",
            "M",
            "DOT",
            "C2",
            "BANK CHARGES",
            "GIFT_0001_20",
            "2242",
            "",
            "22423abc",
        ] {
            assert!(!is_stock_code(code), "{code}");
        }
    }

    #[test]
    fn keeps_sold_lines_and_joins_repeated_ones() {
        // 2011-10-30 13:05, a Sunday.
        let mut event = Event::new(EventKind::Purchase, 1_319_979_900_000);
        let line = |code: &str, price, quantity| Item {
            item_id: code.to_owned(),
            price: Some(price),
            quantity: Some(quantity),
            ..Item::default()
        };
        event.items = vec![
            line("84029g", 3.39, 2.0),
            line("22423", 0.0, 1.0),
            line("22423", 12.75, -1.0),
            line("84029G", 3.39, 1.0),
        ];
        let sale = sale(&event).unwrap();
        assert_eq!((sale.year, sale.month, sale.minute), (2011, 10, 785));
        assert!(sale.weekend);
        assert_eq!(sale.lines.len(), 1);
        assert_eq!((sale.lines[0].units, sale.lines[0].pence), (3, 339));

        event.kind = EventKind::Refund;
        assert!(sales(&[event]).is_empty());
    }
}
