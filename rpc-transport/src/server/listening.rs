//! A server at work.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use farcall_core::router::Conflict;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::connection::{Host, turn_away};
use super::door::{self, Door};
use super::gate::{Gate, Security};
use super::gauges::Gauges;
use super::places::Places;
use crate::address::{Address, BadAddress};
use crate::drain::{Drain, Stage};
use crate::net::listener::{Arrival, Listener};
use crate::trace;

/// To so many at a time it is told that there is no place for them.
const TOLD: usize = 64;

/// How long calls in flight may take to finish when the server ends.
const GRACE: Duration = Duration::from_secs(30);

/// A server that is bound to its addresses; it answers once it is [run](Self::run_until).
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use farcall_transport::server::Server;
///
/// let listening = Server::new().listen("tcp://127.0.0.1:0").await?;
/// let report = listening.run_until(std::future::ready(())).await;
/// assert_eq!(report.connections, 0);
/// # Ok::<(), farcall_transport::server::ListenError>(())
/// # }).unwrap();
/// ```
#[must_use = "a server answers once it is run"]
pub struct Listening {
    host: Arc<Host>,
    security: Security,
    listeners: Vec<(Listener, Gate)>,
    shares_port: bool,
    places: Arc<Places>,
    grace: Duration,
}

impl Listening {
    pub(super) fn new(host: Arc<Host>, security: Security, shares_port: bool) -> Self {
        Self {
            shares_port,
            places: Places::new(host.limits.connections),
            host,
            security,
            listeners: Vec::new(),
            grace: GRACE,
        }
    }

    /// Binds a further address, where the same is answered.
    ///
    /// # Errors
    /// If the address cannot be, or is taken, or asks for TLS where there is no certificate.
    pub async fn listen(mut self, address: &str) -> Result<Self, ListenError> {
        let parsed: Address = address.parse()?;
        let gate =
            Gate::of(&parsed, &self.security).map_err(|why| ListenError::insecure(address, why))?;
        let bound = Listener::bind(&parsed, self.shares_port).await;
        let listener = bound.map_err(|source| ListenError::bind(address, source))?;
        self.listeners.push((listener, gate));
        Ok(self)
    }

    /// Answers at a further `listener`, which is bound already; see [`Server::listen_on`].
    ///
    /// # Errors
    /// If it cannot be used.
    ///
    /// [`Server::listen_on`]: super::Server::listen_on
    pub fn listen_on(mut self, listener: std::net::TcpListener) -> Result<Self, ListenError> {
        let listener =
            Listener::given(listener).map_err(|source| ListenError::bind("a socket", source))?;
        let gate = Gate::plain(&self.security);
        self.listeners.push((listener, gate));
        Ok(self)
    }

    /// Sets how long calls in flight may take to finish in the end. Default 30 s.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// The first IP address and port that is bound: the port that was given for port 0.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.listeners
            .iter()
            .find_map(|(listener, _)| listener.local_addr())
    }

    /// How much there is of what is limited, now and while this runs.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        Gauges::new(Arc::clone(&self.host.router), Arc::clone(&self.places))
    }

    /// Serves for ever.
    pub async fn run(self) -> Report {
        self.run_until(std::future::pending()).await
    }

    /// Serves until `end` is ready, then drains: no new connections, no new calls; those in flight
    /// finish, up to the [grace](Self::grace), after which they are dropped.
    pub async fn run_until(self, end: impl Future<Output = ()>) -> Report {
        let Self {
            host,
            listeners,
            places,
            grace,
            ..
        } = self;
        let (stage, drain) = Drain::new();
        let mut accepting = JoinSet::new();
        // Closed once all listeners are.
        let (open, closed) = mpsc::channel(1);
        // Ends with this.
        let mut following = JoinSet::new();
        for (listener, gate) in listeners {
            following.spawn(gate.clone().follow());
            let places = Arc::clone(&places);
            let host = Arc::clone(&host);
            let (drain, open) = (drain.clone(), open.clone());
            accepting.spawn(accept(host, gate, (listener, open), places, drain));
        }
        drop((drain, open));
        end.await;
        finish(&stage, closed, accepting, grace).await
    }
}

/// Ends the accept loops and their connections.
async fn finish(
    stage: &watch::Sender<Stage>,
    mut closed: mpsc::Receiver<Infallible>,
    mut accepting: JoinSet<Accepted>,
    grace: Duration,
) -> Report {
    let _ = stage.send(Stage::Closing);
    // Nothing is sent there; it ends with the last listener.
    let _ = closed.recv().await;
    let _ = stage.send(Stage::Draining);
    let mut report = Report::default();
    let drained = async {
        while let Some(accepted) = accepting.join_next().await {
            report.add(accepted.unwrap_or_default());
        }
    };
    if tokio::time::timeout(grace, drained).await.is_err() {
        report.forced = true;
        let _ = stage.send(Stage::Forced);
        while let Some(accepted) = accepting.join_next().await {
            report.add(accepted.unwrap_or_default());
        }
    }
    report
}

/// What an accept loop did.
#[derive(Clone, Copy, Default)]
struct Accepted {
    connections: u64,
    refused: u64,
}

