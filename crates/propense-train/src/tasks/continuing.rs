//! The cut of data that a model goes on with: what it may replay, what is new, what is sealed.

use std::borrow::Cow;

use super::Prepared;
use crate::TrainError;
use crate::encode::Encoded;
use crate::split::fold_of;

/// Fewest new examples that an update is tried with: below it neither learning nor judging tells
/// anything.
const FEWEST: usize = 100;

/// Thousandths of the users that validate.
const VALIDATION: usize = 200;

/// Most old examples that are learnt again, however much is new: they keep the model from forgetting, and an
/// update must stay cheap.
const REMEMBERED: f64 = 5_000.0;

/// Where data is cut for an update.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cut {
    /// From here on (milliseconds since 1970) examples are new.
    pub(crate) since: i64,
    /// What the model gone on from had before it, where data arrives out of order.
    pub(crate) before: Option<Before>,
    /// End of the data that the feature specification was fitted on.
    pub(crate) features_until: i64,
    /// Share of the new examples, the newest, that judge.
    pub(crate) sealed: f64,
    /// Old examples for each new one that is learnt from, up to [`REMEMBERED`].
    pub(crate) replay: f64,
    /// Whether rates of items and categories are learnt again.
    pub(crate) refresh_rates: bool,
    /// Seed of the choice.
    pub(crate) seed: u64,
}

/// What of the data had been looked at when the model gone on from was made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Before {
    /// So many events, the first ones, had arrived.
    pub(crate) events: usize,
    /// Of these, the ones up to this moment (milliseconds since 1970) were looked at.
    pub(crate) until: i64,
}

/// Examples by what they are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sizes {
    /// New ones that are learnt from.
    pub fresh: usize,
    /// Old ones that are learnt from again.
    pub replay: usize,
    /// New ones for early stopping, calibration and threshold.
    pub validation: usize,
    /// The newest ones, which judge.
    pub sealed: usize,
    /// New ones whose horizon has not passed yet: they wait for the next update.
    pub waiting: usize,
    /// New ones learnt from that began before what was learnt last: they arrived late.
    #[serde(default)]
    pub late: usize,
}

/// The examples of an update.
pub(crate) struct Continued {
    /// The test part is the sealed window.
    pub(crate) prepared: Prepared,
    /// The sealed window as the model sees it that is gone on from, where that differs.
    pub(crate) sealed_before: Option<Encoded>,
    /// The named segments of each example of the sealed window.
    pub(crate) groups: Vec<Vec<String>>,
    pub(crate) sizes: Sizes,
    /// Where the sealed window begins.
    pub(crate) sealed_from: i64,
}

/// What may become an example of an update, as the cut looks at it.
pub(super) struct Candidate<'a> {
    pub(super) at: i64,
    pub(super) user: &'a str,
    /// What the sample of old ones goes by.
    pub(super) id: Cow<'a, str>,
    /// Whether the model has not learnt it.
    pub(super) is_new: bool,
    /// Whether its outcome is known when the data ends.
    pub(super) known: bool,
}

/// What each candidate is for, by its place. Some are for nothing.
pub(super) struct Division {
    /// All that may be learnt from, old and new.
    pub(super) pool: Vec<usize>,
    /// Those of the pool that are: the new ones, and a sample of the old.
    pub(super) learnt: Vec<usize>,
    pub(super) validation: Vec<usize>,
    pub(super) sealed: Vec<usize>,
    pub(super) sealed_from: i64,
    pub(super) sizes: Sizes,
}

/// New candidates with a known outcome.
pub(super) fn count_new<'a>(candidates: impl Iterator<Item = Candidate<'a>>) -> usize {
    candidates.filter(|one| one.is_new && one.known).count()
}

/// Divides the candidates, which come in the order of their moments.
pub(super) fn divide(candidates: &[Candidate<'_>], cut: &Cut) -> Result<Division, TrainError> {
    let is_new = |one: &Candidate<'_>| one.is_new;
    // What arrived late is learnt, and judges nothing: it may lie among what was learnt before.
    let fresh = candidates
        .iter()
        .filter(|one| is_new(one) && one.known && one.at >= cut.since);
    let sealed_from = sealed_from(&fresh.map(|one| one.at).collect::<Vec<_>>(), cut)?;
    let learns =
        |one: &Candidate<'_>| one.known && one.at < sealed_from && !is_validation(one.user);
    let count = |wanted: &dyn Fn(&Candidate<'_>) -> bool| {
        candidates.iter().filter(|one| wanted(one)).count()
    };
    let fresh = count(&|one| is_new(one) && learns(one));
    let old = count(&|one| !is_new(one) && learns(one));
    let share = replay_share(cut.replay, fresh, old);
    let places = |wanted: &dyn Fn(&Candidate<'_>) -> bool| -> Vec<usize> {
        let places = candidates.iter().enumerate();
        let places = places.filter(|(_, one)| wanted(one));
        places.map(|(place, _)| place).collect()
    };
    let learnt = places(&|one| learns(one) && (is_new(one) || replayed(&one.id, share, cut.seed)));
    let validation =
        places(&|one| is_new(one) && one.known && one.at < sealed_from && is_validation(one.user));
    let sealed = places(&|one| one.known && one.at >= sealed_from);
    Ok(Division {
        sizes: Sizes {
            fresh,
            replay: learnt.len() - fresh,
            validation: validation.len(),
            sealed: sealed.len(),
            waiting: count(&|one| is_new(one) && !one.known),
            late: count(&|one| is_new(one) && learns(one) && one.at < cut.since),
        },
        pool: places(&|one| learns(one)),
        learnt,
        validation,
        sealed,
        sealed_from,
    })
}

/// The members at these places.
pub(super) fn at<'a, T>(all: &'a [T], places: &[usize]) -> Vec<&'a T> {
    places.iter().filter_map(|place| all.get(*place)).collect()
}

