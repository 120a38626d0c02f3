//! What a client's callers and its driver share, behind one lock.

use std::task::Waker;
use std::time::{Duration, Instant};

use super::Shared;
use super::batch::Batches;
use super::direct;
use super::slots::Slots;
use super::streams::{Entry, Streams};
use super::turns::Turns;
use crate::connection::assembly::Assembly;
use crate::connection::watch::Watch;
use crate::connection::{Outgoing, Speech};
use crate::error::Failure;
use crate::fault::Fault;
#[cfg(feature = "json")]
use crate::protocol::jsonrpc;
use crate::protocol::native;

pub(super) struct State {
    pub(super) slots: Slots,
    /// What is to be sent.
    pub(super) out: Outgoing,
    /// Messages that come in pieces.
    pub(super) assembly: Assembly,
    /// What calls with streams have beside their slots.
    pub(super) streams: Streams,
    /// The largest message the server takes, as far as it said so.
    pub(super) message_bytes: usize,
    /// The most calls in flight the server takes, as far as it said so.
    pub(super) calls: usize,
    /// Those who wait for a free slot.
    pub(super) turns: Turns,
    /// The JSON-RPC batches under way, the ids of each.
    pub(super) batches: Batches,
    pub(super) speech: Speech,
    /// Something was sent that has no id: a server that knows no better may answer it without one.
    pub(super) told: bool,
    pub(super) driver: Option<Waker>,
    /// By what a lone caller sends its request itself.
    pub(super) direct: Option<direct::Send>,
    /// When the driver's timer goes off.
    pub(super) alarm: Option<Instant>,
    /// Whether the server is still there.
    pub(super) watch: Watch,
    /// No call can be started any more.
    pub(super) closed: Option<Closed>,
    /// The server has said hello, or says none.
    pub(super) greeted: bool,
    /// Who waits for that.
    pub(super) waits_for_hello: Option<Waker>,
}

/// Why a connection takes no more calls.
#[derive(Clone, Debug)]
pub(super) enum Closed {
    /// It ended.
    Ended,
    /// The server asked for it; calls in flight are still answered.
    GoingAway,
    /// The server said its last word: what it has not answered, it has not run.
    Over,
    /// The server refused it in these words.
    Refused(String),
    /// The server broke the protocol like this.
    Broken(String),
    /// Nothing came from it for so long, nor an answer to a ping for so long.
    Silent(Duration, Duration),
}

impl Closed {
    pub(super) fn failure(&self, sent: bool) -> Failure {
        match self {
            Self::Ended | Self::GoingAway => Failure::closed(sent),
            Self::Over if sent => Failure::remote(Fault::shutting_down()),
            Self::Over => Failure::closed(false),
            Self::Refused(words) => Failure::refused(words.clone()),
            Self::Broken(how) => Failure::peer(how.clone()),
            Self::Silent(silence, pong) if sent => Failure::silent(*silence, *pong),
            Self::Silent(..) => Failure::closed(false),
        }
    }
}

impl State {
    /// The caller of the call `id` is gone: tells the server, if it still hears.
    pub(super) fn abandon(&mut self, id: u64) {
        if self.closed.is_some() {
            self.streams.remove(id);
        } else {
            self.give_up(id);
            self.wake_driver();
        }
    }

    /// Tells the server to stop working on the call `id`, and drops what is half sent or half
    /// there of it. Gives its streams.
    pub(super) fn give_up(&mut self, id: u64) -> Option<Entry> {
        let streams = self.streams.remove(id);
        match self.speech {
            Speech::Native => {
                self.out.forget(id);
                self.assembly.forget(id);
                native::write_cancel(&mut self.out.whole, id);
            }
            #[cfg(feature = "json")]
            Speech::JsonRpc => {
                let out = &mut self.out.whole;
                match streams.as_ref().and_then(Entry::subscription) {
                    Some(subscription) => jsonrpc::write_unsubscribe(out, subscription),
                    None => jsonrpc::write_cancel(out, id),
                }
                self.told = true;
            }
            #[cfg(not(feature = "json"))]
            Speech::JsonRpc => {}
        }
        streams
    }

    /// The server takes no further calls; with its last word, none of those in flight either.
    pub(super) fn going_away(&mut self, is_last_word: bool) {
        match (&self.closed, is_last_word) {
            (None | Some(Closed::GoingAway), true) => self.closed = Some(Closed::Over),
            (None, false) => self.closed = Some(Closed::GoingAway),
            _ => {}
        }
        self.turns.dismiss().for_each(Waker::wake);
    }

    pub(super) fn wake_driver(&mut self) {
        if let Some(driver) = self.driver.take() {
            driver.wake();
        }
    }

    /// Lets the next caller in that waits for a slot.
    #[inline]
    pub(super) fn wake_waiting(&mut self) {
        if let Some(waker) = self.turns.call() {
            waker.wake();
        }
    }

    /// Keeps a caller in the queue for a slot, until `deadline`; gives its ticket.
    pub(super) fn wait(&mut self, ticket: Option<u64>, deadline: Instant, waker: &Waker) -> u64 {
        self.set_alarm(deadline);
        self.turns.wait(ticket, deadline, waker)
    }

    /// Lets the time of calls begin that were made since the last look at the clock.
    #[inline]
    pub(super) fn begin(&mut self, now: impl FnOnce() -> Instant, shared: &Shared) {
        if !self.slots.has_new() {
            return;
        }
        let now = now();
        let first = self.slots.begin(now);
        let first_look = match shared.speech {
            Speech::Native => self.watch.begin(now, &shared.limits),
            Speech::JsonRpc => None,
        };
        // Nobody is woken: whoever lets them begin looks at the alarm next.
        for at in [first, first_look].into_iter().flatten() {
            if self.alarm.is_none_or(|alarm| at < alarm) {
                self.alarm = Some(at);
            }
        }
    }

    /// Makes sure that the driver's timer goes off at `deadline` at the latest.
    pub(super) fn set_alarm(&mut self, deadline: Instant) {
        if self.alarm.is_none_or(|alarm| deadline < alarm) {
            self.alarm = Some(deadline);
            self.wake_driver();
        }
    }
}
