//! A request as it leaves: what all of a client's have in common, and what is this one's own.

use bytes::Bytes;
use farcall_core::error::Failure;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use super::super::headers::{TIMEOUT, VERSION};
use super::super::response::mime;
use super::super::tunnel::STREAM;
use crate::address::Address;

/// One request's own part.
#[derive(Debug)]
pub(super) struct Post {
    /// How long its caller waits, as the header has it.
    pub(super) timeout: HeaderValue,
    /// Metadata.
    pub(super) headers: HeaderMap,
    pub(super) is_gzip: bool,
    pub(super) body: Bytes,
}

/// What all requests to one address begin with.
#[derive(Debug)]
pub(super) struct Template {
    uri: Uri,
    /// With places for those that each request has of its own: it is cheaper to copy a map than to
    /// make one.
    headers: HeaderMap,
    /// The same of requests with streams.
    stream_headers: HeaderMap,
    /// Both as text, for HTTP/1.1.
    head: Vec<u8>,
    stream_head: Vec<u8>,
}

impl Template {
    /// Fails if the address has a path that HTTP does not take.
    pub(super) fn new(address: &Address) -> Result<Self, String> {
        let encoding = address.encoding();
        let uri = uri(address).map_err(|error| format!("{address}: {error}"))?;
        let stream_headers = headers(STREAM);
        let mut headers = headers(mime(encoding));
        if address.is_gzip() {
            headers.push((ACCEPT_ENCODING, HeaderValue::from_static("gzip")));
        }
        Ok(Self {
            uri,
            head: head(address, &headers),
            stream_head: head(address, &stream_headers),
            headers: prepared(headers),
            stream_headers: stream_headers.into_iter().collect(),
        })
    }

    /// The bytes of a request over HTTP/1.1.
    pub(super) fn http1(&self, post: &Post) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.head.len() + post.body.len() + 128);
        out.extend_from_slice(&self.head);
        line(&mut out, &TIMEOUT, &post.timeout);
        for (name, value) in &post.headers {
            line(&mut out, name, value);
        }
        if post.is_gzip {
            line(
                &mut out,
                &CONTENT_ENCODING,
                &HeaderValue::from_static("gzip"),
            );
        }
        line(
            &mut out,
            &CONTENT_LENGTH,
            &HeaderValue::from(post.body.len()),
        );
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&post.body);
        out
    }

    /// The head of a request with streams over HTTP/1.1.
    pub(super) fn http1_stream(&self, headers: &HeaderMap) -> Vec<u8> {
        let mut out = self.stream_head.clone();
        for (name, value) in headers {
            line(&mut out, name, value);
        }
        out.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
        out
    }

    /// The same request for HTTP/2.
    pub(super) fn http2_stream(&self, own: HeaderMap) -> Request<()> {
        let mut headers = self.stream_headers.clone();
        headers.extend(own);
        self.request(headers)
    }

    fn request(&self, headers: HeaderMap) -> Request<()> {
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        request
    }

    /// The head of a request for HTTP/2.
    pub(super) fn http2(&self, post: &Post) -> Request<()> {
        let mut headers = self.headers.clone();
        headers.insert(&TIMEOUT, post.timeout.clone());
        headers.insert(CONTENT_LENGTH, HeaderValue::from(post.body.len()));
        if post.is_gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if !post.headers.is_empty() {
            headers.extend(post.headers.clone());
        }
        self.request(headers)
    }
}

/// How a request over HTTP/1.1 begins. (HTTP/2 has the host in the request's own address.)
fn head(address: &Address, headers: &[(HeaderName, HeaderValue)]) -> Vec<u8> {
    let mut head = format!("POST {} HTTP/1.1\r\n", address.path()).into_bytes();
    if let Ok(host) = HeaderValue::from_str(address.authority()) {
        line(&mut head, &HOST, &host);
    }
    for (name, value) in headers {
        line(&mut head, name, value);
    }
    head
}

fn line(out: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    // A value cannot have a line end in it: its type sees to that.
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn headers(mime: &'static str) -> Vec<(HeaderName, HeaderValue)> {
    let agent = concat!("farcall/", env!("CARGO_PKG_VERSION"));
    vec![
        (CONTENT_TYPE, HeaderValue::from_static(mime)),
        (ACCEPT, HeaderValue::from_static(mime)),
        (USER_AGENT, HeaderValue::from_static(agent)),
        (VERSION.clone(), HeaderValue::from_static("1")),
    ]
}

/// `usual` with places for what each request has of its own, and some room: where there is none, a map
/// grows even if it has the header that is put into it.
fn prepared(usual: Vec<(HeaderName, HeaderValue)>) -> HeaderMap {
    let nothing = || HeaderValue::from_static("0");
    let mut headers = HeaderMap::with_capacity(2 * usual.len());
    headers.extend(usual);
    headers.extend([(TIMEOUT.clone(), nothing()), (CONTENT_LENGTH, nothing())]);
    headers
}

/// HTTP/1.1 names the path alone, HTTP/2 all of it.
fn uri(address: &Address) -> Result<Uri, Failure> {
    let (scheme, path) = (address.transport().name(), address.path());
    let uri = format!("{scheme}://{}{path}", address.authority()).parse();
    uri.map_err(|error: http::uri::InvalidUri| Failure::unsupported(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_these_bytes() {
        let address: Address = "json+http://localhost:8000/rpc".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-token", HeaderValue::from_static("7f"));
        let post = Post {
            timeout: HeaderValue::from(50),
            headers,
            is_gzip: false,
            body: Bytes::from_static(b"{}"),
        };
        let bytes = Template::new(&address).unwrap().http1(&post);
        let agent = concat!("user-agent: farcall/", env!("CARGO_PKG_VERSION"), "\r\n");
        let expected = [
            "POST /rpc HTTP/1.1\r\nhost: localhost:8000\r\ncontent-type: application/json\r\n",
            "accept: application/json\r\n",
            agent,
            "farcall-version: 1\r\nfarcall-timeout-ms: 50\r\nx-token: 7f\r\n",
            "content-length: 2\r\n\r\n{}",
        ];
        assert_eq!(String::from_utf8(bytes).unwrap(), expected.concat());
    }
}
