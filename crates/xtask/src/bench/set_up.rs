//! What the comparison needs and may lack.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run::{built, cargo, command, must, native, output_of, root};
use crate::test::APART;
use crate::tools;

const PEERS: &str = "benches/peers";

/// A Python with the packages of `requirements.txt`, in a folder of its own.
pub(super) fn python(folder: &Path) -> Result<PathBuf> {
    let venv = folder.join("venv");
    let python = venv.join("bin/python");
    let wanted = read(&root().join(PEERS).join("requirements.txt"))?;
    let stamp = venv.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    if output_of(command("python3").args(["-c", "import venv, ensurepip"])).is_none() {
        bail!(
            "Python 3 with its venv module is missing: install it (`sudo apt-get install \
             python3-venv`), or measure the browser alone with an earlier run's inputs"
        );
    }
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    must(command("python3").args(["-m", "venv"]).arg(&venv))?;
    must(
        command(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(["--requirement", &format!("{PEERS}/requirements.txt")]),
    )
    .context(
        "the Python packages of benches/peers/requirements.txt: they have wheels for Python 3.11 \
         to 3.13 on 64-bit Linux",
    )?;
    fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())?;
    Ok(python)
}

/// The network and the sessions in every form that is needed.
pub(super) fn inputs(python: &Path, inputs: &Path) -> Result<()> {
    must(
        command(python)
            .arg(format!("{PEERS}/prepare.py"))
            .arg(inputs),
    )
}

/// Propense and Burn behind the peers' protocol.
pub(super) fn peer() -> Result<PathBuf> {
    built(
        native("build")
            // As the tests are built, so that Burn is not compiled once more.
            .args(["--release", "--locked", "--workspace"])
            .args(APART)
            .args(["--example", "peer"]),
        "peer",
    )
}

/// tract behind the same.
pub(super) fn tract(folder: &Path) -> Result<PathBuf> {
    built(
        cargo()
            .args(["build", "--release", "--locked"])
            .args(["--manifest-path", &format!("{PEERS}/tract/Cargo.toml")])
            .arg("--target-dir")
            .arg(folder.join("tract")),
        "propense-peer-tract",
    )
}

/// The browser's peers, as their lock file says.
pub(super) fn node_packages() -> Result<()> {
    let folder = root().join(PEERS);
    let modified = |path: PathBuf| path.metadata().and_then(|data| data.modified()).ok();
    let installed = modified(folder.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(folder.join("package-lock.json")) {
        return Ok(());
    }
    must(tools::npm().current_dir(&folder).args([
        "ci",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
    ]))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}
