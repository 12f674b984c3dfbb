//! Splits: by time with users kept on one side, and stratified at random for sets without time.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Indices of the parts, and what was left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Split {
    /// Learnt from.
    pub(crate) train: Vec<usize>,
    /// Early stopping, calibration and threshold.
    pub(crate) validation: Vec<usize>,
    /// Measured once.
    pub(crate) test: Vec<usize>,
    /// Left out: later sessions of a user who was first seen in an earlier part.
    pub(crate) dropped: Vec<usize>,
    /// Why the parts of a shop go by user alone, and cover the same time.
    pub(crate) by_user: Option<ByUser>,
}

/// Why the parts of a shop's data cannot follow each other in time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum ByUser {
    /// More than half of the validation or of the test part would be left out: users come back, and
    /// nearly all of them are there from the first days on.
    FewNew,
    /// Those who come for the first time order more, or less, often than those who come back, who
    /// would be left out: what is calibrated on the former is wrong for all. How often each.
    NewDiffer {
        /// Share of the sessions with an order, of those who come for the first time.
        new: f64,
        /// Of those who would be left out.
        back: f64,
    },
}

/// How far, as a share of it, the base rate of the later parts may move by what is left out of them.
const MOVED: f64 = 0.1;

/// And how many standard errors lie between the rates of what is kept and of what is left out.
const SURE: f64 = 3.0;

/// Splits a shop's sessions: [`by_time_and_user`], or [`by_user`] where the later parts would be no
/// sample of the shop's sessions for one of the reasons of [`ByUser`].
///
/// `sessions` gives start (milliseconds) and user of each, `keys` the user or the session itself,
/// `ordered` whether it ended in an order: that is asked even of a model with a horizon.
pub(crate) fn of_shop(
    sessions: &[(i64, Option<&str>)],
    keys: &[&str],
    ordered: &[bool],
    shares: (f64, f64),
) -> Split {
    let (train, validation) = shares;
    let split = by_time_and_user(sessions, train, validation);
    let n = sessions.len() as f64;
    let half = |part: &[usize], share: f64| (part.len() as f64) < 0.5 * share * n;
    let test = 1.0 - train - validation;
    let reason = if half(&split.validation, validation) || half(&split.test, test) {
        ByUser::FewNew
    } else if let Some((new, back)) = split.moved(ordered) {
        ByUser::NewDiffer { new, back }
    } else {
        return split;
    };
    Split {
        by_user: Some(reason),
        ..by_user(keys.iter().copied(), train, validation)
    }
}

impl Split {
    /// The base rates of what is kept and of what is left out of the later parts, where leaving it out takes
    /// the base rate elsewhere.
    fn moved(&self, ordered: &[bool]) -> Option<(f64, f64)> {
        let count = |parts: &[&[usize]]| {
            let members = || parts.iter().copied().flatten();
            let orders = members().filter(|index| ordered.get(**index) == Some(&true));
            (orders.count() as f64, members().count() as f64)
        };
        let (kept_orders, kept) = count(&[&self.validation, &self.test]);
        let (lost_orders, lost) = count(&[&self.dropped]);
        if kept == 0.0 || lost == 0.0 {
            return None;
        }
        let whole = (kept_orders + lost_orders) / (kept + lost);
        let error = (whole * (1.0 - whole) * (1.0 / kept + 1.0 / lost)).sqrt();
        let (here, there) = (kept_orders / kept, lost_orders / lost);
        let far = (here - whole).abs() > MOVED * whole && (here - there).abs() > SURE * error;
        far.then_some((here, there))
    }
}

/// Splits by start time at these shares (train, validation; the rest is test). A user belongs to
/// the part in which their first session starts; their sessions beyond its border are dropped,
/// because they would be on the wrong side of either the user or the time border.
///
/// `sessions` gives start (milliseconds) and user of each.
#[must_use]
pub(crate) fn by_time_and_user(
    sessions: &[(i64, Option<&str>)],
    train: f64,
    validation: f64,
) -> Split {
    let mut order: Vec<usize> = (0..sessions.len()).collect();
    order.sort_by_key(|&index| (sessions[index].0, index));
    let n = order.len();
    let border = |share: f64| ((n as f64 * share).round() as usize).min(n);
    let (first, second) = (border(train), border(train + validation));
    let mut home: BTreeMap<&str, u8> = BTreeMap::new();
    let mut split = Split::default();
    for (rank, &index) in order.iter().enumerate() {
        let part = u8::from(rank >= first) + u8::from(rank >= second);
        let belongs = match sessions[index].1 {
            Some(user) => *home.entry(user).or_insert(part) == part,
            None => true,
        };
        match (belongs, part) {
            (false, _) => split.dropped.push(index),
            (true, 0) => split.train.push(index),
            (true, 1) => split.validation.push(index),
            (true, _) => split.test.push(index),
        }
    }
    split
}

