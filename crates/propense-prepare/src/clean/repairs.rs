//! The rules that repair: `out_of_order`, `foreign_currency`, `price_unit`.

use super::scratch::Scratch;
use super::slab::{HashedMap, Slab};
use super::{Change, CleaningRule, Repair, Rules, Verdicts};
use crate::table::{number_at, text_at};

/// Finds what is to be changed in the amounts of the lines that are still there.
pub(super) fn amend(slab: &Slab<'_>, rules: &Rules, scratch: &mut Scratch) {
    let mut list = std::mem::take(&mut scratch.amended);
    list.clear();
    let foreign = rules.applies(CleaningRule::ForeignCurrency) && slab.lines.currency.is_some();
    let units = rules.applies(CleaningRule::PriceUnit) && slab.lines.price.is_some();
    let amounts = Amounts {
        slab,
        rules,
        foreign,
    };
    let orders = if units {
        orders_in_cents(&amounts, scratch)
    } else {
        HashedMap::default()
    };
    if foreign || !orders.is_empty() {
        for at in (0..slab.len).filter(|at| scratch.is_kept(*at)) {
            let order = event(scratch, at).and_then(|event| orders.get(&event));
            if order.is_none() && amounts.foreign(at).is_none() {
                continue;
            }
            amend_line(&amounts, at, order.copied(), &mut list);
        }
    }
    scratch.amended = list;
}

fn amend_line(amounts: &Amounts<'_>, at: usize, order: Option<InCents>, list: &mut Vec<Repair>) {
    let line = amounts.slab.start + at;
    let mut add = |rule, change: Option<Change>| {
        list.extend(change.map(|change| Repair { line, rule, change }));
    };
    let (now, converted) = amounts.converted(at);
    for change in converted {
        add(CleaningRule::ForeignCurrency, change);
    }
    let Some(order) = order else {
        return;
    };
    let factor = amounts.rules.options.price_factor;
    let price = now.price.filter(|_| amounts.in_cents(at, now.price));
    let value = now.value.filter(|value| order.value_too(*value, factor));
    let smaller = |amount: Option<f64>| amount.map(|amount| Some(amount / factor));
    add(CleaningRule::PriceUnit, smaller(price).map(Change::Price));
    add(CleaningRule::PriceUnit, smaller(value).map(Change::Value));
}

/// Adds to the verdicts what is changed in the lines that stay.
pub(super) fn write(slab: &Slab<'_>, rules: &Rules, scratch: &Scratch, verdicts: &mut Verdicts) {
    let late = late_lines(slab, rules, scratch);
    let mut amended = scratch.amended.iter().copied().peekable();
    if late.is_empty() && amended.peek().is_none() {
        return;
    }
    for at in 0..slab.len {
        let line = slab.start + at;
        let kept = scratch.is_kept(at);
        let mut counted = None;
        let mut add = |repair: Repair| {
            if kept {
                verdicts.repaired.push(repair);
                // A line counts once for each rule; its changes stand together.
                if counted != Some(repair.rule) {
                    verdicts.counts.add(repair.rule, 1);
                    counted = Some(repair.rule);
                }
            }
        };
        if late.get(at).copied().unwrap_or_default() {
            add(Repair {
                line,
                rule: CleaningRule::OutOfOrder,
                change: Change::Sorted,
            });
        }
        while let Some(repair) = amended.next_if(|repair| repair.line == line) {
            add(repair);
        }
    }
}

fn event(scratch: &Scratch, at: usize) -> Option<u32> {
    scratch.events.of.get(at).copied()
}

/// For each line, whether it stood in its file after a younger one; empty where none did.
fn late_lines(slab: &Slab<'_>, rules: &Rules, scratch: &Scratch) -> Vec<bool> {
    let in_order = slab.rows().is_sorted() && slab.sources().windows(2).all(|two| two[0] == two[1]);
    if !rules.applies(CleaningRule::OutOfOrder) || in_order {
        return Vec::new();
    }
    let mut late = vec![false; slab.len];
    // From the end: the lowest row of each source so far.
    let mut lowest: Vec<(u16, u64)> = Vec::new();
    for (at, late) in late.iter_mut().enumerate().rev() {
        if !scratch.is_kept(at) {
            continue;
        }
        let (source, row) = (slab.source(at), slab.row(at));
        match lowest.iter_mut().find(|(other, _)| *other == source) {
            Some((_, lowest)) => {
                *late = *lowest < row;
                *lowest = row.min(*lowest);
            }
            None => lowest.push((source, row)),
        }
    }
    late
}

