//! What sets a segment apart, in a sentence.

use super::customers::Habits;

/// A habit in words, and whether much of it is above or below what is usual.
struct Trait {
    value: fn(&Habits) -> f64,
    words: fn(f64, &str) -> String,
}

const TRAITS: [Trait; 5] = [
    Trait {
        value: |habits| habits.recency_days,
        words: |value, usual| format!("last order {} days ago (usual: {usual})", number(value)),
    },
    Trait {
        value: |habits| habits.orders,
        words: |value, usual| {
            let plural = if number(value) == "1" { "" } else { "s" };
            format!("{} order{plural} (usual: {usual})", number(value))
        },
    },
    Trait {
        value: |habits| habits.spent,
        words: |value, usual| format!("{} spent in all (usual: {usual})", number(value)),
    },
    Trait {
        value: |habits| habits.order_value,
        words: |value, usual| format!("{} an order (usual: {usual})", number(value)),
    },
    Trait {
        value: |habits| habits.tenure_days,
        words: |value, usual| format!("known for {} days (usual: {usual})", number(value)),
    },
];

/// The three habits by which the group differs most from the base, on a logarithmic scale and
/// measured by the base's own spread; medians, so that one large customer does not speak for all.
#[must_use]
pub fn sets_apart(group: &[Habits], base: &[Habits]) -> String {
    let mut found: Vec<(f64, String)> = TRAITS
        .iter()
        .filter_map(|one| {
            let mut own: Vec<f64> = group.iter().map(one.value).collect();
            let mut all: Vec<f64> = base.iter().map(one.value).collect();
            own.sort_by(f64::total_cmp);
            all.sort_by(f64::total_cmp);
            let (own, usual) = (middle(&own, 0.5)?, middle(&all, 0.5)?);
            let log = |value: f64| value.max(0.0).ln_1p();
            let spread = log(middle(&all, 0.75)?) - log(middle(&all, 0.25)?);
            let difference = (log(own) - log(usual)).abs() / spread.max(0.1);
            (number(own) != number(usual)).then(|| (difference, (one.words)(own, &number(usual))))
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let words: Vec<String> = found.into_iter().take(3).map(|(_, words)| words).collect();
    if words.is_empty() {
        return "much like the base as a whole".to_owned();
    }
    words.join(", ")
}

fn middle(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((share * last as f64).round() as usize).copied()
}

/// Whole, with thousands set apart.
fn number(value: f64) -> String {
    let whole = format!("{:.0}", value.max(0.0));
    let mut text = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_differences_come_first() {
        let habits = |recency_days, orders, spent| Habits {
            recency_days,
            orders,
            spent,
            order_value: 20.0,
            tenure_days: 200.0,
            ..Habits::default()
        };
        let base: Vec<Habits> = (0..100)
            .map(|n| habits(f64::from(n), 1.0 + f64::from(n % 4), 100.0))
            .collect();
        let group = [habits(3.0, 40.0, 12_000.0)];
        let words = sets_apart(&group, &base);
        assert_eq!(
            words,
            "12,000 spent in all (usual: 100), 40 orders (usual: 3), last order 3 days ago (usual: 50)"
        );
        assert_eq!(sets_apart(&base, &base), "much like the base as a whole");
        assert_eq!(sets_apart(&[], &base), "much like the base as a whole");
    }
}