/// Splits by the hash of the user (or of the session, where the user is unknown): each part
/// covers the whole period, and a user is in one part alone. For a validation part whose base
/// rate should be that of the whole, where an hour or a day differs much from the next.
///
/// `keys` names the user of each session.
#[must_use]
pub(crate) fn by_user<'a>(
    keys: impl Iterator<Item = &'a str>,
    train: f64,
    validation: f64,
) -> Split {
    const FOLDS: usize = 1000;
    let border = |share: f64| (share * FOLDS as f64).round() as usize;
    let (first, second) = (border(train), border(train + validation));
    let mut split = Split::default();
    for (index, key) in keys.enumerate() {
        match fold_of(key, FOLDS) {
            fold if fold < first => split.train.push(index),
            fold if fold < second => split.validation.push(index),
            _ => split.test.push(index),
        }
    }
    split
}

/// Splits at random with the same share of positives in each part, for sets without a time axis.
#[must_use]
pub(crate) fn stratified(labels: &[bool], train: f64, validation: f64, seed: u64) -> Split {
    let mut generator = ChaCha12Rng::seed_from_u64(seed);
    let mut split = Split::default();
    for class in [false, true] {
        let mut members: Vec<usize> = (0..labels.len())
            .filter(|&index| labels[index] == class)
            .collect();
        members.shuffle(&mut generator);
        let n = members.len() as f64;
        let first = ((n * train).round() as usize).min(members.len());
        let second = ((n * (train + validation)).round() as usize).clamp(first, members.len());
        split.train.extend(&members[..first]);
        split.validation.extend(&members[first..second]);
        split.test.extend(&members[second..]);
    }
    for part in [&mut split.train, &mut split.validation, &mut split.test] {
        part.sort_unstable();
    }
    split
}

/// Fold of a user (or of a session, where the user is unknown): the same on every machine.
#[must_use]
pub(crate) fn fold_of(key: &str, folds: usize) -> usize {
    let hash = Sha256::digest(key.as_bytes());
    let head = hash
        .iter()
        .take(8)
        .fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte));
    (head % folds.max(1) as u64) as usize
}

