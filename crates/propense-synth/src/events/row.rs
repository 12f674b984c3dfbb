//! Rows as text, in either layout. Written by hand, because this is where the time goes: a
//! million rows a second.

use propense_events::EventKind;

use super::{
    EventsLayout,
    assortment::{self, Assortment, Name, mixed},
    line::{Act, CURRENCIES, Flaw, Line, Names},
    visit::{Pace, Role, Visit, Who},
};

/// The first line of the `events` layout: the columns of [`propense_events::write_events`].
pub(crate) const HEADER: &str = "timestamp,event,user_id,anonymous_id,session_id,item_id,\
    item_name,item_category,item_brand,price,quantity,page_type,value,currency,transaction_id,\
    search_term,rating,context,event_no\n";

const DEVICES: [&str; 3] = ["mobile", "desktop", "tablet"];

/// Everything that a row is made of.
pub(crate) struct Row<'a> {
    pub(crate) act: &'a Act,
    pub(crate) visit: &'a Visit,
    /// Milliseconds since 1970.
    pub(crate) time: i64,
    pub(crate) event_no: u64,
    pub(crate) flaw: Flaw,
}

impl Row<'_> {
    /// Appends the event's rows.
    pub(crate) fn write(
        &self,
        layout: EventsLayout,
        assortment: &Assortment,
        out: &mut Vec<u8>,
        names: &mut Names,
    ) {
        match layout {
            EventsLayout::Taobao => self.taobao(assortment, out),
            EventsLayout::Events => {
                for position in 0..self.act.rows() as usize {
                    self.own(position, assortment, out, names);
                }
            }
        }
    }

    fn taobao(&self, assortment: &Assortment, out: &mut Vec<u8>) {
        let (Who::User(user) | Who::Guest(user)) = self.visit.who;
        let item = self.act.lines.first().copied().unwrap_or_default().item;
        number(out, u64::from(user));
        out.push(b',');
        number(out, u64::from(assortment.number(item)) + 1);
        out.push(b',');
        number(out, u64::from(item.category));
        out.push(b',');
        if self.flaw != Flaw::NoKind {
            text(
                out,
                match self.act.kind {
                    EventKind::AddToCart => "cart",
                    EventKind::AddToWishlist => "fav",
                    EventKind::Purchase => "buy",
                    _ => "pv",
                },
            );
        }
        out.push(b',');
        self.timestamp(self.time.div_euclid(1_000), out);
        out.push(b'\n');
    }

    fn own(&self, position: usize, assortment: &Assortment, out: &mut Vec<u8>, names: &mut Names) {
        self.timestamp(self.time, out);
        out.push(b',');
        if self.flaw != Flaw::NoKind {
            text(out, self.act.kind.name());
        }
        out.push(b',');
        self.identity(out);
        let line = self.act.lines.get(position).copied().unwrap_or_default();
        if self.act.count > 0 {
            self.item(line, assortment, out, names);
        } else {
            text(out, ",,,,,,");
        }
        let first = position == 0;
        if first {
            text(out, self.act.page);
            out.push(b',');
            if self.act.kind == EventKind::AddToCart || self.act.is_order() {
                money(out, self.total(assortment));
            }
            out.push(b',');
        } else {
            text(out, ",,");
        }
        if self.act.count > 0 {
            text(out, self.currency().0);
        }
        out.push(b',');
        if self.act.is_order() {
            text(
                out,
                if self.visit.role == Role::Tester {
                    "TEST-"
                } else {
                    "T"
                },
            );
            number(out, self.act.detail);
        }
        out.push(b',');
        if self.act.kind == EventKind::Search {
            let [material, thing] = assortment::search_term(self.act.detail);
            text(out, material);
            out.push(b' ');
            text(out, thing);
        }
        out.push(b',');
        if self.act.kind == EventKind::Review {
            number(out, self.act.detail);
        }
        out.push(b',');
        if first {
            self.context(out);
        }
        out.push(b',');
        number(out, self.event_no);
        out.push(b'\n');
    }

    fn timestamp(&self, time: i64, out: &mut Vec<u8>) {
        match self.flaw {
            Flaw::NoTimestamp => {}
            Flaw::Malformed => text(out, "n/a"),
            _ => text(out, itoa::Buffer::new().format(time)),
        }
    }

    /// `user_id,anonymous_id,session_id,`
    fn identity(&self, out: &mut Vec<u8>) {
        let visit = self.visit;
        match visit.who {
            Who::User(user) => {
                if visit.role == Role::Tester {
                    text(out, "test-");
                    number(out, u64::from(user));
                } else if visit.done >= visit.known_from {
                    out.push(b'u');
                    number(out, u64::from(user));
                }
                text(out, ",d");
                number(out, u64::from(user));
            }
            Who::Guest(guest) => {
                text(out, ",g");
                number(out, u64::from(guest));
            }
        }
        text(out, ",s");
        number(out, u64::from(visit.number));
        out.push(b',');
    }

    /// `item_id,item_name,item_category,item_brand,price,quantity,`
    fn item(&self, line: Line, assortment: &Assortment, out: &mut Vec<u8>, names: &mut Names) {
        let running = u64::from(assortment.number(line.item));
        let word = mixed(running);
        number(out, running + 1);
        out.push(b',');
        name(out, assortment::name(word), names);
        out.push(b',');
        text(out, assortment::department(line.item.category));
        out.push(b'/');
        number(out, u64::from(line.item.category));
        out.push(b',');
        text(out, assortment::brand(word));
        out.push(b',');
        if self.flaw == Flaw::Negative {
            out.push(b'-');
        }
        let pence = self.price(line, assortment);
        money(
            out,
            if self.flaw == Flaw::Pence {
                pence * 100
            } else {
                pence
            },
        );
        out.push(b',');
        number(out, u64::from(line.quantity));
        out.push(b',');
    }

    fn currency(&self) -> (&'static str, u64) {
        CURRENCIES
            .get(self.visit.currency)
            .copied()
            .unwrap_or(("GBP", 100))
    }

    /// In hundredths of the currency.
    fn price(&self, line: Line, assortment: &Assortment) -> u64 {
        let word = mixed(u64::from(assortment.number(line.item)));
        (assortment::price(word) * self.currency().1 + 50) / 100
    }

    fn total(&self, assortment: &Assortment) -> u64 {
        self.act
            .lines
            .iter()
            .take(self.act.count)
            .map(|line| self.price(*line, assortment) * u64::from(line.quantity))
            .sum()
    }

    fn context(&self, out: &mut Vec<u8>) {
        if let Role::Bot {
            pace: Pace::Declared,
            ..
        } = self.visit.role
        {
            text(out, r#""{""bot"":true}""#);
        } else if self.visit.done == 0 {
            let device = mixed(u64::from(self.visit.number)) as usize % DEVICES.len();
            text(out, r#""{""device"":"""#);
            text(out, DEVICES.get(device).copied().unwrap_or_default());
            text(out, r#"""}""#);
        }
    }
}

fn name(out: &mut Vec<u8>, name: Name, names: &mut Names) {
    let (before, between, after, words) = match name {
        Name::Missing => {
            names.missing += 1;
            return;
        }
        Name::Plain(words) => ("", " ", "", words),
        Name::Comma(words) => {
            names.comma += 1;
            ("\"", ", ", "\"", words)
        }
        Name::Quote(words) => {
            names.quote += 1;
            ("\"12\"\" ", " ", "\"", words)
        }
        Name::LineBreak(words) => {
            names.line_break += 1;
            ("\"", "\n", "\"", words)
        }
    };
    let [first, second, third] = words;
    for part in [before, first, between, second, " ", third, after] {
        text(out, part);
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn number(out: &mut Vec<u8>, number: u64) {
    text(out, itoa::Buffer::new().format(number));
}

fn money(out: &mut Vec<u8>, hundredths: u64) {
    number(out, hundredths / 100);
    out.push(b'.');
    let rest = hundredths % 100;
    out.push(b'0' + (rest / 10) as u8);
    out.push(b'0' + (rest % 10) as u8);
}
