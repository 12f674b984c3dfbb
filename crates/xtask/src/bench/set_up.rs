//! What the comparison needs and may lack.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::run::{built, cargo, command, must, native, root};
use crate::test::APART;
use crate::tools;

const PEERS: &str = "benches/peers";
pub(super) const REQUIREMENTS: &str = "benches/peers/requirements.txt";

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
