//! Handlers at work.
//!
//! A handler is first polled where its request was read, in a slot that is used again and again:
//! one that answers at once costs no allocation. Only one that has to wait moves out, as a
//! [`Running`], and its slot gets a new box. A panic is that call's fault and nobody else's.

use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};

use super::in_flight::InFlight;
use super::{Reply, Request, Service};
use crate::context::{self, Clock, current_copy, enter};
use crate::fault::{Fault, code};
use crate::method::Method;
use crate::trace::CallSpan;

/// A [`Service`] without its type.
pub(crate) trait Erased: Send + Sync {
    fn methods(&self) -> &'static [Method];
    /// Starts a call that the caller polls itself.
    fn call(&self, request: Request) -> Running;
    /// A slot for one connection.
    fn slot(&self) -> Box<dyn Slot>;
}

/// Starts calls of one service for one connection.
pub(crate) trait Slot: Send {
    /// Takes `request`, whose context is the current one, starts its call and polls it once. (A
    /// reference, because what is handed on by value is copied at each step.)
    fn start(&mut self, request: &mut Option<Request>, cx: &mut Context<'_>) -> Started;
}

/// What became of a call's first poll. (Small, as nearly all are done.)
pub(crate) enum Started {
    /// The result is in the connection's buffer, if anybody wants it.
    Done,
    Failed(Box<Fault>),
    Pending(Running),
}

impl<S: Service> Erased for S {
    fn methods(&self) -> &'static [Method] {
        S::METHODS
    }

    fn call(&self, request: Request) -> Running {
        let mut context = Owned(Some(request.context().copy()));
        let span = CallSpan::of(request.context());
        let future = catch_unwind(AssertUnwindSafe(|| {
            let _inside = enter(&mut context.0);
            span.within(|| Service::call(self, request))
        }));
        let handler: Pin<Box<dyn Handler>> = match future {
            Ok(future) => Box::pin(Some(future)),
            Err(_) => Box::pin(Some(std::future::ready(panicked()))),
        };
        Running {
            handler,
            context,
            span,
            counted: None,
        }
    }

    fn slot(&self) -> Box<dyn Slot> {
        let service = self.clone();
        Box::new(Reused {
            make: move |request| Service::call(&service, request),
            spare: None,
        })
    }
}

/// The slot: `F` is the one future type of the service.
struct Reused<M, F> {
    make: M,
    spare: Option<Pin<Box<Option<F>>>>,
}

impl<M, F> Slot for Reused<M, F>
where
    M: FnMut(Request) -> F + Send,
    F: Future<Output = Reply> + Send + 'static,
{
    fn start(&mut self, request: &mut Option<Request>, cx: &mut Context<'_>) -> Started {
        let Self { make, spare } = self;
        let slot = spare.get_or_insert_with(|| Box::pin(None));
        let span = CallSpan::of_any(request.as_ref().map(Request::context));
        let first = catch_unwind(AssertUnwindSafe(|| {
            let polled = span.within(|| {
                slot.set(request.take().map(make));
                slot.as_mut().as_pin_mut().map(|future| future.poll(cx))
            });
            let done = match polled? {
                Poll::Pending => return None,
                Poll::Ready(reply) => reply.map(drop).map_err(Box::new),
            };
            // What the handler held is dropped here: a panic in a `drop` is its own too.
            slot.set(None);
            Some(done)
        }));
        match first {
            Ok(Some(Ok(()))) => Started::Done,
            Ok(Some(Err(fault))) => Started::Failed(fault),
            Ok(None) => spare.take().map_or(Started::Done, |slot| {
                let handler: Pin<Box<dyn Handler>> = slot;
                Started::Pending(Running {
                    handler,
                    context: Owned(current_copy()),
                    span,
                    counted: None,
                })
            }),
            Err(_) => {
                // What is left of the handler may panic again.
                let _ = catch_unwind(AssertUnwindSafe(|| slot.set(None)));
                Started::Failed(Box::new(handler_failed()))
            }
        }
    }
}

/// A call that has not answered yet. Dropping it drops the handler.
pub(crate) struct Running {
    handler: Pin<Box<dyn Handler>>,
    context: Owned,
    span: CallSpan,
    counted: Option<InFlight>,
}

/// The context of a call while its handler is not polled. The call is over with it.
struct Owned(Option<context::Context>);

impl Drop for Owned {
    #[inline]
    fn drop(&mut self) {
        if let Some(context) = &self.0 {
            context.end();
        }
    }
}

impl Running {
    /// The same, which counts as a call in flight as long as it runs.
    pub(crate) fn counted(mut self, as_one: InFlight) -> Self {
        self.counted = Some(as_one);
        self
    }

    /// Runs to the end, or to the deadline of its caller, if somebody keeps the time.
    pub(crate) async fn in_time(
        mut self,
        clock: Option<Clock>,
        deadline: Option<Instant>,
        most: Duration,
    ) -> Reply {
        let (Some(clock), Some(deadline)) = (clock, deadline) else {
            return self.await;
        };
        if (clock.now)() >= deadline {
            return Err(Fault::too_late(most));
        }
        // Most are ready at once, and need no timer.
        let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut self).poll(cx)));
        if let Poll::Ready(reply) = first.await {
            return reply;
        }
        match select(self, (clock.sleep_until)(deadline)).await {
            Either::Left((reply, _)) => reply,
            Either::Right(_) => Err(Fault::too_late(most)),
        }
    }

    /// Something that runs beside the calls, and writes what it has to say itself.
    #[cfg(feature = "json")]
    pub(crate) fn silent(future: impl Future<Output = ()> + Send + 'static) -> Self {
        let handler = Box::pin(Some(async move {
            future.await;
            Ok(super::Answer::sent())
        }));
        Self {
            handler,
            context: Owned(None),
            span: CallSpan::NONE,
            counted: None,
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}

impl Future for Running {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        let Self {
            handler,
            context,
            span,
            ..
        } = &mut *self;
        let _inside = enter(&mut context.0);
        handler.as_mut().poll_reply(span, cx)
    }
}

trait Handler: Send {
    fn poll_reply(self: Pin<&mut Self>, span: &CallSpan, cx: &mut Context<'_>) -> Poll<Reply>;
}

impl<F: Future<Output = Reply> + Send> Handler for Option<F> {
    fn poll_reply(mut self: Pin<&mut Self>, span: &CallSpan, cx: &mut Context<'_>) -> Poll<Reply> {
        let Some(future) = self.as_mut().as_pin_mut() else {
            return Poll::Ready(panicked());
        };
        let reply = match catch_unwind(AssertUnwindSafe(|| span.within(|| future.poll(cx)))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(reply)) => reply,
            Err(_) => panicked(),
        };
        // What the handler held is dropped here, where a panic in a `drop` is still its own.
        match catch_unwind(AssertUnwindSafe(|| self.set(None))) {
            Ok(()) => Poll::Ready(reply),
            Err(_) => Poll::Ready(panicked()),
        }
    }
}

fn panicked() -> Reply {
    Err(handler_failed())
}

/// The panic's own message is in the server's log, by the panic hook; strangers don't see it.
#[cold]
fn handler_failed() -> Fault {
    Fault::new(code::INTERNAL_ERROR, "the handler failed")
}
