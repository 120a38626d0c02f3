//! Calls as HTTP requests, from the caller's side.
//!
//! Over HTTP/1.1 the caller drives its connection itself: `http1` moves the bytes, `head` and
//! `framing` read the answer, `post` writes the request. Over HTTP/2, `http2`, all callers share one.
//! `pool` has both. A call with streams is one request, its bodies a byte stream: `tunnel`, for HTTP/1.1 in pieces that
//! `chunked` writes.

mod chunked;
mod framing;
mod head;
mod http1;
mod http2;
mod pool;
mod post;
mod tunnel;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use farcall_core::channel::{
    BatchInFlight, Carrier, InFlight, Inbound, Outbound, ReceivedItems, SentItems, StreamInFlight,
};
use farcall_core::connection::Speech;
use farcall_core::connection::client::{Client, Driver};
use farcall_core::context::Metadata;
use farcall_core::encoding::Encoding;
use farcall_core::error::{EncodeError, Failure};
use farcall_core::fault::shown;
use farcall_core::limits::{Budget, Limits};
use farcall_core::payload::Payload;
use farcall_core::protocol::{self, Batch};
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio_util::task::AbortOnDropHandle;

use self::pool::Pool;
use self::post::Post;
use self::tunnel::Tunnel;
use super::body::{Unread, read};
use super::coding::Unsupported;
use super::gzip::compress;
use super::headers::{put_metadata, timeout};
use crate::address::Address;
#[cfg(feature = "tls")]
use crate::address::Version;
use crate::net::dial::Dialer;
use crate::stream::{drive, now};

/// A way to the server at an HTTP address. Nothing is sent before the first call.
pub(crate) fn carrier(address: &Address, dialer: Dialer, limits: Limits) -> Arc<dyn Carrier> {
    Arc::new(HttpCarrier {
        encoding: address.encoding(),
        usual_timeout: timeout(limits.call_time),
        is_gzip: address.is_gzip(),
        pool: Arc::new(Pool::new(address, dialer, limits)),
        room: AtomicUsize::new(0),
    })
}

/// Which versions of HTTP a client offers over TLS.
#[cfg(feature = "tls")]
pub(crate) fn alpn(address: &Address) -> &'static [&'static [u8]] {
    match address.version() {
        Version::Http1 => &[b"http/1.1"],
        Version::Http2 => &[b"h2"],
        Version::Negotiated => &[b"h2", b"http/1.1"],
    }
}

struct HttpCarrier {
    encoding: Encoding,
    /// The header for calls that have no time of their own.
    usual_timeout: HeaderValue,
    /// Whether requests are compressed.
    is_gzip: bool,
    pool: Arc<Pool>,
    /// How much room a message is given: as much as the last one took.
    room: AtomicUsize,
}

/// The least of it, and the most.
const ROOM: RangeInclusive<usize> = 256..=64 * 1024;

impl Carrier for HttpCarrier {
    fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn budget(&self) -> Budget {
        self.pool.limits.budget()
    }

    fn start(&self, call: Outbound<'_>) -> Result<InFlight, Failure> {
        let time = self.time(&call)?;
        let room = self.room.load(Ordering::Relaxed);
        let mut body = Vec::with_capacity(room.clamp(*ROOM.start(), *ROOM.end()));
        protocol::write_call(&mut body, &call, self.encoding, Some(time.left))
            .map_err(|error: EncodeError| Failure::encode(call.method.name, error))?;
        self.room
            .store(body.len() + body.len() / 16, Ordering::Relaxed);
        let post = self.post(time.left, body, &call.options.metadata)?;
        let (encoding, budget) = (self.encoding, self.budget());
        let notification = call.options.notification;
        Ok(Box::pin(self.within(time, post, move |mut answer| {
            if notification && answer.status.is_success() {
                return Ok(Inbound::nothing(encoding));
            }
            let metadata = std::mem::take(&mut answer.metadata);
            let inbound = answer.read(|body| protocol::read_reply(encoding, body, budget))?;
            Ok(match metadata.is_empty() {
                // It may have come in the message.
                true => inbound,
                false => inbound.with_metadata(metadata),
            })
        })))
    }

