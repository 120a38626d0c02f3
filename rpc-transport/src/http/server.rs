//! One HTTP connection, by hyper, with every limit set.

use std::convert::Infallible;
use std::sync::Arc;

use farcall_core::limits::Limits;
use farcall_core::router::Router;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};

use super::answer::{Answerer, Origin};
use crate::drain::Drain;

/// hyper's own minimum for its buffer.
const SMALLEST_BUFFER: usize = 8 * 1024;

/// Serves one connection to its end, HTTP/1.1 or HTTP/2 as its first bytes say.
pub(crate) async fn serve<IO>(io: IO, router: Arc<Router>, origin: Origin, mut drain: Drain)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let builder = builder(&origin.limits);
    let answerer = Arc::new(Answerer::new(router, origin));
    let service = service_fn(move |request: http::Request<Incoming>| {
        let answerer = Arc::clone(&answerer);
        async move { Ok::<_, Infallible>(answerer.answer(request).await) }
    });
    let connection = builder.serve_connection(TokioIo::new(io), service);
    tokio::pin!(connection);
    tokio::select! {
        // A connection that broke off is nobody's business.
        _ = connection.as_mut() => return,
        () = drain.started() => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = drain.forced() => {}
    }
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // Without a timer hyper's timeouts do nothing at all.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(limits.head_bytes.max(SMALLEST_BUFFER))
        .max_headers(limits.headers)
        // A client that closes its half after the request still wants the answer.
        .half_close(true)
        .pipeline_flush(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(u32::try_from(limits.calls_per_connection).unwrap_or(u32::MAX))
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(1024);
    builder
}
