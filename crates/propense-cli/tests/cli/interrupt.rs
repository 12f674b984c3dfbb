//! Ctrl-C, wherever it comes: exit status 1, nothing half done taken for a result.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{command, propense, ran, shop, shop_events, words};

fn press(child: &Child) {
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.expect("kill").success());
}

#[test]
fn ctrl_c_leaves_a_checkpoint_that_can_be_resumed_and_a_usable_bundle() {
    let data = shop(400);
    let out = tempfile::tempdir().expect("scratch folder");
    let (bundle, run) = (out.path().join("m.propense"), out.path().join("run"));
    let line = "train --task in-session --data {} --out {} --epochs 500 --patience 500 --batch 32 --device cpu --checkpoint {}";
    let args = words(line, &[data.path(), &bundle, &run]);
    let mut child = command(args)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    let mut said = String::new();
    let first_epoch = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.starts_with("epoch "));
    assert!(first_epoch.is_some());
    press(&child);
    for line in lines.map_while(Result::ok) {
        said.push_str(&line);
        said.push('\n');
    }
    let status = child.wait().expect("ended");
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("--resume"), "{said}");
    propense(words("inspect {}", &[&bundle])).code(0);

    let done = said
        .lines()
        .chain(["epoch 1/"])
        .filter(|line| line.starts_with("epoch "))
        .count();
    let line = format!(
        "train --task in-session --data {{}} --out {{}} --epochs {} --patience 500 --batch 32 --device cpu --checkpoint {{}} --resume",
        done + 1
    );
    let resumed = ran(command(words(&line, &[data.path(), &bundle, &run])).output());
    resumed.code(0).says("continuing after epoch");
}

#[test]
fn ctrl_c_in_the_first_epoch_leaves_a_checkpoint_and_no_bundle() {
    let data = shop(3000);
    let out = tempfile::tempdir().expect("scratch folder");
    let (bundle, run) = (out.path().join("m.propense"), out.path().join("run"));
    let line = "train --task in-session --data {} --out {} --epochs 1 --batch 32 --device cpu --checkpoint {}";
    let paths: [&Path; 3] = [data.path(), &bundle, &run];
    let mut child = command(words(line, &paths))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    let begun = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.starts_with("training "));
    assert!(begun.is_some());
    press(&child);
    let said: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(child.wait().expect("ended").code(), Some(1), "{said:?}");
    assert!(
        said.iter().any(|line| line.contains("--resume")),
        "{said:?}"
    );
    assert!(!bundle.exists());
    propense(words(&format!("{line} --resume"), &paths)).code(0);
    propense(words("inspect {}", &[&bundle])).code(0);
}

#[test]
fn an_interrupted_eval_gives_no_figures() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("a.csv"), shop_events(400)).expect("file");
    let line = "eval --task in-session --train {} --test {} --json {} --report {} --epochs 500 --patience 500 --batch 32 --device cpu";
    let paths = [at("a.csv"), at("a.csv"), at("e.json"), at("e.html")];
    let mut child = command(words(line, &paths.each_ref().map(PathBuf::as_path)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    let first_epoch = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.starts_with("epoch "));
    assert!(first_epoch.is_some());
    press(&child);
    let said: Vec<String> = lines.map_while(Result::ok).collect();
    let ended = child.wait_with_output().expect("ended");
    assert_eq!(ended.status.code(), Some(1), "{said:?}");
    assert!(
        said.iter().any(|line| line.contains("interrupted")),
        "{said:?}"
    );
    assert!(ended.stdout.is_empty(), "a table of half a training");
    assert!(!at("e.json").exists() && !at("e.html").exists());
}