/// Whether a user (or a session) of the training part is among this share of it, in percent. A
/// smaller share is a part of a larger one.
#[must_use]
pub(crate) fn in_share(key: &str, percent: u32, seed: u64) -> bool {
    percent >= 100 || fold_of(&format!("share {seed} {key}"), 100) < percent as usize
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn users_stay_on_one_side_and_parts_follow_in_time() {
        let users: Vec<String> = (0..40).map(|i| format!("u{}", i * 7 % 13)).collect();
        let sessions: Vec<(i64, Option<&str>)> = users
            .iter()
            .enumerate()
            .map(|(i, user)| ((i as i64 * 31) % 97, (i % 5 > 0).then_some(user.as_str())))
            .collect();
        let split = by_time_and_user(&sessions, 0.7, 0.15);
        let parts = [&split.train, &split.validation, &split.test];
        let total: usize = parts.iter().map(|part| part.len()).sum();
        assert_eq!(total + split.dropped.len(), sessions.len());
        let users: Vec<BTreeSet<&str>> = parts
            .iter()
            .map(|part| part.iter().filter_map(|&i| sessions[i].1).collect())
            .collect();
        assert!(users[0].is_disjoint(&users[1]));
        assert!(users[0].is_disjoint(&users[2]));
        assert!(users[1].is_disjoint(&users[2]));
        let last = |part: &[usize]| part.iter().map(|&i| sessions[i].0).max();
        let first = |part: &[usize]| part.iter().map(|&i| sessions[i].0).min();
        assert!(last(parts[0]) <= first(parts[1]) && last(parts[1]) <= first(parts[2]));
    }

    /// A session of each of these users, one after the other.
    fn of_users(users: &[String], ordered: &[bool]) -> Split {
        let keys: Vec<&str> = users.iter().map(String::as_str).collect();
        let sessions: Vec<(i64, Option<&str>)> = keys
            .iter()
            .enumerate()
            .map(|(i, user)| (i as i64, Some(*user)))
            .collect();
        of_shop(&sessions, &keys, ordered, (0.7, 0.15))
    }

    #[test]
    fn where_nearly_all_users_come_at_first_the_parts_go_by_user() {
        // So many new users a hundred sessions after the first hundred, of whom all come back.
        let split = |fresh: usize| {
            let user = |i: usize| match i {
                0..100 => i,
                _ if i % 100 < fresh => i,
                _ => i % 100,
            };
            let users: Vec<String> = (0..1000).map(|i| format!("u{}", user(i))).collect();
            (of_users(&users, &[false; 1000]), users)
        };
        let (late, _) = split(70);
        assert!(late.by_user.is_none() && !late.dropped.is_empty());
        let (early, users) = split(40);
        assert_eq!(early.by_user, Some(ByUser::FewNew));
        assert!(early.dropped.is_empty());
        let parts = [&early.train, &early.validation, &early.test];
        assert_eq!(parts.iter().map(|part| part.len()).sum::<usize>(), 1000);
        let of: Vec<BTreeSet<&str>> = parts
            .iter()
            .map(|part| part.iter().map(|&i| users[i].as_str()).collect())
            .collect();
        assert!(of[0].is_disjoint(&of[1]) && of[0].is_disjoint(&of[2]));
        assert!(of[1].is_disjoint(&of[2]));
        assert!(parts[1].len() > 75 && parts[2].len() > 75);
    }

    #[test]
    fn where_new_users_order_otherwise_the_parts_go_by_user() {
        // Of a hundred sessions thirty are of users who have been there before.
        let split = |new: usize, back: usize| {
            let is_new = |i: usize| i < 100 || i % 10 < 7;
            let user = |i: usize| if is_new(i) { i } else { i % 100 };
            let users: Vec<String> = (0..4000).map(|i| format!("u{}", user(i))).collect();
            // So many sessions in a hundred with an order.
            let rate = |i: usize| if is_new(i) { new } else { back };
            let ordered: Vec<bool> = (0..4000).map(|i| i * 37 % 100 < rate(i)).collect();
            of_users(&users, &ordered).by_user
        };
        assert_eq!(split(20, 20), None);
        assert_eq!(split(20, 22), None);
        for (wanted, wanted_back) in [(40, 10), (10, 40)] {
            let Some(ByUser::NewDiffer { new, back }) = split(wanted, wanted_back) else {
                panic!("{wanted} and {wanted_back} differ");
            };
            assert!((new - wanted as f64 / 100.0).abs() < 0.05, "{new}");
            assert!((back - wanted_back as f64 / 100.0).abs() < 0.05, "{back}");
        }
    }

    #[test]
    fn stratified_parts_have_the_base_rate_and_hold_each_once() {
        let labels: Vec<bool> = (0..1000).map(|i| i % 10 == 0).collect();
        let split = stratified(&labels, 0.7, 0.15, 3);
        for (part, size) in [
            (&split.train, 700),
            (&split.validation, 150),
            (&split.test, 150),
        ] {
            assert_eq!(part.len(), size);
            assert_eq!(part.iter().filter(|&&i| labels[i]).count(), size / 10);
        }
        let all: BTreeSet<usize> = split
            .train
            .iter()
            .chain(&split.validation)
            .chain(&split.test)
            .copied()
            .collect();
        assert_eq!(all.len(), 1000);
        assert_eq!(split, stratified(&labels, 0.7, 0.15, 3));
        assert_ne!(split, stratified(&labels, 0.7, 0.15, 4));
    }

    #[test]
    fn folds_are_even_and_fixed() {
        let mut counts = [0; 10];
        for user in 0..5000 {
            counts[fold_of(&format!("user {user}"), 10)] += 1;
        }
        assert!(
            counts.iter().all(|count| (420..580).contains(count)),
            "{counts:?}"
        );
        assert_eq!(fold_of("a", 10), fold_of("a", 10));
    }
}