    fn start_batch(&self, calls: &[Outbound<'_>]) -> Result<BatchInFlight, Failure> {
        let times = calls.iter().map(|call| self.time(call));
        let times = times.collect::<Result<Vec<_>, _>>()?;
        // One request has one deadline: the latest.
        let latest = times.iter().copied().max_by_key(|time| time.left);
        let latest = latest.unwrap_or_default();
        let start = now();
        let mut body = Vec::with_capacity(256);
        let batch = Batch::write(&mut body, calls, self.encoding, Some(latest.left));
        if body.is_empty() {
            return Ok(Box::pin(std::future::ready(Ok(batch.unanswered()))));
        }
        let post = self.post(latest.left, body, &metadata_of_all(calls)?)?;
        let budget = self.budget();
        Ok(Box::pin(self.within(latest, post, move |answer| {
            if !batch.wants_reply() && answer.status.is_success() {
                return Ok(batch.unanswered());
            }
            let mut replies = answer.read(|body| batch.read(&body, budget))?;
            // They come all at once: too late for those that had less time.
            let passed = now().saturating_duration_since(start);
            for (reply, time) in replies.iter_mut().zip(times) {
                if passed >= time.left {
                    *reply = Err(time.over(true));
                }
            }
            Ok(replies)
        })))
    }

    fn start_upload(&self, call: Outbound<'_>, items: SentItems) -> Result<InFlight, Failure> {
        let (client, driver) = self.client();
        let reply = client.into_upload(call, items)?;
        let driving = self.drive(&call, driver)?;
        Ok(Box::pin(async move {
            let (reply, _driving) = driving.until(reply).await?;
            Ok(reply)
        }))
    }

    fn start_stream(
        &self,
        call: Outbound<'_>,
        items: Option<SentItems>,
    ) -> Result<StreamInFlight, Failure> {
        let (client, driver) = self.client();
        let opening = client.into_stream(call, items)?;
        let driving = self.drive(&call, driver)?;
        Ok(Box::pin(async move {
            let ((metadata, mut items), driving) = driving.until(opening).await?;
            let items: ReceivedItems = Box::pin(stream::poll_fn(move |cx| {
                // Dropped with this, it ends the request.
                let _ = &driving;
                items.as_mut().poll_next(cx)
            }));
            Ok((metadata, items))
        }))
    }
}

impl HttpCarrier {
    fn time(&self, call: &Outbound<'_>) -> Result<Time, Failure> {
        let own = call.options.timeout.unwrap_or(self.pool.limits.call_time);
        let inherited = call.options.deadline;
        let left = inherited.map(|deadline| deadline.saturating_duration_since(now()));
        let time = Time {
            left: left.map_or(own, |left| left.min(own)),
            is_usual: call.options.timeout.is_none() && inherited.is_none(),
        };
        match time.left.is_zero() {
            true => Err(time.over(false)),
            false => Ok(time),
        }
    }

    fn post(&self, time: Duration, body: Vec<u8>, metadata: &Metadata) -> Result<Post, Failure> {
        let limits = &self.pool.limits;
        if body.len() > limits.message_bytes {
            return Err(Failure::too_large(body.len(), limits.message_bytes));
        }
        let timeout = match time == limits.call_time {
            true => self.usual_timeout.clone(),
            false => timeout(time),
        };
        let mut headers = HeaderMap::new();
        put_metadata(&mut headers, metadata)?;
        Ok(Post {
            timeout,
            headers,
            is_gzip: false,
            body: Bytes::from(body),
        })
    }

    /// A connection for one call with streams.
    fn client(&self) -> (Client, Driver) {
        let limits = self.pool.limits.clone();
        Client::new(Speech::Native, self.encoding, limits, now)
    }

    /// What moves the bytes of a call with streams.
    fn drive(&self, call: &Outbound<'_>, driver: Driver) -> Result<Driving, Failure> {
        let mut headers = HeaderMap::new();
        put_metadata(&mut headers, &call.options.metadata)?;
        let time = self.time(call)?;
        let usual = self.pool.limits.call_time;
        Ok(Driving {
            pool: Arc::clone(&self.pool),
            headers,
            patience: Time {
                left: time.left.min(usual),
                is_usual: time.is_usual || time.left > usual,
            },
            driver,
        })
    }

