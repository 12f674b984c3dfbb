//! Running other programs, and telling the person at the terminal what is going on.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    // This crate lies in crates/xtask, and cargo sets the variable for whoever it runs.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Where the native toolchain puts its artefacts.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The steps of one task, announced as they begin and timed as they end.
pub(crate) struct Steps {
    total: usize,
    done: Vec<(String, f64)>,
}

impl Steps {
    /// A task of this many steps.
    pub(crate) const fn new(total: usize) -> Self {
        Self {
            total,
            done: Vec::new(),
        }
    }

    /// Runs one step: says what it does and how long it may take, then how long it took.
    pub(crate) fn step<T>(
        &mut self,
        title: &str,
        expectation: &str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let number = self.done.len() + 1;
        eprintln!("\n[{number}/{}] {title}", self.total);
        if !expectation.is_empty() {
            eprintln!("      {expectation}");
        }
        let begun = Instant::now();
        let outcome = work().with_context(|| format!("step {number}: {title}"))?;
        let seconds = begun.elapsed().as_secs_f64();
        eprintln!("      done in {}", spell(seconds));
        self.done.push((title.to_owned(), seconds));
        Ok(outcome)
    }

    /// Prints the table of steps and times.
    pub(crate) fn summary(&self) {
        eprintln!();
        for (title, seconds) in &self.done {
            eprintln!("  {:>10}  {title}", spell(*seconds));
        }
        let all: f64 = self.done.iter().map(|(_, seconds)| seconds).sum();
        eprintln!("  {:>10}  in all", spell(all));
    }
}

/// Seconds as a person reads them: `4.2 s`, `3 min 5 s`.
fn spell(seconds: f64) -> String {
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        let whole = seconds.round() as u64;
        format!("{} min {} s", whole / 60, whole % 60)
    }
}

/// A command in the workspace's root.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// The cargo that started this program.
pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command with its output on the terminal; an error names it where it fails.
pub(crate) fn must(command: &mut Command) -> Result<()> {
    must_see(command.stdin(Stdio::null()))
}

/// The same for a command that may listen to the keyboard.
pub(crate) fn must_see(command: &mut Command) -> Result<()> {
    let shown = spelled(command);
    let status = command
        .status()
        .with_context(|| format!("could not start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Standard output of a command, or nothing where it cannot be run or fails.
pub(crate) fn output_of(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The first of these programs that is on the PATH.
pub(crate) fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    names.iter().find_map(|name| {
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|candidate| candidate.is_file())
    })
}

fn spelled(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Steps, spell};

    #[test]
    fn times_read_like_times() {
        assert_eq!(spell(4.23), "4.2 s");
        assert_eq!(spell(185.0), "3 min 5 s");
    }

    #[test]
    fn a_failing_step_names_itself() {
        let mut steps = Steps::new(2);
        let error = steps
            .step::<()>("compile", "", || anyhow::bail!("no compiler"))
            .expect_err("the step fails");
        assert_eq!(format!("{error:#}"), "step 1: compile: no compiler");
    }
}
