//! The body of a response: whole, or a stream of bytes that is written while it is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use tokio_util::task::AbortOnDropHandle;

use super::pipe::Piped;

/// The body of a response of [`HttpService`](super::HttpService). Dropping it ends what is still
/// being answered.
///
/// ```
/// fn is_a_body<B: http_body::Body<Data = bytes::Bytes> + Send + Unpin + 'static>() {}
/// is_a_body::<farcall_transport::http::ResponseBody>();
/// ```
#[derive(Debug)]
pub struct ResponseBody(Kind);

#[derive(Debug)]
enum Kind {
    Whole(Full<Bytes>),
    /// What a task writes, which ends with this.
    Stream(
        Piped,
        #[expect(dead_code, reason = "it is there to be dropped")] AbortOnDropHandle<()>,
    ),
}

impl ResponseBody {
    /// What `writing` writes, until it ends.
    pub(super) fn stream(body: Piped, writing: AbortOnDropHandle<()>) -> Self {
        Self(Kind::Stream(body, writing))
    }

    /// True if it is written while it is sent.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self.0, Kind::Stream(..))
    }
}

impl From<Full<Bytes>> for ResponseBody {
    fn from(whole: Full<Bytes>) -> Self {
        Self(Kind::Whole(whole))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut self.0 {
            Kind::Whole(body) => {
                let frame = Pin::new(body).poll_frame(cx);
                frame.map_err(|never| match never {})
            }
            Kind::Stream(body, _) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(body) => body.is_end_stream(),
            Kind::Stream(body, _) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(body) => body.size_hint(),
            Kind::Stream(body, _) => body.size_hint(),
        }
    }
}
