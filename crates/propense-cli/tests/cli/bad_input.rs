//! Whatever is handed in: a clear message that names the file and the remedy, the right exit
//! status, no panic.

use std::path::{Path, PathBuf};

use super::{command, propense, ran, shop, shop_events, words};

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("file");
    path
}

const TRAIN: &str = "train --task in-session --epochs 1 --device cpu --data {} --out {}";

#[test]
fn data_that_cannot_be_read() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let out = folder.path().join("m.propense");
    let check = |path: &Path, part: &str| {
        let name = path
            .file_name()
            .expect("name")
            .to_string_lossy()
            .into_owned();
        propense(words(TRAIN, &[path, &out]))
            .code(1)
            .says(part)
            .says(&name);
        assert!(!out.exists());
    };
    check(&folder.path().join("nowhere.csv"), "No such file");
    check(&write(folder.path(), "empty.csv", ""), "empty");
    let noise: Vec<u8> = (0..4000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    check(&write(folder.path(), "noise.bin", noise), "not recognised");
    check(
        &write(folder.path(), "columns.csv", "a,b,c\n1,2,3\n"),
        "not recognised",
    );
    check(
        &write(folder.path(), "half.csv", "InvoiceNo,Description\n1,x\n"),
        "column",
    );
    check(
        &write(folder.path(), "cut.csv.gz", [0x1f, 0x8b, 8, 0, 1, 2]),
        "",
    );
    let empty = folder.path().join("empty-folder");
    std::fs::create_dir(&empty).expect("folder");
    check(&empty, "no data file");
}

#[cfg(unix)]
#[test]
fn a_file_without_permission() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("scratch folder");
    let file = write(folder.path(), "secret.csv", shop_events(5));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).expect("permissions");
    if std::fs::read(&file).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    let out = folder.path().join("m.propense");
    propense(words(TRAIN, &[&file, &out]))
        .code(1)
        .says("secret.csv")
        .says("ermission");
}

#[test]
fn data_that_does_not_suit_the_task() {
    let folder = tempfile::tempdir().expect("scratch folder");
    let out = folder.path().join("m.propense");
    let data = shop(60);
    let line = TRAIN.replace("in-session", "shoppers");
    propense(words(&line, &[data.path(), &out]))
        .code(1)
        .says("session summaries");
    let views: String = shop_events(60)
        .lines()
        .filter(|line| !line.contains("purchase"))
        .fold(String::new(), |text, line| text + line + "\n");
    let views = write(folder.path(), "views.csv", views);
    propense(words(TRAIN, &[&views, &out]))
        .code(1)
        .says("no order");
}

#[test]
fn wrong_use_is_exit_status_2_with_the_choices() {
    let data = shop(5);
    let out = data.path().join("m.propense");
    let check = |line: &str, part: &str| {
        propense(words(line, &[data.path(), &out]))
            .code(2)
            .says(part);
    };
    check("train --task guessing --data {} --out {}", "in-session");
    check(
        "train --task next-item --data {} --out {}",
        "`propense eval` alone",
    );
    check(
        "train --task in-session --device tpu --data {} --out {}",
        "wgpu",
    );
    check(
        "train --task in-session --preset big --data {} --out {}",
        "seed",
    );
    check(
        "train --task in-session --batch 0 --device cpu --data {} --out {}",
        "--batch",
    );
    check(
        "train --task in-session --batch 18446744073709551615 --device cpu --data {} --out {}",
        "--batch",
    );
    check(
        "train --task in-session --max-events 1000000 --device cpu --data {} --out {}",
        "--max-events",
    );
    check(
        "train --task in-session --learning-rate=-1 --device cpu --data {} --out {}",
        "learning-rate",
    );
    check(
        "train --task in-session --format xml --data {} --out {}",
        "unknown format",
    );
    check(
        "eval --task in-session --resume --train {} --test {}",
        "--checkpoint",
    );
    for option in [
        "--activation tanh",
        "--clip 5",
        "--filters 8",
        "--checkpoint run",
        "--resume",
    ] {
        let name = option.split(' ').next().expect("a name");
        for line in [
            "eval --task in-session --train {} --test {}",
            "train --task in-session --preset base --data {} --out {}",
        ] {
            let said = format!("error: {name}: ");
            check(&format!("{line} {option}"), &said);
            check(&format!("{line} {option}"), "--preset seed");
        }
    }
    check("score --model x.propense --data {} --out {}", ".jsonl");
    propense(["train"]).code(2);
    propense(["levitate"]).code(2);
    propense(Vec::<String>::new()).code(2);
}

#[test]
fn no_cuda_and_no_gpu_are_said_in_words() {
    let data = shop(60);
    let out = data.path().join("m.propense");
    let line = TRAIN.replace("cpu", "cuda");
    propense(words(&line, &[data.path(), &out]))
        .code(1)
        .says("no CUDA support")
        .says("wgpu");
    let without_driver = |device: &str| {
        let line = TRAIN.replace("cpu", device);
        let mut command = command(words(&line, &[data.path(), &out]));
        // No Vulkan driver, and no OpenGL to fall back on.
        command
            .env("VK_DRIVER_FILES", "/nonexistent.json")
            .env("VK_ICD_FILENAMES", "/nonexistent.json")
            .env("WGPU_BACKEND", "vulkan")
            .env("__EGL_VENDOR_LIBRARY_FILENAMES", "/nonexistent.json");
        ran(command.output())
    };
    if cfg!(target_os = "linux") {
        without_driver("wgpu")
            .code(1)
            .says("no usable GPU")
            .says("--device cpu");
        without_driver("auto").code(0).says("device: cpu (auto");
    }
}

