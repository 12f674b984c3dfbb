//! What was seen: an anonymous id and a user on one event.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::Stitching;
use super::users::Users;

/// Sightings kept where nothing else is asked for: 128 MB.
const SIGHTINGS: usize = 1 << 22;

/// The longest pauses, in milliseconds, over which sightings become one span: from the first on
/// they are tried until the spans fit.
const PAUSES: [i64; 5] = [0, 60_000, 30 * 60_000, 86_400_000, i64::MAX];

/// Places in the memory of the last spans, a power of two.
const RECENT: usize = 1 << 14;

/// A user on a device, from one time to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Hash of the anonymous id.
    pub(super) device: u64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) user: u32,
}

/// Collects which users are seen on which anonymous ids, in bounded memory.
#[derive(Debug, Clone)]
pub struct Pairs {
    spans: Vec<Span>,
    /// The spans up to here are in order and have no two that could be one.
    joined: usize,
    users: Users,
    most: usize,
    /// Position in [`PAUSES`].
    level: usize,
    /// Devices with a hash from here on are left out.
    limit: Option<u64>,
    left_out: u64,
    /// Positions of spans lately added, by device: most sightings prolong one of them.
    recent: Vec<u32>,
}

impl Default for Pairs {
    fn default() -> Self {
        Self::with_most_sightings(SIGHTINGS)
    }
}

/// The hash of an anonymous id.
pub(super) fn device(anonymous: &str) -> u64 {
    FixedState::default().hash_one(anonymous)
}

impl Pairs {
    /// Nothing seen yet; at most this many sightings (of 32 bytes) will be kept.
    #[must_use]
    pub fn with_most_sightings(most: usize) -> Self {
        Self {
            spans: Vec::new(),
            joined: 0,
            users: Users::default(),
            most: most.max(1),
            level: 0,
            limit: None,
            left_out: 0,
            recent: Vec::new(),
        }
    }

    /// Takes note of a user on an anonymous id, at a time in milliseconds since 1970. Order does
    /// not matter.
    pub fn add(&mut self, anonymous: &str, user: &str, time: i64) {
        let device = device(anonymous);
        if self.limit.is_some_and(|limit| device >= limit) {
            self.left_out += 1;
            return;
        }
        let user = self.users.number(user);
        self.insert(Span {
            device,
            first: time,
            last: time,
            user,
        });
    }

    /// Adds what another collector has seen.
    pub fn merge(&mut self, other: &Self) {
        self.left_out += other.left_out;
        self.level = self.level.max(other.level);
        self.limit = match (self.limit, other.limit) {
            (Some(one), Some(another)) => Some(one.min(another)),
            (one, another) => one.or(another),
        };
        for span in &other.spans {
            if self.limit.is_some_and(|limit| span.device >= limit) {
                self.left_out += 1;
                continue;
            }
            let Some(user) = other.users.get(span.user) else {
                continue;
            };
            let user = self.users.number(user);
            self.insert(Span { user, ..*span });
        }
        self.join();
    }

    /// Whether nothing was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Makes up its mind about every anonymous id.
    #[must_use]
    pub fn resolve(mut self) -> Stitching {
        self.join();
        Stitching::new(&self.spans, self.users, self.left_out)
    }

    fn pause(&self) -> i64 {
        PAUSES.get(self.level).copied().unwrap_or(i64::MAX)
    }

    fn insert(&mut self, span: Span) {
        if self.recent.is_empty() {
            self.recent = vec![u32::MAX; RECENT];
        }
        let pause = self.pause();
        let place = (span.device >> 32) as usize & (RECENT - 1);
        let recent = self.recent.get(place).copied().unwrap_or(u32::MAX);
        if let Some(before) = self.spans.get_mut(recent as usize)
            && one(before, &span, pause)
        {
            before.first = before.first.min(span.first);
            before.last = before.last.max(span.last);
            // It may now overlap another.
            self.joined = self.joined.min(recent as usize);
            return;
        }
        if let Some(recent) = self.recent.get_mut(place) {
            *recent = self.spans.len() as u32;
        }
        self.spans.push(span);
        if self.spans.len() >= self.most.saturating_mul(2) {
            self.join();
        }
    }

    /// Puts the spans in order and joins those that are one, with as long a pause as is needed
    /// for them to fit.
    fn join(&mut self) {
        if self.joined < self.spans.len() {
            self.spans
                .sort_unstable_by_key(|span| (span.device, span.user, span.first, span.last));
            self.recent.clear();
            self.join_sorted();
            while self.spans.len() > self.most && self.level + 1 < PAUSES.len() {
                self.level += 1;
                self.join_sorted();
            }
            if self.spans.len() > self.most {
                self.leave_out();
            }
        }
        self.joined = self.spans.len();
    }

    fn join_sorted(&mut self) {
        let pause = self.pause();
        self.spans.dedup_by(|span, before| {
            let joined = one(before, span, pause);
            if joined {
                before.first = before.first.min(span.first);
                before.last = before.last.max(span.last);
            }
            joined
        });
    }

    /// Leaves out the devices with the highest hashes, so that three quarters of what fits are
    /// left.
    fn leave_out(&mut self) {
        let Some(limit) = self.spans.get(self.most * 3 / 4).map(|span| span.device) else {
            return;
        };
        let kept = self.spans.partition_point(|span| span.device < limit);
        self.left_out += (self.spans.len() - kept) as u64;
        self.spans.truncate(kept);
        self.limit = Some(limit);
    }
}

/// Whether two spans are one: the same user on the same device, with no longer pause than this
/// between them.
fn one(before: &Span, span: &Span, pause: i64) -> bool {
    before.device == span.device
        && before.user == span.user
        && span.first.saturating_sub(before.last) <= pause
        && before.first.saturating_sub(span.last) <= pause
}