/// Whether a user's new examples validate, and are never learnt from.
fn is_validation(user: &str) -> bool {
    fold_of(&format!("update {user}"), 1000) < VALIDATION
}

/// Share of the old examples that are learnt again, with so many for each new one.
fn replay_share(ratio: f64, fresh: usize, old: usize) -> f64 {
    (ratio * fresh as f64).min(REMEMBERED) / old.max(1) as f64
}

/// Whether an old example is among this share of them.
fn replayed(id: &str, share: f64, seed: u64) -> bool {
    const PARTS: usize = 1_000_000;
    (fold_of(&format!("replay {seed} {id}"), PARTS) as f64) < share * PARTS as f64
}

/// The moment from which on new examples are sealed; `fresh` are the moments of the new ones,
/// rising. At least one moment stays before it.
fn sealed_from(fresh: &[i64], cut: &Cut) -> Result<i64, TrainError> {
    let too_little = || TrainError::TooLittleNew {
        found: fresh.len(),
        moments: fresh.chunk_by(|a, b| a == b).count(),
        needed: FEWEST,
        since: propense_events::format_timestamp(cut.since),
    };
    if fresh.len() < FEWEST {
        return Err(too_little());
    }
    let first = (fresh.len() as f64 * (1.0 - cut.sealed)).floor() as usize;
    let moment = fresh.get(first.min(fresh.len() - 1)).copied();
    let moment = moment.ok_or_else(too_little)?;
    // Where few moments hold many examples, the share ends within one.
    if fresh.first().is_some_and(|first| *first < moment) {
        return Ok(moment);
    }
    fresh
        .iter()
        .copied()
        .find(|later| *later > moment)
        .ok_or_else(too_little)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_share_is_sealed_and_something_stays_before_it() {
        let cut = |sealed| Cut {
            since: 0,
            before: None,
            features_until: 0,
            sealed,
            replay: 1.0,
            refresh_rates: false,
            seed: 1,
        };
        let check = |moments: &[i64], sealed: f64, expected: Option<i64>| {
            assert_eq!(
                sealed_from(moments, &cut(sealed)).ok(),
                expected,
                "{sealed}"
            );
        };
        let even: Vec<i64> = (0..200).collect();
        check(&even, 0.25, Some(150));
        check(&even, 0.999, Some(1));
        check(&even[..99], 0.25, None);
        // Two months: the second is sealed, whatever the share. One alone cannot be cut.
        let months: Vec<i64> = (0..200).map(|i| i64::from(i >= 80)).collect();
        check(&months, 0.25, Some(1));
        check(&months, 0.9, Some(1));
        check(&[7; 200], 0.25, None);
    }

    #[test]
    fn so_many_old_ones_for_each_new_one_up_to_a_bound() {
        let check = |ratio, fresh, old, expected| {
            assert_eq!(replay_share(ratio, fresh, old), expected, "{ratio} {fresh}");
        };
        check(3.0, 1_000, 10_000, 0.3);
        check(3.0, 1_000, 1_000, 3.0);
        check(3.0, 3_000, 10_000, 0.5);
        check(0.0, 3_000, 10_000, 0.0);
        check(3.0, 10, 0, 30.0);
    }

    #[test]
    fn the_replayed_share_is_the_share_asked_for() {
        let count = |share: f64, seed: u64| {
            let ids = (0..5000).map(|i| format!("s{i}"));
            ids.filter(|id| replayed(id, share, seed)).count()
        };
        assert_eq!(
            (count(0.0, 1), count(1.0, 1), count(7.0, 1)),
            (0, 5000, 5000)
        );
        assert!((1150..1350).contains(&count(0.25, 1)), "{}", count(0.25, 1));
        assert_ne!(count(0.25, 1), count(0.25, 2));
    }
}
