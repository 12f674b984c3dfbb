//! Whose an event with an anonymous id alone is.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::MOST_USERS;
use super::pairs::{Span, device};
use super::users::Users;

/// Knows the users of anonymous ids. To be asked by any number of threads.
#[derive(Debug, Clone, Default)]
pub struct Stitching {
    users: Users,
    /// Anonymous ids by their hash.
    devices: HashMap<u64, Device, FixedState>,
    /// Changes of user, for the devices of several: from this time on it is this user's.
    changes: Vec<(i64, u32)>,
    counts: StitchCounts,
}

#[derive(Debug, Clone, Copy)]
enum Device {
    One(u32),
    /// Where its changes stand.
    Several {
        start: u32,
        count: u32,
    },
}

/// What is known of the anonymous ids that were seen with a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StitchCounts {
    /// Anonymous ids whose events get a user.
    pub stitched: u64,
    /// Of them, those that changed hands: two or three users.
    pub changed_hands: u64,
    /// Anonymous ids with more users, which are nobody's.
    pub shared: u64,
    /// Users.
    pub users: u64,
    /// Sightings of anonymous ids that were left out for want of memory.
    pub left_out: u64,
}

impl Stitching {
    /// Spans in the order of devices.
    pub(super) fn new(spans: &[Span], users: Users, left_out: u64) -> Self {
        let mut stitching = Self {
            counts: StitchCounts {
                users: users.len() as u64,
                left_out,
                ..StitchCounts::default()
            },
            users,
            ..Self::default()
        };
        let mut sightings = Vec::new();
        for spans in spans.chunk_by(|one, other| one.device == other.device) {
            stitching.add(spans, &mut sightings);
        }
        stitching
    }

    /// Adds a device, whose spans are in the order of users.
    fn add(&mut self, spans: &[Span], sightings: &mut Vec<(i64, u32)>) {
        let Some(first) = spans.first() else {
            return;
        };
        let users = spans
            .chunk_by(|one, other| one.user == other.user)
            .take(MOST_USERS + 1)
            .count();
        if users > MOST_USERS {
            self.counts.shared += 1;
            return;
        }
        self.counts.stitched += 1;
        if users == 1 {
            self.devices.insert(first.device, Device::One(first.user));
            return;
        }
        self.counts.changed_hands += 1;
        sightings.clear();
        sightings.extend(
            spans
                .iter()
                .flat_map(|span| [(span.first, span.user), (span.last, span.user)]),
        );
        // Two users at the very same time: the one whose id comes later in the alphabet, so that
        // it does not matter which was read first.
        sightings.sort_by(|one, other| {
            let name = |user: u32| self.users.get(user);
            one.0
                .cmp(&other.0)
                .then_with(|| name(one.1).cmp(&name(other.1)))
        });
        let start = self.changes.len();
        for (time, user) in sightings.drain(..) {
            match self.changes.get_mut(start..).and_then(<[_]>::last_mut) {
                Some((_, before)) if *before == user => {}
                Some((at, before)) if *at == time => *before = user,
                _ => self.changes.push((time, user)),
            }
        }
        let several = Device::Several {
            start: start as u32,
            count: (self.changes.len() - start) as u32,
        };
        self.devices.insert(first.device, several);
    }

    /// The user of an event at this time (milliseconds since 1970) that carries the anonymous id
    /// alone; `None` where no user or too many were seen on it.
    #[must_use]
    pub fn owner(&self, anonymous: &str, time: i64) -> Option<&str> {
        let user = match *self.devices.get(&device(anonymous))? {
            Device::One(user) => user,
            Device::Several { start, count } => {
                let start = start as usize;
                let changes = self.changes.get(start..start + count as usize)?;
                let since = changes.partition_point(|(since, _)| *since <= time);
                // Before the first login it is the first user's.
                let (_, user) = changes.get(since.saturating_sub(1))?;
                *user
            }
        };
        self.users.get(user)
    }

    /// Whether no anonymous id has a user.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    /// How many anonymous ids were stitched, and how many not.
    #[must_use]
    pub const fn counts(&self) -> StitchCounts {
        self.counts
    }
}
