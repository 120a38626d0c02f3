//! Calls as HTTP requests, from the caller's side.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use farcall_core::channel::{BatchInFlight, Carrier, InFlight, Inbound, Outbound};
use farcall_core::context::Metadata;
use farcall_core::encoding::Encoding;
use farcall_core::error::{EncodeError, Failure};
use farcall_core::limits::Limits;
use farcall_core::payload::Payload;
use farcall_core::protocol::{self, Batch};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::Full;

use super::answer::mime;
use super::body::{Unread, read};
use super::coding::{Coding, Unsupported};
use super::gzip::compress;
use super::headers::{TIMEOUT, VERSION, put_metadata, timeout};
use super::pool::Pool;
use crate::address::Address;

/// A way to the server at an HTTP address. Nothing is sent before the first call.
pub(crate) fn carrier(address: &Address, limits: Limits) -> Arc<dyn Carrier> {
    let encoding = address.encoding();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(mime(encoding)));
    headers.insert(ACCEPT, HeaderValue::from_static(mime(encoding)));
    let agent = concat!("farcall/", env!("CARGO_PKG_VERSION"));
    headers.insert(USER_AGENT, HeaderValue::from_static(agent));
    headers.insert(&VERSION, HeaderValue::from_static("1"));
    if address.is_gzip() {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
    // HTTP/2 has the host in the request's own address.
    if !address.is_http2()
        && let Ok(host) = HeaderValue::from_str(address.authority())
    {
        headers.insert(HOST, host);
    }
    Arc::new(HttpCarrier {
        encoding,
        usual_timeout: timeout(limits.call_time),
        uri: uri(address),
        headers,
        is_gzip: address.is_gzip(),
        pool: Arc::new(Pool::new(address)),
        limits,
    })
}

/// As many as fit without growing: ours, HTTP's `content-length`, and some of the caller's.
const HEADERS: usize = 12;

struct HttpCarrier {
    encoding: Encoding,
    /// The header for calls that have no time of their own.
    usual_timeout: HeaderValue,
    /// Of every request, or why there can be none.
    uri: Result<Uri, String>,
    /// What every request begins with.
    headers: HeaderMap,
    /// Whether requests are compressed.
    is_gzip: bool,
    limits: Limits,
    pool: Arc<Pool>,
}

impl Carrier for HttpCarrier {
    fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn start(&self, call: Outbound<'_>) -> Result<InFlight, Failure> {
        let timeout = self.timeout(&call)?;
        let mut body = Vec::with_capacity(256);
        protocol::write_call(&mut body, &call, self.encoding, Some(timeout))
            .map_err(|error: EncodeError| Failure::encode(call.method.name, error))?;
        let request = self.request(timeout, body, &call.options.metadata)?;
        let encoding = self.encoding;
        let notification = call.options.notification;
        Ok(Box::pin(self.within(timeout, request, move |answer| {
            if notification && answer.status.is_success() {
                return Ok(Inbound::nothing(encoding));
            }
            answer.read(|body| protocol::read_reply(encoding, body))
        })))
    }

    fn start_batch(&self, calls: &[Outbound<'_>]) -> Result<BatchInFlight, Failure> {
        // One request has one deadline: the latest.
        let mut latest = Duration::ZERO;
        for call in calls {
            latest = latest.max(self.timeout(call)?);
        }
        let mut body = Vec::with_capacity(256);
        let batch = Batch::write(&mut body, calls, self.encoding, Some(latest));
        if body.is_empty() {
            return Ok(Box::pin(std::future::ready(Ok(batch.unanswered()))));
        }
        let request = self.request(latest, body, &metadata_of_all(calls)?)?;
        Ok(Box::pin(self.within(latest, request, move |answer| {
            if !batch.wants_reply() && answer.status.is_success() {
                return Ok(batch.unanswered());
            }
            answer.read(|body| batch.read(&body))
        })))
    }
}

impl HttpCarrier {
    fn timeout(&self, call: &Outbound<'_>) -> Result<Duration, Failure> {
        let timeout = call.options.timeout.unwrap_or(self.limits.call_time);
        if timeout.is_zero() {
            return Err(Failure::timeout(Some(timeout), false));
        }
        Ok(timeout)
    }

