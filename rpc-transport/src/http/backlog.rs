//! What a connection of HTTP/2 has answered, and its client has not taken.
//!
//! hyper runs every request that comes, and keeps each answer until its client makes room for it. One that
//! makes none would have the memory of all its answers. So requests wait while too much is kept, and the
//! connection ends if nothing of it is taken for too long.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use farcall_core::limits::Limits;
use tokio::sync::Notify;
use tokio::time::Sleep;

/// So much of an answer is given to hyper at a time: what it has, it keeps in any case.
pub(super) const PIECE: usize = 16 * 1024;

/// The answers of one connection.
#[derive(Debug)]
pub(super) struct Backlog {
    /// How much may wait before requests do.
    limit: usize,
    write_time: Duration,
    waiting: AtomicUsize,
    /// How many requests have no answer, or one that was not taken whole.
    open: AtomicUsize,
    /// How often something was taken.
    taken: AtomicUsize,
    room: Notify,
}

impl Backlog {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            // With nothing waiting there is always room for one answer.
            limit: limits.unsent_bytes.max(1),
            write_time: limits.write_time,
            waiting: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
            room: Notify::new(),
        })
    }

    /// A request has come.
    pub(super) fn open(self: &Arc<Self>) -> Share {
        self.open.fetch_add(1, Relaxed);
        Share {
            backlog: Arc::clone(self),
            waiting: 0,
            given: 0,
        }
    }

    /// True if every request was answered, and every answer taken.
    pub(super) fn is_empty(&self) -> bool {
        self.open.load(Relaxed) == 0
    }

    fn is_full(&self) -> bool {
        self.waiting.load(Relaxed) >= self.limit
    }
}

/// What one request has of the backlog, until its answer was taken or nobody wants it.
#[derive(Debug)]
pub(super) struct Share {
    backlog: Arc<Backlog>,
    waiting: usize,
    /// How much of it hyper was given last. It asks for a piece ahead, and for the next one, or lets go of the
    /// answer, once it has sent that.
    given: usize,
}

impl Share {
    /// Waits until there is room for an answer.
    pub(super) async fn room(&self) {
        if !self.backlog.is_full() {
            return;
        }
        while self.backlog.is_full() {
            self.backlog.room.notified().await;
        }
        // There may be room for the next one too.
        self.backlog.room.notify_one();
    }

    /// The answer has so many bytes.
    pub(super) fn wait(&mut self, bytes: usize) {
        self.waiting = self.waiting.saturating_add(bytes);
        self.backlog.waiting.fetch_add(bytes, Relaxed);
    }

    /// So many of them are given to hyper; those before them were taken.
    pub(super) fn give(&mut self, bytes: usize) {
        let given = std::mem::replace(&mut self.given, bytes);
        self.take(given);
    }

    fn take(&mut self, bytes: usize) {
        let bytes = bytes.min(self.waiting);
        self.waiting = self.waiting.saturating_sub(bytes);
        self.backlog.waiting.fetch_sub(bytes, Relaxed);
        self.backlog.taken.fetch_add(1, Relaxed);
        if !self.backlog.is_full() {
            self.backlog.room.notify_one();
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.take(self.waiting);
        self.backlog.open.fetch_sub(1, Relaxed);
    }
}

/// Tells when nothing was taken for too long.
#[derive(Debug, Default)]
pub(super) struct Stalled {
    taken: usize,
    due: Option<Pin<Box<Sleep>>>,
}

impl Stalled {
    pub(super) fn poll(&mut self, backlog: &Backlog, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if backlog.waiting.load(Relaxed) == 0 {
                self.due = None;
                return Poll::Pending;
            }
            let taken = backlog.taken.load(Relaxed);
            if self.taken != taken {
                self.taken = taken;
                self.due = None;
            }
            let time = backlog.write_time;
            let due = self
                .due
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
            ready!(due.as_mut().poll(cx));
            if self.taken == backlog.taken.load(Relaxed) {
                return Poll::Ready(());
            }
        }
    }
}
