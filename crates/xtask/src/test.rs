//! `cargo xtask test` and `cargo xtask lint`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::run::{Steps, cargo, must, native, root, target_dir};
use crate::wasm;
use crate::{browser, packages, page, python, tools};

/// Options of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only the tests that need no browser and no WebAssembly.
    #[arg(long)]
    native: bool,
    /// Only the tests in the browser.
    #[arg(long, conflicts_with = "native")]
    browser: bool,
}

/// Crates that are not part of the native build: the bindings are wasm, and xtask is this.
pub(crate) const APART: [&str; 4] = ["--exclude", "propense-web", "--exclude", "xtask"];

/// Runs the tests.
pub(crate) fn run(options: &Options) -> Result<()> {
    let (native, browser) = (!options.browser, !options.native);
    let mut steps = Steps::new(4 * usize::from(native) + 9 * usize::from(browser));
    if native {
        steps.step("Formatting", "", format)?;
        steps.step(
            "A Vulkan driver, in software where there is no GPU",
            "",
            vulkan,
        )?;
        let python = steps.step(
            "Python with pyarrow, which reads a prepared table",
            "the first time it downloads some 50 MB",
            pyarrow,
        )?;
        steps.step(
            "Rust tests: crates, command line, parity of CPU and wgpu",
            "the first time about fifteen minutes on two cores, most of it compiling Burn",
            || native_tests(python.as_deref()),
        )?;
    }
    if browser {
        let chromium = steps.step("A browser", "", browser::find)?;
        steps.step("Compile the browser module in web/", "", tools::web_package)?;
        steps.step(
            "Compile the model to WebAssembly, for the CPU and for WebGPU",
            "the first time about five minutes",
            wasm::both,
        )?;
        let trunk = steps.step("Find or install Trunk", "", tools::trunk)?;
        steps.step("Bundle the page", "", || {
            page::stage(&root().join(page::SHIPPED))?;
            page::build(&trunk)
        })?;
        // As the Rust tests compile it, so that neither compiles Burn for the other.
        steps.step(
            "The command line, whose service the page meets",
            "where the Rust tests have not run, as long as they take to compile",
            || must(rust_tests().arg("--no-run")),
        )?;
        let propense = target_dir().join("release/propense");
        steps.step("Tests in the browser: module, parity, page", "", || {
            must(
                tools::npm()
                    .args(["run", "--silent", "test"])
                    .env("PROPENSE_BINARY", &propense)
                    .env("PROPENSE_CHROMIUM", &chromium),
            )
        })?;
        steps.step(
            "Tests of the module on the CPU in Firefox, where there is one",
            "",
            firefox_tests,
        )?;
        steps.step(
            "The packed package, as shops install it; its size beside the budget",
            "the first time it fetches the bundlers",
            || {
                must(
                    tools::npm()
                        .args(["run", "--silent", "packaging"])
                        .env("PROPENSE_CHROMIUM", &chromium),
                )
            },
        )?;
    }
    steps.summary();
    Ok(())
}

/// Formatting, lints and documentation, all without a warning.
pub(crate) fn lint() -> Result<()> {
    let mut steps = Steps::new(4);
    steps.step("Formatting", "", format)?;
    steps.step("Clippy", "", || {
        must(
            native("clippy")
                .args(["--release", "--locked", "--all-targets", "--workspace"])
                .args(["--", "-D", "warnings"]),
        )
    })?;
    steps.step(
        "Clippy, the bindings as the WebGPU module has them",
        "",
        || {
            must(
                native("clippy")
                    .args(["--release", "--locked", "--no-default-features"])
                    .args(["--features", "webgpu", "--package", "propense-web"])
                    .args(["--", "-D", "warnings"]),
            )
        },
    )?;
    steps.step("Documentation", "", || {
        must(
            native("doc")
                .args(["--release", "--locked", "--no-deps", "--workspace"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    })?;
    steps.summary();
    Ok(())
}

fn format() -> Result<()> {
    must(cargo().args(["fmt", "--all", "--check"]))
}

/// None, with the reason, where it cannot be had: then the test says that it is skipped.
fn pyarrow() -> Result<Option<PathBuf>> {
    let found = python::with_packages(
        &target_dir().join("python"),
        "tests/python/requirements.txt",
    );
    Ok(found
        .inspect_err(|error| eprintln!("      goes without: {error:#}"))
        .ok())
}

fn native_tests(python: Option<&Path>) -> Result<()> {
    let mut tests = rust_tests();
    tests.env("PROPENSE_REQUIRE_GPU", "1");
    if let Some(python) = python {
        tests.env("PROPENSE_PYTHON", python);
    }
    must(&mut tests)?;
    must(native("test").args(["--locked", "--package", "xtask"]))
}

fn rust_tests() -> Command {
    let mut test = native("test");
    test.args(["--release", "--locked", "--workspace"])
        .args(APART);
    test
}

/// The same tests as in Chromium, as far as they need no WebGPU and no page.
fn firefox_tests() -> Result<()> {
    match browser::firefox()? {
        Some(firefox) => must(
            tools::npm()
                .args(["run", "--silent", "test:firefox"])
                .env("PROPENSE_FIREFOX", &firefox),
        ),
        None => {
            eprintln!("      skipped: no Firefox (Debian's firefox-esr, or PROPENSE_FIREFOX)");
            Ok(())
        }
    }
}

/// wgpu needs a Vulkan driver on Linux; Mesa has one that runs on the CPU.
fn vulkan() -> Result<()> {
    if cfg!(target_os = "linux") {
        let drivers = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
        let found = drivers.iter().any(|folder| {
            std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
        });
        if !found {
            packages::install(&["mesa-vulkan-drivers", "libvulkan1"], "a Vulkan driver")?;
        }
    }
    Ok(())
}
