//! Work that stands back for everything else on the machine.

use crate::TrainError;

/// Does the work on this many threads of its own, to which the system gives a tenth of what it gives to
/// others that want to run.
///
/// # Errors
///
/// Where the threads cannot be started.
pub fn in_background<T: Send>(
    threads: usize,
    work: impl FnOnce() -> T + Send,
) -> Result<T, TrainError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|number| format!("learning {number}"))
        .start_handler(|_| stand_back())
        .build();
    let pool = pool.map_err(|error| TrainError::Option {
        option: "--learn-threads",
        reason: error.to_string(),
    })?;
    Ok(pool.install(work))
}

/// As `nice` does unless told otherwise.
#[cfg(target_os = "linux")]
const NICE: libc::c_int = 10;

/// A low priority for this thread, and for those that it starts.
#[cfg(target_os = "linux")]
fn stand_back() {
    // SAFETY: takes and returns numbers alone. On Linux 0 names the calling thread. Where it is
    // refused, the work runs as any other.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
}

/// Other systems know a priority of the whole process only.
#[cfg(not(target_os = "linux"))]
const fn stand_back() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// The priority of the calling thread, field 19 of its `stat`.
    fn niceness() -> String {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("this thread");
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        after_name
            .split_whitespace()
            .nth(16)
            .unwrap_or_default()
            .to_owned()
    }

    #[test]
    fn the_work_stands_back_and_the_caller_does_not() {
        let before = niceness();
        let (inside, started) = in_background(2, || {
            let other = std::thread::spawn(niceness);
            (niceness(), other.join().expect("no panic"))
        })
        .expect("threads");
        // A process that stands back already stays where it is.
        let expected = before
            .parse()
            .map_or(NICE, |now: libc::c_int| now.max(NICE));
        let expected = expected.to_string();
        assert_eq!((&inside, &started), (&expected, &expected));
        assert_eq!(niceness(), before);
    }
}
