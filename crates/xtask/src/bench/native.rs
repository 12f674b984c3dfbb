//! The native implementations: one process each, asked in turns. A process says hello with its
//! logits, then answers every line of its input, the name of a case, with a list of times.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use super::figures::{Measured, numbers};
use crate::run::command;

/// The programs.
pub(super) struct Workers<'a> {
    pub(super) peer: &'a Path,
    pub(super) tract: &'a Path,
    pub(super) python: &'a Path,
}

const ROUNDS: usize = 20;
const QUICK_ROUNDS: usize = 2;

/// Rounds of all cases of all implementations.
pub(super) fn measure(
    workers: &Workers<'_>,
    inputs: &Path,
    folder: &Path,
    quick: bool,
) -> Result<Vec<Measured>> {
    let script = |name: &str| vec![format!("benches/peers/{name}.py")];
    let mut running = Vec::new();
    for (name, program, arguments) in [
        ("propense", workers.peer, vec!["propense".to_owned()]),
        ("burn", workers.peer, vec!["burn".to_owned()]),
        ("onnx_runtime", workers.python, script("onnx_runtime")),
        ("tract", workers.tract, Vec::new()),
        (
            "keras_tensorflow",
            workers.python,
            script("keras_tensorflow"),
        ),
    ] {
        let log = folder.join(format!("{name}.log"));
        running.push(Worker::start(program, &arguments, inputs, log)?);
    }
    for round in 0..=if quick { QUICK_ROUNDS } else { ROUNDS } {
        for worker in &mut running {
            for case in worker.cases.clone() {
                let times = worker.ask(&case)?;
                // The first round warms up.
                if round > 0 {
                    worker.measured.times.entry(case).or_default().extend(times);
                }
            }
        }
    }
    Ok(running.into_iter().map(Worker::end).collect())
}

struct Worker {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Where its other words go.
    log: PathBuf,
    cases: Vec<String>,
    measured: Measured,
}

impl Worker {
    fn start(program: &Path, arguments: &[String], inputs: &Path, log: PathBuf) -> Result<Self> {
        let shown = log.display().to_string();
        let mut child = command(program)
            .args(arguments)
            .arg(inputs)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).context(shown)?)
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (questions, answers) = pipes.context("a process without pipes")?;
        let mut worker = Self {
            child,
            questions,
            answers: BufReader::new(answers),
            log,
            cases: Vec::new(),
            measured: Measured::default(),
        };
        let hello = worker.answer()?;
        let text = |key: &str| hello[key].as_str().unwrap_or_default().to_owned();
        worker.cases = hello["cases"]
            .as_array()
            .map(|cases| {
                cases
                    .iter()
                    .filter_map(|case| Some(case.as_str()?.to_owned()))
            })
            .map(Iterator::collect)
            .unwrap_or_default();
        worker.measured = Measured {
            name: text("name"),
            version: text("version"),
            place: "native".into(),
            threads: hello["threads"].as_u64(),
            one: hello["one"].as_f64().into_iter().collect(),
            logits: numbers(&hello["logits"]),
            ..Measured::default()
        };
        Ok(worker)
    }

    fn ask(&mut self, case: &str) -> Result<Vec<f64>> {
        writeln!(self.questions, "{case}")?;
        self.questions.flush()?;
        Ok(numbers(&self.answer()?["times"]))
    }

    fn answer(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        serde_json::from_str(&line).map_err(|_| {
            let words = std::fs::read_to_string(&self.log).unwrap_or_default();
            let last = words.lines().last().unwrap_or("it said nothing").to_owned();
            anyhow!(
                "an implementation has ended: {last} ({})",
                self.log.display()
            )
        })
    }

    fn end(self) -> Measured {
        let Self {
            mut child,
            questions,
            measured,
            ..
        } = self;
        // The end of its input is its end.
        drop(questions);
        let _ = child.wait();
        measured
    }
}
