//! What `tracing` is told of the calls that a server answers. Without the feature of that name
//! nothing here does anything, nor costs anything.

#[cfg(not(feature = "tracing"))]
mod silent {
    use crate::connection::PeerMisbehaved;
    use crate::context::{Context, Peer};

    pub(crate) struct CallSpan;

    impl CallSpan {
        pub(crate) const NONE: Self = Self;

        pub(crate) fn of(_: &Context) -> Self {
            Self
        }

        pub(crate) fn of_any(_: Option<&Context>) -> Self {
            Self
        }

        pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
            work()
        }
    }

    pub(crate) fn elsewhere<F>(future: F) -> F {
        future
    }

    pub(crate) fn ended<T>(_: &Peer, _: &Result<T, PeerMisbehaved>) {}
}

#[cfg(not(feature = "tracing"))]
pub(crate) use silent::{CallSpan, elsewhere, ended};

#[cfg(feature = "tracing")]
mod told {
    use tracing::field::{Empty, display};
    use tracing::instrument::{Instrument, Instrumented};
    use tracing::level_filters::LevelFilter;
    use tracing::span::Id;
    use tracing::{Span, error, info_span, warn};

    use crate::connection::PeerMisbehaved;
    use crate::context::{Context, Peer};

    /// The span of a call, beside its handler: boxed, as most have none, and all are moved.
    pub(crate) struct CallSpan(Option<Box<Span>>);

    impl CallSpan {
        pub(crate) const NONE: Self = Self(None);

        /// A span of its own: all that the handler says in it is of this call.
        #[inline]
        pub(crate) fn of(context: &Context) -> Self {
            Self::of_any(Some(context))
        }

        #[inline]
        pub(crate) fn of_any(context: Option<&Context>) -> Self {
            // Where nobody listens, all this costs is one look at a number.
            match context {
                Some(context) if LevelFilter::current() >= LevelFilter::INFO => {
                    Self(Some(Box::new(span(context))))
                }
                _ => Self::NONE,
            }
        }

        /// Does what the handler does.
        #[inline]
        pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
            let Some(span) = &self.0 else {
                return work();
            };
            let _watched = Watched(span.id());
            span.in_scope(work)
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

    #[cold]
    fn span(context: &Context) -> Span {
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
pub(crate) use told::{CallSpan, elsewhere, ended};
