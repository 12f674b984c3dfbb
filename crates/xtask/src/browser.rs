//! The browser that the tests drive.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::packages;
use crate::run::on_path;

const VARIABLE: &str = "PROPENSE_CHROMIUM";
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Finds Chromium: the variable, the PATH, the distribution's package.
pub(crate) fn find() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        if !path.is_file() {
            bail!("{VARIABLE} names {}, which is no file", path.display());
        }
        return Ok(path);
    }
    if let Some(path) = on_path(&NAMES) {
        return Ok(path);
    }
    packages::install(&["chromium"], "a browser for the tests")?;
    match on_path(&NAMES) {
        Some(path) => Ok(path),
        None => bail!("no Chromium found; set {VARIABLE} to its path"),
    }
}