/// Takes connections until the drain begins, then waits for them to end.
async fn accept(
    host: Arc<Host>,
    gate: Gate,
    (mut listener, open): (Listener, mpsc::Sender<Infallible>),
    places: Arc<Places>,
    drain: Drain,
) -> Accepted {
    let mut serving = JoinSet::new();
    let mut accepted = Accepted::default();
    let mut door = Door::default();
    let mut ending = drain.clone();
    let entrance = Entrance {
        host,
        gate,
        places,
        turning_away: Arc::new(Semaphore::new(TOLD)),
        drain,
    };
    loop {
        let arrival = tokio::select! {
            arrival = listener.accept() => arrival,
            Some(served) = serving.join_next() => {
                if let Ok(Some(refused)) = served {
                    door.turned_away(refused);
                    accepted.refused += 1;
                }
                continue;
            }
            () = ending.closing() => break,
        };
        match arrival {
            Ok(arrival) => {
                entrance
                    .take(arrival, &mut door, &mut serving, &mut accepted)
                    .await;
            }
            Err(error) => back_off(&error, &ending).await,
        }
    }
    // They are connected, and were told so: those who may have sent something are told what becomes of
    // it. Where others accept as well, they are theirs.
    while listener.is_last() {
        match listener.accept_waiting() {
            Ok(arrival) => {
                entrance
                    .take(arrival, &mut door, &mut serving, &mut accepted)
                    .await;
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) => break,
        }
    }
    drop((listener, open));
    while serving.join_next().await.is_some() {}
    accepted
}

/// What becomes of connections that arrive.
struct Entrance {
    host: Arc<Host>,
    gate: Gate,
    places: Arc<Places>,
    /// Those who are told that there is no place for them.
    turning_away: Arc<Semaphore>,
    drain: Drain,
}

impl Entrance {
    async fn take(
        &self,
        arrival: Arrival,
        door: &mut Door,
        serving: &mut JoinSet<Option<SocketAddr>>,
        accepted: &mut Accepted,
    ) {
        let Some(drain) = door.admit(&self.host, &arrival, &self.drain) else {
            accepted.refused += 1;
            return;
        };
        let Some(place) = self.places.take().await else {
            door.full(self.places.evicted());
            // Not everybody is told why: there may be very many.
            if let Ok(told) = Arc::clone(&self.turning_away).try_acquire_owned() {
                let most = self.places.most();
                serving.spawn(async move {
                    let full = format!(
                        "{most} connections are open, the most there may be (`Limits::connections`)"
                    );
                    turn_away(arrival, &full, drain).await;
                    drop(told);
                    None
                });
            }
            return;
        };
        accepted.connections += 1;
        let drain = drain.while_seated(place.seat());
        let (host, gate) = (Arc::clone(&self.host), self.gate.clone());
        // In a box that goes once it is known what is spoken: most connections only wait then.
        let opening = Box::pin(door::open(host, gate, arrival, drain));
        serving.spawn(async move {
            let refused = match opening.await {
                Ok(Some(conversation)) => {
                    conversation.await;
                    None
                }
                Ok(None) => None,
                Err(refused) => Some(refused),
            };
            drop(place);
            refused
        });
    }
}

/// A failed accept must neither end the server nor make it spin: out of descriptors, the next
/// would fail at once as well. (That one connection broke off before it was accepted is no reason to
/// keep others waiting.)
async fn back_off(error: &io::Error, drain: &Drain) {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable,
        TimedOut,
    };

    if !matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionRefused
            | ConnectionReset
            | HostUnreachable
            | NetworkUnreachable
            | TimedOut
    ) {
        // One line a second, as that is how long it waits.
        trace::not_accepted(error);
        let mut ending = drain.clone();
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = ending.closing() => {}
        }
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening")
            .field("listeners", &self.listeners)
            .finish_non_exhaustive()
    }
}

/// What a server did until it ended.
///
/// ```
/// let report = farcall_transport::server::Report::default();
/// assert!(!report.forced);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many connections it served.
    pub connections: u64,
    /// How many it closed because their address is not on the [allow-list](super::Server::allow).
    pub refused: u64,
    /// True if calls were still in flight after the grace, and were dropped.
    pub forced: bool,
}

impl Report {
    fn add(&mut self, accepted: Accepted) {
        let Accepted {
            connections,
            refused,
        } = accepted;
        self.connections += connections;
        self.refused += refused;
    }
}

/// Why a server cannot listen.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let error = farcall_transport::server::Server::new().listen("port 80").await.unwrap_err();
/// assert!(error.to_string().contains("tcp://host:port"));
/// # });
/// ```
#[derive(Debug)]
pub struct ListenError(Why);

#[derive(Debug)]
enum Why {
    Address(BadAddress),
    Bind { address: String, source: io::Error },
    Insecure { address: String, why: String },
    Conflict(Conflict),
}

impl ListenError {
    fn bind(address: &str, source: io::Error) -> Self {
        Self(Why::Bind {
            address: address.to_owned(),
            source,
        })
    }

    fn insecure(address: &str, why: String) -> Self {
        Self(Why::Insecure {
            address: address.to_owned(),
            why,
        })
    }
}

impl From<BadAddress> for ListenError {
    fn from(address: BadAddress) -> Self {
        Self(Why::Address(address))
    }
}

impl From<Conflict> for ListenError {
    fn from(conflict: Conflict) -> Self {
        Self(Why::Conflict(conflict))
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Why::Address(bad) => bad.fmt(f),
            Why::Bind { address, .. } => write!(f, "cannot listen on {address}"),
            Why::Insecure { address, why } => write!(f, "cannot listen on {address}: {why}"),
            Why::Conflict(conflict) => conflict.fmt(f),
        }
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Why::Bind { source, .. } => Some(source),
            Why::Address(_) | Why::Insecure { .. } | Why::Conflict(_) => None,
        }
    }
}
