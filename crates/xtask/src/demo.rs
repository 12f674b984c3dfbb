//! `cargo xtask demo`: from a clone to the shop page in the browser.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::run::{Steps, built, command, must_see, native, root, target_dir};
use crate::serve::Server;
use crate::wasm;
use crate::{page, tools};

/// Options of `cargo xtask demo`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where to serve the page.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where to train. Each has its own model, so another one trains again.
    #[arg(long, default_value = "auto", value_parser = ["auto", "cpu", "wgpu"])]
    device: String,
    /// Use the bundle that is shipped in models/ instead of training one.
    #[arg(long)]
    no_train: bool,
    /// Train again even though neither the data nor the program has changed.
    #[arg(long)]
    retrain: bool,
    /// Build everything, serve nothing.
    #[arg(long)]
    no_serve: bool,
}

/// What the default model is trained on.
const DATA: &str = "data/giftshop/events.csv.gz";

/// Runs the demo.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps = Steps::new(6);
    let propense = steps.step(
        "Compile the command line with Burn for this machine",
        "the first time about ten minutes on two cores, then seconds",
        command_line,
    )?;
    steps.step(
        "Train the default model on the gift shop's sessions in data/giftshop",
        "a few minutes; kept until the data, the program or --device change",
        || model(options, &propense),
    )?;
    steps.step(
        "Compile the browser module in web/",
        "seconds, once its packages are installed",
        tools::web_package,
    )?;
    steps.step(
        "Compile the model to WebAssembly, for the CPU and for WebGPU",
        "the first time about five minutes",
        wasm::both,
    )?;
    let trunk = steps.step(
        "Find or install Trunk, which bundles the page",
        "the first time about four minutes",
        tools::trunk,
    )?;
    steps.step("Bundle the page", "", || page::build(&trunk))?;

    steps.summary();
    if !options.no_serve {
        let server = Server::start(&trunk, options.port)?;
        eprintln!(
            "\nThe shop is open:  {}   (Ctrl-C ends it)",
            server.address()
        );
        server.wait()?;
    }
    Ok(())
}

/// Compiles `propense` and returns its path.
fn command_line() -> Result<PathBuf> {
    let mut build = native("build");
    build.args(["--release", "--locked", "--package", "propense-cli"]);
    // Without the engine of `prepare`: the demo reads one gzip file, and is minutes sooner there.
    build.arg("--no-default-features");
    built(&mut build, "propense")
}

/// Puts the bundle that the page loads in its place: trained here, unless the shipped one is wanted.
fn model(options: &Options, propense: &Path) -> Result<()> {
    if options.no_train {
        return page::stage(&root().join(page::SHIPPED));
    }
    let folder = target_dir().join("demo");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let place = Place::new(&folder, &options.device);
    let data = root().join(DATA);
    let plan = match options.retrain {
        true => Plan::Train,
        false => place.plan(&[&data, propense]),
    };
    if plan == Plan::Keep {
        let bundle = place.bundle.display();
        eprintln!("      kept: {bundle} (--retrain trains again)");
        return page::stage(&place.bundle);
    }
    let mut train = command(propense);
    train
        .args(["train", "--task", "in-session", "--preset", "seed"])
        .args(["--name", "giftshop", "--licence", "CC-BY-4.0"])
        .args(["--device", &options.device])
        // Nobody wants to watch the last thousandth: a little patience is enough here.
        .args(["--patience", "4"])
        // The page is to load as fast as the shipped model lets it.
        .args(["--precision", "int5"])
        .arg("--data")
        .arg(&data)
        .arg("--out")
        .arg(&place.draft)
        .arg("--checkpoint")
        .arg(&place.checkpoint);
    if plan == Plan::Resume {
        eprintln!("      going on where the training was interrupted (--retrain begins anew)");
        train.arg("--resume");
    } else {
        place.forget()?;
    }
    must_see(&mut train)?;
    place.finish()?;
    page::stage(&place.bundle)
}

/// Where a trained bundle, and one that is being trained, lie.
struct Place {
    bundle: PathBuf,
    /// The training writes here: an interrupted one leaves what it has, which is no finished model.
    draft: PathBuf,
    checkpoint: PathBuf,
}

