//! Which compiler builds the WebAssembly modules.
//!
//! In this order: a rustup toolchain that has the target, `rustup target add`, Debian's packaged
//! compiler with the standard library built from its source. `PROPENSE_WASM_TOOLCHAIN` set to
//! `rustup` or `distribution` takes that one and no other.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::packages;
use crate::run::{command, must, on_path, output_of, root, target_dir};

const TARGET: &str = "wasm32-unknown-unknown";
const VARIABLE: &str = "PROPENSE_WASM_TOOLCHAIN";
/// Burn's minimum supported Rust version.
const MINIMUM: (u32, u32) = (1, 95);

/// The vector instructions that a module may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Simd {
    /// Those that every browser has had since 2023.
    Plain,
    /// Relaxed ones as well.
    Relaxed,
}

/// A compiler for wasm32.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The default toolchain, with the target's standard library installed.
    Rustup,
    /// The distribution's cargo and rustc in this folder; the standard library is built from source.
    Distribution(PathBuf),
}

impl Toolchain {
    /// Finds a compiler, installing one where that is needed and possible.
    pub(crate) fn find() -> Result<Self> {
        match std::env::var(VARIABLE).as_deref() {
            Ok("rustup") => {
                if target_installed() || add_target() {
                    Ok(Self::Rustup)
                } else {
                    bail!(
                        "{VARIABLE}=rustup, but `rustup target add {TARGET}` did not work; \
                         try {VARIABLE}=distribution on Debian or Ubuntu"
                    )
                }
            }
            Ok("distribution") => distribution(),
            Ok(other) if !other.is_empty() => {
                bail!("{VARIABLE} is `{other}`; it may be `rustup` or `distribution`")
            }
            _ if target_installed() || add_target() => Ok(Self::Rustup),
            _ => distribution(),
        }
    }

    /// `cargo build` for wasm32 with this compiler and these vectors.
    pub(crate) fn cargo_build(&self, simd: Simd) -> Command {
        let mut cargo = match self {
            Self::Rustup => crate::run::cargo(),
            Self::Distribution(folder) => {
                let mut cargo = command(folder.join("cargo"));
                let path = std::env::var_os("PATH").unwrap_or_default();
                let first = std::env::join_paths(
                    std::iter::once(folder.clone()).chain(std::env::split_paths(&path)),
                )
                .unwrap_or(path);
                // What the other toolchain's cargo has set for us would lead this one astray.
                for name in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN", "RUSTUP_HOME"] {
                    cargo.env_remove(name);
                }
                cargo
                    .env("PATH", first)
                    .env("RUSTC", folder.join("rustc"))
                    // -Zbuild-std on a stable compiler.
                    .env("RUSTC_BOOTSTRAP", "1")
                    // This rustc has no lld of its own.
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld");
                cargo
            }
        };
        // Either would take the place of the target's own flags, and SIMD would be lost.
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            cargo.env_remove(name);
        }
        cargo
            .args(["build", "--locked", "--target", TARGET])
            .env(
                "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
                match simd {
                    Simd::Plain => "-C target-feature=+simd128",
                    Simd::Relaxed => "-C target-feature=+simd128,+relaxed-simd",
                },
            )
            .arg("--target-dir")
            .arg(self.target_dir(simd));
        if matches!(self, Self::Distribution(_)) {
            cargo.args([
                "-Zbuild-std=std,panic_abort",
                "-Zbuild-std-features=optimize_for_size",
            ]);
        }
        cargo
    }

    /// Each compiler and each set of flags has a folder of its own: sharing one would rebuild
    /// everything at each change.
    pub(crate) fn target_dir(&self, simd: Simd) -> PathBuf {
        let plain = match self {
            Self::Rustup => target_dir(),
            Self::Distribution(_) => std::env::var_os("PROPENSE_WASM_TARGET_DIR")
                .map_or_else(|| root().join("target-wasm"), PathBuf::from),
        };
        match simd {
            Simd::Plain => plain,
            Simd::Relaxed => plain.join("relaxed"),
        }
    }

    /// A line that says which compiler this is.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Rustup => format!("the default Rust toolchain with {TARGET}"),
            Self::Distribution(folder) => format!(
                "the distribution's Rust in {} (standard library built from source)",
                folder.display()
            ),
        }
    }
}

fn target_installed() -> bool {
    output_of(command("rustc").args(["--print", "target-libdir", "--target", TARGET]))
        .is_some_and(|folder| Path::new(&folder).is_dir())
}

fn add_target() -> bool {
    on_path(&["rustup"]).is_some()
        && must(command("rustup").args(["target", "add", TARGET])).is_ok()
        && target_installed()
}

fn distribution() -> Result<Toolchain> {
    let folder = PathBuf::from("/usr/bin");
    if !complete(&folder) {
        packages::install(
            &["rustc-web", "cargo-web", "rust-web-src", "lld"],
            "a Rust compiler for WebAssembly",
        )?;
    }
    if !complete(&folder) {
        bail!(
            "the distribution's Rust in {} is older than {}.{} or lacks its source or wasm-ld; \
             install rustup (https://rustup.rs) and run `rustup target add {TARGET}`",
            folder.display(),
            MINIMUM.0,
            MINIMUM.1
        );
    }
    Ok(Toolchain::Distribution(folder))
}

/// Whether this folder's cargo, rustc, its library's source and the linker are all there.
fn complete(folder: &Path) -> bool {
    let rustc = folder.join("rustc");
    let new_enough = output_of(command(&rustc).arg("--version"))
        .and_then(|text| version(&text))
        .is_some_and(|found| found >= MINIMUM);
    let source = output_of(command(&rustc).args(["--print", "sysroot"])).is_some_and(|sysroot| {
        Path::new(&sysroot)
            .join("lib/rustlib/src/rust/library/std/Cargo.toml")
            .is_file()
    });
    new_enough && source && folder.join("cargo").is_file() && on_path(&["wasm-ld"]).is_some()
}

/// Major and minor number of `rustc --version`'s output.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::path::PathBuf;

    use super::{Simd, Toolchain, version};

    #[test]
    fn no_flags_from_outside_displace_those_for_simd() {
        let distribution = Toolchain::Distribution(PathBuf::from("/usr/bin"));
        for (toolchain, simd, expected) in [
            (Toolchain::Rustup, Simd::Plain, "-C target-feature=+simd128"),
            (
                distribution,
                Simd::Relaxed,
                "-C target-feature=+simd128,+relaxed-simd",
            ),
        ] {
            let cargo = toolchain.cargo_build(simd);
            let value = |name: &str| cargo.get_envs().find(|(key, _)| *key == OsStr::new(name));
            for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
                assert_eq!(value(name), Some((OsStr::new(name), None)), "{toolchain:?}");
            }
            let flags = value("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS");
            let flags = flags.and_then(|(_, flags)| flags?.to_str());
            assert_eq!(flags, Some(expected));
        }
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(
            version("rustc 1.96.0 (abc 2026-05-25) (built from a source tarball)"),
            Some((1, 96))
        );
        assert_eq!(version("rustc 1.95.0-nightly (x)"), Some((1, 95)));
        assert_eq!(version("rustc"), None);
    }
}