    fn request(
        &self,
        time: Duration,
        body: Vec<u8>,
        metadata: &Metadata,
    ) -> Result<Request<Bytes>, Failure> {
        if body.len() > self.limits.message_bytes {
            return Err(Failure::too_large(body.len(), self.limits.message_bytes));
        }
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone().map_err(Failure::unsupported)?;
        let headers = request.headers_mut();
        // A clone would have room for none but its own, and grow at the next.
        headers.reserve(HEADERS);
        headers.extend(
            self.headers
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        let timeout = match time == self.limits.call_time {
            true => self.usual_timeout.clone(),
            false => timeout(time),
        };
        headers.insert(&TIMEOUT, timeout);
        put_metadata(headers, metadata)?;
        Ok(request)
    }

    /// Sends a request, and reads its answer as `read` says, all within `time`.
    fn within<T, R>(
        &self,
        time: Duration,
        request: Request<Bytes>,
        read: R,
    ) -> impl Future<Output = Result<T, Failure>> + Send + use<T, R>
    where
        T: Send,
        R: FnOnce(Answer) -> Result<T, Failure> + Send,
    {
        let pool = Arc::clone(&self.pool);
        let limits = self.limits.clone();
        let is_gzip = self.is_gzip;
        async move {
            let mut sent = false;
            let exchange = async {
                let request = match is_gzip {
                    true => in_gzip(request).await,
                    false => request,
                };
                exchange(&pool, request.map(Full::new), &limits, &mut sent).await
            };
            match tokio::time::timeout(time, exchange).await {
                Ok(answer) => read(answer?),
                Err(_) => Err(Failure::timeout(Some(time), sent)),
            }
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

/// HTTP/1.1 names the path alone, HTTP/2 all of it.
fn uri(address: &Address) -> Result<Uri, String> {
    let path = address.path();
    let uri = if address.is_http2() {
        format!("http://{}{path}", address.authority()).parse()
    } else {
        path.parse()
    };
    uri.map_err(|error| format!("{address}: {error}"))
}

/// The same request, compressed if that is worthwhile.
async fn in_gzip(mut request: Request<Bytes>) -> Request<Bytes> {
    if let Some(compressed) = compress(request.body()).await {
        *request.body_mut() = compressed.into();
        let gzip = HeaderValue::from_static("gzip");
        request.headers_mut().insert(CONTENT_ENCODING, gzip);
    }
    request
}

/// What came back, not understood yet.
struct Answer {
    status: StatusCode,
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
                let text = text.trim().escape_debug();
                Err(Failure::peer(format!("HTTP {}: {text}", self.status)))
            }
        }
    }
}

/// Sends a request, and takes its answer whole, compressed or not: a server may not have looked at
/// what it was asked for.
async fn exchange(
    pool: &Pool,
    request: Request<Full<Bytes>>,
    limits: &Limits,
    sent: &mut bool,
) -> Result<Answer, Failure> {
    let (response, lease) = pool.send(request, sent).await?;
    let (parts, mut body) = response.into_parts();
    let coding = Coding::of(&parts.headers).map_err(|Unsupported(coding)| {
        let coding = coding.escape_debug();
        Failure::peer(format!(
            "the reply is in `{coding}`, which nobody asked for"
        ))
    })?;
    let body = read(
        &mut body,
        coding,
        limits.message_bytes,
        limits.call_time_max,
    )
    .await
    .map_err(|unread| match unread {
        Unread::TooLarge => Failure::peer(format!(
            "the reply is larger than {} bytes (`Limits::message_bytes`)",
            limits.message_bytes
        )),
        Unread::Stalled => Failure::timeout(None, true),
        Unread::Broken => Failure::closed(true),
        Unread::Corrupt(how) => {
            Failure::peer(format!("the reply is not in its Content-Encoding: {how}"))
        }
    })?;
    lease.give_back();
    Ok(Answer {
        status: parts.status,
        body,
    })
}
