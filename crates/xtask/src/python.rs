//! Python with packages of exact versions, in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run::{command, must, output_of, root};

/// The interpreter in `folder/venv`, with the packages of a requirements file (its path below the
/// repository). What is there already stays.
pub(crate) fn with_packages(folder: &Path, requirements: &str) -> Result<PathBuf> {
    let venv = folder.join("venv");
    let python = venv.join("bin/python");
    let path = root().join(requirements);
    let wanted = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let stamp = venv.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    if output_of(command("python3").args(["-c", "import venv, ensurepip"])).is_none() {
        bail!(
            "Python 3 with its venv module is missing: install it (`sudo apt-get install \
             python3-venv`)"
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
            .args(["--requirement", requirements]),
    )
    .with_context(|| {
        format!(
            "the Python packages of {requirements}: they have wheels for Python 3.11 to 3.13 on \
             64-bit Linux"
        )
    })?;
    fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())?;
    Ok(python)
}
