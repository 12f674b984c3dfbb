//! The two WebAssembly builds of `propense-web`: CPU with SIMD, and WebGPU. The CPU's code is compiled
//! once more for browsers with relaxed SIMD, whose multiply-add is one instruction; both share one
//! glue.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::run::{must, root};
use crate::toolchain::{Simd, Toolchain};

/// What wasm-bindgen makes of the crate: glue and module.
const GLUE: &str = "propense_web.js";
const MODULE: &str = "propense_web_bg.wasm";
/// The CPU's code for browsers with relaxed SIMD, beside the other.
const RELAXED: &str = "propense_web_relaxed_bg.wasm";

/// Made for size: every visitor loads the CPU module, and without Burn it takes a minute at most.
const PROFILE: &str = "wasm";

/// Options of `cargo xtask wasm`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Build only this one.
    #[arg(long, value_enum)]
    only: Option<Build>,
}

/// One of the two builds.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Build {
    /// The session and the model on the CPU, with SIMD.
    Cpu,
    /// The model on WebGPU.
    Webgpu,
}

impl Build {
    const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Webgpu => "webgpu",
        }
    }
}

/// Both builds.
pub(crate) fn both() -> Result<()> {
    run(&Options { only: None })
}

/// `cargo xtask wasm`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let toolchain = Toolchain::find()?;
    eprintln!("      compiler: {}", toolchain.describe());
    for which in [Build::Cpu, Build::Webgpu] {
        if options.only.is_none_or(|only| only == which) {
            build(&toolchain, which)?;
        }
    }
    Ok(())
}

/// Compiles one build and writes its module, glue and types into `web/wasm/NAME`.
fn build(toolchain: &Toolchain, which: Build) -> Result<()> {
    let made = folder(which);
    generate(toolchain, which, Simd::Plain, &made)?;
    if which == Build::Cpu {
        let scratch = toolchain.target_dir(Simd::Relaxed).join("glue");
        generate(toolchain, which, Simd::Relaxed, &scratch)?;
        let glue = |folder: &Path| {
            let path = folder.join(GLUE);
            fs::read(&path).with_context(|| format!("reading {}", path.display()))
        };
        ensure!(
            glue(&made)? == glue(&scratch)?,
            "the glue of the module with relaxed SIMD differs from the other's: they cannot share one"
        );
        fs::copy(scratch.join(MODULE), made.join(RELAXED)).context("copying the relaxed module")?;
    }
    let size = size(&made.join(MODULE))?;
    eprintln!("      web/wasm/{}: {size} bytes", which.name());
    Ok(())
}

/// Compiles for these vectors, and has wasm-bindgen write module, glue and types into the folder.
fn generate(toolchain: &Toolchain, which: Build, simd: Simd, folder: &Path) -> Result<()> {
    must(
        toolchain
            .cargo_build(simd)
            .args(["--package", "propense-web", "--no-default-features"])
            .args(["--features", which.name(), "--profile", PROFILE]),
    )?;
    let module = toolchain
        .target_dir(simd)
        .join("wasm32-unknown-unknown")
        .join(PROFILE)
        .join("propense_web.wasm");
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    Bindgen::new()
        .input_path(&module)
        .web(true)
        .and_then(|bindgen| {
            bindgen
                .typescript(true)
                .remove_name_section(true)
                .generate(folder)
        })
        .map_err(|error| anyhow!("wasm-bindgen on {}: {error:#}", module.display()))?;
    // The types keep them; every visitor would load them with the glue.
    let glue = folder.join(GLUE);
    let text = fs::read_to_string(&glue).with_context(|| format!("reading {}", glue.display()))?;
    fs::write(&glue, without_documentation(&text))
        .with_context(|| format!("writing {}", glue.display()))
}

/// JavaScript without the comments that document it, which stand on lines of their own.
fn without_documentation(script: &str) -> String {
    let mut kept = String::with_capacity(script.len());
    let mut within = false;
    for line in script.lines() {
        let text = line.trim();
        within |= text.starts_with("/**");
        if !within {
            kept.push_str(line);
            kept.push('\n');
        }
        within &= !text.ends_with("*/");
    }
    kept
}

/// Where a build's files go.
fn folder(which: Build) -> PathBuf {
    root().join("web/wasm").join(which.name())
}

fn size(path: &Path) -> Result<u64> {
    Ok(path
        .metadata()
        .with_context(|| path.display().to_string())?
        .len())
}

#[cfg(test)]
mod tests {
    use super::without_documentation;

    #[test]
    fn documentation_goes_and_code_stays() {
        let script = "/* @ts-self-types */\n    /**\n     * Words.\n     */\n    a() { return b * /c/ ** 2; }\n/** One line. */\nlet d;\n";
        let kept = "/* @ts-self-types */\n    a() { return b * /c/ ** 2; }\nlet d;\n";
        assert_eq!(without_documentation(script), kept);
    }
}
