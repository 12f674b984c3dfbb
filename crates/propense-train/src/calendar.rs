//! Features of the context that only say when: an hour, a weekday, a month.

use propense_events::DAY;
use propense_features::ContextFeature;

/// Words for the context keys of shops, without case, blanks and underscores, by the length of
/// their cycle. A date never comes back.
const CYCLES: [(i64, &[&str]); 4] = [
    (DAY, &["hour", "hourofday", "timeofday", "daypart"]),
    (7 * DAY, &["weekday", "dayofweek", "weekend", "isweekend"]),
    (
        365 * DAY,
        &[
            "month",
            "season",
            "quarter",
            "week",
            "weekofyear",
            "day",
            "dayofmonth",
            "dayofyear",
            "specialday",
            "holiday",
            "isholiday",
        ],
    ),
    (i64::MAX, &["date", "year", "yearmonth"]),
];

/// After how many milliseconds the feature's values come back, by its name; none for a feature that
/// says anything else.
pub(crate) fn cycle(feature: &ContextFeature) -> Option<(&str, i64)> {
    let name = match feature {
        ContextFeature::Hour => return Some(("hour", DAY)),
        ContextFeature::Weekday => return Some(("weekday", 7 * DAY)),
        ContextFeature::Number { name, .. } | ContextFeature::Category { name, .. } => name,
    };
    let plain: String = name
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let (cycle, _) = CYCLES
        .into_iter()
        .find(|(_, words)| words.contains(&plain.as_str()))?;
    Some((name, cycle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_however_it_is_written() {
        for (name, expected) in [
            ("SpecialDay", Some(365)),
            ("special_day", Some(365)),
            ("Month", Some(365)),
            ("Is Weekend", Some(7)),
            ("hour-of-day", Some(1)),
            ("VisitorType", None),
            ("months_as_customer", None),
        ] {
            let feature = ContextFeature::Category {
                name: name.to_owned(),
                names: Vec::new(),
            };
            let found = cycle(&feature).map(|(own, cycle)| (own, cycle / DAY));
            assert_eq!(found, expected.map(|days| (name, days)));
        }
    }
}
