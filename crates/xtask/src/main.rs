//! Automation of this repository: `cargo xtask demo`, `cargo xtask test` and the steps they are
//! made of. Every step says what it does, installs what it misses, or names the missing thing
//! with its remedy.
//!
//! Deliberately absent: anything a user of Propense needs at run time.

mod bench;
mod browser;
mod demo;
mod packages;
mod page;
mod python;
mod run;
mod serve;
mod test;
mod toolchain;
mod tools;
mod wasm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Build, show and test Propense.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Train the default model on the data in the repository, build the shop page and serve it.
    Demo(demo::Options),
    /// Run every test: Rust, parity across backends, and the page in a real browser.
    Test(test::Options),
    /// Compare Propense with other runtimes on the same network and sessions, in one run.
    Bench(bench::Options),
    /// Build the WebAssembly modules into web/wasm.
    Wasm(wasm::Options),
    /// Check formatting, lints and documentation.
    Lint,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Demo(options) => demo::run(&options),
        Task::Test(options) => test::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Wasm(options) => wasm::run(&options),
        Task::Lint => test::lint(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
