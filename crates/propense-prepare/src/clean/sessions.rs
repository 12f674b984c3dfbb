//! The cut: which events are one session, and what the session is called.

use std::sync::Arc;

use propense_events::EventKind;

use super::events::GONE;
use super::memory::{Id, Memory, Session, Sessions};
use super::scratch::Scratch;
use super::slab::{HashedSet, Slab, hash};
use super::verdicts::owner_name;
use super::{Rules, SessionName};
use crate::table::text_at;

/// An event of no session.
pub(super) const NOWHERE: (u32, u32) = (u32::MAX, 0);

/// The most sessions remembered from the slab before.
const MOST: usize = 4096;

/// Puts every event that is still there into a session: that of its own id, else the owner's
/// session that is open at that time (at most the gap after its last event), else a new one.
pub(super) fn cut(slab: &Slab<'_>, rules: &Rules, scratch: &mut Scratch) {
    scratch.events.find_first(&scratch.kept);
    let mut sessions = std::mem::take(&mut scratch.sessions);
    sessions.begin(&scratch.memory);
    let mut cut = Cut {
        slab,
        rules,
        name_line: None,
        taken_found: false,
        sessions: &mut sessions,
    };
    for first in &scratch.events.first {
        let place = match *first {
            GONE => NOWHERE,
            first => cut.place(first as usize),
        };
        cut.sessions.of.push(place);
    }
    scratch.sessions = sessions;
}

impl Sessions {
    fn begin(&mut self, memory: &Memory) {
        self.list.clear();
        self.of.clear();
        // Clearing an empty map is not free, and most owners have few sessions.
        if !self.by_id.is_empty() {
            self.by_id.clear();
        }
        if !self.taken.is_empty() {
            self.taken.clear();
        }
        self.list.extend_from_slice(&memory.sessions);
        self.latest = memory.latest_session;
        self.number = memory.session_number;
        for (position, session) in self.list.iter().enumerate() {
            if let Id::Shop { hash, .. } = session.id {
                self.by_id.insert(hash, position as u32);
            }
        }
    }

    /// The session of an event.
    pub(super) fn session_of(&self, event: u32) -> Option<&Session> {
        let (session, _) = self.of.get(event as usize)?;
        self.list.get(*session as usize)
    }
}

struct Cut<'a, 'b> {
    slab: &'a Slab<'a>,
    rules: &'a Rules,
    sessions: &'b mut Sessions,
    /// A line that names the owner.
    name_line: Option<usize>,
    taken_found: bool,
}

impl Cut<'_, '_> {
    fn place(&mut self, first: usize) -> (u32, u32) {
        let time = self.slab.time(first);
        let id = text_at(self.slab.lines.session_id, self.slab.start + first);
        let position = match id {
            Some(id) => self.by_id(id, first, time),
            None => match self.open_at(time) {
                Some(open) => open,
                None => self.numbered(time),
            },
        };
        self.sessions.latest = Some(position);
        let Some(session) = self.sessions.list.get_mut(position as usize) else {
            return NOWHERE;
        };
        session.last = session.last.max(time);
        session.events = session.events.saturating_add(1);
        if self.slab.kinds().get(first) == Some(&(EventKind::Purchase as u8)) {
            // An order may come as several events: one number, or one moment, is one order.
            let order = text_at(self.slab.lines.transaction_id, self.slab.start + first)
                .map_or_else(|| hash(time), hash);
            if session.orders == 0 || session.last_order != order {
                session.orders = session.orders.saturating_add(1);
            }
            session.last_order = order;
        }
        (position, session.events)
    }

    /// The session with this id, new or not.
    fn by_id(&mut self, id: &str, first: usize, time: i64) -> u32 {
        // Mostly it is that of the event before: two texts compared, nothing hashed.
        if let Some(latest) = self.sessions.latest
            && let Some(Session {
                id: Id::Shop {
                    line: Some(line), ..
                },
                ..
            }) = self.sessions.list.get(latest as usize)
        {
            let line = self.slab.start + *line as usize;
            if text_at(self.slab.lines.session_id, line) == Some(id) {
                return latest;
            }
        }
        let hash = hash(id);
        if let Some(position) = self.sessions.by_id.get(&hash).copied() {
            if let Some(Session {
                id: Id::Shop { line, .. },
                ..
            }) = self.sessions.list.get_mut(position as usize)
            {
                line.get_or_insert(first as u32);
            }
            return position;
        }
        let ours = self.number_of(id).is_some();
        let line = Some(first as u32);
        let position = self.open(Id::Shop { hash, line, ours }, time);
        self.sessions.by_id.insert(hash, position);
        position
    }

