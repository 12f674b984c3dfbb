//! `propense inspect`

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use anyhow::Context;
use propense_events::{format_timestamp, sessionise};
use propense_model::{Bundle, Calibration, CellActivation, ModelConfig};
use propense_train::{ExampleOptions, Loaded};
use serde_json::json;

use super::event_cells::cells;
use super::{Failure, Outcome, resolve, sign};
use crate::args::InspectArgs;
use crate::output::{Output, Table};

pub(crate) fn run(args: &InspectArgs) -> Outcome {
    let (table, value) = if looks_like_bundle(&args.file)? {
        let bundle = resolve::bundle(&args.file)?;
        if let Some(key) = &args.public_key {
            let place = || args.file.display().to_string();
            let bytes = std::fs::read(&args.file).with_context(place)?;
            sign::check(&bytes, key).with_context(place)?;
        }
        let value = serde_json::to_value(&bundle.manifest).context("the manifest")?;
        (bundle_table(&bundle), value)
    } else if args.public_key.is_some() {
        let needed = "--public-key: only a bundle is signed".to_owned();
        return Err(Failure::Usage(needed));
    } else if let Some(prepared) = prepared(args)? {
        prepared
    } else {
        let data = resolve::data(std::slice::from_ref(&args.file), &args.reading)?;
        events(&data, args.rows)
    };
    Output::new(&args.json).finish(&table, &value)?;
    Ok(())
}

/// A table that `prepare` wrote, which need not fit into memory.
#[cfg(feature = "engine")]
fn prepared(args: &InspectArgs) -> Outcome<Option<(Table, serde_json::Value)>> {
    super::inspect_table::look(&args.file, args.rows)
}

#[cfg(not(feature = "engine"))]
fn prepared(_: &InspectArgs) -> Outcome<Option<(Table, serde_json::Value)>> {
    Ok(None)
}

/// By the name, or by content: a safetensors file begins with the length of its header (8 bytes)
/// and the header's brace.
fn looks_like_bundle(path: &Path) -> anyhow::Result<bool> {
    if path.extension().is_some_and(|ending| ending == "propense") {
        return Ok(true);
    }
    if path.is_dir() {
        return Ok(false);
    }
    let mut start = Vec::new();
    let place = || path.display().to_string();
    let file = std::fs::File::open(path).with_context(place)?;
    file.take(9).read_to_end(&mut start).with_context(place)?;
    Ok(start.get(8) == Some(&b'{') && start.get(6..8) == Some(&[0, 0]))
}

fn bundle_table(bundle: &Bundle) -> Table {
    let manifest = &bundle.manifest;
    let mut table = Table::new();
    table.block(format!("bundle {}", manifest.version()));
    let mut line = |name: &str, value: String| table.row([name.to_owned(), value]);
    line("task", manifest.task.clone());
    line("format version", manifest.format_version.to_string());
    line("made", manifest.created_at.clone());
    line("licence", manifest.licence.clone());
    line("network", network(&manifest.model));
    if let Some(lineage) = &manifest.lineage {
        let parent: String = lineage.parent.chars().take(12).collect();
        line(
            "lineage",
            format!("update {}, goes on from {parent}", lineage.generation),
        );
    }
    line("calibration", calibration(&manifest.calibration));
    line("threshold", format!("{:.4}", manifest.threshold));
    line(
        "data",
        format!(
            "{}: {} rows, {} sessions, base rate {:.4}, {} to {}",
            manifest.data.name,
            manifest.data.rows,
            manifest.data.sessions,
            manifest.data.base_rate,
            format_timestamp(manifest.data.from_ms),
            format_timestamp(manifest.data.to_ms)
        ),
    );
    if let Some(catalogue) = &manifest.catalogue {
        line(
            "catalogue",
            format!("{}, sha256 {}", catalogue.file, catalogue.sha256),
        );
    }
    line("data sha256", manifest.data.sha256.clone());
    line("bundle sha256", manifest.sha256.clone());
    let signature = manifest.signature.as_deref();
    line("signature", signature.unwrap_or("none").to_owned());
    line("event features", manifest.features.row_names().join(", "));
    line(
        "context features",
        manifest.features.context_names().join(", "),
    );

    table.block("weights");
    for weight in &bundle.weights {
        table.row([weight.name.clone(), format!("{:?}", weight.shape)]);
    }
    let parts = manifest
        .metrics
        .get("parts")
        .and_then(|parts| parts.as_array());
    if let Some(parts) = parts {
        table.block("metrics");
        table.row(["part", "measured", "ROC-AUC", "PR-AUC", "F1", "log-loss"]);
        for part in parts {
            let text = |name: &str| part.get(name).and_then(|v| v.as_str()).unwrap_or("");
            let number = |name: &str| {
                let value = part.get("metrics").and_then(|metrics| metrics.get(name));
                value
                    .and_then(serde_json::Value::as_f64)
                    .map_or(String::new(), |v| format!("{v:.4}"))
            };
            table.row([
                text("part").to_owned(),
                text("position").to_owned(),
                number("auc"),
                number("pr_auc"),
                number("f1"),
                number("log_loss"),
            ]);
        }
    }
    table
}

