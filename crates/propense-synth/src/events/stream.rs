//! All sessions at once, in order of time, in memory that does not grow with the rows.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    io::{self, Write},
};

use propense_events::EventKind;

use super::{
    EventsLayout, EventsManifest, EventsOptions,
    assortment::Assortment,
    audience::Audience,
    dirt::{self, Dirt, Fate, Stamp},
    line::{Act, CURRENCIES, Flaw, Names},
    rates,
    row::{HEADER, Row},
    tally::{Parcel, Tag, Tally},
    traffic::{DAY, LONGEST_SESSION, Traffic},
    visit::{Role, Visit, Who},
};
use crate::draw::{Draws, Purpose};

/// A user stays away this long after a session, so that a pause of 30 minutes tells two apart.
const REST: i64 = 31 * 60_000;

/// Rows between two calls of the progress function.
const STEP: u64 = 1 << 18;

/// Everything that happens in the shop.
pub(crate) struct Stream<W> {
    out: W,
    options: EventsOptions,
    traffic: Traffic,
    assortment: Assortment,
    audience: Audience,
    draws: Draws,
    visits: Vec<Visit>,
    free: Vec<u32>,
    /// When each visit has its next event, or is over.
    due: BinaryHeap<Reverse<(i64, u32)>>,
    /// Rows that are to be written again, by time and number; the number finds them.
    again: BinaryHeap<Reverse<(i64, u64)>>,
    parcels: BTreeMap<u64, Parcel>,
    clock: i64,
    /// Events that the visits under way still have before them.
    to_come: u64,
    sessions: u32,
    guests: u32,
    event_no: u64,
    tally: Tally,
}

impl<W: Write> Stream<W> {
    pub(crate) fn new(options: EventsOptions, out: W) -> Self {
        let (start, days) = options.layout.period();
        Self {
            out,
            options,
            traffic: Traffic::new(start, days),
            assortment: Assortment::new(),
            audience: Audience::new(options.rows / rates::EVENTS_PER_USER),
            draws: Draws::new(options.seed, Purpose::Events, 0),
            visits: Vec::new(),
            free: Vec::new(),
            due: BinaryHeap::new(),
            again: BinaryHeap::new(),
            parcels: BTreeMap::new(),
            // Taobao's period does not hold its own first moment.
            clock: start + 1_000,
            to_come: 0,
            sessions: 0,
            guests: 0,
            event_no: 0,
            tally: Tally::default(),
        }
    }

    /// Writes all rows.
    pub(crate) fn run(mut self, progress: &mut dyn FnMut(u64)) -> io::Result<(W, EventsManifest)> {
        if self.options.layout == EventsLayout::Events {
            self.out.write_all(HEADER.as_bytes())?;
            self.tally.bytes += HEADER.len() as u64;
        }
        let rows = self.options.rows;
        let mut buffer = Vec::new();
        let mut next_start = self.clock;
        let mut told = 0;
        while self.tally.rows < rows {
            let visit = self.due.peek().map(|Reverse((time, _))| *time);
            let again = self.again.peek().map(|Reverse((time, _))| *time);
            let due = [visit, again].into_iter().flatten().min();
            if self.planned() < rows && due.is_none_or(|due| next_start <= due) {
                self.begin(next_start.max(self.clock));
                let share = self.planned() as f64 / rows as f64;
                next_start = self.traffic.at(share);
            } else if again.is_some() && again == due {
                self.write_again()?;
            } else if let Some(Reverse((time, slot))) = self.due.pop() {
                self.clock = time;
                self.step(slot, &mut buffer)?;
            }
            if self.tally.rows >= told + STEP {
                told = self.tally.rows;
                progress(told);
            }
        }
        self.out.flush()?;
        let manifest = self.manifest();
        Ok((self.out, manifest))
    }

    /// Rows written, and those to come if nothing were added or cut off.
    const fn planned(&self) -> u64 {
        self.tally.rows + self.to_come
    }

    /// Whether a session of this many events that begins now is over well before the last row, so
    /// that what is told of it is true.
    fn has_room(&self, events: u32) -> bool {
        self.planned() + 2 * u64::from(events) < self.options.rows / 10 * 9
    }

