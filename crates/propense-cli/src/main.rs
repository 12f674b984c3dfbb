//! The `propense` command.
//!
//! Arguments are parsed into what was typed (`args`), each command resolves them into what will
//! be done and calls the library crates (`commands`), and everything that people read is written
//! in one place each: progress (`progress`), tables and JSON (`output`), the HTML report
//! (`report`). Deliberately absent: any learning, any knowledge of a file format.
//!
//! Exit status: 0 fine, 1 failed or interrupted, 2 wrong use.

// `print` and `note` of `output` instead, which a failed write does not make panic.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod commands;
mod destinations;
mod drift_history;
mod findings;
mod interrupt;
mod narrow;
mod outcome;
mod output;
mod progress;
mod report;
mod sheet;
mod side;
mod terminal;

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use outcome::Failure;
use output::note;

fn main() -> ExitCode {
    terminal::restore_on_panic();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(words) => return said(&words),
    };
    interrupt::listen();
    let outcome = match cli.command {
        Command::Prepare(args) => commands::prepare::run(&args),
        Command::Train(args) => commands::train::run(&args),
        Command::Evaluate(args) => commands::evaluate::run(&args),
        Command::Eval(args) => commands::eval::run(&args),
        Command::Compare(args) => commands::compare::run(&args),
        Command::Tune(args) => commands::tune::run(&args),
        Command::Score(args) => commands::score::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Segment(args) => commands::segment::run(&args),
        Command::Demand(args) => commands::demand::run(&args),
        Command::Recommend(args) => commands::recommend::run(&args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => commands::serve::run(&args),
        Command::Update(args) => commands::update::run(&args),
        Command::Drift(args) => commands::drift::run(&args),
        Command::Synth(args) => commands::synth::run(&args),
        Command::Inspect(args) => commands::inspect::run(&args),
        Command::Sign(args) => commands::sign::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => {
            note(&format!(
                "error: {message}\n\nFor more information, try '--help'."
            ));
            ExitCode::from(2)
        }
        Err(Failure::Interrupted(message)) => {
            note(&message);
            ExitCode::from(1)
        }
        Err(Failure::Failed(error)) => {
            note(&format!("error: {}", output::one_line(&error)));
            ExitCode::from(1)
        }
    }
}

/// What the parser has to say: help or the version, which were asked for, or wrong use.
fn said(words: &clap::Error) -> ExitCode {
    match words.print() {
        Err(error) if !words.use_stderr() && error.kind() != ErrorKind::BrokenPipe => {
            note(&format!("error: standard output: {error}"));
            ExitCode::from(1)
        }
        _ => ExitCode::from(u8::try_from(words.exit_code()).unwrap_or(2)),
    }
}