/// Sizes in words. Beside an ensemble the recurrent path may be no more than its least size, and silent.
fn network(model: &ModelConfig) -> String {
    let reads = format!("{} features, {} context", model.features, model.context);
    let parameters = model.parameters();
    let activation = match model.activation {
        CellActivation::Tanh => "tanh",
        CellActivation::Relu => "relu",
    };
    let path = format!(
        "{} filters, {} hidden ({activation})",
        model.filters, model.hidden
    );
    match &model.ensemble {
        Some(ensemble) => {
            let beside = match model.hidden {
                1 => String::new(),
                _ => format!(" beside {path}"),
            };
            format!(
                "{reads}, an ensemble of {} networks of {} hidden{beside}, {parameters} parameters",
                ensemble.members, ensemble.hidden
            )
        }
        None => format!("{reads}, {path}, {parameters} parameters"),
    }
}

/// From logit to probability, in words.
fn calibration(curve: &Calibration) -> String {
    match curve {
        Calibration::Identity => "none: the logistic function of the logit".to_owned(),
        Calibration::Temperature { temperature } => format!("temperature {temperature:.4}"),
        Calibration::Platt { a, b } => format!("Platt, {a:.4} · logit {b:+.4}"),
        Calibration::Isotonic { x, .. } => format!("isotonic, {} points", x.len()),
    }
}

fn events(data: &Loaded, shown: usize) -> (Table, serde_json::Value) {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &data.events {
        *kinds.entry(event.kind.name()).or_default() += 1;
    }
    let sessions = if data.events.is_empty() {
        data.sessions.clone()
    } else {
        sessionise(data.events.clone(), ExampleOptions::default().gap_ms).0
    };
    let orders = sessions
        .iter()
        .filter(|session| session.converted())
        .count();
    let times = data.events.iter().map(|event| event.timestamp);
    let (from, to) = (times.clone().min(), times.max());

    let mut table = Table::new();
    table.block(format!("{} ({} rows)", data.places(), data.rows()));
    table.row(["events".to_owned(), data.events.len().to_string()]);
    table.row(["sessions".to_owned(), sessions.len().to_string()]);
    table.row(["sessions with an order".to_owned(), orders.to_string()]);
    if let (Some(from), Some(to)) = (from, to) {
        table.row(["from".to_owned(), format_timestamp(from)]);
        table.row(["to".to_owned(), format_timestamp(to)]);
    }
    for (kind, count) in &kinds {
        table.row([(*kind).to_owned(), count.to_string()]);
    }
    if !data.events.is_empty() && shown > 0 {
        table.block("first events");
        table.row(["time", "event", "user", "session", "items", "value"]);
        for event in data.events.iter().take(shown) {
            table.row(cells(event));
        }
    } else if shown > 0 {
        table.block("first sessions");
        for session in sessions.iter().take(shown) {
            let context = serde_json::to_string(&session.context).unwrap_or_default();
            table.row([session.id.clone(), context]);
        }
    }
    let problems: Vec<_> = data.files.iter().flat_map(|file| &file.problems).collect();
    if !problems.is_empty() && shown > 0 {
        table.block(format!("problems: {} in all, the first", problems.len()));
        for problem in problems.iter().take(shown) {
            table.row([problem.to_string()]);
        }
    }
    let value = json!({
        "rows": data.rows(),
        "events": data.events.len(),
        "sessions": sessions.len(),
        "orders": orders,
        "kinds": kinds,
        "from_ms": from,
        "to_ms": to,
        "problems": problems.len(),
        "head": data.events.iter().take(shown).collect::<Vec<_>>(),
    });
    (table, value)
}
