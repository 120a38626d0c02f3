//! The client's side of one connection.
//!
//! Callers encode their calls straight into one buffer, under a short lock, and wait in a slot;
//! the connection's task (the [`Driver`]) sends what gathered and brings the replies. Nothing is
//! allocated for a call, no channel and no task stands between the two.
//!
//! A call's id is its slot and the slot's generation, which grows each time the slot is used: a
//! late reply to a call that was given up finds another generation and completes nobody.

mod alone;
mod batch;
mod call;
mod direct;
mod driver;
mod frames;
mod slots;
mod state;
mod streams;
#[cfg(feature = "json")]
mod texts;
mod turns;

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use batch::Batches;
pub(crate) use call::{Unsent, Waiting};
pub use driver::Driver;
use slots::Slots;
pub(crate) use slots::{Outcome, after};
use state::{Closed, State};
pub(crate) use streams::Open;
use streams::Streams;
use turns::Turns;

use super::assembly::Assembly;
use super::watch::Watch;
use super::{Outgoing, Speech};
use crate::channel::Outbound;
use crate::encoding::Encoding;
use crate::error::{EncodeError, Failure};
use crate::in_place::Aside;
use crate::limits::{Budget, Limits};
#[cfg(feature = "json")]
use crate::protocol::jsonrpc;
use crate::protocol::native;
use crate::protocol::tail::Tail;
use crate::stream;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, MutexGuard};

/// The client's side of one connection, as callers share it. Dropping it ends the connection.
///
/// ```
/// use farcall_core::connection::{Sending, Speech, client::Client};
/// use farcall_core::{encoding::Encoding, limits::Limits};
///
/// let now = std::time::Instant::now;
/// let (client, mut driver) =
///     Client::new(Speech::Native, Encoding::Bincode, Limits::default(), now);
/// let mut hello = Sending::default();
/// driver.transmit(&mut hello);
/// assert_eq!(hello.left(), 16);
/// assert!(client.is_open());
/// ```
pub struct Client {
    shared: Arc<Shared>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Client({:?}, {})",
            self.shared.speech, self.shared.encoding
        )
    }
}

struct Shared {
    speech: Speech,
    encoding: Encoding,
    limits: Limits,
    /// Tells the time: the core has no clock.
    now: fn() -> Instant,
    /// All handles are gone.
    released: AtomicBool,
    /// There are streams that callers began to send since the driver asked.
    uploads: AtomicBool,
    /// The driver has something that it has not sent yet.
    sending: AtomicBool,
    state: Mutex<State>,
}

impl Client {
    /// The two ends of a client's connection: one for the callers, one for the task that moves the
    /// bytes. `now` tells the time.
    #[must_use]
    pub fn new(
        speech: Speech,
        encoding: Encoding,
        limits: Limits,
        now: fn() -> Instant,
    ) -> (Self, Driver) {
        let mut out = Outgoing::default();
        if speech == Speech::Native {
            out.whole
                .extend_from_slice(&native::Hello::new(encoding, &limits).to_bytes());
        }
        let state = State {
            slots: Slots::default(),
            out,
            assembly: Assembly::default(),
            streams: Streams::default(),
            message_bytes: limits.message_bytes,
            calls: limits.calls_per_connection,
            turns: Turns::default(),
            batches: Batches::default(),
            speech,
            told: false,
            driver: None,
            direct: None,
            alarm: None,
            watch: Watch::default(),
            closed: None,
            greeted: speech == Speech::JsonRpc,
            waits_for_hello: None,
        };
        let shared = Shared {
            speech,
            encoding,
            limits,
            now,
            released: AtomicBool::new(false),
            uploads: AtomicBool::new(false),
            sending: AtomicBool::new(false),
            state: Mutex::new(state),
        };
        let shared = Arc::new(shared);
        (
            Self {
                shared: Arc::clone(&shared),
            },
            Driver::new(shared),
        )
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.shared.encoding
    }

    /// How long a call may take that does not say it.
    pub(crate) fn call_time(&self) -> Duration {
        self.shared.limits.call_time
    }

    /// What may be read at what cost.
    pub(crate) fn budget(&self) -> Budget {
        self.shared.limits.budget()
    }

    /// Waits until the server has said hello, where it says one: no call may be made before that is
    /// lost without a trace. The error is why no call can be made here.
    ///
    /// # Errors
    /// If the connection ended first, or the server refused it.
    pub fn poll_greeted(&self, cx: &Context<'_>) -> Poll<Result<(), Failure>> {
        let mut state = self.shared.lock();
        if state.greeted {
            return Poll::Ready(Ok(()));
        }
        if let Some(closed) = &state.closed {
            return Poll::Ready(Err(closed.failure(false)));
        }
        state.waits_for_hello = Some(cx.waker().clone());
        Poll::Pending
    }

