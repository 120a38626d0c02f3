//! The word that a server is to end, as every connection of it hears it.

use tokio::sync::watch;

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Serving,
    /// No new calls; those in flight finish.
    Draining,
    /// Those still in flight are dropped.
    Forced,
}

/// Waits for the end.
#[derive(Clone, Debug)]
pub(crate) struct Drain(watch::Receiver<Stage>);

impl Drain {
    pub(crate) fn new() -> (watch::Sender<Stage>, Self) {
        let (sender, receiver) = watch::channel(Stage::Serving);
        (sender, Self(receiver))
    }

    /// Waits until no new calls are to be taken.
    pub(crate) async fn started(&mut self) {
        self.reached(Stage::Draining).await;
    }

    /// Waits until the calls in flight are to be dropped.
    pub(crate) async fn forced(&mut self) {
        self.reached(Stage::Forced).await;
    }

    /// True if no new calls are to be taken.
    pub(crate) fn has_started(&self) -> bool {
        *self.0.borrow() >= Stage::Draining
    }

    async fn reached(&mut self, stage: Stage) {
        // A server that was dropped has forced its connections to end as well.
        let _ = self.0.wait_for(|&now| now >= stage).await;
    }
}
