//! The `propense` command.
//!
//! Arguments are parsed into what was typed (`args`), each command resolves them into what will
//! be done and calls the library crates (`commands`), and everything that people read is written
//! in one place each: progress (`progress`), tables and JSON (`output`), the HTML report
//! (`report`). Deliberately absent: any learning, any knowledge of a file format.
//!
//! Exit status: 0 fine, 1 failed or interrupted, 2 wrong use.

mod args;
mod commands;
mod drift_history;
mod findings;
mod interrupt;
mod outcome;
mod output;
mod progress;
mod report;
mod sheet;
mod side;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use outcome::Failure;

fn main() -> ExitCode {
    // A closed pipe (`propense … | head`) ends the program quietly instead of with a panic.
    output::end_quietly_on_closed_pipe();
    let cli = Cli::parse();
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
            eprintln!("error: {message}\n\nFor more information, try '--help'.");
            ExitCode::from(2)
        }
        Err(Failure::Interrupted(message)) => {
            eprintln!("{message}");
            ExitCode::from(1)
        }
        Err(Failure::Failed(error)) => {
            eprintln!("error: {}", output::one_line(&error));
            ExitCode::from(1)
        }
    }
}
