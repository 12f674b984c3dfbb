//! Several files of one set: what a single file need not mind.

use std::collections::HashSet;

use propense_events::{Event, Format};

/// Makes the session's name differ from those of other files, where a format has nothing to name
/// sessions by but the row: else line 7 of one file and line 7 of the next would be one session.
pub(crate) fn tell_apart(event: &mut Event, format: Format, source: usize) {
    if source > 0
        && format == Format::JdMicro
        && let Some(session) = &mut event.session_id
    {
        session.insert_str(0, &format!("{source}:"));
    }
}

/// Takes out the Taobao events that were in an earlier file already: the protocol drops exact
/// repetitions, and reading one file sees only its own.
pub(crate) fn drop_repeated(earlier: &[Event], events: &mut Vec<Event>) -> usize {
    let key = |event: &Event| {
        let item = event.items.first();
        (
            event.user_id.clone(),
            item.map(|item| item.item_id.clone()),
            item.and_then(|item| item.item_category.clone()),
            event.kind.code(),
            event.timestamp,
        )
    };
    let seen: HashSet<_> = earlier.iter().map(key).collect();
    let before = events.len();
    events.retain(|event| !seen.contains(&key(event)));
    before - events.len()
}