/// The amounts of a line.
#[derive(Debug, Clone, Copy)]
struct Amount {
    price: Option<f64>,
    value: Option<f64>,
}

struct Amounts<'a> {
    slab: &'a Slab<'a>,
    rules: &'a Rules,
    foreign: bool,
}

impl Amounts<'_> {
    /// The line's currency, where it is another than the shop's.
    fn foreign(&self, at: usize) -> Option<&str> {
        if !self.foreign {
            return None;
        }
        let own = self.rules.options.currency.as_deref()?;
        let currency = text_at(self.slab.lines.currency, self.slab.start + at)?;
        // Nearly always they are the same bytes.
        let same = currency == own || currency.trim().eq_ignore_ascii_case(own.trim());
        (!same).then(|| currency.trim())
    }

    /// The line's amounts in the shop's currency, and what was done to get them.
    fn converted(&self, at: usize) -> (Amount, [Option<Change>; 3]) {
        let line = self.slab.start + at;
        let amount = Amount {
            price: number_at(self.slab.lines.price, line),
            value: number_at(self.slab.lines.value, line),
        };
        let Some(currency) = self.foreign(at) else {
            return (amount, [None; 3]);
        };
        if amount.price.is_none() && amount.value.is_none() {
            return (amount, [None; 3]);
        }
        let mut rates = self.rules.options.rates.iter();
        let rate = rates
            .find(|(code, _)| code.trim().eq_ignore_ascii_case(currency))
            .map(|(_, rate)| *rate);
        let convert = |amount: Option<f64>| Some(amount? * rate?);
        let now = Amount {
            price: convert(amount.price),
            value: convert(amount.value),
        };
        let changes = [
            amount.price.map(|_| Change::Price(now.price)),
            amount.value.map(|_| Change::Value(now.value)),
            rate.map(|_| Change::Currency),
        ];
        (now, changes)
    }

    /// Whether this price of the line's item is in the smaller unit.
    fn in_cents(&self, at: usize, price: Option<f64>) -> bool {
        let item = text_at(self.slab.lines.item_id, self.slab.start + at);
        let usual = item.and_then(|item| self.rules.usual.get(item));
        price.zip(usual).is_some_and(|(price, usual)| {
            let expected = usual * self.rules.options.price_factor;
            (price - expected).abs() <= expected * self.rules.options.price_tolerance
        })
    }
}

/// An event with a price in the smaller unit.
#[derive(Debug, Clone, Copy, Default)]
struct InCents {
    /// The sum of its prices as they stand.
    sum: f64,
    /// Whether every price of it is in the smaller unit.
    all: bool,
}

impl InCents {
    /// Whether the event's value is in the smaller unit too: where all prices are, and it is
    /// nearer (by its logarithm) to their sum as it stands than to a hundredth of it. Delivery
    /// and taxes keep it from being equal.
    fn value_too(&self, value: f64, factor: f64) -> bool {
        self.all && value > self.sum / factor.sqrt()
    }
}

fn orders_in_cents(amounts: &Amounts<'_>, scratch: &Scratch) -> HashedMap<u32, InCents> {
    let mut events = HashedMap::default();
    let kept = || (0..amounts.slab.len).filter(|at| scratch.is_kept(*at));
    for at in kept() {
        let (now, _) = amounts.converted(at);
        if amounts.in_cents(at, now.price)
            && let Some(event) = event(scratch, at)
        {
            let start = InCents {
                sum: 0.0,
                all: true,
            };
            events.insert(event, start);
        }
    }
    if events.is_empty() {
        return events;
    }
    for at in kept() {
        let found = event(scratch, at).and_then(|event| events.get_mut(&event));
        let (now, _) = amounts.converted(at);
        if let (Some(found), Some(price)) = (found, now.price) {
            let quantity = number_at(amounts.slab.lines.quantity, amounts.slab.start + at);
            found.sum += price * quantity.unwrap_or(1.0);
            found.all &= amounts.in_cents(at, now.price);
        }
    }
    events
}
