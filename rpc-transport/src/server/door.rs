//! Who may come in, asked of a connection before anything it says is read: of the address it comes
//! from, or of the one that a proxy says it comes from.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use super::Protocol;
use super::connection::{self, Conversation, Host};
use super::gate::Gate;
use crate::drain::Drain;
use crate::net::listener::Arrival;
use crate::net::rewind::Rewind;
use crate::proxies::{Preface, preface};
use crate::trace;

/// Room for most of what proxies say.
const USUAL: usize = 256;

/// What is said about those who were turned away, in not more lines than one a second: strangers must
/// not fill the log.
#[derive(Default)]
pub(super) struct Door {
    told: Option<Instant>,
    untold: u64,
    told_full: Option<Instant>,
}

impl Door {
    /// Until when to serve who arrived, or nothing if its address may not come in.
    pub(super) fn admit(&mut self, host: &Host, arrival: &Arrival, drain: &Drain) -> Option<Drain> {
        let proxies = host.proxies.as_ref();
        if proxies.is_some_and(|proxies| proxies.has(arrival.peer)) {
            // For whom it comes is known later.
            return Some(drain.clone());
        }
        let admitted = admit(host, arrival.peer, drain);
        if let (None, Some(peer)) = (&admitted, arrival.peer) {
            self.turned_away(peer);
        }
        admitted
    }

    /// All places are taken, and nobody makes room; so many have.
    pub(super) fn full(&mut self, evicted: u64) {
        let now = Instant::now();
        if self
            .told_full
            .is_none_or(|told| now >= told + Duration::from_secs(1))
        {
            self.told_full = Some(now);
            trace::full(evicted);
        }
    }

    pub(super) fn turned_away(&mut self, peer: SocketAddr) {
        let now = Instant::now();
        match self.told {
            Some(told) if now < told + Duration::from_secs(1) => self.untold += 1,
            _ => {
                self.told = Some(now);
                trace::refused(peer, std::mem::take(&mut self.untold));
            }
        }
    }
}

/// The conversation on a connection, if there is one.
///
/// # Errors
/// The address that may not come in, if that is what a proxy says.
pub(super) async fn open(
    host: Arc<Host>,
    gate: Gate,
    mut arrival: Arrival,
    mut drain: Drain,
) -> Result<Option<Conversation>, SocketAddr> {
    let proxies = host.proxies.as_ref();
    if proxies.is_some_and(|proxies| proxies.are_prefaced(arrival.peer)) {
        let time = host.limits.handshake_time;
        let told = tokio::select! {
            told = tokio::time::timeout(time, told(arrival)) => told.ok().flatten(),
            () = drain.started() => None,
        };
        let Some(told) = told else { return Ok(None) };
        arrival = told;
        match (admit(&host, arrival.peer, &drain), arrival.peer) {
            (Some(admitted), _) => drain = admitted,
            (None, Some(peer)) => return Err(peer),
            (None, None) => return Ok(None),
        }
    }
    Ok(connection::open(host, gate, arrival, drain).await)
}

/// Until when to serve a connection that speaks this: a proxy that does not say for whom it comes,
/// comes for itself. (Over HTTP it says so with each request.)
pub(super) fn admit_speaker(
    host: &Host,
    arrival: &Arrival,
    spoken: Protocol,
    drain: Drain,
) -> Option<Drain> {
    let proxies = host.proxies.as_ref();
    match spoken != Protocol::Http && proxies.is_some_and(|proxies| proxies.has(arrival.peer)) {
        true => admit(host, arrival.peer, &drain),
        false => Some(drain),
    }
}

fn admit(host: &Host, peer: Option<SocketAddr>, drain: &Drain) -> Option<Drain> {
    let (Some(list), Some(peer)) = (&host.allow, peer) else {
        return Some(drain.clone());
    };
    Some(drain.while_admitted(list.admit(peer.ip())?))
}

/// The connection as its proxy says it is. None if it says nothing that can be understood.
async fn told(mut arrival: Arrival) -> Option<Arrival> {
    let mut start = BytesMut::with_capacity(USUAL);
    loop {
        match preface(&start) {
            Preface::Whole(length, client) => {
                start.advance(length);
                arrival.peer = client.or(arrival.peer);
                arrival.io = Box::new(Rewind::new(start, arrival.io));
                return Some(arrival);
            }
            Preface::Broken => return None,
            Preface::Partial => match arrival.io.read_buf(&mut start).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            },
        }
    }
}
