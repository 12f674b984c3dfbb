//! Ctrl-C: the first asks the work to stop at a good moment, the second ends the program.

use std::sync::atomic::{AtomicUsize, Ordering};

static PRESSED: AtomicUsize = AtomicUsize::new(0);

/// Listens to Ctrl-C (and to termination) from now on.
pub(crate) fn listen() {
    // Fails only where a handler is set already, which is as good.
    let _ = ctrlc::set_handler(|| {
        if PRESSED.fetch_add(1, Ordering::SeqCst) > 0 {
            crate::progress::restore_terminal();
            std::process::exit(1);
        }
    });
}

/// The same as a press of Ctrl-C, for a terminal in raw mode, which turns the key into a byte.
pub(crate) fn press() {
    PRESSED.fetch_add(1, Ordering::SeqCst);
}

/// Whether the work should stop.
pub(crate) fn asked() -> bool {
    PRESSED.load(Ordering::SeqCst) > 0
}