    /// False once no call can be made here.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.shared.lock().closed.is_none()
    }

    /// How many calls were made here that are answered.
    #[must_use]
    pub fn calls_made(&self) -> u64 {
        self.shared.lock().slots.made()
    }

    pub(crate) fn now(&self) -> Instant {
        (self.shared.now)()
    }

    /// When a call that begins `now` is to be given up: after `timeout`, or with the handler that
    /// makes it.
    pub(crate) fn deadline(
        &self,
        now: Instant,
        timeout: Option<Duration>,
        inherited: Option<Instant>,
    ) -> Instant {
        let own = after(now, timeout.unwrap_or(self.shared.limits.call_time));
        inherited.map_or(own, |inherited| inherited.min(own))
    }

    /// Encodes a call that wants no reply.
    pub(crate) fn notify(&self, call: Outbound<'_>) -> Result<(), Failure> {
        let mut state = self.shared.lock();
        if let Some(closed) = &state.closed {
            return Err(closed.failure(false));
        }
        let mut remaining = call.options.timeout;
        if let Some(inherited) = call.options.deadline {
            let left = inherited.saturating_duration_since(self.now());
            if left.is_zero() {
                return Err(Failure::timeout(None, false));
            }
            remaining = remaining.into_iter().chain([left]).min();
        }
        self.shared.write(&mut state, &call, None, remaining)?;
        state.told = true;
        state.wake_driver();
        Ok(())
    }

    /// A caller that waited for a slot does not want it any more.
    #[cold]
    fn leave(&self, ticket: u64) {
        let mut state = self.shared.lock();
        // It was called and does not come: the slot that was free then is free still.
        if !state.turns.leave(ticket) {
            state.wake_waiting();
        }
    }

    #[cold]
    fn cancel(&self, id: u64) {
        let mut state = self.shared.lock();
        let is_under_way = state.slots.is_waited_for(id);
        if state.slots.close(id) {
            if is_under_way || state.streams.flow(id).is_some() {
                state.abandon(id);
            }
            state.wake_waiting();
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        self.shared.released.store(true, Ordering::Release);
        state.wake_driver();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A `Serialize` that panicked under the lock left a message to be cut off at the most, and
        // `write` does that.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends the message of a call to what is to be sent; gives its length. The driver is to be
    /// woken.
    #[inline]
    fn write(
        &self,
        state: &mut State,
        call: &Outbound<'_>,
        id: Option<u64>,
        remaining: Option<Duration>,
    ) -> Result<usize, Failure> {
        let start = state.out.whole.len();
        let mut aside = state.out.aside(id.unwrap_or_default());
        let mut message = Tail::begin(&mut state.out.whole);
        self.encode(message.out, call, id, remaining)?;
        let (segments, beside) = aside.as_mut().and_then(Aside::take).unzip();
        message.beside = beside.unwrap_or_default();
        if self.speech == Speech::JsonRpc {
            message.out.push(b'\n');
        }
        let size = message.len();
        if size > self.most(state.message_bytes) {
            return Err(Failure::too_large(size, state.message_bytes));
        }
        message.keep();
        state.out.settle(start, id.unwrap_or_default(), segments);
        Ok(size)
    }

    /// How long a message may be, head and all, where its body may have `message_bytes`.
    fn most(&self, message_bytes: usize) -> usize {
        message_bytes.saturating_add(native::HEADER)
    }

    /// Appends the message of a call. On an error the caller cuts off what was appended.
    fn encode(
        &self,
        out: &mut Vec<u8>,
        call: &Outbound<'_>,
        id: Option<u64>,
        remaining: Option<Duration>,
    ) -> Result<(), Failure> {
        let id_or_none = id.unwrap_or_default();
        match self.speech {
            Speech::Native => native::write_call(out, call, self.encoding, id_or_none, remaining),
            Speech::JsonRpc => {
                let gives = call.method.gives_stream;
                let window = gives.then(|| self.limits.stream_bytes.max(stream::INITIAL));
                write_json(out, call, id, window)
            }
        }
        .map_err(|error| Failure::encode(call.method.name, error))
    }
}

#[cfg(feature = "json")]
fn write_json(
    out: &mut Vec<u8>,
    call: &Outbound<'_>,
    id: Option<u64>,
    window: Option<usize>,
) -> Result<(), EncodeError> {
    jsonrpc::write_request(out, call, call.method.style, id, window)
}

#[cfg(not(feature = "json"))]
fn write_json(
    _: &mut Vec<u8>,
    _: &Outbound<'_>,
    _: Option<u64>,
    _: Option<usize>,
) -> Result<(), EncodeError> {
    Err(EncodeError::new("JSON-RPC is not in this build"))
}
