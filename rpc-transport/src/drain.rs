//! The word that a server is to end, as every connection of it hears it; and that one connection is,
//! because its peer may come in no more, or to make room for another.

use std::sync::Arc;

use tokio::sync::watch;

use crate::allow::Admitted;
use crate::server::Seat;

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Serving,
    /// No new connections. Those there are hear of it later: they would be made again at once.
    Closing,
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
    seat: Option<Arc<Seat>>,
}

/// A call in flight, for whoever looks for connections that have none.
#[derive(Debug)]
pub(crate) struct Working(Option<Arc<Seat>>);

impl Drop for Working {
    fn drop(&mut self) {
        if let Some(seat) = &self.0 {
            seat.rests();
        }
    }
}

impl Drain {
    pub(crate) fn new() -> (watch::Sender<Stage>, Self) {
        let (sender, server) = watch::channel(Stage::Serving);
        let drain = Self {
            server: Some(server),
            admitted: None,
            seat: None,
        };
        (sender, drain)
    }

    /// For what somebody else ends, by dropping it.
    #[cfg(feature = "http")]
    pub(crate) fn never() -> Self {
        Self {
            server: None,
            admitted: None,
            seat: None,
        }
    }

    /// The same for a connection that ends as well when its peer is allowed no more.
    pub(crate) fn while_admitted(&self, admitted: Admitted) -> Self {
        Self {
            server: self.server.clone(),
            admitted: Some(admitted),
            seat: self.seat.clone(),
        }
    }

    /// The same for a connection that has a place others may need more.
    pub(crate) fn while_seated(mut self, seat: Arc<Seat>) -> Self {
        self.seat = Some(seat);
        self
    }

    /// A call is in flight until this is dropped.
    pub(crate) fn work(&self) -> Working {
        if let Some(seat) = &self.seat {
            seat.works();
        }
        Working(self.seat.clone())
    }

    /// True if the connection is to make room for another: it is waited for no longer than its calls
    /// need.
    pub(crate) fn is_evicted(&self) -> bool {
        self.seat.as_ref().is_some_and(|seat| seat.is_told())
    }

    /// True if besides it has no call in flight.
    #[cfg(feature = "http")]
    pub(crate) fn is_evicted_and_idle(&self) -> bool {
        let seat = self.seat.as_ref();
        seat.is_some_and(|seat| seat.is_told() && seat.is_idle())
    }

    /// Waits until no new connections are to be taken.
    pub(crate) async fn closing(&mut self) {
        reached(&mut self.server, Stage::Closing).await;
    }

    /// Waits until no new calls are to be taken.
    pub(crate) async fn started(&mut self) {
        let Self {
            server,
            admitted,
            seat,
        } = self;
        let ending = reached(server, Stage::Draining);
        let removed = async {
            match admitted {
                Some(admitted) => admitted.removed().await,
                None => std::future::pending().await,
            }
        };
        let evicted = async {
            match seat {
                Some(seat) => seat.told().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = ending => {}
            () = removed => {}
            () = evicted => {}
        }
    }

    /// False if [`started`](Self::started) is surely not ready, which at nearly all times costs a look
    /// or two and no more.
    #[inline]
    pub(crate) fn may_have_started(&self) -> bool {
        let server = self.server.as_ref();
        server.is_some_and(|stage| !matches!(stage.has_changed(), Ok(false)))
            || self.admitted.is_some()
            || self.is_evicted()
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
        server.is_some_and(|stage| *stage.borrow() >= Stage::Draining)
            || !self.admits()
            || self.is_evicted()
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