/// What to do about the model.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    Keep,
    Resume,
    Train,
}

impl Place {
    fn new(folder: &Path, device: &str) -> Self {
        let name = format!("giftshop-{device}.propense");
        Self {
            draft: folder.join(format!("{name}.part")),
            checkpoint: folder.join(format!("{name}.checkpoint")),
            bundle: folder.join(name),
        }
    }

    /// Keeps what is finished, goes on with what was interrupted, if it is newer than all that it is
    /// made from; otherwise there is only a training from the beginning.
    fn plan(&self, sources: &[&Path]) -> Plan {
        // Another file of the folder is only a half-written state.
        let state = self.checkpoint.join("state.checkpoint");
        if newer(&self.bundle, sources) {
            Plan::Keep
        } else if newer(&state, sources) {
            Plan::Resume
        } else {
            Plan::Train
        }
    }

    /// Removes what an earlier training has left half done.
    fn forget(&self) -> Result<()> {
        let gone = |result: std::io::Result<()>, path: &Path| match result {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", path.display()))
            }
            _ => Ok(()),
        };
        gone(std::fs::remove_file(&self.draft), &self.draft)?;
        gone(std::fs::remove_dir_all(&self.checkpoint), &self.checkpoint)
    }

    /// The training has come to its end: the draft is the model.
    fn finish(&self) -> Result<()> {
        std::fs::rename(&self.draft, &self.bundle)
            .with_context(|| format!("renaming {}", self.draft.display()))?;
        self.forget()
    }
}

/// Whether the product is there and newer than everything it is made from. A source that cannot be
/// looked at may have changed.
fn newer(product: &Path, sources: &[&Path]) -> bool {
    let modified = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    let Some(product) = modified(product) else {
        return false;
    };
    sources
        .iter()
        .all(|source| modified(source).is_some_and(|source| source <= product))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    use super::*;

    /// A folder of its own, and files made so many seconds after the first.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let name = format!("propense-xtask-{}-{name}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            fs::create_dir_all(&folder).expect("a scratch folder");
            Self(folder)
        }

        fn file(&self, path: &Path, seconds: u64) -> PathBuf {
            let path = self.0.join(path);
            let folder = path.parent().expect("a folder");
            fs::create_dir_all(folder).expect("a folder");
            let file = File::create(&path).expect("a file");
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds);
            file.set_modified(time).expect("a time");
            path
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_finished_model_is_kept_until_something_changes() {
        let scratch = Scratch::new("keep");
        let place = Place::new(&scratch.0, "cpu");
        let data = scratch.file(Path::new("data"), 10);
        assert_eq!(place.plan(&[&data]), Plan::Train, "there is none yet");
        scratch.file(&place.bundle, 20);
        assert_eq!(place.plan(&[&data]), Plan::Keep);
        let other = Place::new(&scratch.0, "wgpu");
        assert_eq!(other.plan(&[&data]), Plan::Train, "another device");
        let missing = scratch.0.join("missing");
        assert_eq!(place.plan(&[&data, &missing]), Plan::Train);
        scratch.file(Path::new("data"), 30);
        assert_eq!(place.plan(&[&data]), Plan::Train, "the data changed");
    }

    #[test]
    fn an_interrupted_training_is_gone_on_with_and_never_taken_for_a_finished_one() {
        let scratch = Scratch::new("resume");
        let place = Place::new(&scratch.0, "auto");
        let data = scratch.file(Path::new("data"), 10);
        scratch.file(&place.draft, 20);
        assert_eq!(
            place.plan(&[&data]),
            Plan::Train,
            "a draft alone is nothing"
        );
        let state = scratch.file(&place.checkpoint.join("state.checkpoint"), 20);
        assert_eq!(place.plan(&[&data]), Plan::Resume);
        scratch.file(&state, 5);
        assert_eq!(place.plan(&[&data]), Plan::Train, "of other data");
        place.finish().expect("a draft to finish");
        assert!(place.bundle.is_file() && !place.draft.exists() && !place.checkpoint.exists());
        place.finish().expect_err("no draft");
        place.forget().expect("nothing to forget is no failure");
    }
}
