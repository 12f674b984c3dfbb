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

/// The same for something that compiles for this machine. Its artefacts go into [`target_dir`],
/// whatever the person's own configuration says, so that nothing is compiled a second time.
pub(crate) fn native(task: &str) -> Command {
    let mut cargo = cargo();
    cargo.arg(task).arg("--target-dir").arg(target_dir());
    cargo
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

/// Runs a build of one program and says where cargo has put it: the person's own configuration may
/// name another target, and with it another folder.
pub(crate) fn built(build: &mut Command, program: &str) -> Result<PathBuf> {
    build
        .arg("--message-format=json-render-diagnostics")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let shown = spelled(build);
    let output = build
        .output()
        .with_context(|| format!("could not start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({})", output.status);
    }
    executable(&String::from_utf8_lossy(&output.stdout), program)
        .with_context(|| format!("`{shown}` does not say where it has put `{program}`"))
}

/// The path of a program in cargo's messages, one JSON object a line.
fn executable(messages: &str, program: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == program)
        .find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
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
    use std::path::Path;

    use super::{Steps, executable, native, spell, target_dir};

    #[test]
    fn a_program_is_found_in_what_cargo_says() {
        let messages = concat!(
            "not JSON\n",
            r#"{"reason":"compiler-artifact","target":{"name":"other"},"executable":"/t/other"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"propense"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"propense"},"executable":"/t/x86/release/propense"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        let found = executable(messages, "propense");
        assert_eq!(found.as_deref(), Some(Path::new("/t/x86/release/propense")));
        assert_eq!(executable(messages, "xtask"), None);
    }

    #[test]
    fn native_builds_say_where_their_artefacts_go() {
        let cargo = native("build");
        let given: Vec<_> = cargo.get_args().map(Path::new).collect();
        assert_eq!(given[..2], ["build", "--target-dir"].map(Path::new));
        assert_eq!(given[2], target_dir());
    }

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
