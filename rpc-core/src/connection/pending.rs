//! The handlers of one connection that have to wait.
//!
//! They are polled by the connection's own task, each only when something it waits for woke it.
//! `FuturesUnordered` does as much, but this set can also end a call by its id or its deadline.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::task::AtomicWaker;
use slab::Slab;

use crate::protocol::outbox::ReplyId;
use crate::service::{Reply, Running};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

/// The set.
#[derive(Debug, Default)]
pub(super) struct Pending {
    calls: Slab<Call>,
    /// Of native calls, and of those with streams.
    by_number: HashMap<u64, usize>,
    woken: Arc<Woken>,
    /// Taken out of `woken`, to be polled; kept for its room.
    batch: Vec<usize>,
    /// The first deadline; it may be of a call that is over.
    next: Option<Instant>,
    /// The alarm for the next call, if the last one answered without it.
    spare: Option<(Arc<Alarm>, Waker)>,
}

#[derive(Debug)]
struct Call {
    running: Running,
    /// None for a notification.
    reply: Option<ReplyId>,
    deadline: Option<Instant>,
    alarm: Arc<Alarm>,
}

/// Wakes one call: notes its place, and wakes the connection's task.
#[derive(Debug)]
struct Alarm {
    place: usize,
    rung: AtomicBool,
    woken: Arc<Woken>,
}

#[derive(Debug, Default)]
struct Woken {
    places: Mutex<Vec<usize>>,
    task: AtomicWaker,
}

impl Alarm {
    #[cold]
    fn at(place: usize, woken: &Arc<Woken>) -> (Arc<Self>, Waker) {
        let alarm = Arc::new(Self {
            place,
            rung: AtomicBool::new(false),
            woken: Arc::clone(woken),
        });
        let waker = Waker::from(Arc::clone(&alarm));
        (alarm, waker)
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.woken
                .places
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(self.place);
            self.woken.task.wake();
        }
    }
}

impl Pending {
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// The waker for the first poll of a call that may be [`insert`](Self::insert)ed after it.
    /// (One that answers at once leaves it for the next; a stray wake is a poll for nothing.)
    #[inline]
    pub(super) fn waker(&mut self) -> &Waker {
        let (calls, woken) = (&self.calls, &self.woken);
        let alarm = || Alarm::at(calls.vacant_key(), woken);
        let (_, waker) = self.spare.get_or_insert_with(alarm);
        waker
    }

    /// Keeps a call that was polled with the last [`waker`](Self::waker).
    pub(super) fn insert(
        &mut self,
        running: Running,
        reply: Option<ReplyId>,
        deadline: Option<Instant>,
    ) {
        let Some((alarm, _)) = self.spare.take() else {
            return;
        };
        if let Some(number) = reply.as_ref().and_then(ReplyId::number) {
            self.by_number.insert(number, alarm.place);
        }
        let known = self.next_deadline();
        self.next = [known, deadline].into_iter().flatten().min();
        self.calls.insert(Call {
            running,
            reply,
            deadline,
            alarm,
        });
    }

    /// Polls the calls that were woken, and hands the replies of those that are done to `answer`.
    pub(super) fn poll(
        &mut self,
        cx: &Context<'_>,
        mut answer: impl FnMut(Option<ReplyId>, Reply),
    ) {
        self.woken.task.register(cx.waker());
        {
            let mut places = self
                .woken
                .places
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut *places, &mut self.batch);
        }
        let mut batch = std::mem::take(&mut self.batch);
        for place in batch.drain(..) {
            let Some(call) = self.calls.get_mut(place) else {
                continue;
            };
            call.alarm.rung.store(false, Ordering::Release);
            let waker = Waker::from(Arc::clone(&call.alarm));
            if let Poll::Ready(reply) = call.running.poll_unpin(&mut Context::from_waker(&waker)) {
                answer(self.remove(place).and_then(|call| call.reply), reply);
            }
        }
        self.batch = batch;
    }

    /// Drops the call of this number, if it is here; what its messages refer to.
    pub(super) fn cancel(&mut self, number: u64) -> Option<ReplyId> {
        let place = *self.by_number.get(&number)?;
        self.remove(place)?.reply
    }

    /// Drops the call of this number if its stream is open; true if it was.
    #[cfg(feature = "json")]
    pub(super) fn unsubscribe(&mut self, number: u64) -> bool {
        let place = self.by_number.get(&number).copied();
        let call = place.and_then(|place| self.calls.get(place));
        let is_open = matches!(
            call.and_then(|call| call.reply.as_ref()),
            Some(ReplyId::Subscription(of)) if of.is_open()
        );
        is_open && self.cancel(number).is_some()
    }

    /// Drops the call whose JSON-RPC id was written like `raw`, if it is here. (Looks at each: there
    /// are never many, and few are cancelled.)
    #[cfg(feature = "json")]
    pub(super) fn cancel_request(&mut self, raw: &[u8]) -> Option<ReplyId> {
        let is_it = |call: &Call| call.reply.as_ref().is_some_and(|id| id.json().0 == raw);
        let (place, _) = self.calls.iter().find(|(_, call)| is_it(call))?;
        self.remove(place)?.reply
    }

    /// The first deadline; perhaps one of a call that is over, while there are others.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.next.filter(|_| !self.calls.is_empty())
    }

    /// Drops the calls whose deadline is past, and tells `late` of each.
    pub(super) fn expire(&mut self, now: Instant, mut late: impl FnMut(Option<ReplyId>)) {
        let past: Vec<usize> = self
            .calls
            .iter()
            .filter(|(_, call)| call.deadline.is_some_and(|deadline| deadline <= now))
            .map(|(place, _)| place)
            .collect();
        for place in past {
            late(self.remove(place).and_then(|call| call.reply));
        }
        let calls = self.calls.iter();
        self.next = calls.filter_map(|(_, call)| call.deadline).min();
    }

    /// Drops the calls that somebody waited for.
    pub(super) fn drop_answered(&mut self) {
        self.by_number.clear();
        self.calls.retain(|_, call| call.reply.is_none());
    }

    /// Drops all calls, and tells `dropped` of each.
    pub(super) fn abort(&mut self, mut dropped: impl FnMut(Option<ReplyId>)) {
        self.by_number.clear();
        self.spare = None;
        for call in self.calls.drain() {
            dropped(call.reply);
        }
    }

    fn remove(&mut self, place: usize) -> Option<Call> {
        let call = self.calls.try_remove(place)?;
        // The next call takes this place.
        self.spare = None;
        if let Some(number) = call.reply.as_ref().and_then(ReplyId::number) {
            // Two calls of one id may be in flight, if the client is odd: forget only this one.
            if self.by_number.get(&number) == Some(&place) {
                self.by_number.remove(&number);
            }
        }
        Some(call)
    }
}
