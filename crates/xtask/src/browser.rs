//! The browsers that the tests drive.
//!
//! Debian has Chromium as a package. Ubuntu has only a snap, which cannot see the folders that a
//! driven browser needs, so there a person is asked for Chrome.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::packages;
use crate::run::on_path;

const VARIABLE: &str = "PROPENSE_CHROMIUM";
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

const REMEDY: &str = "install Google Chrome (https://www.google.com/chrome/), or set \
                      PROPENSE_CHROMIUM to the path of a Chromium";

/// Finds Firefox: the variable, the PATH. Nothing is installed.
pub(crate) fn firefox() -> Result<Option<PathBuf>> {
    let names: &[&str] = match on_ubuntu() {
        // A snap: see above.
        true => &["firefox-esr"],
        false => &["firefox-esr", "firefox"],
    };
    Ok(named("PROPENSE_FIREFOX")?.or_else(|| on_path(names)))
}

/// The file that this variable names.
fn named(variable: &str) -> Result<Option<PathBuf>> {
    let given = std::env::var_os(variable).filter(|path| !path.is_empty());
    let path = given.map(PathBuf::from);
    if let Some(path) = path.as_ref().filter(|path| !path.is_file()) {
        bail!("{variable} names {}, which is no file", path.display());
    }
    Ok(path)
}

/// Finds Chromium: the variable, the PATH, the distribution's package.
pub(crate) fn find() -> Result<PathBuf> {
    if let Some(path) = named(VARIABLE)? {
        return Ok(path);
    }
    if let Some(path) = on_path(&NAMES) {
        return Ok(path);
    }
    if on_ubuntu() {
        bail!("a browser for the tests is missing, and Ubuntu has no package of it: {REMEDY}");
    }
    packages::install(&["chromium"], "a browser for the tests").context(REMEDY)?;
    match on_path(&NAMES) {
        Some(path) => Ok(path),
        None => bail!("no Chromium found on the PATH: {REMEDY}"),
    }
}

fn on_ubuntu() -> bool {
    is_ubuntu(&std::fs::read_to_string("/etc/os-release").unwrap_or_default())
}

/// Whether this `os-release` is that of Ubuntu, or of a system made from it.
fn is_ubuntu(os_release: &str) -> bool {
    os_release.lines().any(|line| {
        let (key, value) = line.split_once('=').unwrap_or_default();
        let mut words = value.trim_matches('"').split_whitespace();
        matches!(key, "ID" | "ID_LIKE") && words.any(|word| word == "ubuntu")
    })
}

#[cfg(test)]
mod tests {
    use super::is_ubuntu;

    #[test]
    fn ubuntu_is_told_from_debian() {
        assert!(is_ubuntu("NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n"));
        assert!(is_ubuntu("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"));
        assert!(!is_ubuntu(
            "ID=debian\nHOME_URL=\"https://ubuntu.example/\"\n"
        ));
        assert!(!is_ubuntu(""));
    }
}
