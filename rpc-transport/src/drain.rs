//! The word that a server is to end, as every connection of it hears it; and that one connection is,
//! because its peer may come in no more.

use tokio::sync::watch;

use crate::allow::Admitted;

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Serving,
    /// No new calls; those in flight finish.
    Draining,
    /// Those still in flight are dropped.
    Forced,
}

/// Waits for the end; for ever, where nobody brings it.
#[derive(Clone, Debug)]
pub(crate) struct Drain {
    server: Option<watch::Receiver<Stage>>,
    admitted: Option<Admitted>,
}

impl Drain {
    pub(crate) fn new() -> (watch::Sender<Stage>, Self) {
        let (sender, server) = watch::channel(Stage::Serving);
        let (server, admitted) = (Some(server), None);
        (sender, Self { server, admitted })
    }

    /// For what somebody else ends, by dropping it.
    #[cfg(feature = "http")]
    pub(crate) fn never() -> Self {
        Self {
            server: None,
            admitted: None,
        }
    }

    /// The same for a connection that ends as well when its peer is allowed no more.
    pub(crate) fn while_admitted(&self, admitted: Admitted) -> Self {
        Self {
            server: self.server.clone(),
            admitted: Some(admitted),
        }
    }

    /// Waits until no new calls are to be taken.
    pub(crate) async fn started(&mut self) {
        let ending = reached(&mut self.server, Stage::Draining);
        match &mut self.admitted {
            None => ending.await,
            Some(admitted) => tokio::select! {
                () = ending => {}
                () = admitted.removed() => {}
            },
        }
    }

    /// Waits until the calls in flight are to be dropped.
    pub(crate) async fn forced(&mut self) {
        let ending = reached(&mut self.server, Stage::Forced);
        match &mut self.admitted {
            None => ending.await,
            Some(admitted) => tokio::select! {
                () = ending => {}
                () = admitted.over() => {}
            },
        }
    }

    /// True if no new calls are to be taken.
    pub(crate) fn has_started(&self) -> bool {
        let server = self.server.as_ref();
        server.is_some_and(|stage| *stage.borrow() >= Stage::Draining) || !self.admits()
    }

    /// False if the peer is allowed no more: not even what it has asked already is answered.
    pub(crate) fn admits(&self) -> bool {
        self.admitted.as_ref().is_none_or(Admitted::is_allowed)
    }
}

async fn reached(server: &mut Option<watch::Receiver<Stage>>, stage: Stage) {
    match server {
        // A server that was dropped has forced its connections to end as well.
        Some(server) => drop(server.wait_for(|&now| now >= stage).await),
        None => std::future::pending().await,
    }
}
