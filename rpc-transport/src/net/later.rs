//! Moments to come.

use std::time::Duration;

use tokio::time::Instant;

/// As good as never. (A moment can be as late as a clock counts, and a timer of hyper's or tokio's
/// not even that.)
pub(crate) const AGES: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The moment `time` from now, be it as long as can be: who wants no limit says `Duration::MAX`.
#[allow(
    clippy::arithmetic_side_effects,
    reason = "every clock counts this far"
)]
pub(crate) fn later(time: Duration) -> Instant {
    Instant::now() + time.min(AGES)
}
