//! Figures by kind of visitor, device and category, and the examples that are most wrong.

use std::collections::BTreeMap;

use propense_events::{Session, Value};
use serde::{Deserialize, Serialize};

use crate::example::{Example, Scored};
use crate::metrics::{Metrics, descending};

/// Fewest scores of a segment that is shown.
const FEWEST: usize = 50;

/// Most segments shown of one kind: the largest.
const MOST: usize = 10;

/// Examples shown at each end.
const WRONG: usize = 10;

/// Figures of one segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentMetrics {
    /// What tells the segments apart: `visitor`, `device`, `category`, `events`.
    pub by: String,
    /// The segment.
    pub name: String,
    /// Its figures.
    pub metrics: Metrics,
}

/// A score that is far off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wrong {
    /// The session, or `user@day`.
    pub id: String,
    /// Events seen.
    pub events: usize,
    /// Forecast probability.
    pub propensity: f32,
    /// What came.
    pub order: bool,
}

/// Kind and name of the segments that a session belongs to, from what is known at its start and its
/// first event.
pub(crate) fn of_session(session: &Session) -> Vec<(&'static str, String)> {
    let word = |keys: &[&str]| {
        keys.iter().find_map(|key| match session.context.get(*key) {
            Some(Value::Category(word)) => Some(word.clone()),
            Some(Value::Number(number)) if key.ends_with("Systems") => Some(number.to_string()),
            _ => None,
        })
    };
    let earlier = match session.context.get("prior_sessions") {
        Some(Value::Number(number)) if *number > 0.0 => Some("returning".to_owned()),
        Some(Value::Number(_)) => Some("new".to_owned()),
        _ => None,
    };
    let category = session.before_purchase().first().and_then(|event| {
        let path = event.items.first()?.item_category.as_deref()?;
        path.split('/').next().map(str::to_owned)
    });
    let all = [
        (
            "visitor",
            word(&["visitor_type", "VisitorType"]).or(earlier),
        ),
        (
            "device",
            word(&[
                "device",
                "device_category",
                "device_type",
                "OperatingSystems",
            ]),
        ),
        ("category", category),
    ];
    all.into_iter()
        .filter_map(|(kind, name)| Some((kind, name?)))
        .collect()
}

/// Figures of every segment that is large enough and holds both outcomes. `names` has the segments of
/// each example.
pub(crate) fn measure(
    scored: &Scored,
    probabilities: &[f32],
    names: &[Vec<(&'static str, String)>],
    threshold: f32,
) -> Vec<SegmentMetrics> {
    let mut places: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (place, example) in scored.example.iter().enumerate() {
        for (by, name) in names.get(*example).into_iter().flatten() {
            places.entry((by, name)).or_default().push(place);
        }
    }
    let mut found: Vec<SegmentMetrics> = Vec::new();
    for ((by, name), places) in places {
        let labels: Vec<bool> = places
            .iter()
            .filter_map(|p| scored.labels.get(*p).copied())
            .collect();
        let scores: Vec<f32> = places
            .iter()
            .filter_map(|p| probabilities.get(*p).copied())
            .collect();
        let both = labels.iter().any(|label| *label) && labels.iter().any(|label| !label);
        if labels.len() >= FEWEST && both {
            found.push(SegmentMetrics {
                by: by.to_owned(),
                name: name.to_owned(),
                metrics: Metrics::measure(&scores, &labels, threshold),
            });
        }
    }
    // Where one name holds all, the table would repeat the first line.
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for segment in &found {
        *counts.entry(segment.by.clone()).or_default() += 1;
    }
    found.retain(|segment| counts.get(&segment.by).is_some_and(|count| *count > 1));
    let order = |kind: &str| match kind {
        "visitor" => 0,
        "device" => 1,
        _ => 2,
    };
    found.sort_by(|a, b| {
        let size = b.metrics.n.cmp(&a.metrics.n);
        order(&a.by)
            .cmp(&order(&b.by))
            .then(size)
            .then(a.name.cmp(&b.name))
    });
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    found.retain(|segment| {
        let count = shown.entry(segment.by.clone()).or_default();
        *count += 1;
        *count <= MOST
    });
    found
}

/// The highest scores without an order and the lowest ones with an order.
pub(crate) fn most_wrong(
    scored: &Scored,
    examples: &[Example],
    probabilities: &[f32],
) -> Vec<Wrong> {
    let order = descending(probabilities);
    let of = |place: usize| -> Option<Wrong> {
        Some(Wrong {
            id: examples.get(*scored.example.get(place)?)?.id.clone(),
            events: scored.prefix.get(place).copied()?,
            propensity: probabilities.get(place).copied()?,
            order: scored.labels.get(place).copied()?,
        })
    };
    // One line a session: it is scored at several positions.
    let pick = |wanted: bool, places: &mut dyn Iterator<Item = usize>| {
        let mut picked: Vec<Wrong> = Vec::new();
        for wrong in places.filter_map(of).filter(|wrong| wrong.order == wanted) {
            if picked.len() == WRONG {
                break;
            }
            if !picked.iter().any(|known| known.id == wrong.id) {
                picked.push(wrong);
            }
        }
        picked
    };
    let mut all = pick(false, &mut order.iter().copied());
    all.extend(pick(true, &mut order.iter().rev().copied()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(count: usize) -> (Scored, Vec<f32>) {
        let scored = Scored {
            example: (0..count).map(|i| i / 2).collect(),
            prefix: (0..count).map(|i| 2 + i % 2).collect(),
            logits: vec![0.0; count],
            labels: (0..count).map(|i| i / 2 % 3 == 0).collect(),
        };
        let probabilities = (0..count).map(|i| i as f32 / count as f32).collect();
        (scored, probabilities)
    }

    #[test]
    fn segments_are_measured_where_they_are_large_enough_and_differ() {
        let (scored, probabilities) = scored(400);
        let names: Vec<Vec<(&str, String)>> = (0..200)
            .map(|example| {
                let visitor = if example % 4 == 0 { "new" } else { "returning" };
                let category = if example < 4 { "rare" } else { "usual" };
                vec![
                    ("visitor", visitor.to_owned()),
                    ("category", category.to_owned()),
                ]
            })
            .collect();
        let found = measure(&scored, &probabilities, &names, 0.5);
        let shown: Vec<(&str, usize)> = found
            .iter()
            .map(|s| (s.name.as_str(), s.metrics.n))
            .collect();
        // `rare` is too small, and `usual` is then alone of its kind.
        assert_eq!(shown, [("returning", 300), ("new", 100)]);
    }

    #[test]
    fn the_most_wrong_are_named_once_each() {
        let (scored, probabilities) = scored(400);
        let examples: Vec<Example> = (0..200)
            .map(|index| Example {
                id: format!("s{index}"),
                user: None,
                start: 0,
                rows: Vec::new(),
                events: 3,
                context: Vec::new(),
                label: (index % 3 == 0).into(),
            })
            .collect();
        let wrong = most_wrong(&scored, &examples, &probabilities);
        assert_eq!(wrong.len(), 2 * WRONG);
        assert_eq!((wrong[0].id.as_str(), wrong[0].order), ("s199", false));
        assert_eq!((wrong[WRONG].id.as_str(), wrong[WRONG].order), ("s0", true));
        let mut ids: Vec<&str> = wrong.iter().map(|wrong| wrong.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 2 * WRONG);
    }
}
