//! `cargo xtask bench`: Propense and the other runtimes on the same weights and sessions, in turns,
//! in one run. Wall times of different runs say little about each other; ratios within one run do.

mod chart;
mod figures;
mod machine;
mod native;
mod phases;
mod set_up;
mod spread;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::run::{Steps, command, output_of, root, target_dir};
use crate::wasm;
use crate::{browser, python, tools};
use figures::Measured;

/// Options of `cargo xtask bench`.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cargo xtask bench --only native --quick")]
pub(crate) struct Options {
    /// Only this half: the runtimes of this machine, or those of the browser.
    #[arg(long, value_enum)]
    only: Option<Half>,
    /// Few repetitions: to see that it works, not to quote.
    #[arg(long)]
    quick: bool,
    /// Print the results as JSON instead of tables.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Half {
    /// Propense, ONNX Runtime, tract, Burn's own modules, Keras on TensorFlow.
    Native,
    /// Propense, ONNX Runtime Web and TensorFlow.js in Chromium.
    Browser,
}

/// Most that two implementations may differ in a logit.
const TOLERANCE: f64 = 1e-3;

/// Runs the comparison.
pub(crate) fn run(options: &Options) -> Result<()> {
    let half = |which| options.only.is_none_or(|only| only == which);
    let (native, in_browser) = (half(Half::Native), half(Half::Browser));
    let folder = target_dir().join("bench");
    let inputs = folder.join("inputs");
    let mut steps = Steps::new(1 + 3 * usize::from(native) + 4 * usize::from(in_browser));

    let python = steps.step(
        "Python with the native peers; the network for all of them",
        "the first time it downloads some 300 MB",
        || {
            let python = python::with_packages(&folder, set_up::REQUIREMENTS)?;
            set_up::inputs(&python, &inputs)?;
            Ok(python)
        },
    )?;
    let mut measured: Vec<Measured> = Vec::new();
    if native {
        let peer = steps.step(
            "Propense and Burn, compiled",
            "the first time about fifteen minutes on two cores, most of it compiling Burn",
            set_up::peer,
        )?;
        let tract = steps.step("tract, compiled", "the first time some minutes", || {
            set_up::tract(&folder)
        })?;
        measured.extend(steps.step("Native runtimes, in turns", "", || {
            let workers = native::Workers {
                peer: &peer,
                tract: &tract,
                python: &python,
            };
            native::measure(&workers, &inputs, &folder, options.quick)
        })?);
    }
    let mut about = Vec::new();
    if in_browser {
        let chromium = steps.step("A browser", "", browser::find)?;
        steps.step("The browser module and its peers", "", || {
            tools::web_package()?;
            set_up::node_packages()
        })?;
        steps.step(
            "Compile the model to WebAssembly, for the CPU and for WebGPU",
            "the first time about ten minutes",
            || {
                wasm::both()?;
                // The module's code names the files that are there when it is compiled.
                tools::web_package()
            },
        )?;
        let found = steps.step(
            "Runtimes in the browser, in turns",
            "some minutes: without a GPU, WebGPU is a program on the CPU",
            || in_the_browser(&chromium, &inputs, options.quick),
        )?;
        about.push(found["browser"].as_str().unwrap_or_default().to_owned());
        measured.extend(figures::of_browser(&found));
    }
    steps.summary();
    report(measured, &folder, about, options)
}

/// Runs the driver in Node.
fn in_the_browser(chromium: &Path, inputs: &Path, quick: bool) -> Result<Value> {
    let mut node = command("node");
    node.arg("benches/peers/browser.mjs")
        .arg(inputs)
        .env("PROPENSE_CHROMIUM", chromium)
        .stderr(std::process::Stdio::inherit());
    if quick {
        node.arg("--quick");
    }
    let output = node.output().context("could not start node")?;
    if !output.status.success() {
        bail!("benches/peers/browser.mjs failed ({})", output.status);
    }
    serde_json::from_slice(&output.stdout).context("what benches/peers/browser.mjs answers")
}

/// Writes and prints the results, then refuses those that do not agree.
fn report(
    measured: Vec<Measured>,
    folder: &Path,
    about: Vec<String>,
    options: &Options,
) -> Result<()> {
    let mut machine = machine::describe();
    machine.extend(about);
    if let Some(node) = output_of(command("node").arg("--version")) {
        machine.push(format!("Node.js {node}"));
    }
    let differences = figures::differences(&measured);
    let tables = tables::tables(&measured);
    let results = json!({
        "machine": machine,
        "quick": options.quick,
        "tables": tables.iter().map(tables::Table::json).collect::<Vec<_>>(),
        "start_up": measured.iter().filter(|one| !one.phases.is_empty()).map(|one| json!({
            "name": one.name, "place": one.place, "phases": phases::json(&one.phases),
        })).collect::<Vec<_>>(),
        "largest_difference": differences.iter().map(|(name, difference)| json!({
            "name": name, "difference": difference,
        })).collect::<Vec<_>>(),
    });
    let text = serde_json::to_string_pretty(&results)?;
    let mut page = format!("{}\n\n", machine.join("; "));
    for table in &tables {
        page.push_str(&table.markdown());
        page.push('\n');
    }
    let started = measured.iter().filter(|one| !one.phases.is_empty());
    for one in started {
        let (name, place) = (&one.name, &one.place);
        page.push_str(&format!(
            "- start-up of {name} ({place}), milliseconds after navigation: {}\n",
            phases::words(&one.phases)
        ));
    }
    let write = |name: &str, content: &str| -> Result<PathBuf> {
        let path = folder.join(name);
        fs::write(&path, content).with_context(|| path.display().to_string())?;
        Ok(path)
    };
    let written = [
        write("results.json", &text)?,
        write("results.md", &page)?,
        write("chart.svg", &chart::svg(&tables))?,
    ];
    println!("\n{}", if options.json { &text } else { &page });
    for path in written {
        let path = path.strip_prefix(root()).unwrap_or(&path);
        eprintln!("written: {}", path.display());
    }
    let failed: Vec<String> = differences
        .into_iter()
        // NaN must not pass for small.
        .filter(|(_, difference)| difference.is_nan() || *difference > TOLERANCE)
        .map(|(name, difference)| format!("{name} by {difference:.2e}"))
        .collect();
    if !failed.is_empty() {
        bail!(
            "the implementations do not agree within {TOLERANCE}: {}",
            failed.join(", ")
        );
    }
    Ok(())
}
