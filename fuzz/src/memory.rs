//! A bound on memory while bytes are read.

use std::alloc::System;

use cap::Cap;

/// What every run may take, whatever came: buffers, and the megabyte that is made ready ahead.
const BASE: usize = 4 * 1024 * 1024;

/// What a byte that came may cost. An empty list of a `types::Value` takes some 32 bytes.
const EACH: usize = 64;

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// Runs `work` on `bytes` with as much memory as they justify. With more the process ends, which a
/// fuzzer reports.
pub(crate) fn bounded<T>(bytes: &[u8], work: impl FnOnce() -> T) -> T {
    let most = MEMORY.allocated() + BASE + EACH * bytes.len();
    if MEMORY.set_limit(most).is_err() {
        panic!("{most} bytes are taken already");
    }
    let done = work();
    let _ = MEMORY.set_limit(usize::MAX);
    done
}
