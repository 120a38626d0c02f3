//! Threads for handlers that block.

use farcall_core::context::Threads;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

/// The threads that tokio keeps for blocking work (at most 512, unless the runtime was built with
/// another number). Handlers may still wait for anything of the runtime's there.
pub(crate) fn threads() -> Threads {
    Threads {
        run: |future| {
            let runtime = Handle::current();
            // Nobody waits for it here: the call does, by other means.
            drop(spawn_blocking(move || runtime.block_on(future)));
        },
    }
}
