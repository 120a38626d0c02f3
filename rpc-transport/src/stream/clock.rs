//! The one timer of a connection, and what the core is told of time.

use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use farcall_core::context;
use tokio::time::Sleep;

use super::client::now;

/// The runtime's own clock.
pub(crate) fn clock() -> context::Clock {
    context::Clock {
        now,
        sleep_until: |at| Box::pin(tokio::time::sleep_until(at.into())),
    }
}

/// A timer that is made when it is first needed and moved only when the time to wake changes.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    sleep: Option<Pin<Box<Sleep>>>,
    set_to: Option<Instant>,
    /// Whom it wakes then.
    waker: Option<Waker>,
}

impl Clock {
    /// Ready once `at` is past; with no `at`, never.
    pub(crate) fn poll_at(&mut self, at: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = at else {
            self.set_to = None;
            return Poll::Pending;
        };
        if self.is_set(at, cx.waker()) {
            return Poll::Pending;
        }
        let when = tokio::time::Instant::from_std(at);
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(when)));
        if self.set_to != Some(at) {
            self.set_to = Some(at);
            sleep.as_mut().reset(when);
        }
        let ready = sleep.as_mut().poll(cx);
        self.waker = match ready {
            Poll::Ready(()) => {
                self.set_to = None;
                None
            }
            Poll::Pending => Some(cx.waker().clone()),
        };
        ready
    }

    /// True if nothing is to be done: it was set before, and has not gone off. (Nearly always, as it
    /// is asked at each turn of a connection.)
    fn is_set(&self, at: Instant, waker: &Waker) -> bool {
        let (Some(sleep), Some(known)) = (&self.sleep, &self.waker) else {
            return false;
        };
        self.set_to == Some(at) && known.will_wake(waker) && !sleep.is_elapsed()
    }
}

/// What may last so long and no longer, from when it is first asked about.
#[derive(Debug, Default)]
pub(crate) struct Due {
    until: Option<Instant>,
    clock: Clock,
}

impl Due {
    /// Ready once it has lasted for `time`; then it begins anew.
    pub(crate) fn poll(&mut self, time: Duration, cx: &mut Context<'_>) -> Poll<()> {
        if self.until.is_none() {
            self.until = now().checked_add(time);
        }
        ready!(self.clock.poll_at(self.until, cx));
        self.until = None;
        Poll::Ready(())
    }

    /// It is over, or has not begun: never ready.
    pub(crate) fn forget(&mut self) -> Poll<()> {
        self.until = None;
        Poll::Pending
    }
}
