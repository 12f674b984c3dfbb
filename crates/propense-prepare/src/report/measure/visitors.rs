//! Who the events come from. The table stands in the order of its owners, so one visitor at a
//! time is enough.

use crate::report::figures::{Distribution, Unit, Visitor, Visitors};
use crate::report::scale::Sketch;

use super::distinct::shortened;

/// How many of the busiest visitors are named.
const TOP: usize = 10;

/// The kinds of visitors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    User,
    Browser,
    Nobody,
}

impl Known {
    /// The strongest identity of a written line. Where neither user nor browser is named, it is the
    /// session, which every written line has.
    pub(super) fn of<'a>(
        user: Option<&'a str>,
        anonymous: Option<&'a str>,
        session: &'a str,
    ) -> (Self, &'a str) {
        user.map(|id| (Self::User, id))
            .or_else(|| anonymous.map(|id| (Self::Browser, id)))
            .unwrap_or((Self::Nobody, session))
    }
}

/// The visitor whose events go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) known: Known,
    pub(super) name: String,
    pub(super) events: u64,
    pub(super) orders: u64,
    pub(super) sessions: u64,
}

/// All visitors together.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct People {
    pub(super) users: u64,
    browsers: u64,
    nobodies: u64,
    returning: u64,
    buyers: u64,
    events: Sketch,
    top: Vec<Visitor>,
}

impl People {
    /// Takes a visitor of whom everything has been seen.
    pub(super) fn add(&mut self, person: &Person) {
        match person.known {
            Known::User => self.users += 1,
            Known::Browser => self.browsers += 1,
            Known::Nobody => self.nobodies += 1,
        }
        self.returning += u64::from(person.sessions > 1);
        self.buyers += u64::from(person.orders > 0);
        self.events.add(person.events as f64);
        let enters = self.top.len() < TOP
            || self
                .top
                .last()
                .is_some_and(|last| person.events >= last.events);
        if enters {
            self.top.push(Visitor {
                id: shortened(&person.name),
                events: person.events,
                orders: person.orders,
            });
            self.rank();
        }
    }

    fn rank(&mut self) {
        self.top
            .sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.id.cmp(&b.id)));
        self.top.truncate(TOP);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.users += other.users;
        self.browsers += other.browsers;
        self.nobodies += other.nobodies;
        self.returning += other.returning;
        self.buyers += other.buyers;
        self.events.merge(&other.events);
        self.top.extend(other.top.iter().cloned());
        self.rank();
    }

    pub(super) const fn count(&self) -> u64 {
        self.users + self.browsers + self.nobodies
    }

    pub(super) fn figures(&self) -> Visitors {
        let events: Distribution = self.events.distribution(Unit::Count);
        Visitors {
            users: self.users,
            anonymous: self.browsers,
            unknown: self.nobodies,
            returning: self.returning,
            buyers: self.buyers,
            top_percent: self.events.share_of_top(0.01),
            events,
            top: self.top.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_are_named_in_any_order_of_parts() {
        let of = |numbers: std::ops::Range<u64>| {
            let mut people = People::default();
            for number in numbers {
                people.add(&Person {
                    known: Known::User,
                    name: format!("user {number:02}"),
                    events: number / 2,
                    orders: number % 2,
                    sessions: 1 + number % 3,
                });
            }
            people
        };
        let (mut ab, mut ba) = (of(0..30), of(30..50));
        ab.merge(&of(30..50));
        ba.merge(&of(0..30));
        assert_eq!(ab, ba);
        assert_eq!(ab, of(0..50));
        let figures = ab.figures();
        assert_eq!(figures.top.len(), TOP);
        assert_eq!(
            (&*figures.top[0].id, figures.top[0].events),
            ("user 48", 24)
        );
        assert_eq!(
            (figures.users, figures.buyers, figures.returning),
            (50, 25, 33)
        );
    }
}