    /// The session of the event before, if it is still open.
    fn open_at(&self, time: i64) -> Option<u32> {
        let latest = self.sessions.latest?;
        let session = self.sessions.list.get(latest as usize)?;
        let options = &self.rules.options.sessions;
        let same_day = !options.midnight || options.day(time) == options.day(session.last);
        let open = same_day && time.saturating_sub(session.last) <= options.gap_ms;
        open.then_some(latest)
    }

    /// A new session, named by the owner and a number that no id of the input has.
    fn numbered(&mut self, time: i64) -> u32 {
        if !self.taken_found {
            self.taken_found = true;
            self.find_taken();
        }
        loop {
            self.sessions.number += 1;
            if !self.sessions.taken.contains(&self.sessions.number) {
                break;
            }
        }
        self.open(Id::Numbered(self.sessions.number), time)
    }

    fn open(&mut self, id: Id, time: i64) -> u32 {
        self.sessions.list.push(Session {
            id,
            first: time,
            last: time,
            events: 0,
            orders: 0,
            last_order: 0,
            condemned: None,
        });
        (self.sessions.list.len() - 1) as u32
    }

    fn find_taken(&mut self) {
        let Some(ids) = self.slab.lines.session_id else {
            return;
        };
        if !super::words::text_bytes(ids, self.slab.range()).contains(&b'#') {
            return;
        }
        for line in self.slab.range() {
            if let Some(number) = text_at(Some(ids), line).and_then(|id| self.number_of(id)) {
                self.sessions.taken.insert(number);
            }
        }
    }

    /// The number in a name like `user#3`, where it is one of this owner.
    fn number_of(&mut self, id: &str) -> Option<u32> {
        let (owner, number) = id.rsplit_once('#')?;
        let line = *self.name_line.get_or_insert_with(|| name_line(self.slab));
        (owner_name(&self.slab.lines, line)? == owner)
            .then(|| number.parse().ok())
            .flatten()
    }
}

/// A line that names the owner: by the user, if any line does.
fn name_line(slab: &Slab<'_>) -> usize {
    let named = |column| {
        slab.range()
            .find(|line| text_at(slab.lines.text(column), *line).is_some())
    };
    named(crate::table::Column::UserId)
        .or_else(|| named(crate::table::Column::AnonymousId))
        .unwrap_or(slab.start)
}

/// The names of the slab's sessions, for the verdicts.
pub(super) fn names(slab: &Slab<'_>, scratch: &Scratch, names: &mut Vec<SessionName>) {
    let mut owner = None;
    let before = &scratch.memory.session_ids;
    let sessions = scratch.sessions.list.iter();
    names.extend(sessions.map(|session| match session.id {
        Id::Shop { hash, line, .. } => match (line, before.get(&hash)) {
            (None, Some(id)) => SessionName::Before(Arc::clone(id)),
            (line, _) => SessionName::Shop {
                line: slab.start + line.unwrap_or_default() as usize,
            },
        },
        Id::Numbered(number) => SessionName::Numbered {
            line: *owner.get_or_insert_with(|| name_line(slab)),
            number,
        },
    }));
}

/// Keeps the sessions that the next slab may go on with: those that ended less than the gap
/// before its end, or (under an id of the shop's) less than the longest time that one may last.
pub(super) fn remember(slab: &Slab<'_>, rules: &Rules, scratch: &mut Scratch) {
    let end = slab.timestamps().last().copied().unwrap_or_default();
    let latest = scratch.sessions.latest;
    scratch.memory.session_number = scratch.sessions.number;
    scratch.memory.latest_session = None;
    scratch.memory.sessions.clear();
    for (position, session) in scratch.sessions.list.iter().enumerate().rev() {
        let pause = end.saturating_sub(session.last);
        let mut session = *session;
        let may_go_on = match &mut session.id {
            Id::Shop { hash, line, .. } => {
                let line = line.take().map(|line| slab.start + line as usize);
                let goes_on = pause <= rules.options.session_longest_ms;
                let id = line.and_then(|line| text_at(slab.lines.session_id, line));
                if let Some(id) = id.filter(|_| goes_on) {
                    scratch.memory.session_ids.insert(*hash, id.into());
                }
                goes_on
            }
            Id::Numbered(_) => pause <= rules.options.sessions.gap_ms,
        };
        if may_go_on && scratch.memory.sessions.len() < MOST {
            if latest == Some(position as u32) {
                scratch.memory.latest_session = Some(scratch.memory.sessions.len() as u32);
            }
            scratch.memory.sessions.push(session);
        }
    }
    // Only of these.
    let there: HashedSet<u64> = scratch
        .memory
        .sessions
        .iter()
        .filter_map(|session| match session.id {
            Id::Shop { hash, .. } => Some(hash),
            Id::Numbered(_) => None,
        })
        .collect();
    scratch
        .memory
        .session_ids
        .retain(|hash, _| there.contains(hash));
}
