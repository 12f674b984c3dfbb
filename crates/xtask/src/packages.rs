//! The distribution's packages: installed where that needs no password, otherwise named.

use anyhow::{Result, bail};

use crate::run::{command, must, on_path, output_of};

/// Installs Debian packages, or says which command would.
pub(crate) fn install(packages: &[&str], what_for: &str) -> Result<()> {
    let list = packages.join(" ");
    if on_path(&["apt-get"]).is_none() {
        bail!(
            "{what_for} is missing, and this system has no apt-get: install what corresponds to \
             Debian's `{list}` by hand"
        );
    }
    let root = output_of(command("id").arg("-u")).as_deref() == Some("0");
    let sudo = !root && output_of(command("sudo").args(["-n", "true"])).is_some();
    if !root && !sudo {
        bail!("{what_for} is missing; install it with `sudo apt-get install {list}`");
    }
    eprintln!("      {what_for} is missing: apt-get install {list}");
    let apt = |arguments: &[&str]| {
        let mut apt = if sudo {
            let mut sudo = command("sudo");
            sudo.args(["-n", "apt-get"]);
            sudo
        } else {
            command("apt-get")
        };
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        must(&mut apt)
    };
    apt(&["update", "-qq"])?;
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&arguments)
}
