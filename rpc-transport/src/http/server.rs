//! One HTTP connection, by hyper, with every limit set.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use farcall_core::limits::Limits;
use farcall_core::router::Router;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};

use super::answer::{Answerer, Origin};
use super::stall::Patient;
use crate::drain::Drain;

/// hyper's own minimum for its buffer.
const SMALLEST_BUFFER: usize = 8 * 1024;
/// How often a client on HTTP/2 is asked whether it is still there, and how long it has to answer.
const PING: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(20));

/// Serves one connection to its end, HTTP/1.1 or HTTP/2 as its first bytes say.
pub(crate) async fn serve<IO>(io: IO, router: Arc<Router>, origin: Origin, mut drain: Drain)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let builder = builder(&origin.limits);
    let io = Patient::new(io, origin.limits.write_time);
    // hyper's limit on the time of a head begins once the version is told, and HTTP/2 has none.
    let first_head = tokio::time::sleep(origin.limits.head_time);
    let begun = AtomicBool::new(false);
    let answerer = Arc::new(Answerer::new(router, origin));
    let service = service_fn(|request: http::Request<Incoming>| {
        begun.store(true, Ordering::Relaxed);
        let answerer = Arc::clone(&answerer);
        async move { Ok::<_, Infallible>(answerer.answer(request).await) }
    });
    let connection = builder.serve_connection(TokioIo::new(io), service);
    tokio::pin!(connection);
    let too_late = async {
        first_head.await;
        if begun.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        // A connection that broke off is nobody's business.
        _ = connection.as_mut() => return,
        () = too_late => return,
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
        // The end of what a client sends ends its call: one that gives a call up has no other way
        // to say so. (One that merely closes its half gets an answer that is there at once.)
        .half_close(false)
        .pipeline_flush(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1)
        .max_concurrent_streams(u32::try_from(limits.calls_per_connection).unwrap_or(u32::MAX))
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(1024);
    builder
}
