//! How much there is of what is limited.

use std::fmt;
use std::sync::Arc;

use farcall_core::router::Router;

use super::places::Places;

/// How much there is of what a server limits, at the moment it is asked.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use farcall_transport::server::Server;
///
/// let listening = Server::new().listen("tcp://127.0.0.1:0").await?;
/// let gauges = listening.gauges();
/// tokio::spawn(listening.run());
/// assert_eq!((gauges.connections(), gauges.calls(), gauges.evicted()), (0, 0, 0));
/// # Ok::<(), farcall_transport::server::ListenError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Gauges {
    router: Arc<Router>,
    places: Arc<Places>,
}

impl Gauges {
    pub(super) fn new(router: Arc<Router>, places: Arc<Places>) -> Self {
        Self { router, places }
    }

    /// How many connections are open (`Limits::connections`).
    #[must_use]
    pub fn connections(&self) -> usize {
        self.places.taken()
    }

    /// How many calls are in flight (`Limits::calls`). Those that are answered where they are read are
    /// over before anybody could count them.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.router.calls_in_flight()
    }

    /// How many connections had to make room for others until now.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.places.evicted()
    }
}

impl fmt::Debug for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauges")
            .field("connections", &self.connections())
            .field("calls", &self.calls())
            .field("evicted", &self.evicted())
            .finish()
    }
}
