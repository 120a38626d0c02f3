//! The body of a response: whole, or a stream of bytes that is made while it is sent.

use std::any::Any;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::FutureExt;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};

use super::backlog::{PIECE, Share};
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
    /// What it has of the answers that wait to be taken.
    share: Option<Share>,
}

enum Kind {
    Whole(Bytes),
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
            share: None,
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

    /// The same, in pieces that count as waiting until they are taken.
    pub(super) fn shared(mut self, mut share: Share) -> Self {
        if let Kind::Whole(bytes) = &self.kind {
            share.wait(bytes.len());
        }
        self.share = Some(share);
        self
    }

    /// True if it is made while it is sent.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self.kind, Kind::Stream(_))
    }
}

impl From<Full<Bytes>> for ResponseBody {
    fn from(mut whole: Full<Bytes>) -> Self {
        let Some(Some(Ok(frame))) = whole.frame().now_or_never() else {
            return Self::of(Kind::Whole(Bytes::new()));
        };
        Self::of(Kind::Whole(frame.into_data().unwrap_or_default()))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        match &mut this.kind {
            Kind::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Whole(bytes) => {
                let piece = match &mut this.share {
                    None => std::mem::take(bytes),
                    Some(share) => {
                        let piece = bytes.split_to(bytes.len().min(PIECE));
                        share.give(piece.len());
                        piece
                    }
                };
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Kind::Stream(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Whole(bytes) => bytes.is_empty(),
            Kind::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Stream(body) => body.size_hint(),
        }
    }
}
