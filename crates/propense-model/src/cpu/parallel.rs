//! Independent pieces of work on several threads.

/// `work(0), work(1), …` in this order, computed on up to so many threads.
#[cfg(not(target_family = "wasm"))]
pub(super) fn in_parallel<T: Send>(
    threads: usize,
    pieces: usize,
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    use std::sync::atomic::{AtomicUsize, Ordering};

    let threads = threads.min(pieces);
    if threads <= 1 {
        return (0..pieces).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                return done;
            }
            done.push((piece, work(piece)));
        }
    };
    let mut results: Vec<(usize, T)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut results = take();
        for other in others {
            match other.join() {
                Ok(done) => results.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    });
    results.sort_by_key(|(piece, _)| *piece);
    results.into_iter().map(|(_, result)| result).collect()
}

/// A page's module has one thread.
#[cfg(target_family = "wasm")]
pub(super) fn in_parallel<T>(_: usize, pieces: usize, work: impl Fn(usize) -> T) -> Vec<T> {
    (0..pieces).map(work).collect()
}

#[cfg(test)]
mod tests {
    use super::in_parallel;

    #[test]
    fn results_come_in_order_whatever_the_number_of_threads() {
        for threads in [0, 1, 2, 7] {
            for pieces in [0, 1, 5, 100] {
                let expected: Vec<usize> = (0..pieces).map(|piece| piece * piece).collect();
                assert_eq!(
                    in_parallel(threads, pieces, |piece| piece * piece),
                    expected
                );
            }
        }
    }
}
