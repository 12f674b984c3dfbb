//! JD micro-behaviours: one session a line, its events separated by blanks, each
//! `sku+behaviour+category+seconds to the next+dwell`.
//!
//! | behaviour | kind | page type |
//! |---|---|---|
//! | 1, 2, 3, 4 | [`EventKind::ViewItem`] | `home`, `shop_list`, `sale`, `cart` (where the visitor came from) |
//! | 5 | [`EventKind::SelectItem`] | `search` |
//! | 6, 7, 8 | [`EventKind::Other`] | `comments`, `specification`, `page_bottom` |
//! | 9 | [`EventKind::AddToCart`] | – |
//! | 10 | [`EventKind::Purchase`] | – |
//!
//! The set has no dates, only seconds between events. A session starts at 2000-01-01 plus one
//! millisecond for each row before it: file order is kept, and no hour or weekday can be learnt.
//! The dwell on an item is left out: it repeats on each of the item's events, so the first of
//! them would tell what happens later. A session's id is its row number.

use std::io::{BufRead, BufReader, Read};

use crate::{
    Action, EARLIEST, Event, EventKind, EventsError, Item, Place, Problem, Rule, ledger::Ledger,
};

pub(crate) fn read<R: Read>(input: R, ledger: &mut Ledger<'_>) -> Result<(), EventsError> {
    let mut input = BufReader::with_capacity(1 << 18, input);
    let mut line = Vec::new();
    let mut row = ledger.base;
    loop {
        line.clear();
        if input
            .read_until(b'\n', &mut line)
            .map_err(EventsError::Read)?
            == 0
        {
            return Ok(());
        }
        row += 1;
        let line = line.trim_ascii();
        if !line.is_empty() {
            ledger.count_row();
            session(line, row, ledger);
        }
    }
}

/// Reads one line. Events that cannot be read are left out and counted; a line in which none
/// can be read is rejected.
fn session(line: &[u8], row: u64, ledger: &mut Ledger<'_>) {
    let start = i64::try_from(row).unwrap_or(i64::MAX);
    let mut time = EARLIEST.saturating_add(start - 1);
    let mut events = Vec::new();
    let mut unreadable: Vec<&[u8]> = Vec::new();
    for text in line
        .split(u8::is_ascii_whitespace)
        .filter(|text| !text.is_empty())
    {
        match event(text, time, row) {
            Some((event, pause)) => {
                events.push(event);
                time = time.saturating_add(pause.saturating_mul(1000));
            }
            None => unreadable.push(text),
        }
    }
    if events.is_empty() {
        let problem = Problem::new(Rule::Malformed, Action::Rejected, row);
        ledger.reject(problem.detail(String::from_utf8_lossy(line)));
        return;
    }
    for text in unreadable {
        ledger.repaired(
            row,
            Rule::Malformed,
            "event",
            &String::from_utf8_lossy(text),
        );
    }
    for event in events {
        ledger.emit_part(event, Place::own(row));
    }
}

/// One event, and the seconds from it to the next.
fn event(text: &[u8], time: i64, row: u64) -> Option<(Event, i64)> {
    /// Ten digits: more than the set has anywhere, and far from any overflow.
    const LONGEST: usize = 20;
    let text = std::str::from_utf8(text).ok()?;
    let mut fields = text.split('+');
    let mut number = || {
        let field = fields.next()?;
        let good = !field.is_empty()
            && field.len() <= LONGEST
            && field.bytes().all(|byte| byte.is_ascii_digit());
        good.then_some(field)
    };
    let (sku, behaviour, category, pause, _dwell) =
        (number()?, number()?, number()?, number()?, number()?);
    if fields.next().is_some() {
        return None;
    }
    let (kind, page_type) = match behaviour {
        "1" => (EventKind::ViewItem, Some("home")),
        "2" => (EventKind::ViewItem, Some("shop_list")),
        "3" => (EventKind::ViewItem, Some("sale")),
        "4" => (EventKind::ViewItem, Some("cart")),
        "5" => (EventKind::SelectItem, Some("search")),
        "6" => (EventKind::Other, Some("comments")),
        "7" => (EventKind::Other, Some("specification")),
        "8" => (EventKind::Other, Some("page_bottom")),
        "9" => (EventKind::AddToCart, None),
        "10" => (EventKind::Purchase, None),
        _ => return None,
    };
    let mut event = Event::new(kind, time);
    event.session_id = Some(row.to_string());
    event.page_type = page_type.map(str::to_owned);
    event.items.push(Item {
        item_id: sku.to_owned(),
        item_category: Some(category.to_owned()),
        ..Item::default()
    });
    Some((event, pause.parse().ok()?))
}
