//! How far sums over sessions vary, where the sessions of one user hang together.

use std::collections::BTreeMap;

/// Variance of the sum of these residuals, each with its user: the squares of the users' own sums (Liang and
/// Zeger 1986), and at least `independent`, what it would be if no sessions hung together. The first is about
/// right for many users; for few it is often too small.
pub(super) fn variance(residuals: impl Iterator<Item = (usize, f64)>, independent: f64) -> f64 {
    let mut sums: BTreeMap<usize, f64> = BTreeMap::new();
    for (user, residual) in residuals {
        *sums.entry(user).or_default() += residual;
    }
    let squares: f64 = sums.values().map(|sum| sum * sum).sum();
    squares.max(independent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_one_user_count_as_one_where_they_are_alike() {
        // Four users, each twice with the same outcome beside one half.
        let residuals = [0.5, 0.5, -0.5, -0.5, 0.5, 0.5, -0.5, -0.5];
        let alike = residuals.into_iter().enumerate();
        assert_eq!(variance(alike.clone().map(|(k, r)| (k / 2, r)), 2.0), 4.0);
        assert_eq!(variance(alike.clone(), 2.0), 2.0);
        // Users whose sessions make up for each other vary no less than independent ones.
        let turned = alike.map(|(place, r)| (place / 4, r));
        assert_eq!(variance(turned, 2.0), 2.0);
    }
}
