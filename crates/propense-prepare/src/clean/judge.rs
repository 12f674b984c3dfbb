//! `bot` and `impossible_session`: sessions that no person made, or that are none.

use super::events::GONE;
use super::memory::{Id, Session};
use super::scratch::Scratch;
use super::slab::Slab;
use super::verdicts::owner_name;
use super::{CleaningRule, Detail, Rules};
use crate::table::text_at;

/// Times that are all whole minutes were not recorded to the second, and say nothing of pauses.
const COARSE: i64 = 60_000;

pub(super) fn judge(slab: &Slab<'_>, rules: &Rules, scratch: &mut Scratch) {
    if rules.applies(CleaningRule::Bot) {
        flags(slab, scratch);
        bots(slab, rules, scratch);
    }
    if rules.applies(CleaningRule::ImpossibleSession) {
        impossible(slab, rules, scratch);
    }
    remove(slab, scratch);
}

fn condemn(scratch: &mut Scratch, session: usize, rule: CleaningRule, detail: Detail) {
    if let Some(session) = scratch.sessions.list.get_mut(session) {
        session.condemned.get_or_insert((rule, detail));
    }
}

/// Sessions with `bot` true in the context of one of their lines.
fn flags(slab: &Slab<'_>, scratch: &mut Scratch) {
    const KEY: &[u8] = b"\"bot\"";
    let Some(contexts) = slab.lines.context else {
        return;
    };
    if !super::words::may_contain(super::words::text_bytes(contexts, slab.range()), KEY) {
        return;
    }
    for at in 0..slab.len {
        let says_bot =
            scratch.is_kept(at) && text_at(Some(contexts), slab.start + at).is_some_and(says_bot);
        if says_bot
            && let Some(event) = scratch.events.of.get(at)
            && let Some((session, _)) = scratch.sessions.of.get(*event as usize)
        {
            condemn(scratch, *session as usize, CleaningRule::Bot, Detail::Flag);
        }
    }
}

fn says_bot(context: &str) -> bool {
    if !context.contains("\"bot\"") {
        return false;
    }
    let value: Result<serde_json::Value, _> = serde_json::from_str(context);
    value.is_ok_and(|value| match value.get("bot") {
        Some(serde_json::Value::Bool(flag)) => *flag,
        Some(serde_json::Value::Number(number)) => number.as_f64() == Some(1.0),
        Some(serde_json::Value::String(text)) => text.eq_ignore_ascii_case("true") || text == "1",
        _ => false,
    })
}

fn bots(slab: &Slab<'_>, rules: &Rules, scratch: &mut Scratch) {
    let options = &rules.options;
    let mut to_time = false;
    for session in &mut scratch.sessions.list {
        let events = session.events;
        if events >= options.bot_events {
            let found = (CleaningRule::Bot, Detail::Events { events });
            session.condemned.get_or_insert(found);
        }
        to_time |= session.condemned.is_none() && events >= options.bot_fast_events;
    }
    if !to_time {
        return;
    }
    let mut times = std::mem::take(&mut scratch.times);
    times.clear();
    let places = scratch.events.first.iter().zip(&scratch.sessions.of);
    times.extend(
        places
            .filter(|(first, _)| **first != GONE)
            .map(|(first, (session, _))| (*session, slab.time(*first as usize))),
    );
    times.sort_unstable();
    let mut pauses = std::mem::take(&mut scratch.pauses);
    for session_times in times.chunk_by(|one, other| one.0 == other.0) {
        let events = session_times.len() as u32;
        if events < options.bot_fast_events.max(2)
            || session_times.iter().all(|(_, time)| time % COARSE == 0)
        {
            continue;
        }
        pauses.clear();
        pauses.extend(session_times.windows(2).filter_map(|pair| match pair {
            [(_, one), (_, other)] => Some(other.saturating_sub(*one)),
            _ => None,
        }));
        let middle = pauses.len() / 2;
        let (_, median, _) = pauses.select_nth_unstable(middle);
        let median = *median;
        if median < options.bot_fast_ms
            && let Some((session, _)) = session_times.first()
        {
            let detail = Detail::Pause { events, median };
            condemn(scratch, *session as usize, CleaningRule::Bot, detail);
        }
    }
    scratch.times = times;
    scratch.pauses = pauses;
}

fn impossible(slab: &Slab<'_>, rules: &Rules, scratch: &mut Scratch) {
    let options = &rules.options;
    // Where a file names no visitor but by the session, "session" may well mean the visitor, as in
    // OTTO's data: no visit can then be too long.
    let visitor_known = owner_name(&slab.lines, slab.start).is_some();
    for session in &mut scratch.sessions.list {
        let length = session.last.saturating_sub(session.first);
        // A session that was found by idle gap is as long as the visitor stayed.
        let the_shops_own = matches!(session.id, Id::Shop { ours: false, .. });
        let detail = if visitor_known && the_shops_own && length > options.session_longest_ms {
            Detail::Length { length }
        } else if session.orders > options.session_most_orders {
            Detail::Orders {
                orders: session.orders,
            }
        } else {
            continue;
        };
        let found = (CleaningRule::ImpossibleSession, detail);
        session.condemned.get_or_insert(found);
    }
}

fn remove(slab: &Slab<'_>, scratch: &mut Scratch) {
    let condemned = |session: &Session| session.condemned.is_some();
    if !scratch.sessions.list.iter().any(condemned) {
        return;
    }
    for at in 0..slab.len {
        let found = scratch
            .events
            .of
            .get(at)
            .and_then(|event| scratch.sessions.session_of(*event))
            .and_then(|session| session.condemned);
        if let Some((rule, detail)) = found {
            scratch.remove(slab, at, rule, detail);
        }
    }
}
