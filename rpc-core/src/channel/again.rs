//! Calls that are made again.
//!
//! Whether one may be is decided here, by what is known of how it ended; when, and over which
//! connection, is for whoever is the channel's [`Recover`].

use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::{Channel, Options};
use crate::connection::client::Client;
use crate::error::Failure;
use crate::method::Method;
use crate::sync::{Mutex, MutexGuard};

/// What a channel does about calls that failed: waits for another connection or for a while, and has
/// them made again.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use farcall_core::channel::{Failed, Recover, Recovering};
///
/// /// Makes what never left again, at once, and once.
/// struct OnceMore;
///
/// impl Recover for OnceMore {
///     fn now(&self) -> Instant {
///         Instant::now()
///     }
///     fn call_time(&self) -> Duration {
///         Duration::from_secs(10)
///     }
///     fn recover(&self, failed: Failed<'_>) -> Option<Recovering> {
///         let again = failed.attempts == 1 && !failed.failure.was_sent();
///         again.then(|| Box::pin(std::future::ready(Ok(()))) as Recovering)
///     }
/// }
/// ```
pub trait Recover: Send + Sync {
    /// Tells the time.
    fn now(&self) -> Instant;

    /// How long a call may take whose caller does not say.
    fn call_time(&self) -> Duration;

    /// A call is made by a way that does not count them itself.
    fn called(&self) {}

    /// A call failed in a way that allows it to be made again. Gives what to wait for until then; `None`
    /// if it is not to be. What that gives in the place of a call's next attempt, if it gives an error,
    /// is taken for its failure.
    fn recover(&self, failed: Failed<'_>) -> Option<Recovering>;
}

/// What is waited for until a call is made again.
pub type Recovering = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// A call that failed, and may be made again: it surely did not run, or running it twice is as good as
/// once.
///
/// ```
/// use farcall_core::{channel::Failed, error::Failure};
///
/// fn is_first(failed: &Failed<'_>) -> bool {
///     failed.attempts == 1
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Failed<'a> {
    /// How.
    pub failure: &'a Failure,
    /// How many attempts were made so far.
    pub attempts: u32,
    /// How many calls it is about: the members of a batch that failed.
    pub calls: usize,
    /// When it is given up whatever happens.
    pub deadline: Instant,
}

/// A way over byte streams one after the other: where there is no connection any more, the channel's
/// [`Recover`] puts another in its place.
#[derive(Debug)]
pub struct Line(Mutex<Arc<Client>>);

impl Line {
    /// A line that begins with this connection.
    #[must_use]
    pub fn new(client: Arc<Client>) -> Self {
        Self(Mutex::new(client))
    }

    /// The connection that calls are made on.
    #[must_use]
    #[inline]
    pub fn current(&self) -> Arc<Client> {
        Arc::clone(&self.lock())
    }

    /// Has further calls made on `client`. Those in flight on the connection before it are still
    /// answered there.
    pub fn replace(&self, client: Arc<Client>) {
        let before = std::mem::replace(&mut *self.lock(), client);
        // Not under the lock: it may be the last handle, and ends the connection.
        drop(before);
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Client>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a call has beside that is made again. Nearly all have nothing.
#[derive(Default)]
pub(super) struct Again(Option<Box<Attempts>>);

struct Attempts {
    made: u32,
    deadline: Instant,
    /// What the call had of another deadline before.
    inherited: Option<Instant>,
    /// How an attempt ended that may have run.
    lost: Option<Failure>,
    waiting: Option<Recovering>,
}

/// How an attempt ended.
pub(super) struct Ended {
    pub(super) failure: Failure,
    /// When the call's time would have been over, if the way knows.
    pub(super) deadline: Option<Instant>,
    /// When it began, if that is known instead.
    pub(super) begun: Option<Instant>,
}

/// True if a call of `method` that ended like this may be made again without running twice what must
/// not.
pub(super) fn may_be_repeated(failure: &Failure, method: &Method) -> bool {
    failure.is_retryable() || (failure.is_lost() && method.idempotent)
}

impl Again {
    /// An attempt failed. Gives how the call ends, or `None` if it is to be made again once
    /// [`poll`](Self::poll) is ready, with these `options`.
    #[cold]
    pub(super) fn failed(
        &mut self,
        channel: &Channel,
        method: &Method,
        options: &mut Options,
        ended: Ended,
    ) -> Option<Failure> {
        let Some(recover) = &channel.recover else {
            return Some(ended.failure);
        };
        let failure = ended.failure;
        let attempts = self.0.get_or_insert_with(|| {
            let deadline = ended.deadline.unwrap_or_else(|| {
                let begun = ended.begun.unwrap_or_else(|| recover.now());
                options.deadline_from(begun, recover.call_time())
            });
            Box::new(Attempts {
                made: 0,
                deadline,
                inherited: options.deadline,
                lost: None,
                waiting: None,
            })
        });
        attempts.made += 1;
        if may_be_repeated(&failure, method) {
            attempts.waiting = recover.recover(Failed {
                failure: &failure,
                attempts: attempts.made,
                calls: 1,
                deadline: attempts.deadline,
            });
            if attempts.waiting.is_some() {
                options.deadline = Some(attempts.deadline);
                if failure.is_lost() {
                    attempts.lost.get_or_insert(failure);
                }
                return None;
            }
        }
        Some(truth(attempts.lost.take(), failure))
    }

    /// The deadline that the call had from elsewhere before any attempt, if it had one.
    pub(super) fn inherited(&self, options: &Options) -> Option<Instant> {
        let known = self.0.as_ref().map(|attempts| attempts.inherited);
        known.unwrap_or(options.deadline)
    }

    /// Ready when the call is to be made again, or has failed once more.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        match self.0.as_mut().and_then(|again| again.waiting.as_mut()) {
            Some(waiting) => waiting.as_mut().poll(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

/// How a call ended whose last attempt failed like this: that one did not run says nothing of one
/// before it that was `lost`.
pub(super) fn truth(lost: Option<Failure>, failure: Failure) -> Failure {
    match lost {
        Some(_) if failure.is_timeout() => failure.sent(),
        Some(lost) if !failure.was_sent() || failure.is_retryable() => lost,
        _ => failure,
    }
}
