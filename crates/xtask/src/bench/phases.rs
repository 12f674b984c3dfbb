//! What the way to the first score is made of.

use serde_json::{Value, json};

use super::spread::spread;

/// One phase: its name, and when it begins and ends, in milliseconds after navigation (medians of
/// the runs).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Phase {
    name: String,
    from: f64,
    to: f64,
}

/// The phases in the order in which they begin. `runs` is what `page/first.js` tells of each run.
pub(super) fn of_runs(runs: &[Value]) -> Vec<Phase> {
    let middle = |times: Vec<f64>| spread(&times).map(|spread| spread.median);
    let at = |name: &str| {
        let times = runs.iter().filter_map(|run| run["phases"][name].as_f64());
        middle(times.collect())
    };
    let mut phases = Vec::new();
    let mut from = 0.0;
    for (name, mark) in [
        ("the page and its scripts", "page"),
        ("runtime and model ready", "loaded"),
        ("the visit scored", "score"),
    ] {
        let Some(to) = at(mark) else { continue };
        let name = name.to_owned();
        phases.push(Phase { name, from, to });
        from = to;
    }
    // Propense's own, which overlap: the weights come while the code does.
    let measures = |run: &Value| run["measures"].as_array().cloned().unwrap_or_default();
    let first = runs.first().map(measures).unwrap_or_default();
    let mut names: Vec<&str> = Vec::new();
    for name in first.iter().filter_map(|measure| measure[0].as_str()) {
        // Two modules, and each has a glue and code: a phase lasts from the one to the other.
        if names.contains(&name) {
            continue;
        }
        names.push(name);
        let ends = |end: usize| {
            let all = runs.iter().flat_map(measures);
            let times = all
                .filter(|measure| measure[0] == name)
                .filter_map(|measure| measure[end].as_f64());
            middle(times.collect())
        };
        if let Some((from, to)) = ends(1).zip(ends(2)) {
            let name = name.to_owned();
            phases.push(Phase { name, from, to });
        }
    }
    phases.sort_by(|a, b| a.from.total_cmp(&b.from));
    phases
}

/// A line of Markdown: each phase with its beginning and end.
pub(super) fn words(phases: &[Phase]) -> String {
    let each = phases
        .iter()
        .map(|Phase { name, from, to }| format!("{name} {from:.0}–{to:.0}"));
    each.collect::<Vec<_>>().join(", ")
}

/// As JSON.
pub(super) fn json(phases: &[Phase]) -> Value {
    let each = phases
        .iter()
        .map(|Phase { name, from, to }| json!({ "name": name, "from_ms": from, "to_ms": to }));
    each.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{of_runs, words};

    #[test]
    fn phases_are_medians_in_order() {
        let run = |page: f64| {
            json!({"phases": {"page": page, "loaded": 50, "score": 60},
                   "measures": [["propense: weights", 12, 30], ["propense: code", 11, 40]]})
        };
        let phases = of_runs(&[run(9.0), run(10.0), run(30.0)]);
        assert_eq!(
            words(&phases),
            "the page and its scripts 0–10, runtime and model ready 10–50, propense: code 11–40, \
             propense: weights 12–30, the visit scored 50–60"
        );
    }
}
