//! In whatever order the threads that share a connection come to its locks, every call ends once and
//! nobody waits for ever.
//!
//! shuttle runs each of these many times, each time in another order, and fails where all threads
//! wait. It sees the core's own locks only where they are its own, so the core is built with
//! `--cfg shuttle` for it: see CONTRIBUTING.md. What `Context::current` says is left out, as all
//! threads of a model are one to `std`.
#![cfg(shuttle)]

mod calls;
mod streams;
mod wire;

/// Tries `model` in many orders. What fails prints the order it failed in.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let rounds = std::env::var("ROUNDS").ok();
    let rounds = rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(300);
    let model = std::sync::Arc::new(model);
    let again = std::sync::Arc::clone(&model);
    shuttle::check_random(move || model(), rounds);
    // Few changes of the thread that runs, in places of their own: what needs a long pause somewhere.
    shuttle::check_pct(move || again(), rounds, 3);
}
