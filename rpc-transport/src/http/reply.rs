//! The body of a response: whole, or a stream of bytes that is made while it is sent.

use std::any::Any;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;

use crate::drain::Working;

/// The body of a response of [`HttpService`](super::HttpService). Dropping it ends what is still
/// being answered.
///
/// ```
/// fn is_a_body<B: http_body::Body<Data = bytes::Bytes> + Send + Unpin + 'static>() {}
/// is_a_body::<farcall_transport::http::ResponseBody>();
/// ```
pub struct ResponseBody {
    kind: Kind,
    /// What is dropped with it.
    held: Vec<Box<dyn Any + Send>>,
    /// The call that it answers.
    working: Option<Working>,
}

enum Kind {
    Whole(Full<Bytes>),
    Stream(Pin<Box<dyn Body<Data = Bytes, Error = io::Error> + Send>>),
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Whole(_) => "ResponseBody",
            Kind::Stream(_) => "ResponseBody(a stream)",
        })
    }
}

impl ResponseBody {
    /// One that is made while it is sent.
    pub(super) fn stream(
        body: impl Body<Data = Bytes, Error = io::Error> + Send + 'static,
    ) -> Self {
        Self::of(Kind::Stream(Box::pin(body)))
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            held: Vec::new(),
            working: None,
        }
    }

    /// The same, with something that ends with it.
    pub(super) fn holding(mut self, what: impl Send + 'static) -> Self {
        self.held.push(Box::new(what));
        self
    }

    /// The same, which counts as a call in flight until it is sent.
    pub(super) fn of_call(mut self, working: Working) -> Self {
        self.working = Some(working);
        self
    }

    /// True if it is made while it is sent.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self.kind, Kind::Stream(_))
    }
}

impl From<Full<Bytes>> for ResponseBody {
    fn from(whole: Full<Bytes>) -> Self {
        Self::of(Kind::Whole(whole))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut self.kind {
            Kind::Whole(body) => {
                let frame = Pin::new(body).poll_frame(cx);
                frame.map_err(|never| match never {})
            }
            Kind::Stream(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Whole(body) => body.is_end_stream(),
            Kind::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Whole(body) => body.size_hint(),
            Kind::Stream(body) => body.size_hint(),
        }
    }
}
