//! Standard output and standard error that cannot be written.

#[cfg(target_os = "linux")]
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::{command, ran, shop, words};

/// A pipe whose reader has gone.
pub(super) fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

/// A disk without room.
#[cfg(target_os = "linux")]
fn full() -> Stdio {
    File::create("/dev/full").expect("/dev/full").into()
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/giftshop.propense")
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    for line in [
        "inspect {}",
        "inspect {} --json -",
        "--help",
        "inspect --help",
        "--version",
    ] {
        let model = shipped();
        let paths = [model.as_path()];
        let mut command = command(words(line, &paths));
        ran(command.stdout(full()).output())
            .code(1)
            .says("error: standard output: No space left on device");
    }
}

#[test]
fn a_reader_of_the_result_that_has_enough_is_none() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let json = folder.path().join("figures.json");
    for line in ["inspect {} --json {}", "inspect {} --json -", "--help"] {
        let model = shipped();
        let mut command = command(words(line, &[&model, &json]));
        let ran = ran(command.stdout(unread()).output()).code(0);
        assert_eq!(ran.stderr, "");
    }
    assert!(json.is_file(), "a file is written all the same");
}

#[test]
fn nobody_need_read_the_notes() {
    let data = shop(60);
    let at = |name: &str| data.path().join(name);
    let (scores, model) = (at("scores.csv"), at("m.propense"));
    let score = words(
        "score --device cpu --model {} --data {} --out {}",
        &[&shipped(), &at("events.csv"), &scores],
    );
    let train = words(
        "train --task in-session --epochs 1 --device cpu --data {} --out {}",
        &[&at("events.csv"), &model],
    );
    let wrong = words("score --model x --data y --out z.txt", &[]);
    for (args, made, code) in [
        (score, Some(&scores), 0),
        (train, Some(&model), 0),
        (wrong, None, 2),
    ] {
        ran(command(args).stderr(unread()).output()).code(code);
        assert!(made.is_none_or(|path| path.is_file()), "{made:?}");
    }
}
