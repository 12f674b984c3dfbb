//! What is shown while a model trains: a display on a terminal, lines elsewhere.

mod keys;
mod line;
mod lines;
mod screen;

use std::io::IsTerminal;

use propense_train::{Observer, Progress};

use crate::interrupt;
pub(crate) use line::Line;
use lines::Lines;
use screen::Screen;

/// The observer that suits where standard error goes.
pub(crate) fn observer(title: &str, plain: bool) -> Box<dyn Observer> {
    let screen = (!plain && std::io::stderr().is_terminal())
        .then(|| Screen::open(title))
        .flatten();
    Box::new(Interruptible(match screen {
        Some(screen) => Box::new(screen),
        None => Box::new(Lines),
    }))
}

/// Shows what the inner observer shows, and stops the training at Ctrl-C.
struct Interruptible(Box<dyn Observer>);

impl Observer for Interruptible {
    fn on(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Start { .. } => interrupt::graceful(true),
            Progress::End { .. } => interrupt::graceful(false),
            _ => {}
        }
        self.0.on(progress);
    }

    fn stop(&self) -> bool {
        interrupt::asked()
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        interrupt::graceful(false);
    }
}

/// Seconds as `1:02:03`, `2:03` or `4.5 s`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{rest:02}")
    } else if minutes > 0 {
        format!("{minutes}:{rest:02}")
    } else {
        format!("{seconds:.1} s")
    }
}

/// Why training ended, for people.
pub(crate) const fn reason(reason: propense_train::StopReason) -> &'static str {
    use propense_train::StopReason::{Epochs, Interrupted, Patience, Time};
    match reason {
        Epochs => "the last epoch was reached",
        Patience => "validation log-loss stopped falling",
        Interrupted => "interrupted",
        Time => "the time limit was reached",
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_read_like_a_clock() {
        assert_eq!(duration(4.52), "4.5 s");
        assert_eq!(duration(123.0), "2:03");
        assert_eq!(duration(3723.9), "1:02:03");
    }
}
