//! The log: lines for a person, JSON for a machine.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Logs to standard error from now on: in words where that is a terminal, else a JSON object a
/// line. `PROPENSE_LOG` says how much, as in `propense_serve=debug`; `info` where it is unset.
///
/// Does nothing where a log was set up before.
pub fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("PROPENSE_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,propense_serve=info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // A log that nobody reads any more is no reason to stop: telling so would panic.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    // Fails only where there is one already, which is as good.
    let _ = if std::io::stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
}
