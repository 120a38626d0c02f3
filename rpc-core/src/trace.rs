//! What `tracing` is told of the calls that a server answers. Without the feature of that name
//! nothing here does anything, nor costs anything.

#[cfg(not(feature = "tracing"))]
mod silent {
    use crate::connection::PeerMisbehaved;
    use crate::context::Peer;
    use crate::service::Request;

    pub(crate) fn answered<F>(request: Request, call: impl FnOnce(Request) -> F) -> F {
        call(request)
    }

    pub(crate) fn elsewhere<F>(future: F) -> F {
        future
    }

    pub(crate) fn ended<T>(_: &Peer, _: &Result<T, PeerMisbehaved>) {}
}

#[cfg(not(feature = "tracing"))]
pub(crate) use silent::{answered, elsewhere, ended};

#[cfg(feature = "tracing")]
mod told {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tracing::field::{Empty, display};
    use tracing::instrument::{Instrument, Instrumented};
    use tracing::level_filters::LevelFilter;
    use tracing::span::Id;
    use tracing::{Span, error, info_span, warn};

    use crate::connection::PeerMisbehaved;
    use crate::context::{self, Peer};
    use crate::service::Request;

    pin_project_lite::pin_project! {
        /// A handler in the span of its call: boxed, as most have none, and all are moved.
        pub(crate) struct Answered<F> {
            #[pin]
            handler: F,
            span: Option<Box<Span>>,
        }
    }

    impl<F: Future> Future for Answered<F> {
        type Output = F::Output;

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
            let this = self.project();
            let Some(span) = this.span else {
                return this.handler.poll(cx);
            };
            let _watched = Watched(span.id());
            span.in_scope(|| this.handler.poll(cx))
        }
    }

    /// Says of which call a panic was, as the panic hook cannot.
    struct Watched(Option<Id>);

    impl Drop for Watched {
        fn drop(&mut self) {
            if std::thread::panicking() {
                error!(parent: self.0.clone(), "the handler panicked");
            }
        }
    }

    /// Answers a request in a span of its own: all that the handler says is of this call.
    pub(crate) fn answered<F: Future>(
        request: Request,
        call: impl FnOnce(Request) -> F,
    ) -> Answered<F> {
        // Where nobody listens, all this costs is one look at a number.
        if LevelFilter::current() < LevelFilter::INFO {
            let handler = call(request);
            return Answered {
                handler,
                span: None,
            };
        }
        let span = Box::new(span(request.context()));
        let handler = span.in_scope(|| call(request));
        Answered {
            handler,
            span: Some(span),
        }
    }

    fn span(context: &context::Context) -> Span {
        let span = info_span!(
            "farcall.call",
            method = context.method(),
            encoding = %context.encoding(),
            transport = context.transport(),
            peer = Empty,
        );
        if let Some(address) = context.peer_address() {
            span.record("peer", display(address));
        }
        span
    }

    /// What goes on on another thread, in the span where it began.
    pub(crate) fn elsewhere<F: Future>(future: F) -> Instrumented<F> {
        future.in_current_span()
    }

    /// Says so if a connection ends by its peer's fault.
    pub(crate) fn ended<T>(peer: &Peer, outcome: &Result<T, PeerMisbehaved>) {
        if let Err(misbehaved) = outcome {
            let address = peer.address.map(display);
            warn!(
                peer = address,
                transport = peer.transport,
                "the connection ends: {misbehaved}"
            );
        }
    }
}

#[cfg(feature = "tracing")]
pub(crate) use told::{answered, elsewhere, ended};
