//! Trunk and the Node packages.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::run::{cargo, command, must, on_path, output_of, root};

/// 0.22 needs a newer Rust than Burn does.
const TRUNK: &str = "0.21.14";
const NODE: u32 = 20;

/// Finds Trunk in this version, or installs it.
pub(crate) fn trunk() -> Result<PathBuf> {
    let folder = tools_dir().join(format!("trunk-{TRUNK}"));
    let installed = folder.join("bin").join("trunk");
    for candidate in on_path(&["trunk"]).into_iter().chain([installed.clone()]) {
        let found = output_of(command(&candidate).arg("--version"));
        if found.is_some_and(|text| text.split_whitespace().nth(1) == Some(TRUNK)) {
            return Ok(candidate);
        }
    }
    must(
        cargo()
            .args([
                "install",
                "trunk",
                "--version",
                TRUNK,
                "--locked",
                "--force",
            ])
            .args(["--no-default-features", "--features", "rustls", "--root"])
            .arg(&folder)
            // Trunk copies a handful of files here: compile it quickly rather than well.
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env_remove("CARGO_TARGET_DIR"),
    )?;
    Ok(installed)
}

/// Tools outlive a checkout, since they take minutes to compile.
fn tools_dir() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    cache
        .map_or_else(|| root().join("target"), |cache| cache.join("propense"))
        .join("tools")
}

/// Installs the packages of `web/` as its lock file says, and compiles its TypeScript.
pub(crate) fn web_package() -> Result<()> {
    let version = output_of(command("node").arg("--version")).and_then(|text| {
        text.trim_start_matches('v')
            .split('.')
            .next()?
            .parse::<u32>()
            .ok()
    });
    match version {
        Some(found) if found >= NODE => {}
        Some(found) => {
            bail!("Node.js {found} is too old: {NODE} or newer is needed (https://nodejs.org)")
        }
        None => bail!("Node.js is missing: install version {NODE} or newer (https://nodejs.org)"),
    }
    // Debian's and Ubuntu's `nodejs` comes without it.
    if output_of(command("npm").arg("--version")).is_none() {
        bail!(
            "npm is missing: install it beside Node.js (`sudo apt-get install npm`, or a Node.js \
             from https://nodejs.org, which has it)"
        );
    }
    let web = root().join("web");
    // npm writes this file at the end of an installation.
    let modified = |path: PathBuf| path.metadata().and_then(|data| data.modified()).ok();
    let installed = modified(web.join("node_modules/.package-lock.json"));
    if installed.is_none() || installed < modified(web.join("package-lock.json")) {
        must(npm().args(["ci", "--no-audit", "--no-fund"]))?;
    }
    must(npm().args(["run", "--silent", "build"]))
}

/// npm in the folder of the web package.
pub(crate) fn npm() -> std::process::Command {
    let mut npm = command("npm");
    npm.current_dir(root().join("web"));
    npm
}
