//! What the rules remember of an owner's events, orders and sessions.

use std::sync::Arc;

use super::slab::{HashedMap, HashedSet};
use super::{CleaningRule, Detail};

/// What is known of an owner from the slabs before this one. Bounded, however long the history.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Events before this slab: makes the events of all slabs distinct.
    pub(super) events: u64,
    pub(super) orders: HashedMap<u64, Order>,
    /// Order and item, with the event that had it first.
    pub(super) order_items: HashedMap<u64, u64>,
    /// The last events before the slab: signature, time, source, row.
    pub(super) fired: Vec<Fired>,
    /// Sessions that may go on.
    pub(super) sessions: Vec<Session>,
    /// Their ids, by hash.
    pub(super) session_ids: HashedMap<u64, Arc<str>>,
    /// The last of them to which an event was added.
    pub(super) latest_session: Option<u32>,
    /// The last number given to a session without an id.
    pub(super) session_number: u32,
}

impl Memory {
    pub(super) fn forget(&mut self) {
        self.events = 0;
        // Clearing an empty map is not free, and most owners order nothing.
        if !self.orders.is_empty() {
            self.orders.clear();
            self.order_items.clear();
        }
        self.fired.clear();
        self.sessions.clear();
        if !self.session_ids.is_empty() {
            self.session_ids.clear();
        }
        self.latest_session = None;
        self.session_number = 0;
    }
}

/// An event of the slab before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fired {
    pub(super) signature: u64,
    pub(super) time: i64,
    pub(super) source: u16,
    pub(super) row: u64,
}

/// What is known of one order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    /// How well its source knows the visit: see `rank` of the rule.
    pub(super) rank: u8,
    /// The source that is believed.
    pub(super) source: u16,
    /// The first event of the order that counts.
    pub(super) event: Option<u64>,
    pub(super) row: u64,
    pub(super) time: i64,
    /// The event of the order without items, where there is one.
    pub(super) itemless: Option<u64>,
}

/// The sessions of a slab, by their first events.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    pub(super) list: Vec<Session>,
    /// The session of each event, and the event's number in it.
    pub(super) of: Vec<(u32, u32)>,
    /// Sessions of the shop's own, by the hash of their ids.
    pub(super) by_id: HashedMap<u64, u32>,
    /// Numbers that names like `user#3` of the input already use.
    pub(super) taken: HashedSet<u32>,
    /// The session of the event before: the one that was active last.
    pub(super) latest: Option<u32>,
    /// The last number given to a session without an id.
    pub(super) number: u32,
}

/// A session so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    pub(super) id: Id,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) events: u32,
    pub(super) orders: u32,
    /// What tells the last order from the next.
    pub(super) last_order: u64,
    /// Why the session is set aside, where it is.
    pub(super) condemned: Option<(CleaningRule, Detail)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Id {
    /// The shop's own: its hash, and a line of this slab with it.
    Shop {
        hash: u64,
        line: Option<u32>,
        /// Whether it is a name that an earlier preparation gave.
        ours: bool,
    },
    Numbered(u32),
}
