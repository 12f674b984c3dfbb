//! One line on the terminal that says how far a long command is; nothing where there is no terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Time between two writings.
const PAUSE: Duration = Duration::from_millis(200);

/// A line that is written over.
pub(crate) struct Line {
    terminal: bool,
    written: Option<Instant>,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            written: None,
        }
    }

    /// Shows the text, unless the last one has only just been shown.
    pub(crate) fn show(&mut self, text: &str) {
        if !self.terminal || self.written.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        self.written = Some(Instant::now());
        // A closed standard error is no reason to stop.
        let _ = write!(std::io::stderr(), "\r\x1b[2K{text}");
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if self.written.take().is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clear();
    }
}
