//! What the members of one batch may give together, and when they let others have a turn.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use futures_util::Stream;

use crate::fault::Fault;

/// After so many bytes of replies the members let others have a turn.
const TURN: usize = 64 * 1024;

/// What each of them counts for in that, beside its reply.
const MEMBER: usize = 4 * 1024;

/// How much room there is for the replies of one batch.
///
/// All of a batch is one future: without this, members that are ready at once would hold its thread
/// until the last of them is done, and run on when no reply fits any more.
#[derive(Debug)]
pub(crate) struct Room {
    most: usize,
    /// How many bytes are kept.
    kept: AtomicUsize,
    /// How many there were, with those that did not fit.
    given: AtomicUsize,
    /// How many since others had a turn.
    since: AtomicUsize,
    /// The batch has waited since it was last polled.
    waited: AtomicBool,
}

impl Room {
    /// For `most` bytes.
    pub(crate) fn of(most: usize) -> Self {
        Self {
            most,
            kept: AtomicUsize::new(0),
            given: AtomicUsize::new(0),
            since: AtomicUsize::new(0),
            waited: AtomicBool::new(false),
        }
    }

    /// Why no further member is run, if as much was left out already as fits: small replies may still
    /// fit behind a large one, but not for ever.
    pub(crate) fn refuses(&self) -> Option<Fault> {
        let given = self.given.load(Ordering::Relaxed);
        (given > self.most.saturating_mul(2)).then(|| Fault::replies_too_large(self.most).not_run())
    }

    /// A member is done, and gave `size` bytes.
    ///
    /// # Errors
    /// If it does not fit behind those that came before, and is not to be kept.
    pub(crate) fn take(&self, size: usize) -> Result<(), Fault> {
        self.given.fetch_add(size, Ordering::Relaxed);
        self.since
            .fetch_add(size.saturating_add(MEMBER), Ordering::Relaxed);
        let kept = self.kept.load(Ordering::Relaxed).saturating_add(size);
        if kept > self.most {
            return Err(Fault::replies_too_large(self.most));
        }
        self.kept.store(kept, Ordering::Relaxed);
        Ok(())
    }

    /// Runs a member, but not while it is time for a turn of the others.
    /// (Pinned where it is: a member is large, and to move it costs.)
    pub(crate) fn run<F: Future>(
        &self,
        mut member: Pin<&mut F>,
    ) -> impl Future<Output = F::Output> {
        poll_fn(move |cx| {
            if self.is_due() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            member.as_mut().poll(cx)
        })
    }

    /// The next of `answers`, after a turn of the others if it is time for one.
    pub(crate) async fn next<S: Stream>(&self, mut answers: Pin<&mut S>) -> Option<S::Item> {
        poll_fn(|cx| {
            if self.waited.swap(false, Ordering::Relaxed) {
                self.since.store(0, Ordering::Relaxed);
            } else if self.is_due() {
                self.waited.store(true, Ordering::Relaxed);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let next = answers.as_mut().poll_next(cx);
            self.waited.store(next.is_pending(), Ordering::Relaxed);
            next
        })
        .await
    }

    fn is_due(&self) -> bool {
        self.since.load(Ordering::Relaxed) >= TURN
    }
}
