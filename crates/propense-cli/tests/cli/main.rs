//! The real binary, as a person would run it: what it writes, what it says, how it ends.

mod apps;
mod bad_input;
mod catalogue;
mod compare;
mod flow;
mod gpu;
mod history;
#[cfg(unix)]
mod interrupt;
mod learn;
mod next_item;
#[cfg(feature = "engine")]
mod prepare;
mod protocol;
mod protocol_small;
mod python;
mod recommend;
#[cfg(all(feature = "serve", unix))]
mod serve;
mod sign;
mod tune;
#[cfg(unix)]
mod writing;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a run printed and how it ended.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    /// Ended with this status.
    #[track_caller]
    fn code(self, expected: i32) -> Self {
        assert_eq!(
            self.code,
            Some(expected),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Said this on standard error, and nothing of a panic.
    #[track_caller]
    fn says(self, part: &str) -> Self {
        assert!(
            self.stderr.contains(part),
            "`{part}` is missing in:\n{}",
            self.stderr
        );
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }
}

/// Runs `propense` with these arguments.
fn propense<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Ran {
    ran(command(args).output())
}

fn command<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_propense"));
    command.args(args);
    command
}

fn ran(output: std::io::Result<Output>) -> Ran {
    let output = output.expect("the binary runs");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Arguments from a line of words; `{}` is replaced by the paths in turn.
fn words(line: &str, paths: &[&Path]) -> Vec<String> {
    let mut paths = paths.iter();
    line.split_whitespace()
        .map(|word| match word {
            "{}" => paths
                .next()
                .expect("a path for each {}")
                .display()
                .to_string(),
            word => word.to_owned(),
        })
        .collect()
}

/// A folder of the development data, or none with a message where it is not there.
fn development_data(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!(
        "skipped: the data set {name} is not at {}",
        folder.display()
    );
    None
}

/// A small shop's events in the project's own format. Sessions in which something is put into
/// the cart mostly end in an order; `users` have one session each, an hour apart.
fn shop_events(users: usize) -> String {
    let mut text = String::from(
        "timestamp,event,user_id,session_id,item_id,item_name,item_category,price,quantity,page_type,value,context,event_no\n",
    );
    let start = 1_600_000_000_000_i64;
    let mut number = 0;
    for user in 0..users {
        let begin = start + user as i64 * 3_600_000;
        let keen = user % 3 == 0;
        let views = 2 + user % 5;
        let mut line = |second: i64, event: &str, item: usize, text: &mut String| {
            number += 1;
            let time = begin + second * 1000;
            writeln!(
                text,
                "{time},{event},u{user},s{user},i{item},thing,c{},{}.5,1,product,,,{number}",
                item % 3,
                1 + item % 7
            )
            .expect("writing to a string");
        };
        for view in 0..views {
            line(
                20 * view as i64,
                "view_item",
                (user * 5 + view * 3) % 17,
                &mut text,
            );
            if keen && view == 1 {
                line(
                    20 * view as i64 + 5,
                    "add_to_cart",
                    (user * 5) % 17,
                    &mut text,
                );
            }
        }
        if keen && user % 12 != 0 || user % 29 == 1 {
            line(400, "purchase", (user * 5) % 17, &mut text);
        }
    }
    text
}

/// A folder with `shop_events` in it.
fn shop(users: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("scratch folder");
    std::fs::write(folder.path().join("events.csv"), shop_events(users)).expect("events");
    folder
}
