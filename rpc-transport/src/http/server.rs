//! One HTTP connection: plain requests first, and from the first that is not plain on by hyper, with
//! every limit set.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use farcall_core::limits::Limits;
use farcall_core::router::Router;
use http::Version;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};

use super::answer::Answerer;
use super::backlog::{Backlog, Stalled};
use super::limited::{late_head, room};
use super::line::{Ahead, Line};
use super::opened::{Opened, Opening};
use super::origin::Origin;
use super::plain;
use crate::drain::Drain;
use crate::net::later::AGES;
use crate::net::linger;
use crate::net::rewind::Rewind;
use crate::sniff::HTTP2;

/// hyper makes room for as many headers as there may be, and the map they go to ends at twice this.
const MOST_HEADERS: usize = 16 * 1024;
/// How often a client on HTTP/2 is asked whether it is still there, and how long it has to answer.
const PING: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(20));
/// How long a call of HTTP/1.1 goes on after its client has closed. A client that gives a call up
/// has no other way to say so; one that closes only its half looks the same, and still reads.
pub(super) const AFTER_CLOSE: Duration = Duration::from_secs(1);

/// How long a request may take that is not all there when the server is to end. Nothing of it has run: it is
/// told so, and made elsewhere.
pub(super) const HALF_SENT: Duration = Duration::from_secs(1);

/// Serves one connection, of which `start` was read already, to its end, or until a WebSocket is
/// opened in its place.
pub(crate) async fn serve<IO>(
    io: IO,
    start: BytesMut,
    router: Arc<Router>,
    origin: Origin,
    drain: Drain,
) -> Option<Opened<Rewind<IO>>>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answerer = Arc::new(Answerer::new(router, origin, drain.clone()));
    let mut ending = drain.clone();
    let forced = async {
        ending.started().await;
        // Whoever only looks whether it has started looks now.
        tokio::task::yield_now().await;
        ending.forced().await;
    };
    let rest = tokio::select! {
        biased;
        rest = plain::serve(io, start, &answerer, &drain) => rest,
        () = forced => None,
    };
    let (io, start) = rest?;
    let is_http1 = !start.starts_with(HTTP2);
    // It is large, and most connections never need it.
    Box::pin(serve_any(Rewind::new(start, io), answerer, drain, is_http1)).await
}

