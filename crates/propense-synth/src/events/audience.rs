//! Who comes: users by how active they are, none in two sessions at once.

use std::collections::HashSet;

use super::rates;
use crate::draw::Draws;

/// Multiplied with, modulo a power of two, it moves the most active users away from each other
/// (Knuth's multiplicative hashing: 2³² over the golden ratio, made odd).
const SCATTER: u64 = 2_654_435_761;

/// Draws tried before a new user comes.
const TRIES: usize = 8;

/// The shop's users.
pub(crate) struct Audience {
    users: u64,
    /// User numbers lie in 1..=`mask` + 1; the few who are added have higher ones.
    mask: u64,
    added: u64,
    here: HashSet<u32>,
    tenths: [f64; 10],
}

impl Audience {
    pub(crate) fn new(users: u64) -> Self {
        let users = users.clamp(10, 1 << 31);
        let mut sum = 0.0;
        let all: f64 = rates::SESSIONS_BY_TENTH.iter().sum();
        let tenths = rates::SESSIONS_BY_TENTH.map(|share| {
            sum += share / all;
            sum
        });
        Self {
            users,
            mask: users.next_power_of_two() - 1,
            added: 0,
            here: HashSet::new(),
            tenths,
        }
    }

    /// Users there are, those added apart.
    pub(crate) const fn users(&self) -> u64 {
        self.users
    }

    /// A user who is not in the shop, and now is.
    pub(crate) fn enter(&mut self, draws: &mut Draws) -> u32 {
        for _ in 0..TRIES {
            let share = draws.unit();
            let tenth = self.tenths.partition_point(|sum| *sum <= share).min(9) as u64;
            let low = self.users * tenth / 10;
            let high = self.users * (tenth + 1) / 10;
            let index = low + draws.below(high - low);
            let user = (index.wrapping_mul(SCATTER) & self.mask) as u32 + 1;
            if self.here.insert(user) {
                return user;
            }
        }
        self.add()
    }

    /// Somebody with a number that no user has.
    pub(crate) fn add(&mut self) -> u32 {
        self.added += 1;
        (self.mask + 1 + self.added) as u32
    }

    /// The user has left.
    pub(crate) fn leave(&mut self, user: u32) {
        self.here.remove(&user);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::draw::Purpose;

    #[test]
    fn nobody_is_here_twice_and_the_active_come_more_often() {
        let mut draws = Draws::new(1, Purpose::Events, 0);
        let mut audience = Audience::new(1_000);
        let mut visits: BTreeMap<u32, u64> = BTreeMap::new();
        for _ in 0..20_000 {
            let user = audience.enter(&mut draws);
            audience.leave(user);
            *visits.entry(user).or_default() += 1;
        }
        assert!(visits.len() > 990 && visits.len() <= 1_000);
        let mut counts: Vec<u64> = visits.into_values().collect();
        counts.sort_unstable();
        let share = |tenth: usize| counts[tenth * 100..counts.len().min(tenth * 100 + 100)].iter();
        let top = share(9).sum::<u64>() as f64 / 20_000.0;
        assert!((0.21..0.27).contains(&top), "{top}");

        let mut small = Audience::new(10);
        let entered: Vec<u32> = (0..40).map(|_| small.enter(&mut draws)).collect();
        let different: HashSet<&u32> = entered.iter().collect();
        assert_eq!(different.len(), 40);
    }
}
