//! The connections of a client to one HTTP server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use farcall_core::error::Failure;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::address::Address;
use crate::stream::now;

/// So many idle connections are kept.
const IDLE: usize = 64;
/// An older one is not used again: a router in between may have forgotten it without a word, and
/// the call would wait for nothing.
const OLDEST: Duration = Duration::from_secs(60);
/// Calls that wait this long for a reply over HTTP/2 make sure that the server is still there: all
/// others wait on the same connection.
const PING: Duration = Duration::from_secs(10);

type Http1 = http1::SendRequest<Full<Bytes>>;
type Http2 = http2::SendRequest<Full<Bytes>>;
type Answered = (Response<Incoming>, Lease);

/// HTTP/1.1: the idle connections, the last used first. HTTP/2: the one that all calls share.
pub(super) struct Pool {
    address: Address,
    idle: Arc<Mutex<Vec<Idle>>>,
    shared: tokio::sync::Mutex<Option<Http2>>,
}

struct Idle {
    sender: Http1,
    since: Instant,
}

/// A connection whose reply is being read.
pub(super) struct Lease {
    sender: Option<Http1>,
    idle: Arc<Mutex<Vec<Idle>>>,
}

impl Lease {
    /// The reply was read to its end: the connection can carry another call.
    pub(super) fn give_back(self) {
        if let Some(sender) = self.sender.filter(|sender| !sender.is_closed()) {
            let mut idle = lock(&self.idle);
            if idle.len() < IDLE {
                let since = now();
                idle.push(Idle { sender, since });
            }
        }
    }
}

fn lock(idle: &Mutex<Vec<Idle>>) -> MutexGuard<'_, Vec<Idle>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    pub(super) fn new(address: &Address) -> Self {
        Self {
            address: address.clone(),
            idle: Arc::default(),
            shared: tokio::sync::Mutex::default(),
        }
    }

    /// Sends a request; `sent` tells from when on it may have arrived.
    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        sent: &mut bool,
    ) -> Result<Answered, Failure> {
        if self.address.is_http2() {
            self.send_shared(request, sent).await
        } else {
            self.send_alone(request, sent).await
        }
    }

    /// An idle connection may have been closed by the server. A request that was not written goes
    /// to the next one; in the end a new one is made.
    async fn send_alone(
        &self,
        mut request: Request<Full<Bytes>>,
        sent: &mut bool,
    ) -> Result<Answered, Failure> {
        loop {
            let (mut sender, reused) = match self.idle().await {
                Some(sender) => (sender, true),
                None => (self.http1().await?, false),
            };
            *sent = true;
            let error = match sender.try_send_request(request).await {
                Ok(response) => return Ok((response, self.lease(Some(sender)))),
                Err(error) => error,
            };
            match unsent(error)? {
                again if reused => request = again,
                _ => return Err(Failure::closed(false)),
            }
            *sent = false;
        }
    }

    /// The shared connection may be about to close; a request that was not written goes to a new
    /// one.
    async fn send_shared(
        &self,
        mut request: Request<Full<Bytes>>,
        sent: &mut bool,
    ) -> Result<Answered, Failure> {
        for _ in 0..2 {
            let mut sender = self.http2().await?;
            if sender.ready().await.is_err() {
                continue;
            }
            *sent = true;
            let error = match sender.try_send_request(request).await {
                Ok(response) => return Ok((response, self.lease(None))),
                Err(error) => error,
            };
            request = unsent(error)?;
            *sent = false;
        }
        Err(Failure::closed(false))
    }

    fn lease(&self, sender: Option<Http1>) -> Lease {
        Lease {
            sender,
            idle: Arc::clone(&self.idle),
        }
    }

    /// An idle connection that is still good, as far as can be told.
    async fn idle(&self) -> Option<Http1> {
        loop {
            let Idle { mut sender, since } = lock(&self.idle).pop()?;
            if now().saturating_duration_since(since) > OLDEST {
                // Those below have been idle for longer.
                lock(&self.idle).clear();
                return None;
            }
            if sender.ready().await.is_ok() {
                return Some(sender);
            }
        }
    }

    async fn connect(&self) -> Result<TokioIo<TcpStream>, Failure> {
        let failed = |source| Failure::connect(&self.address, source);
        let io = TcpStream::connect(self.address.authority())
            .await
            .map_err(failed)?;
        io.set_nodelay(true).map_err(failed)?;
        Ok(TokioIo::new(io))
    }

    async fn http1(&self) -> Result<Http1, Failure> {
        let io = self.connect().await?;
        let (sender, connection) = http1::handshake(io)
            .await
            .map_err(|_| Failure::closed(false))?;
        // Its errors come out at the request that meets them.
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn http2(&self) -> Result<Http2, Failure> {
        let mut shared = self.shared.lock().await;
        if let Some(sender) = shared.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        let io = self.connect().await?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .handshake(io)
            .await
            .map_err(|_| Failure::closed(false))?;
        tokio::spawn(connection);
        *shared = Some(sender.clone());
        Ok(sender)
    }
}

/// The request that was not written, or why one that may have been has no answer.
fn unsent<B>(error: hyper::client::conn::TrySendError<Request<B>>) -> Result<Request<B>, Failure> {
    let mut error = error;
    if let Some(request) = error.take_message() {
        return Ok(request);
    }
    let error = error.into_error();
    if error.is_parse() {
        return Err(Failure::peer(format!("the answer is no HTTP: {error}")));
    }
    Err(Failure::closed(true))
}
