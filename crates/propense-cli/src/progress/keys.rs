//! Keys while the terminal is in raw mode, where Ctrl-C is a key like any other and no signal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::interrupt;

/// Longest time until the listener sees that it should end.
const PATIENCE: Duration = Duration::from_millis(50);

/// A listener in a thread of its own: a key is heard whatever the program is doing.
pub(super) struct Keys {
    open: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Keys {
    /// Listens from now on.
    pub(super) fn listen() -> Self {
        let open = Arc::new(AtomicBool::new(true));
        let shared = Arc::clone(&open);
        // Without a thread keys go unheard; the training need not fail for that.
        let thread = std::thread::Builder::new()
            .name("keys".to_owned())
            .spawn(move || {
                while shared.load(Ordering::SeqCst) {
                    match event::poll(PATIENCE) {
                        Ok(true) => {
                            if let Ok(Event::Key(key)) = event::read()
                                && ends(&key)
                            {
                                interrupt::press();
                            }
                        }
                        Ok(false) => {}
                        Err(_) => return,
                    }
                }
            });
        Self {
            open,
            thread: thread.ok(),
        }
    }

    /// Ends listening.
    pub(super) fn close(&mut self) {
        self.open.store(false, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // A listener that has panicked listens no more either.
            let _ = thread.join();
        }
    }
}

/// Ctrl-C, or `q`.
fn ends(key: &KeyEvent) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let named = match key.code {
        KeyCode::Char('c') => control,
        KeyCode::Char('q') => true,
        _ => false,
    };
    named && key.kind == KeyEventKind::Press
}