    fn begin(&mut self, time: i64) {
        self.clock = time;
        self.sessions += 1;
        let own = self.options.layout == EventsLayout::Events;
        let (role, mut left) = Role::draw(own, &mut self.draws);
        let early = self.planned() < self.options.rows / 2;
        let role = match role {
            Role::Impossible if !early => Role::Shopper,
            Role::Bot { .. } | Role::Tester if !self.has_room(left) => {
                left = left.min(20);
                Role::Shopper
            }
            role => role,
        };
        let who = match role {
            Role::Bot { .. } if own => self.guest(),
            Role::Bot { .. } | Role::Tester => Who::User(self.audience.add()),
            Role::Shopper if own && self.draws.chance(rates::GUESTS) => self.guest(),
            Role::Shopper | Role::Impossible => Who::User(self.audience.enter(&mut self.draws)),
        };
        let longest = if role == Role::Impossible { 8 } else { 1 } * LONGEST_SESSION;
        // The last seconds are for events that are sent twice.
        let mut visit = Visit::new(role, who, self.sessions, left, time + longest - 60_000);
        if own && role == Role::Shopper {
            if self.draws.chance(rates::FOREIGN_CURRENCY) {
                visit.currency = 1 + self.draws.index(CURRENCIES.len() - 1);
            }
            let known = matches!(who, Who::User(_));
            if known && left > 1 && self.has_room(left) && self.draws.chance(rates::LOGS_IN_LATER) {
                visit.known_from = 1 + self.draws.below(u64::from(left.min(8) - 1)) as u32;
            }
        }
        self.to_come += u64::from(left);
        let slot = if let Some(slot) = self.free.pop() {
            if let Some(place) = self.visits.get_mut(slot as usize) {
                *place = visit;
            }
            slot
        } else {
            self.visits.push(visit);
            (self.visits.len() - 1) as u32
        };
        self.due.push(Reverse((time, slot)));
    }

    fn guest(&mut self) -> Who {
        self.guests += 1;
        Who::Guest(self.guests)
    }

    /// The next event of a visit, or its end.
    fn step(&mut self, slot: u32, buffer: &mut Vec<u8>) -> io::Result<()> {
        let layout = self.options.layout;
        let Some(visit) = self.visits.get_mut(slot as usize) else {
            return Ok(());
        };
        if visit.left == 0 {
            if let Who::User(user) = visit.who {
                self.audience.leave(user);
            }
            self.free.push(slot);
            return Ok(());
        }
        visit.left -= 1;
        self.to_come -= 1;
        let mut act = visit.act(layout, &self.assortment, &mut self.draws);
        act.count = act
            .count
            .min((self.options.rows - self.tally.rows) as usize);

        let logs_in = visit.known_from > 0 && visit.done == visit.known_from;
        let ordinary = visit.role == Role::Shopper && visit.held.is_none() && !logs_in;
        let fate = if ordinary {
            let since = self.clock - layout.period().0;
            match dirt::fate(layout, since, &mut self.draws) {
                // An order that is sent twice is found by its number.
                Fate::Twice(_) if matches!(act.kind, EventKind::Purchase | EventKind::Refund) => {
                    Fate::Clean
                }
                Fate::Late if visit.left == 0 => Fate::Clean,
                fate => fate,
            }
        } else {
            Fate::Clean
        };
        let (set_aside, time, flaw) = match fate {
            Fate::Spoilt(dirt, stamp, flaw) => {
                let time = match stamp {
                    Stamp::True => self.clock,
                    Stamp::Off(by) => self.clock + by,
                    Stamp::At(moment) => moment,
                };
                (Some(dirt), time, flaw)
            }
            _ => (of_role(visit.role), self.clock, Flaw::None),
        };
        let flaw = if ordinary && fate == Fate::Clean && layout == EventsLayout::Events {
            wrong_price(&act, visit, &mut self.draws)
        } else {
            flaw
        };

        self.event_no += 1;
        let mut tag = Tag {
            rows: act.rows(),
            kind: act.kind,
            set_aside,
            repaired: [None; 2],
            names: Names::default(),
            guest: matches!(visit.who, Who::Guest(_)),
        };
        tag.repaired[0] = match flaw {
            Flaw::Pence => Some(Dirt::PriceUnit),
            Flaw::Negative => Some(Dirt::AbsurdPrice),
            _ if visit.currency > 0 && act.count > 0 => Some(Dirt::ForeignCurrency),
            _ => None,
        };
        buffer.clear();
        let row = Row {
            act: &act,
            visit,
            time,
            event_no: self.event_no,
            flaw,
        };
        row.write(layout, &self.assortment, buffer, &mut tag.names);

        let copy = self.copy(slot, &act, fate, tag, buffer);
        let held = self.after(slot, fate, tag, buffer);
        if fate != Fate::Late {
            self.write(buffer, tag)?;
        }
        if let Some(late) = held
            && late.tag.rows <= self.options.rows - self.tally.rows
        {
            self.write(&late.bytes, late.tag)?;
        }
        if let Some((after, parcel)) = copy {
            self.again
                .push(Reverse((self.clock + after, self.event_no)));
            self.parcels.insert(self.event_no, parcel);
        }
        Ok(())
    }

