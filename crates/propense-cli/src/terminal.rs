//! The terminal as a screen of its own: taken, and given back however the program ends.

use std::io::{Result, stderr};
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute};

/// Whether the terminal is in our hands and must be given back.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes the terminal: whether its screen could be changed; none where it tells no keys.
pub(crate) fn take() -> Option<Result<()>> {
    enable_raw_mode().ok()?;
    TAKEN.store(true, Ordering::SeqCst);
    Some(execute!(stderr(), EnterAlternateScreen, cursor::Hide))
}

/// Whether it is taken and not given back yet.
pub(crate) fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// From now on gives the terminal back before a panic is told.
pub(crate) fn restore_on_panic() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore();
        usual(panic);
    }));
}

/// Gives the terminal back as it was; does nothing where it was not taken.
pub(crate) fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // Nothing better can be done where these fail.
        let _ = disable_raw_mode();
        let _ = execute!(stderr(), LeaveAlternateScreen, cursor::Show);
    }
}