#[test]
fn broken_bundles() {
    let data = shop(80);
    let folder = tempfile::tempdir().expect("scratch folder");
    let good = folder.path().join("good.propense");
    propense(words(TRAIN, &[data.path(), &good])).code(0);
    let bytes = std::fs::read(&good).expect("bundle");
    let check = |name: &str, bytes: &[u8], part: &str| {
        let path = write(folder.path(), name, bytes);
        let evaluate = words(
            "evaluate --device cpu --model {} --data {}",
            &[&path, data.path()],
        );
        propense(evaluate).code(1).says(part).says(name);
        propense(words("inspect {}", &[&path])).code(1).says(part);
    };
    check("cut.propense", &bytes[..bytes.len() / 2], "cut short");
    check("empty.propense", b"", "not a Propense bundle");
    check(
        "text.propense",
        b"timestamp,event\n1,2\n",
        "not a Propense bundle",
    );
    let mut flipped = bytes.clone();
    let last = flipped.len() - 100;
    flipped[last] ^= 0x10;
    check("flipped.propense", &flipped, "damaged");
    let text = br#"\"format_version\":1"#;
    let place = bytes
        .windows(text.len())
        .position(|part| part == text)
        .expect("a version");
    let mut newer = bytes;
    newer[place + text.len() - 1] = b'9';
    check("newer.propense", &newer, "version 9");
}

#[test]
fn bundles_of_other_tasks() {
    let data = shop(80);
    let folder = tempfile::tempdir().expect("scratch folder");
    let good = folder.path().join("good.propense");
    propense(words(TRAIN, &[data.path(), &good])).code(0);
    let as_task = |task: &str| {
        let mut bundle = propense_model::Bundle::from_bytes(&std::fs::read(&good).expect("bundle"))
            .expect("a sound bundle");
        bundle.manifest.task = task.to_owned();
        let bytes = bundle.to_bytes(propense_model::Precision::F32);
        let name = format!("{task}.propense");
        write(folder.path(), &name, bytes.expect("bytes"))
    };
    let later = as_task("mind-reading");
    let scores = folder.path().join("scores.csv");
    for line in [
        "evaluate --device cpu --model {} --data {}",
        "score --device cpu --model {} --data {} --out {}",
    ] {
        // The file is at fault, not the command.
        propense(words(line, &[&later, data.path(), &scores]))
            .code(1)
            .says("mind-reading.propense")
            .says("unknown task")
            .says("in-session");
    }
    propense(words("inspect {}", &[&later])).code(0);
    let daily = as_task("next-day");
    let line = "score --device cpu --model {} --data {} --out {} --after 3";
    propense(words(line, &[&daily, data.path(), &scores]))
        .code(2)
        .says("--after")
        .says("next-day");
    assert!(!scores.exists());
}

#[test]
fn checkpoints_that_do_not_belong_or_are_broken() {
    let data = shop(80);
    let folder = tempfile::tempdir().expect("scratch folder");
    let (out, run) = (folder.path().join("m.propense"), folder.path().join("run"));
    let line = format!("{TRAIN} --checkpoint {{}}");
    let paths: [&Path; 3] = [data.path(), &out, &run];
    propense(words(&line, &paths)).code(0);
    let other = format!("{line} --resume --seed 7");
    propense(words(&other, &paths))
        .code(1)
        .says("--seed")
        .says("(1, now 7)");
    // The same file read by another mapping is other data.
    let events = data.path().join("events.csv");
    let mapped = |name: &str, order: &str| {
        let mapping = format!(
            r#"{{"columns": {{"timestamp": "timestamp", "event": "event", "user_id": "user_id", "session_id": "session_id", "item_id": "item_id"}},
                "events": {{"{order}": "purchase"}}}}"#
        );
        write(folder.path(), name, mapping)
    };
    let (one, two) = (mapped("one.json", "buy"), mapped("two.json", "add_to_cart"));
    let mapped_run = folder.path().join("mapped");
    let line_mapped = format!("{line} --format csv --mapping {{}}");
    let by = |mapping| [events.as_path(), &out, &mapped_run, mapping];
    propense(words(&line_mapped, &by(&one))).code(0);
    let resume = format!("{line_mapped} --resume");
    propense(words(&resume, &by(&two)))
        .code(1)
        .says("--mapping");
    propense(words(&resume, &by(&one))).code(0);
    let file = std::fs::read_dir(&run)
        .expect("folder")
        .next()
        .expect("a file")
        .expect("a file")
        .path();
    let mut bytes = std::fs::read(&file).expect("checkpoint");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).expect("checkpoint");
    let again = format!("{line} --resume");
    propense(words(&again, &paths)).code(1).says("damaged");
    // Without a folder's name it lies beside the bundle.
    let beside = folder.path().join("m.propense.checkpoint");
    assert!(!beside.exists());
    let nameless = format!("{TRAIN} --resume");
    propense(words(&nameless, &paths[..2]))
        .code(1)
        .says("no checkpoint")
        .says("m.propense.checkpoint");
    propense(words(TRAIN, &paths[..2])).code(0);
    propense(words(&nameless, &paths[..2])).code(0);

    std::fs::remove_file(&file).expect("removed");
    propense(words(&again, &paths))
        .code(1)
        .says("no checkpoint");
}
