//! A live session allocates nothing: counted, not believed. A binary of its own, since the
//! allocator is a process's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use propense_model::{CpuModel, CpuStream, ModelConfig};

/// The system's allocator, counting what the current thread asks for.
struct Counting;

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // At a thread's end the counter may be gone.
    let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
}

// SAFETY: everything is passed on as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this work.
fn allocations(work: impl FnOnce()) -> usize {
    let before = ASKED.with(Cell::get);
    work();
    ASKED.with(Cell::get) - before
}

#[test]
fn a_live_session_allocates_nothing() {
    assert_ne!(allocations(|| drop(vec![0u8; 64])), 0, "it counts");
    for (features, context) in [(16, 0), (17, 5)] {
        let config = ModelConfig::seed(features, context);
        let weights = config.initial_weights(1).expect("valid");
        let model = Arc::new(CpuModel::new(&config, &weights).expect("valid"));
        let mut stream = CpuStream::new(model);
        let mut snapshot = stream.clone();
        let (row, context) = (vec![0.5; features], vec![1.0; context]);
        let mut sum = 0.0;
        let counted = allocations(|| {
            for event in 0..100 {
                stream.push(&row);
                sum += stream.logit(&context);
                if event % 10 == 0 {
                    snapshot.clone_from(&stream);
                }
            }
            stream.reset();
        });
        assert!(f32::is_finite(sum));
        assert_eq!(counted, 0, "{features} features");
    }
}
