//! What a shop's page may not know: what its visitor did in earlier sessions.
//!
//! Files tell it of every session. A page knows it only where the shop passes it in the context, so
//! a model for a page has to know the state "not known" as well as the numbers: in a share of the
//! sessions that it learns from and is calibrated on, the history is left out.

use propense_events::Session;
use propense_features::UserHistory;

use crate::example::Example;
use crate::split::{Split, fold_of};

/// Hundredths of the training and validation sessions whose history is left out: enough to learn
/// the state from, few enough to learn the numbers.
const LEFT_OUT: usize = 30;

/// Leaves the history out of a share of the training and validation sessions, by seed and session.
/// Returns whether there is any history to use: where none of the training sessions has another one
/// before it, the keys are taken away altogether, since their columns would teach nothing.
pub(super) fn forget_some(sessions: &mut [Session], split: &Split, seed: u64) -> bool {
    let telling: Vec<&str> = UserHistory::keys()
        .filter(|key| varies(sessions, split, key))
        .collect();
    for session in sessions.iter_mut() {
        let dull = |key: &str| !telling.contains(&key) && UserHistory::keys().any(|own| own == key);
        session.context.retain(|key, _| !dull(key));
    }
    for &index in split.train.iter().chain(&split.validation) {
        if let Some(session) = sessions.get_mut(index) {
            forget_by_turns(session, seed);
        }
    }
    !telling.is_empty()
}

/// Leaves this session's history out where its turn has come, by seed and session.
pub(super) fn forget_by_turns(session: &mut Session, seed: u64) {
    if is_left_out(&session.id, seed) {
        forget(session);
    }
}

/// Whether the turn of this session has come.
fn is_left_out(id: &str, seed: u64) -> bool {
    fold_of(&format!("history {seed} {id}"), 100) < LEFT_OUT
}

/// These examples as they would be learnt from: with the history left out by turns. `without` are the same
/// without any; none where the features hold no history.
pub(crate) fn by_turns(examples: &[Example], without: &[Example], seed: u64) -> Vec<Example> {
    let strangers = without.iter().map(Some).chain(std::iter::repeat(None));
    let pairs = examples.iter().zip(strangers);
    let seen = pairs.map(|(example, stranger)| match stranger {
        Some(stranger) if is_left_out(&example.id, seed) => stranger,
        _ => example,
    });
    seen.cloned().collect()
}

/// The sessions as a page sees them that knows nothing of earlier ones.
pub(super) fn without(sessions: &[&Session]) -> Vec<Session> {
    let mut sessions: Vec<Session> = sessions.iter().map(|session| (*session).clone()).collect();
    sessions.iter_mut().for_each(forget);
    sessions
}

fn forget(session: &mut Session) {
    for key in UserHistory::keys() {
        session.context.remove(key);
    }
}

/// Whether the training sessions that have this key at all differ in it.
fn varies(sessions: &[Session], split: &Split, key: &str) -> bool {
    let trained = split.train.iter().filter_map(|&index| sessions.get(index));
    // A key that is not there in one session of a known user and is in another tells both apart.
    let mut values = trained
        .filter(|session| session.user.is_some())
        .map(|session| session.context.get(key));
    let first = values.next();
    values.any(|value| Some(value) != first)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use propense_events::{Event, EventKind};
    use propense_features::ContextFeature;

    use super::super::{ExampleOptions, Prepared, Shares, in_session};
    use crate::progress::Silent;
    use propense_prepare::Loaded;

    /// Visits of three views by users in turn, every third one with an order.
    fn shop(visits: usize, users: usize) -> Loaded {
        let mut data = Loaded::default();
        for visit in 0..visits {
            let begin = 1_600_000_000_000 + visit as i64 * 4_000_000;
            let order = (visit % 3 == 0).then_some(EventKind::Purchase);
            let kinds = [EventKind::ViewItem; 3].into_iter().chain(order);
            for (place, kind) in kinds.enumerate() {
                let mut event = Event::new(kind, begin + place as i64 * 9_000);
                // In pairs, so that the visits of a user are near each other in time.
                event.user_id = Some(format!("u{}", visit / 8 * users + visit % users));
                event.session_id = Some(format!("s{visit}"));
                data.events.push(event);
            }
        }
        data
    }

    fn prepared(data: &Loaded, shares: Shares) -> Prepared {
        in_session::prepare(data, shares, &ExampleOptions::default(), &mut Silent)
            .expect("examples")
    }

    /// Places of the columns that say whether the number of earlier sessions is missing, and of
    /// that number.
    fn columns(prepared: &Prepared) -> Option<(usize, Option<usize>)> {
        let mut place = 0;
        for feature in &prepared.spec.context {
            if let ContextFeature::Number { name, flag, .. } = feature
                && name == "prior_sessions"
            {
                return Some((place, flag.then_some(place + 1)));
            }
            place += feature.len();
        }
        None
    }

    #[test]
    fn a_shops_model_learns_what_unknown_history_looks_like() {
        let data = shop(400, 4);
        let made = prepared(&data, Shares::Shop);
        let (number, flag) = columns(&made).expect("earlier sessions vary");
        let flag = flag.expect("not known is a state");
        let unknown = |part: &[crate::example::Example]| {
            let count = part.iter().filter(|e| e.context[flag] == 1.0).count();
            count as f64 / part.len() as f64
        };
        for part in [&made.train, &made.validation] {
            let share = unknown(&part.examples);
            assert!((0.15..0.45).contains(&share), "{share}");
        }
        assert_eq!(unknown(&made.test.examples), 0.0);
        assert_eq!(unknown(&made.test_without_history.examples), 1.0);
        let stranger = &made.test_without_history.examples[0];
        assert_eq!(stranger.context[number], 0.0);
        assert_eq!(stranger.rows, made.test.examples[0].rows);
        // Taken for training examples, test examples lack it as often.
        let (test, strangers) = (&made.test.examples, &made.test_without_history.examples);
        let seen = super::by_turns(test, strangers, ExampleOptions::default().seed);
        let share = unknown(&seen);
        assert!((0.1..0.5).contains(&share), "{share}");
        assert_eq!(super::by_turns(test, &[], 1), *test);
        // The same seed leaves out the same, another seed others.
        let again = prepared(&data, Shares::Shop);
        assert_eq!(again.train.examples, made.train.examples);
    }

    #[test]
    fn the_protocol_keeps_all_history() {
        let made = prepared(&shop(400, 4), Shares::Protocol);
        let (_, flag) = columns(&made).expect("earlier sessions vary");
        assert_eq!(flag, None);
        assert!(made.test_without_history.examples.is_empty());
    }

    #[test]
    fn where_nobody_comes_back_there_is_no_column() {
        let mut data = shop(200, 1);
        for event in &mut data.events {
            event.user_id.clone_from(&event.session_id);
        }
        let made = prepared(&data, Shares::Shop);
        let names: BTreeSet<String> = made.spec.context_names().into_iter().collect();
        assert!(
            !names.iter().any(|name| name.contains("prior")),
            "{names:?}"
        );
        assert!(made.test_without_history.examples.is_empty());
    }
}