/// Serves one connection by hyper, HTTP/1.1 or HTTP/2 as its first bytes say: to its end, or until a
/// WebSocket is opened in its place.
async fn serve_any<IO>(
    io: IO,
    answerer: Arc<Answerer>,
    mut drain: Drain,
    is_http1: bool,
) -> Option<Opened<IO>>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = answerer.limits();
    let builder = builder(limits);
    let mut line = Line::new(io, limits);
    // hyper's limit on the time of a head begins once the version is told, and HTTP/2 has none.
    let first_head = tokio::time::sleep(limits.head_time);
    let begun = AtomicBool::new(false);
    let answering = Arc::new(AtomicUsize::new(0));
    let opening = Arc::new(OnceLock::new());
    let backlog = Backlog::new(limits);
    let service = service_fn(|request: http::Request<Incoming>| {
        begun.store(true, Ordering::Relaxed);
        let opening = Arc::clone(&opening);
        let answering = Answering::begin(&answering, request.version());
        let share = (request.version() == Version::HTTP_2).then(|| backlog.open());
        let answerer = Arc::clone(&answerer);
        async move {
            if let Some(share) = &share {
                share.room().await;
            }
            let mut response = answerer.answer(request).await;
            if let Some(opens) = Opening::of(&mut response) {
                let _ = opening.set(opens);
            }
            // Where the body is a stream, its request is answered until that ends.
            Ok::<_, Infallible>(response.map(|body| match share {
                Some(share) => body.shared(share),
                None if body.is_stream() => body.holding(answering),
                None => body,
            }))
        }
    });
    let io = TokioIo::new(line.clone());
    let mut connection = pin!(builder.serve_connection_with_upgrades(io, service));
    let (mut forced, listening) = (drain.clone(), drain.clone());
    let mut draining = pin!(drain.started());
    let mut is_draining = false;
    let (mut closed, mut unwanted, mut stalled) = (None, None, Stalled::default());
    let life = poll_fn(|cx| {
        loop {
            // A connection that broke off is nobody's business.
            if let Poll::Ready(done) = connection.as_mut().poll(cx) {
                return Poll::Ready(match done {
                    Ok(()) => End::Done,
                    Err(error) => End::by(error.as_ref()),
                });
            }
            // Not before it was polled: it would not look at the request it was given.
            if !is_draining && draining.as_mut().poll(cx).is_ready() {
                is_draining = true;
                connection.as_mut().graceful_shutdown();
                continue;
            }
            // hyper would wait for the rest of a request, of the first one as long as for a head; and in
            // HTTP/2 for a client that answers a ping.
            let is_new = !begun.load(Ordering::Relaxed);
            let is_idle = listening.is_evicted_and_idle() || (!is_http1 && backlog.is_empty());
            if is_draining && (is_new || is_idle) {
                let rest = || Box::pin(tokio::time::sleep(HALF_SENT));
                if unwanted
                    .get_or_insert_with(rest)
                    .as_mut()
                    .poll(cx)
                    .is_ready()
                {
                    return Poll::Ready(End::Broken);
                }
            }
            if stalled.poll(&backlog, cx).is_ready() {
                return Poll::Ready(End::Broken);
            }
            if answering.load(Ordering::Relaxed) == 0 {
                return Poll::Pending;
            }
            match line.poll_ahead(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ahead::Bytes) => {}
                Poll::Ready(Ahead::Closed) => {
                    let rest = || Box::pin(tokio::time::sleep(AFTER_CLOSE));
                    let rest = closed.get_or_insert_with(rest).as_mut().poll(cx);
                    return rest.map(|()| End::Broken);
                }
                Poll::Ready(Ahead::Broken) => return Poll::Ready(End::Broken),
            }
        }
    });
    let too_late = async {
        first_head.await;
        if begun.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    let end = tokio::select! {
        end = life => end,
        () = too_late => End::Late,
        () = forced.forced() => End::Broken,
    };
    match end {
        End::Done => {}
        End::Late if is_http1 && line.may_answer() => {
            let words = plain::last_words(late_head(limits));
            linger::close(&mut line, &words).await;
            return None;
        }
        End::TooLarge => {
            // hyper has said so.
            linger::close(&mut line, &[]).await;
            return None;
        }
        End::Late | End::Broken => return None,
    }
    let opens: Option<Opening> = opening.get().cloned();
    opens?.opened(line).await
}

/// How hyper's part in a connection ends.
enum End {
    /// As it should: then alone it gives the connection back.
    Done,
    /// No whole head came in time.
    Late,
    /// A head was refused.
    TooLarge,
    Broken,
}

impl End {
    fn by(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Self {
        match error.downcast_ref::<hyper::Error>() {
            Some(error) if error.is_timeout() => Self::Late,
            Some(error) if error.is_parse_too_large() => Self::TooLarge,
            _ => Self::Broken,
        }
    }
}

/// Counts a request of HTTP/1.1 while it is answered. (In HTTP/2 hyper goes on reading, and a
/// client can give up one request of many.)
struct Answering(Arc<AtomicUsize>);

impl Answering {
    fn begin(count: &Arc<AtomicUsize>, version: Version) -> Option<Self> {
        (version != Version::HTTP_2).then(|| {
            count.fetch_add(1, Ordering::Relaxed);
            Self(Arc::clone(count))
        })
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // Without a timer hyper's timeouts do nothing at all.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time.min(AGES))
        .max_buf_size(limits.head_bytes.saturating_add(room::BYTES))
        .max_headers(
            limits
                .headers
                .saturating_mul(room::HEADERS)
                .min(MOST_HEADERS),
        )
        // Without this hyper drops a request whose client has closed its half, often enough even
        // where the answer was there at once. See `AFTER_CLOSE`.
        .half_close(true)
        // Answers leave at once: with hyper's `pipeline_flush` those that are ready would be lost
        // if what comes next is broken.
        .pipeline_flush(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1)
        .max_concurrent_streams(u32::try_from(limits.calls_per_connection).unwrap_or(u32::MAX))
        .max_header_list_size(
            u32::try_from(limits.head_bytes.saturating_add(room::BYTES)).unwrap_or(u32::MAX),
        )
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(1024);
    builder
}
