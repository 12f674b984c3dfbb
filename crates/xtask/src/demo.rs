//! `cargo xtask demo`: from a clone to the shop page in the browser.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::run::{Steps, cargo, command, must, must_see, root, target_dir};
use crate::serve::Server;
use crate::toolchain::Toolchain;
use crate::wasm::{self, Build};
use crate::{page, tools};

/// Options of `cargo xtask demo`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where to serve the page.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where to train: auto, cpu or wgpu.
    #[arg(long, default_value = "auto")]
    device: String,
    /// Use the bundle that is shipped in models/ instead of training one.
    #[arg(long)]
    no_train: bool,
    /// Train again even though neither the data nor the program has changed.
    #[arg(long)]
    retrain: bool,
    /// Build everything, serve nothing.
    #[arg(long)]
    no_serve: bool,
}

/// What the default model is trained on.
const DATA: &str = "data/giftshop/events.csv.gz";

/// Runs the demo.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps = Steps::new(7);
    let propense = steps.step(
        "Compile the command line with Burn for this machine",
        "the first time about ten minutes on two cores, then seconds",
        command_line,
    )?;
    steps.step(
        "Train the default model on the gift shop's sessions in data/giftshop",
        "a few minutes; kept until the data or the program change",
        || model(options, &propense),
    )?;
    steps.step(
        "Compile the browser module in web/",
        "seconds, once its packages are installed",
        tools::web_package,
    )?;
    let toolchain = steps.step(
        "Compile the model to WebAssembly for the CPU",
        "the first time about four minutes",
        || {
            let toolchain = Toolchain::find()?;
            eprintln!("      compiler: {}", toolchain.describe());
            wasm::build(&toolchain, Build::Cpu, "wasm")?;
            Ok(toolchain)
        },
    )?;
    let trunk = steps.step(
        "Find or install Trunk, which bundles the page",
        "the first time about four minutes",
        tools::trunk,
    )?;
    steps.step("Bundle the page", "", || page::build(&trunk))?;

    let server = match options.no_serve {
        true => None,
        false => Some(Server::start(&trunk, options.port)?),
    };
    if let Some(server) = &server {
        eprintln!("\n      The shop is open:  {}", server.address());
        eprintln!("      (on the CPU for now; reload the page when the next step is done)");
    }
    steps.step(
        "Compile the model to WebAssembly for WebGPU",
        "the first time about ten minutes; the page already works on the CPU",
        || wasm::build(&toolchain, Build::Webgpu, "wasm"),
    )?;
    if server.is_none() {
        page::build(&trunk)?;
    }
    steps.summary();
    if let Some(server) = server {
        eprintln!(
            "\nThe shop is open:  {}   (Ctrl-C ends it)",
            server.address()
        );
        server.wait()?;
    }
    Ok(())
}

/// Compiles `propense` and returns its path.
fn command_line() -> Result<PathBuf> {
    must(cargo().args([
        "build",
        "--release",
        "--locked",
        "--package",
        "propense-cli",
    ]))?;
    Ok(target_dir().join("release").join("propense"))
}

/// Puts the bundle that the page loads in its place: trained here, unless the shipped one is wanted.
fn model(options: &Options, propense: &Path) -> Result<()> {
    if options.no_train {
        return page::stage(&root().join(page::SHIPPED));
    }
    let bundle = target_dir().join("demo").join("giftshop.propense");
    let data = root().join(DATA);
    if options.retrain || !newer(&bundle, &[&data, propense]) {
        if let Some(folder) = bundle.parent() {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        must_see(
            command(propense)
                .args([
                    "train",
                    "--task",
                    "in-session",
                    "--preset",
                    "seed",
                    "--name",
                    "giftshop",
                ])
                .args(["--device", &options.device, "--licence", "CC-BY-4.0"])
                // Nobody wants to watch the last thousandth: a little patience is enough here.
                .args(["--patience", "4"])
                .arg("--data")
                .arg(&data)
                .arg("--out")
                .arg(&bundle),
        )?;
    } else {
        eprintln!("      kept: {} (--retrain trains again)", bundle.display());
    }
    page::stage(&bundle)
}

/// Whether the product is newer than everything it is made from.
fn newer(product: &Path, sources: &[&Path]) -> bool {
    let modified = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    let product = modified(product);
    product.is_some() && sources.iter().all(|source| modified(source) <= product)
}
