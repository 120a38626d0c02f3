//! The connections of a client to one HTTP server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use farcall_core::error::Failure;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::address::Address;

/// So many idle connections are kept.
const IDLE: usize = 64;

type Http1 = http1::SendRequest<Full<Bytes>>;
type Http2 = http2::SendRequest<Full<Bytes>>;

/// HTTP/1.1: the idle connections, the last used first. HTTP/2: the one that all calls share.
pub(super) struct Pool {
    address: Address,
    idle: Arc<Mutex<Vec<Http1>>>,
    shared: tokio::sync::Mutex<Option<Http2>>,
}

/// A connection whose reply is being read.
pub(super) struct Lease {
    sender: Option<Http1>,
    idle: Arc<Mutex<Vec<Http1>>>,
}

impl Lease {
    /// The reply was read to its end: the connection can carry another call.
    pub(super) fn give_back(self) {
        if let Some(sender) = self.sender {
            let mut idle = lock(&self.idle);
            if idle.len() < IDLE {
                idle.push(sender);
            }
        }
    }
}

fn lock(idle: &Mutex<Vec<Http1>>) -> MutexGuard<'_, Vec<Http1>> {
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
    ) -> Result<(Response<Incoming>, Lease), Failure> {
        if self.address.is_http2() {
            let mut sender = self.http2().await?;
            *sent = true;
            let response = sender
                .send_request(request)
                .await
                .map_err(|_| Failure::closed(true))?;
            return Ok((response, self.lease(None)));
        }
        let mut request = request;
        // An idle connection may have been closed by the server. A request that was not written
        // goes to the next one; in the end a new one is made.
        loop {
            let popped = lock(&self.idle).pop();
            let Some(mut sender) = popped else { break };
            if sender.is_closed() || sender.ready().await.is_err() {
                continue;
            }
            *sent = true;
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((response, self.lease(Some(sender)))),
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(Failure::closed(true)),
                },
            }
        }
        *sent = false;
        let mut sender = self.http1().await?;
        *sent = true;
        match sender.try_send_request(request).await {
            Ok(response) => Ok((response, self.lease(Some(sender)))),
            Err(mut error) => Err(Failure::closed(error.take_message().is_none())),
        }
    }

    fn lease(&self, sender: Option<Http1>) -> Lease {
        Lease {
            sender,
            idle: Arc::clone(&self.idle),
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
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io)
            .await
            .map_err(|_| Failure::closed(false))?;
        tokio::spawn(connection);
        *shared = Some(sender.clone());
        Ok(sender)
    }
}
