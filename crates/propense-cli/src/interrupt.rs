//! Ctrl-C. While a model trains or data is prepared there is something to keep: the first press asks the work to
//! stop after the current step. At any other time, and at the second press, the program ends.

use std::sync::atomic::{AtomicBool, Ordering};

static PRESSED: AtomicBool = AtomicBool::new(false);
static GRACEFUL: AtomicBool = AtomicBool::new(false);

/// Listens to Ctrl-C (and to termination) from now on.
pub(crate) fn listen() {
    // Fails only where a handler is set already, which is as good.
    let _ = ctrlc::set_handler(press);
}

/// A press of Ctrl-C: by signal, or as a key where the terminal is in raw mode.
pub(crate) fn press() {
    let again = PRESSED.swap(true, Ordering::SeqCst);
    if again || !GRACEFUL.load(Ordering::SeqCst) {
        crate::terminal::restore();
        crate::output::note("interrupted");
        std::process::exit(1);
    }
}

/// Says whether there is work to keep right now, so that after a first press it is finished in order.
pub(crate) fn graceful(now: bool) {
    GRACEFUL.store(now, Ordering::SeqCst);
}

/// Whether the work should stop.
pub(crate) fn asked() -> bool {
    PRESSED.load(Ordering::SeqCst)
}
