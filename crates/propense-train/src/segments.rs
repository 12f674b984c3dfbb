//! Figures by kind of visitor, device and category, and the examples that are most wrong.

use std::collections::BTreeMap;

use propense_events::{Context, Session, Value};
use serde::{Deserialize, Serialize};

use crate::bootstrap::MeasureOptions;
use crate::draws::{ThreeIntervals, of_one};
use crate::example::{Example, Scored};
use crate::metrics::{Metrics, descending};

/// Fewest scores of a segment that is shown.
const FEWEST: usize = 50;

/// Most segments shown of one kind: the largest.
const MOST: usize = 10;

/// Most draws behind the intervals of a part: there are many parts.
const PART_DRAWS: usize = 200;

/// The column of summaries that numbers operating systems, without saying which is which.
const SYSTEMS: &str = "OperatingSystems";

/// Examples shown at each end.
const WRONG: usize = 10;

/// Figures of one segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentMetrics {
    /// What tells the segments apart: `visitor`, `device`, `category`, or the name of a column.
    pub by: String,
    /// The segment.
    pub name: String,
    /// Its figures.
    pub metrics: Metrics,
    /// 95 % intervals of its ROC-AUC, average precision and log-loss, users drawn again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<ThreeIntervals>,
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
            Some(Value::Number(number)) if *key == SYSTEMS => Some(number.to_string()),
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
            word(&["device", "device_category", "device_type"]),
        ),
        (SYSTEMS, word(&[SYSTEMS])),
        ("category", category),
    ];
    all.into_iter()
        .filter_map(|(kind, name)| Some((kind, name?)))
        .collect()
}

/// Kind and name of the segment that a user's history belongs to: whether there was an order before
/// (`next-day`), or more than one (`thirty-day`, whose users all have one).
pub(crate) fn of_history(context: &Context) -> Vec<(&'static str, String)> {
    let number = |key: &str| match context.get(key) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    };
    let name = match (number("orders"), number("orders_per_day")) {
        (Some(orders), _) if orders > 1.0 => "returning",
        (Some(_), _) => "new",
        (None, Some(orders)) if orders > 0.0 => "has ordered",
        (None, Some(_)) => "no order yet",
        (None, None) => return Vec::new(),
    };
    vec![("visitor", name.to_owned())]
}

/// Figures of every segment that is large enough and holds both outcomes. `names` has the segments of
/// each example, `owners` whose each score is. At most [`PART_DRAWS`] draws are made.
pub(crate) fn measure(
    scored: &Scored,
    probabilities: &[f32],
    names: &[Vec<(&'static str, String)>],
    threshold: f32,
    (owners, options): (&[usize], &MeasureOptions),
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
        let owners: Vec<usize> = places
            .iter()
            .filter_map(|p| owners.get(*p).copied())
            .collect();
        let both = labels.iter().any(|label| *label) && labels.iter().any(|label| !label);
        if labels.len() >= FEWEST && both {
            found.push(SegmentMetrics {
                by: by.to_owned(),
                name: name.to_owned(),
                metrics: Metrics::measure(&scores, &labels, threshold),
                intervals: of_part(&scores, &labels, &owners, options),
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
        "device" | SYSTEMS => 1,
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

/// Intervals of a part of the examples.
pub(crate) fn of_part(
    probabilities: &[f32],
    labels: &[bool],
    owners: &[usize],
    options: &MeasureOptions,
) -> Option<ThreeIntervals> {
    let options = options.of_sample(labels, owners);
    let draws = options.resamples.min(PART_DRAWS);
    of_one(probabilities, labels, owners, draws, options.seed)
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
        let owners: Vec<usize> = (0..400).map(|i| i / 2).collect();
        let options = MeasureOptions::default();
        let measure = |options| measure(&scored, &probabilities, &names, 0.5, (&owners, options));
        let found = measure(&options);
        let shown: Vec<(&str, usize)> = found
            .iter()
            .map(|s| (s.name.as_str(), s.metrics.n))
            .collect();
        // `rare` is too small, and `usual` is then alone of its kind.
        assert_eq!(shown, [("returning", 300), ("new", 100)]);
        let widths: Vec<f64> = found
            .iter()
            .map(|segment| {
                let [auc, pr_auc, _] = segment.intervals.expect("drawn");
                let (own, own_pr) = (segment.metrics.auc, segment.metrics.pr_auc);
                assert!(auc.0 < own && own < auc.1, "{auc:?} {own}");
                assert!(pr_auc.0 < own_pr && own_pr < pr_auc.1, "{pr_auc:?}");
                auc.1 - auc.0
            })
            .collect();
        // A third of the users tells less.
        assert!(widths[1] > 1.3 * widths[0], "{widths:?}");
        let none = MeasureOptions {
            resamples: 0,
            ..options
        };
        assert!(measure(&none).iter().all(|s| s.intervals.is_none()));
    }

    #[test]
    fn a_number_is_named_by_its_column_and_a_history_by_its_orders() {
        let mut session = Session::default();
        session
            .context
            .insert(SYSTEMS.to_owned(), Value::Number(2.0));
        assert_eq!(of_session(&session), [(SYSTEMS, "2".to_owned())]);
        let check = |key: &str, number: f64, name: &str| {
            let context = [(key.to_owned(), Value::Number(number))].into();
            assert_eq!(of_history(&context), [("visitor", name.to_owned())]);
        };
        check("orders", 1.0, "new");
        check("orders", 3.0, "returning");
        check("orders_per_day", 0.0, "no order yet");
        check("orders_per_day", 0.2, "has ordered");
        assert!(of_history(&Context::new()).is_empty());
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
