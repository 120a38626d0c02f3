//! A POST whose two bodies are together one native byte stream, for a call with streams.

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Speech};
use farcall_core::context::Metadata;
use farcall_core::router::Router;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;
use tokio_util::io::StreamReader;
use tokio_util::task::AbortOnDropHandle;

use super::origin::Origin;
use super::pipe::pipe;
use super::reply::ResponseBody;
use crate::drain::Drain;
use crate::peer::peer;
use crate::stream;

/// The content type of both bodies.
pub(super) const STREAM: &str = "application/vnd.farcall.stream";

/// Begins to answer what comes in `body`. The answer's body is to be sent while that comes.
pub(super) fn answer<B>(
    router: Arc<Router>,
    origin: Origin,
    metadata: Metadata,
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
    let io = tokio::io::join(reader, writer);
    let serving = tokio::spawn(serve(io, router, origin, metadata, drain));
    let body = ResponseBody::stream(piped).holding(AbortOnDropHandle::new(serving));
    streaming(STREAM, body)
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
    metadata: Metadata,
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
        let _ = io
            .write_all(&stream::late_hello(limits.handshake_time))
            .await;
        let _ = io.shutdown().await;
        return;
    };
    let Origin { transport, tls, .. } = origin;
    let mut peer = peer(transport, encoding, origin.peer, tls, limits.clone());
    peer.is_farcall = true;
    peer.metadata = metadata;
    let Ok(connection) = Server::new(router, Arc::new(peer), Speech::Native) else {
        return;
    };
    let received = Received::from_start(start);
    let idle_time = Some(limits.body_time);
    stream::serve(io, connection, received, &limits, idle_time, drain).await;
}
