//! Taobao `UserBehavior.csv`: `user,item,category,behaviour,unix seconds`, without header
//! (a header with `user_id`, `item_id`, `category_id`, `behavior_type`, `timestamp` is understood
//! too, then in any order).
//!
//! `pv` is [`EventKind::ViewItem`], `fav` [`EventKind::AddToWishlist`], `cart`
//! [`EventKind::AddToCart`], `buy` [`EventKind::Purchase`]. The set covers nine days, 2017-11-25
//! to 2017-12-03 in UTC+8; rows outside are set aside as [`Rule::OutsidePeriod`];
//! exact repetitions, which need a look at the whole set, by whoever collects the events.

use std::io::Read;

use crate::{Event, EventKind, EventsError, Format, Item, Place, Problem, Rule, ledger::Ledger};

use super::rows::{Header, Row, Rows};

/// The period in unix seconds: after the first, up to and with the second.
const PERIOD: (i64, i64) = (1_511_539_200, 1_512_316_800);

pub(crate) fn read<R: Read>(
    input: R,
    delimiter: u8,
    ledger: &mut Ledger<'_>,
) -> Result<(), EventsError> {
    // No field is ever quoted, and a stray quote would swallow the lines after it.
    let mut rows = Rows::new(input, Format::Taobao, delimiter, false, ledger);
    let mut row = Row::new();
    let mut more = rows.next(&mut row)?;
    let header = row.header(Format::Taobao);
    let layout = if header.find(&["behavior_type", "behaviour"]).is_some() {
        more = rows.next(&mut row)?;
        Layout::named(&header)?
    } else {
        Layout {
            columns: [0, 1, 2, 3, 4],
        }
    };
    let mut event = Event::new(EventKind::ViewItem, 0);
    while more {
        ledger.count_row();
        match layout.fields(&row, ledger.period) {
            Ok(fields) => {
                fields.fill(&mut event);
                ledger.emit_reused(&mut event, Place::own(row.number));
            }
            Err(problem) => ledger.reject(problem),
        }
        more = rows.next(&mut row)?;
    }
    Ok(())
}

struct Layout {
    /// User, item, category, behaviour, seconds.
    columns: [usize; 5],
}

impl Layout {
    fn named(header: &Header) -> Result<Self, EventsError> {
        let remedy = "Take the file as Taobao publishes it, or use format `csv` with a mapping";
        Ok(Self {
            columns: [
                header.require(&["user_id", "user"], remedy)?,
                header.require(&["item_id", "item"], remedy)?,
                header.require(&["category_id", "item_category", "category"], remedy)?,
                header.require(&["behavior_type", "behaviour"], remedy)?,
                header.require(&["timestamp", "time"], remedy)?,
            ],
        })
    }

    fn fields<'a>(&self, row: &'a Row, period: bool) -> Result<Fields<'a>, Problem> {
        let names = ["user", "item", "category", "behaviour", "seconds"];
        let mut fields = [""; 5];
        // Looked at as a whole, which is quicker; where that fails, the field to blame is found.
        let whole = std::str::from_utf8(row.record.as_slice()).ok();
        for ((field, column), name) in fields.iter_mut().zip(self.columns).zip(names) {
            let text = whole.and_then(|whole| whole.get(row.record.range(column)?));
            *field = match text.map(str::trim_ascii) {
                Some(text) if !text.is_empty() => text,
                _ => row.required(column, name)?,
            };
        }
        let [user, item, category, behaviour, seconds] = fields;
        let kind = match behaviour {
            "pv" => EventKind::ViewItem,
            "fav" => EventKind::AddToWishlist,
            "cart" => EventKind::AddToCart,
            "buy" => EventKind::Purchase,
            other => return Err(row.rejected(Rule::Malformed, "behaviour", other.as_bytes())),
        };
        let time: i64 = seconds
            .parse()
            .map_err(|_| row.rejected(Rule::Malformed, "seconds", seconds.as_bytes()))?;
        if period && (time <= PERIOD.0 || time > PERIOD.1) {
            return Err(row.rejected(Rule::OutsidePeriod, "seconds", seconds.as_bytes()));
        }
        Ok(Fields {
            kind,
            time,
            user,
            item,
            category,
        })
    }
}

/// What stands in a good row.
struct Fields<'a> {
    kind: EventKind,
    /// Seconds since 1970.
    time: i64,
    user: &'a str,
    item: &'a str,
    category: &'a str,
}

impl Fields<'_> {
    /// Writes it over the event of an earlier row, whose texts have room already.
    fn fill(self, event: &mut Event) {
        event.kind = self.kind;
        event.timestamp = self.time.saturating_mul(1000);
        set(event.user_id.get_or_insert_default(), self.user);
        event.items.truncate(1);
        if event.items.is_empty() {
            event.items.push(Item::default());
        }
        if let Some(item) = event.items.first_mut() {
            set(&mut item.item_id, self.item);
            set(item.item_category.get_or_insert_default(), self.category);
        }
    }
}

fn set(text: &mut String, value: &str) {
    text.clear();
    text.push_str(value);
}
