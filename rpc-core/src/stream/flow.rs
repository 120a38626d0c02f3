//! Both directions of one call's streams, under credit.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::channel::Inbound;
use crate::error::Failure;
use crate::protocol::native::HEADER;
use crate::sync::{Mutex, MutexGuard};

/// How many bytes of items each direction may have under way before anything was granted. Part of
/// the protocol.
pub(crate) const INITIAL: usize = 64 * 1024;

/// The most that may be granted ahead.
pub(crate) const MOST: i64 = 1 << 31;

/// What each item of a JSON-RPC stream costs beside its value: about what is written around it. Part
/// of the protocol.
const JSON_ITEM: usize = 64;

/// The terms on which items travel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// What each item costs beside its bytes: an empty one is not free.
    item: usize,
    /// How many bytes of items may be sent at first; none if nobody counts.
    credit: Option<usize>,
}

impl Terms {
    pub(crate) const NATIVE: Self = Self {
        item: HEADER,
        credit: Some(INITIAL),
    };

    /// What a client sends in JSON-RPC.
    pub(crate) const JSON: Self = Self {
        item: JSON_ITEM,
        credit: Some(INITIAL),
    };

    /// The same, with this `credit`.
    pub(crate) fn with_credit(self, credit: Option<usize>) -> Self {
        Self { credit, ..self }
    }

    fn cost(self, length: usize) -> i64 {
        i64::try_from(length.saturating_add(self.item)).unwrap_or(MOST)
    }
}

/// The way to the other side.
pub(crate) trait Link: Send + Sync {
    /// Lets the other side send `bytes` more of the items of the call `id`.
    fn grant(&self, id: u64, bytes: usize);
}

/// How the other side broke the rules of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It sent more than it was granted.
    Overrun,
    /// It sent after it had ended.
    Ended,
    /// It granted more than can be.
    Granted,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overrun => "more items came than were granted (`Limits::stream_bytes`)",
            Self::Ended => "an item came behind the end of its stream",
            Self::Granted => "more than 2 GiB of items were granted ahead",
        })
    }
}

/// The streams of one call.
pub(crate) struct Flow {
    id: u64,
    /// How many bytes of items may be unread.
    window: usize,
    terms: Terms,
    link: Arc<dyn Link>,
    incoming: Mutex<Incoming>,
    outgoing: Mutex<Outgoing>,
}

struct Incoming {
    queue: VecDeque<Inbound>,
    /// How much more the other side may send.
    granted: i64,
    /// How much was read since the last grant.
    read: usize,
    /// How it ended, to be told once the queue is empty.
    end: Option<Result<(), Failure>>,
    waker: Option<Waker>,
}

struct Outgoing {
    /// None if nobody counts.
    credit: Option<i64>,
    /// Nothing more is to be sent.
    closed: bool,
    /// There will be no more credit: the other side says nothing any more.
    last: bool,
    waker: Option<Waker>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flow({})", self.id)
    }
}

impl Flow {
    /// The streams of the call `id`; what may be unread is `window`, but never less than
    /// [`INITIAL`].
    pub(crate) fn new(id: u64, window: usize, terms: Terms, link: Arc<dyn Link>) -> Self {
        let window = window.max(INITIAL);
        Self {
            id,
            window,
            terms,
            link,
            incoming: Mutex::new(Incoming {
                queue: VecDeque::new(),
                granted: i64::try_from(window).unwrap_or(MOST),
                read: 0,
                end: None,
                waker: None,
            }),
            outgoing: Mutex::new(Outgoing {
                credit: terms
                    .credit
                    .map(|credit| i64::try_from(credit).unwrap_or(MOST)),
                closed: false,
                last: false,
                waker: None,
            }),
        }
    }

    /// What the other side is to be granted at the start.
    pub(crate) fn first_grant(&self) -> usize {
        self.window.saturating_sub(INITIAL)
    }

