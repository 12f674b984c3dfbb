//! Fitting the columns of a session's context.

use std::collections::{BTreeMap, BTreeSet};

use propense_events::{DAY, Session, Value};

use crate::{ContextFeature, FitOptions, Transform, frequent::most_frequent, moments::Summary};

/// Days that a set must cover for the hour, and the weekday, to be more than the name of a day.
const DAYS_FOR_HOUR: i64 = 2;
const DAYS_FOR_WEEKDAY: i64 = 14;

pub(crate) fn fit_context(
    sessions: &[&Session],
    options: &FitOptions,
    notes: &mut Vec<String>,
) -> Vec<ContextFeature> {
    let keys: BTreeSet<&String> = sessions
        .iter()
        .flat_map(|session| session.context.keys())
        .collect();
    let mut features = start_features(sessions, options, notes);
    let mut skipped = Vec::new();
    for key in keys {
        if options.skips(key) {
            skipped.push(format!("`{key}`"));
            continue;
        }
        if options.excludes(key) {
            notes.push(format!("context `{key}` left out, as asked"));
            continue;
        }
        match Column::new(key, sessions).fit(key, sessions.len(), options) {
            Ok(feature) => features.push(feature),
            Err(why) => notes.push(format!("context `{key}` left out: {why}")),
        }
    }
    if !skipped.is_empty() {
        let keys = skipped.join(", ");
        notes.push(format!(
            "context left out, full history not asked for: {keys}"
        ));
    }
    features
}

/// Hour and weekday of the start. Summaries without events have no real start.
fn start_features(
    sessions: &[&Session],
    options: &FitOptions,
    notes: &mut Vec<String>,
) -> Vec<ContextFeature> {
    let starts = || {
        sessions
            .iter()
            .filter(|session| !session.events.is_empty())
            .map(|session| session.start)
    };
    let (Some(first), Some(last)) = (starts().min(), starts().max()) else {
        return Vec::new();
    };
    let days = last.saturating_sub(first) / DAY;
    let mut features = Vec::new();
    for (key, feature, needed) in [
        ("hour", ContextFeature::Hour, DAYS_FOR_HOUR),
        ("weekday", ContextFeature::Weekday, DAYS_FOR_WEEKDAY),
    ] {
        if options.skips(key) {
            continue;
        }
        if options.excludes(key) {
            notes.push(format!("`{key}` left out, as asked"));
        } else if days < needed {
            notes.push(format!(
                "`{key}` left out: the sessions cover {days} days, {needed} needed"
            ));
        } else {
            features.push(feature);
        }
    }
    features
}

/// The values of one key.
struct Column {
    /// Numbers and flags.
    numbers: Vec<f64>,
    categories: BTreeMap<String, usize>,
    named: usize,
}

impl Column {
    fn new(key: &str, sessions: &[&Session]) -> Self {
        let mut column = Self {
            numbers: Vec::new(),
            categories: BTreeMap::new(),
            named: 0,
        };
        for session in sessions {
            match session.context.get(key) {
                Some(Value::Number(number)) if number.is_finite() => column.numbers.push(*number),
                Some(Value::Flag(flag)) => column.numbers.push(f64::from(u8::from(*flag))),
                Some(Value::Category(name)) => {
                    column.named += 1;
                    *column.categories.entry(name.clone()).or_default() += 1;
                }
                Some(Value::Number(_)) | None => {}
            }
        }
        column
    }

    /// The key is what most of its values are.
    fn fit(self, key: &str, total: usize, options: &FitOptions) -> Result<ContextFeature, String> {
        if self.named > self.numbers.len() {
            self.category(key, total, options)
        } else {
            self.number(key, total, options)
        }
    }

    fn number(
        self,
        key: &str,
        total: usize,
        options: &FitOptions,
    ) -> Result<ContextFeature, String> {
        let missing = total - self.numbers.len();
        let transform = if long_tail(&self.numbers) {
            Transform::Log1p
        } else {
            Transform::Identity
        };
        let mut summary = Summary::new(options.scaling);
        for number in self.numbers {
            summary.add(Some(transform.apply(number)));
        }
        let moments = summary.moments;
        if moments.present == 0 {
            return Err("it is missing everywhere".to_owned());
        }
        if moments.constant() && missing == 0 {
            return Err("it is the same everywhere".to_owned());
        }
        Ok(ContextFeature::Number {
            name: key.to_owned(),
            transform,
            normal: summary.normal(),
            flag: missing > 0,
        })
    }

    fn category(
        self,
        key: &str,
        total: usize,
        options: &FitOptions,
    ) -> Result<ContextFeature, String> {
        if self.categories.len() == 1 && self.named == total {
            return Err("it is the same everywhere".to_owned());
        }
        // A name for every other session is an identifier; there is nothing to learn from it.
        if self.categories.len() > options.max_categories && 2 * self.categories.len() > self.named
        {
            return Err("nearly every session has a value of its own".to_owned());
        }
        let names = most_frequent(&self.categories, options.support_among(total), options);
        Ok(ContextFeature::Category {
            name: key.to_owned(),
            names,
        })
    }
}

/// Never negative, and skewed to the right: mean of cubed deviations above that of an
/// exponential distribution's half.
fn long_tail(numbers: &[f64]) -> bool {
    if numbers.iter().any(|number| *number < 0.0) {
        return false;
    }
    let count = numbers.len().max(1) as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let moment = |power: i32| {
        numbers
            .iter()
            .map(|number| (number - mean).powi(power))
            .sum::<f64>()
            / count
    };
    moment(3) > moment(2).powf(1.5)
}