/// The exit status, once it has ended: it must not take for ever.
#[track_caller]
fn end_of(child: &mut Child) -> std::process::ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a status") {
            return status;
        }
        if begun.elapsed() > Duration::from_secs(120) {
            child.kill().expect("killed");
            panic!("Ctrl-C did not end it");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A file that is never read to its end: whoever reads it waits.
fn pipe(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo").success());
    path
}

/// Waits until somebody reads the pipe. It stays open, so that they wait for more.
fn opened_by_a_reader(pipe: PathBuf) -> std::fs::File {
    let (send, opened) = std::sync::mpsc::channel();
    // Opening blocks until there is a reader: for ever, where a command ends before it reads.
    std::thread::spawn(move || {
        let held = std::fs::OpenOptions::new().write(true).open(pipe);
        // Nobody waits any more where this took too long.
        let _ = send.send(held);
    });
    let held = opened.recv_timeout(Duration::from_secs(60));
    held.expect("a reader").expect("the pipe opens")
}

#[test]
fn ctrl_c_ends_every_command_that_has_nothing_to_keep() {
    let data = shop(60);
    let folder = tempfile::tempdir().expect("scratch folder");
    let at = |name: &str| folder.path().join(name);
    let (model, events) = (at("m.propense"), data.path());
    let train = "train --task in-session --epochs 1 --device cpu --data {} --out {}";
    propense(words(train, &[events, &model])).code(0);
    let waiting = [
        (
            "train --task in-session --device cpu --data {} --out {}",
            None,
        ),
        (
            "eval --task in-session --device cpu --train {} --test {}",
            None,
        ),
        ("evaluate --device cpu --data {} --model {}", Some(&model)),
        (
            "score --device cpu --data {} --model {} --out scores.csv",
            Some(&model),
        ),
        ("inspect {}", None),
        (
            "synth giftshop --retail {} --shoppers {} --out out",
            Some(&model),
        ),
    ];
    for (number, (line, second)) in waiting.into_iter().enumerate() {
        let input = pipe(folder.path(), &format!("{number}.fifo"));
        let out = at("out");
        let mut child = command(words(line, &[&input, second.unwrap_or(&out)]))
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let held = opened_by_a_reader(input);
        press(&child);
        let ended = end_of(&mut child);
        let mut said = String::new();
        let mut stderr = child.stderr.take().expect("stderr");
        stderr.read_to_string(&mut said).expect("text");
        assert_eq!(ended.code(), Some(1), "{line}: {said}");
        assert!(said.contains("interrupted"), "{line}: {said}");
        drop(held);
    }
}

/// The command on a terminal of its own (util-linux's `script`), and the keys to press there; none,
/// said aloud, where there is no such program.
fn on_a_terminal(args: &[String]) -> Option<Child> {
    let quoted: Vec<String> = std::iter::once(env!("CARGO_BIN_EXE_propense").to_owned())
        .chain(args.iter().cloned())
        .map(|word| format!("'{word}'"))
        .collect();
    let child = Command::new("script")
        .args([
            "-qefc",
            &format!("stty cols 100 rows 40; exec {}", quoted.join(" ")),
        ])
        .arg("/dev/null")
        .env("TERM", "xterm-256color")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    match child {
        Ok(child) => Some(child),
        Err(error) => {
            println!("skipped: `script`: {error}");
            None
        }
    }
}

/// Waits until the checkpoint holds a complete epoch.
fn wait_for_an_epoch(run: &Path) {
    let begun = Instant::now();
    let first = br#""epoch":1"#;
    loop {
        let state = std::fs::read(run.join("state.checkpoint")).unwrap_or_default();
        if state.windows(first.len()).any(|part| part == first) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "no epoch");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Trains on a terminal, presses these keys after the first epoch, and gives the exit status, what
/// was shown, and the bundle's path.
fn keys_while_training(keys: &str) -> Option<(Option<i32>, String, bool)> {
    let data = shop(400);
    let out = tempfile::tempdir().expect("scratch folder");
    let (bundle, run) = (out.path().join("m.propense"), out.path().join("run"));
    let line = "train --task in-session --data {} --out {} --epochs 5000 --patience 5000 --batch 32 --device cpu --checkpoint {}";
    let mut child = on_a_terminal(&words(line, &[data.path(), &bundle, &run]))?;
    let mut shown = child.stdout.take().expect("stdout");
    // Read all along, so that the display never waits.
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A terminal that is gone ends in an error; what was shown before it counts.
        let _ = shown.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    wait_for_an_epoch(&run);
    let mut terminal = child.stdin.take().expect("stdin");
    terminal.write_all(keys.as_bytes()).expect("keys");
    terminal.flush().expect("keys");
    let status = end_of(&mut child);
    drop(terminal);
    let shown = reader.join().expect("what was shown");
    Some((status.code(), shown, bundle.exists()))
}

#[test]
fn ctrl_c_on_the_training_display_keeps_the_best_epoch() {
    for key in ["\u{3}", "q"] {
        let Some((code, shown, written)) = keys_while_training(key) else {
            return;
        };
        assert_eq!(code, Some(1), "{shown}");
        assert!(shown.contains("\u{1b}[?1049h"), "no display: {shown}");
        assert!(shown.contains("--resume"), "{shown}");
        assert!(written);
    }
}

#[test]
fn a_second_ctrl_c_on_the_training_display_ends_at_once() {
    let Some((code, shown, written)) = keys_while_training("\u{3}\u{3}") else {
        return;
    };
    assert_eq!(code, Some(1), "{shown}");
    // The terminal is given back, and nothing more is computed.
    assert!(shown.contains("\u{1b}[?1049l"), "{shown}");
    assert!(
        shown.contains("interrupted") && !shown.contains("--resume"),
        "{shown}"
    );
    assert!(!written);
}
