//! A POST whose two bodies are together one native byte stream, for a call with streams.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Speech};
use farcall_core::context::Peer;
use farcall_core::router::Router;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio_util::io::StreamReader;
use tokio_util::task::AbortOnDropHandle;

use super::answer::Origin;
use super::headers::metadata;
use super::pipe::{Piped, pipe};
use super::reply::ResponseBody;
use crate::drain::Drain;
use crate::stream::{self, clock};
use crate::threads::threads;

/// The content type of both bodies.
pub(super) const STREAM: &str = "application/vnd.farcall.stream";

/// Begins to answer what comes in `body`. The answer's body is to be sent while that comes.
pub(super) fn answer<B>(
    router: &Arc<Router>,
    origin: &Origin,
    headers: &HeaderMap,
    body: B,
    drain: Drain,
) -> Response<ResponseBody>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
{
    let (writer, piped) = pipe();
    let broken = |_| io::Error::from(io::ErrorKind::ConnectionAborted);
    let reader = StreamReader::new(body.map_err(broken).into_data_stream());
    let serving = serve(
        tokio::io::join(reader, writer),
        Arc::clone(router),
        origin.clone(),
        headers.clone(),
        drain,
    );
    let serving = AbortOnDropHandle::new(tokio::spawn(serving));
    streaming(STREAM, ResponseBody::stream(Answer { piped, serving }))
}

/// What a task writes, which ends with this.
struct Answer {
    piped: Piped,
    #[expect(dead_code, reason = "it is there to be dropped")]
    serving: AbortOnDropHandle<()>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.piped).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.piped.is_end_stream()
    }
}

/// A response whose body nobody is to keep, not for a moment either: proxies are told so (nginx by
/// `x-accel-buffering`).
pub(super) fn streaming(mime: &'static str, body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(mime));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let buffering = HeaderName::from_static("x-accel-buffering");
    headers.insert(buffering, HeaderValue::from_static("no"));
    response
}

async fn serve<R, W>(
    mut io: tokio::io::Join<R, W>,
    router: Arc<Router>,
    origin: Origin,
    headers: HeaderMap,
    drain: Drain,
) where
    R: tokio::io::AsyncRead + Unpin,
    W: tokio::io::AsyncWrite + Unpin,
{
    let mut limits = origin.limits;
    // A request is one call, as it is with every other content type; HTTP has its own limit on how
    // many requests there are.
    limits.calls_per_connection = 1;
    let mut start = BytesMut::new();
    let hello = stream::hello(&mut io, &mut start);
    let Ok(encoding) = tokio::time::timeout(limits.handshake_time, hello).await else {
        return;
    };
    let mut peer = Peer::new(origin.transport, encoding, origin.peer, limits.clone());
    peer.tls.clone_from(&origin.tls);
    peer.threads = Some(threads());
    peer.clock = Some(clock());
    peer.is_farcall = true;
    peer.metadata = metadata(&headers);
    let Ok(connection) = Server::new(router, Arc::new(peer), Speech::Native) else {
        return;
    };
    let received = Received::from_start(start);
    let idle_time = Some(limits.body_time);
    stream::serve(io, connection, received, &limits, idle_time, drain).await;
}
