//! What was measured, and what is made of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::phases::{Phase, of_runs};

/// One implementation in one place.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Measured {
    pub(super) name: String,
    pub(super) version: String,
    /// `native`, `wasm` or `webgpu`.
    pub(super) place: String,
    pub(super) threads: Option<u64>,
    /// Why there are no figures.
    pub(super) failed: Option<String>,
    /// The first session's logit, by each way of scoring it alone.
    pub(super) one: Vec<f64>,
    /// The logit of every session.
    pub(super) logits: Vec<f64>,
    /// The logits of another session, that of the first score.
    pub(super) first: Vec<f64>,
    /// Microseconds by case; for `train`, sessions a second.
    pub(super) times: BTreeMap<String, Vec<f64>>,
    /// Bytes of code, as they are and compressed.
    pub(super) code: Option<(u64, u64)>,
    /// What the way to the first score is made of.
    pub(super) phases: Vec<Phase>,
}

/// The numbers of a JSON array; nothing where it is none.
pub(super) fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    // What is not a number is not left out: it must not agree with one.
    list.iter()
        .map(|n| n.as_f64().unwrap_or(f64::NAN))
        .collect()
}

/// What `browser.mjs` answers.
pub(super) fn of_browser(found: &Value) -> Vec<Measured> {
    let list = |key: &str| found[key].as_array().cloned().unwrap_or_default();
    let first = list("first");
    list("steady")
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            let same =
                |other: &&Value| ["name", "group"].iter().all(|key| other[*key] == one[*key]);
            let first = first.iter().find(same).unwrap_or(&Value::Null);
            let runs = first["runs"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let mut times: BTreeMap<String, Vec<f64>> = one["times"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(case, times)| (case.clone(), numbers(times)))
                .collect();
            let scores = runs
                .iter()
                .filter_map(|run| run["phases"]["score"].as_f64());
            let scores = scores.map(|ms| ms * 1000.0).collect();
            times.insert("first-score".into(), scores);
            Measured {
                name: text("name"),
                version: text("version"),
                place: text("group"),
                threads: one["threads"].as_u64(),
                failed: one["failed"].as_str().map(str::to_owned),
                one: [&one["one"], &one["single"]]
                    .into_iter()
                    .filter_map(Value::as_f64)
                    .collect(),
                logits: numbers(&one["logits"]),
                first: runs
                    .iter()
                    .map(|run| run["logit"].as_f64().unwrap_or(f64::NAN))
                    .collect(),
                times,
                phases: of_runs(runs),
                code: first["code"]["raw"]
                    .as_u64()
                    .zip(first["code"]["brotli"].as_u64()),
            }
        })
        .collect()
}

/// By how much each implementation's logits differ at most from those of the first.
pub(super) fn differences(measured: &[Measured]) -> Vec<(String, f64)> {
    let reference: &[f64] = measured.first().map_or(&[], |one| &one.logits);
    let visit = measured.iter().find_map(|one| one.first.first());
    let largest = |found: &mut dyn Iterator<Item = f64>| {
        found.fold(0.0_f64, |worst, next| {
            if next.is_nan() {
                f64::NAN
            } else if worst.is_nan() {
                worst
            } else {
                worst.max(next)
            }
        })
    };
    measured
        .iter()
        .filter(|one| one.failed.is_none())
        .map(|one| {
            let missing = if one.logits.len() == reference.len() {
                0.0
            } else {
                f64::NAN
            };
            let many = one.logits.iter().zip(reference).map(|(a, b)| (a - b).abs());
            let single = one.one.iter().map(|logit| {
                reference
                    .first()
                    .map_or(f64::NAN, |first| (logit - first).abs())
            });
            let first = one
                .first
                .iter()
                .map(|logit| visit.map_or(f64::NAN, |visit| (logit - visit).abs()));
            let mut all = many.chain(single).chain(first).chain([missing]);
            (format!("{} ({})", one.name, one.place), largest(&mut all))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Measured, differences, of_browser};

    fn measured(logits: &[f64], one: &[f64]) -> Measured {
        Measured {
            logits: logits.to_vec(),
            one: one.to_vec(),
            ..Measured::default()
        }
    }

    #[test]
    fn differences_are_those_from_the_first() {
        let check = |other: Measured, expected: f64| {
            let found = differences(&[measured(&[1.0, 2.0], &[1.0]), other])[1].1;
            let same = (found - expected).abs() < 1e-9 || found.is_nan() && expected.is_nan();
            assert!(same, "{found} for {expected}");
        };
        check(measured(&[1.0, 2.5], &[1.0]), 0.5);
        check(measured(&[1.0, 2.0], &[1.0, 0.75]), 0.25);
        check(measured(&[1.0], &[1.0]), f64::NAN);
        check(measured(&[f64::NAN, 9.0], &[]), f64::NAN);
        check(measured(&[1.0, f64::NAN], &[3.0]), f64::NAN);
    }

    #[test]
    fn the_browser_s_answer_is_read() {
        let found = of_browser(&json!({
            "steady": [{"name": "A", "version": "1", "group": "wasm", "threads": 1, "one": 0.5,
                "single": 0.5, "logits": [0.5, null], "times": {"one": [1, 2]}}],
            "first": [{"name": "A", "group": "wasm", "code": {"raw": 10, "brotli": 4},
                "runs": [{"logit": 0.25, "phases": {"page": 1, "score": 2.5}}]}],
        }));
        assert_eq!(found[0].one, [0.5, 0.5]);
        assert!(found[0].logits[1].is_nan());
        assert_eq!(found[0].times["first-score"], [2500.0]);
        assert_eq!(found[0].code, Some((10, 4)));
    }
}