    /// What is written a second time, and how many milliseconds later.
    fn copy(
        &mut self,
        slot: u32,
        act: &Act,
        fate: Fate,
        tag: Tag,
        bytes: &[u8],
    ) -> Option<(i64, Parcel)> {
        let visit = self.visits.get(slot as usize)?;
        let (after, shift, dirt) = match fate {
            Fate::Again(after) => (after, None, Dirt::Duplicate),
            Fate::Twice(after) => (after, Some(after), Dirt::DoubleFire),
            Fate::Clean
                if self.options.layout == EventsLayout::Events
                    && act.kind == EventKind::Purchase
                    && visit.role == Role::Shopper
                    && self.draws.chance(rates::REPEATED_ORDER) =>
            {
                let after = 5_000 + self.draws.below(55_000) as i64;
                (after, Some(after), Dirt::RepeatedOrder)
            }
            _ => return None,
        };
        let tag = Tag {
            set_aside: Some(dirt),
            ..tag
        };
        let mut parcel = Parcel {
            bytes: Vec::new(),
            tag,
        };
        if let Some(shift) = shift {
            self.event_no += 1;
            let row = Row {
                act,
                visit,
                time: self.clock + shift,
                event_no: self.event_no,
                flaw: Flaw::None,
            };
            let layout = self.options.layout;
            row.write(
                layout,
                &self.assortment,
                &mut parcel.bytes,
                &mut Names::default(),
            );
        } else {
            parcel.bytes.extend_from_slice(bytes);
        }
        Some((after, parcel))
    }

    /// Moves the visit on: who it is, when it goes on or ends. Returns the row that was held back
    /// and follows now.
    fn after(&mut self, slot: u32, fate: Fate, tag: Tag, bytes: &[u8]) -> Option<Parcel> {
        let visit = self.visits.get_mut(slot as usize)?;
        let mut follows = visit.held.take();
        if fate == Fate::Late {
            let mut tag = tag;
            tag.repaired[1] = Some(Dirt::OutOfOrder);
            visit.held = Some(Parcel {
                bytes: bytes.to_vec(),
                tag,
            });
        }
        if visit.done < visit.known_from {
            if tag.set_aside.is_none() {
                visit.unknown_rows += tag.rows;
            }
        } else {
            self.tally.known_later += std::mem::take(&mut visit.unknown_rows);
        }
        visit.done += 1;
        let next = self.clock + visit.pause(&mut self.draws);
        if visit.left > 0 && next <= visit.ends_by {
            self.due.push(Reverse((next, slot)));
        } else {
            self.to_come -= u64::from(visit.left);
            visit.left = 0;
            self.due.push(Reverse((self.clock + REST, slot)));
            // Nothing follows that it could be late behind.
            if let Some(mut late) = visit.held.take() {
                late.tag.repaired[1] = None;
                follows = Some(late);
            }
        }
        follows
    }

    fn write_again(&mut self) -> io::Result<()> {
        if let Some(Reverse((time, number))) = self.again.pop()
            && let Some(parcel) = self.parcels.remove(&number)
        {
            self.clock = time;
            if parcel.tag.rows <= self.options.rows - self.tally.rows {
                self.write(&parcel.bytes, parcel.tag)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8], tag: Tag) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.tally.bytes += bytes.len() as u64;
        self.tally.count(&tag);
        Ok(())
    }

    fn manifest(&self) -> EventsManifest {
        let (start, days) = self.options.layout.period();
        EventsManifest {
            layout: self.options.layout.name().to_owned(),
            seed: self.options.seed,
            users: self.audience.users(),
            sessions: u64::from(self.sessions),
            period: (start, start + days * DAY),
            ..self.tally.manifest()
        }
    }
}

const fn of_role(role: Role) -> Option<Dirt> {
    match role {
        Role::Shopper => None,
        Role::Bot { .. } => Some(Dirt::Bot),
        Role::Tester => Some(Dirt::TestOrder),
        Role::Impossible => Some(Dirt::ImpossibleSession),
    }
}

/// A price in pence or below zero, now and then.
fn wrong_price(act: &Act, visit: &Visit, draws: &mut Draws) -> Flaw {
    let line = act.lines.first().copied().unwrap_or_default();
    if act.count != 1 || visit.currency > 0 {
        return Flaw::None;
    }
    let share = draws.unit();
    if share < rates::ABSURD_PRICE {
        Flaw::Negative
    } else if share > 1.0 - rates::PRICE_IN_PENCE && line.item.is_well_known() {
        Flaw::Pence
    } else {
        Flaw::None
    }
}