    /// An item came.
    pub(crate) fn push(&self, item: Inbound) -> Result<(), Broken> {
        let mut incoming = lock(&self.incoming);
        if incoming.end.is_some() {
            return Err(Broken::Ended);
        }
        // The last one may go beyond what was granted, or a large one could never be sent.
        if incoming.granted <= 0 {
            return Err(Broken::Overrun);
        }
        incoming.granted = incoming.granted.saturating_sub(self.terms.cost(item.len()));
        incoming.queue.push_back(item);
        if let Some(waker) = incoming.waker.take() {
            drop(incoming);
            waker.wake();
        }
        Ok(())
    }

    /// No more items come. The first end counts.
    pub(crate) fn end(&self, how: Result<(), Failure>) {
        let mut incoming = lock(&self.incoming);
        incoming.end.get_or_insert(how);
        if let Some(waker) = incoming.waker.take() {
            drop(incoming);
            waker.wake();
        }
    }

    /// The next item, or why the stream ended before its time; then nothing.
    pub(crate) fn poll_next(&self, cx: &Context<'_>) -> Poll<Option<Result<Inbound, Failure>>> {
        let mut incoming = lock(&self.incoming);
        let Some(item) = incoming.queue.pop_front() else {
            if incoming.end.is_none() {
                keep(&mut incoming.waker, cx);
                return Poll::Pending;
            }
            let end = incoming.end.replace(Ok(()));
            return Poll::Ready(end.and_then(Result::err).map(Err));
        };
        let cost = item.len().saturating_add(self.terms.item);
        incoming.read = incoming.read.saturating_add(cost);
        // Half a window at a time: one grant for many items, and the sender need not stop.
        if incoming.read >= self.window / 2 && incoming.end.is_none() {
            let read = std::mem::take(&mut incoming.read);
            let granted = i64::try_from(read).unwrap_or(MOST);
            incoming.granted = incoming.granted.saturating_add(granted);
            drop(incoming);
            self.link.grant(self.id, read);
        }
        Poll::Ready(Some(Ok(item)))
    }

    /// The other side reads on.
    pub(crate) fn granted(&self, bytes: u32) -> Result<(), Broken> {
        let mut outgoing = lock(&self.outgoing);
        let Some(credit) = &mut outgoing.credit else {
            return Ok(());
        };
        *credit = credit.saturating_add(i64::from(bytes));
        if *credit > MOST {
            return Err(Broken::Granted);
        }
        if *credit > 0
            && let Some(waker) = outgoing.waker.take()
        {
            drop(outgoing);
            waker.wake();
        }
        Ok(())
    }

    /// The other side says nothing any more, but may still read what it has credit for. True if it had
    /// not ended what it sends.
    pub(crate) fn cut(&self) -> bool {
        let mut outgoing = lock(&self.outgoing);
        outgoing.last = true;
        let waker = outgoing.waker.take();
        drop(outgoing);
        if let Some(waker) = waker {
            waker.wake();
        }
        lock(&self.incoming).end.is_none()
    }

    /// Ready when an item may be sent: true, or false if none is wanted any more.
    pub(crate) fn poll_credit(&self, cx: &Context<'_>) -> Poll<bool> {
        let mut outgoing = lock(&self.outgoing);
        if outgoing.closed {
            return Poll::Ready(false);
        }
        if outgoing.credit.is_none_or(|credit| credit > 0) {
            return Poll::Ready(true);
        }
        if outgoing.last {
            return Poll::Ready(false);
        }
        keep(&mut outgoing.waker, cx);
        Poll::Pending
    }

    /// An item of `length` bytes was sent.
    pub(crate) fn spend(&self, length: usize) {
        if let Some(credit) = &mut lock(&self.outgoing).credit {
            *credit = credit.saturating_sub(self.terms.cost(length));
        }
    }

    /// Nothing more is to be sent: the call is over.
    pub(crate) fn close(&self) {
        let mut outgoing = lock(&self.outgoing);
        outgoing.closed = true;
        if let Some(waker) = outgoing.waker.take() {
            drop(outgoing);
            waker.wake();
        }
    }
}

fn keep(waker: &mut Option<Waker>, cx: &Context<'_>) {
    match waker {
        Some(known) => known.clone_from(cx.waker()),
        none => *none = Some(cx.waker().clone()),
    }
}