    /// Sends a request, and reads its answer as `read` says, all within `time`.
    fn within<T, R>(
        &self,
        time: Time,
        post: Post,
        read: R,
    ) -> impl Future<Output = Result<T, Failure>> + Send + use<T, R>
    where
        T: Send,
        R: FnOnce(Answer) -> Result<T, Failure> + Send,
    {
        let pool = Arc::clone(&self.pool);
        let is_gzip = self.is_gzip;
        async move {
            let mut sent = false;
            let exchange = async {
                let post = match is_gzip {
                    true => in_gzip(post).await,
                    false => post,
                };
                exchange(&pool, post, &mut sent).await
            };
            match tokio::time::timeout(time.left, exchange).await {
                Ok(answer) => read(answer?),
                Err(_) => Err(time.over(sent)),
            }
        }
    }
}

/// How long a call may take.
#[derive(Clone, Copy, Default)]
struct Time {
    left: Duration,
    /// Its caller does not say.
    is_usual: bool,
}

impl Time {
    /// It is over.
    fn over(self, sent: bool) -> Failure {
        match self.is_usual {
            true => Failure::usual_timeout(self.left, sent),
            false => Failure::timeout(Some(self.left), sent),
        }
    }
}

/// A call with streams that is not on its way yet.
struct Driving {
    pool: Arc<Pool>,
    headers: HeaderMap,
    /// How long the server may take to begin with an answer. (The call itself may take longer.)
    patience: Time,
    driver: Driver,
}

/// Why a request of which the server has all the same heard nothing may wait for ever.
const HELD_BACK: &str = "the server did not begin to answer: a proxy in between must pass on the \
                         body of a request as it comes (nginx: `proxy_request_buffering off` and \
                         `proxy_http_version 1.1`)";

impl Driving {
    /// Makes the request, and waits for what comes of it, beside what keeps it going.
    async fn until<T>(
        self,
        outcome: impl Future<Output = Result<T, Failure>>,
    ) -> Result<(T, AbortOnDropHandle<()>), Failure> {
        let Self {
            pool,
            headers,
            patience,
            driver,
        } = self;
        let tunnel = tokio::time::timeout(patience.left, pool.tunnel(headers)).await;
        let Tunnel { io, is_answered } = tunnel.map_err(|_| patience.over(false))??;
        let driving = AbortOnDropHandle::new(tokio::spawn(drive(io, driver)));
        let is_held_back = || !is_answered.load(Ordering::Relaxed);
        let held_back = async {
            tokio::time::sleep(patience.left).await;
            if !is_held_back() {
                std::future::pending::<()>().await;
            }
        };
        let outcome = tokio::select! {
            biased;
            outcome = outcome => outcome,
            () = held_back => Err(patience.over(true)),
        };
        match outcome {
            Ok(outcome) => Ok((outcome, driving)),
            Err(failure) if failure.is_timeout() && is_held_back() => {
                Err(Failure::timeout_because(patience.left, HELD_BACK))
            }
            Err(failure) => Err(failure),
        }
    }
}

/// One request has one set of headers.
fn metadata_of_all(calls: &[Outbound<'_>]) -> Result<Metadata, Failure> {
    let mut all = Metadata::default();
    for (name, value) in calls.iter().flat_map(|call| call.options.metadata.iter()) {
        match all.get(name) {
            None => all.insert(name, value),
            Some(known) if known == value => {}
            Some(_) => {
                return Err(Failure::unsupported(format!(
                    "the calls of a batch have different metadata `{name}`, and over HTTP they \
                     travel with one"
                )));
            }
        }
    }
    Ok(all)
}

/// The same request, compressed if that is worthwhile.
async fn in_gzip(mut post: Post) -> Post {
    if let Some(compressed) = compress(&post.body).await {
        post.body = compressed.into();
        post.is_gzip = true;
    }
    post
}

/// What came back, not understood yet.
struct Answer {
    status: StatusCode,
    /// What the handler sent along.
    metadata: Metadata,
    body: Bytes,
}

impl Answer {
    /// Reads the body, as far as the status allows.
    fn read<T>(self, read: impl FnOnce(Payload) -> Result<T, Failure>) -> Result<T, Failure> {
        let reply = read(Payload::from(self.body.clone()));
        if self.status.is_success() {
            return reply;
        }
        // A fault explains more than the status it came with.
        match reply {
            Err(failure) if failure.fault().is_some() => Err(failure),
            _ => {
                let text = self.body.get(..200).unwrap_or(&self.body);
                let text = String::from_utf8_lossy(text).into_owned();
                let answer = format!("HTTP {}: {}", self.status, text.trim().escape_debug());
                Err(match self.status {
                    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Failure::unsupported(format!(
                        "the call's metadata is more than the server takes in a head: {answer}"
                    )),
                    _ => Failure::peer(answer),
                })
            }
        }
    }
}

/// Sends a request, and takes its answer whole, compressed or not: a server may not have looked at
/// what it was asked for.
async fn exchange(pool: &Pool, post: Post, sent: &mut bool) -> Result<Answer, Failure> {
    let mut answered = pool.send(post, sent).await?;
    let coding = answered.coding.map_err(|Unsupported(coding)| {
        let coding = shown(&coding);
        Failure::peer(format!(
            "the reply is in `{coding}`, which nobody asked for"
        ))
    })?;
    let limits = &pool.limits;
    let body = read(
        &mut answered.body,
        coding,
        limits.message_bytes,
        limits.call_time_max,
    )
    .await
    .map_err(|unread| match unread {
        Unread::TooLarge => Failure::reply_too_large(None, limits.message_bytes),
        Unread::Stalled => Failure::timeout(None, true),
        Unread::Broken => Failure::closed(true),
        Unread::Corrupt(how) => {
            Failure::peer(format!("the reply is not in its Content-Encoding: {how}"))
        }
    })?;
    pool.give_back(answered.body);
    Ok(Answer {
        status: answered.status,
        metadata: answered.metadata,
        body,
    })
}
