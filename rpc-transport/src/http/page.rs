//! What answers GET: a page for people who open the address in a browser.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

use farcall_core::router::Router;

pub(super) type Reply = Response<Full<Bytes>>;

/// Answers a request that is no call.
pub(super) fn page(method: &Method, path: &str, router: &Router) -> Reply {
    if method != Method::GET && method != Method::HEAD {
        let words = "calls are made with POST\n";
        let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, words);
        reply
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        return reply;
    }
    let reply = match path {
        "/" => text(StatusCode::OK, welcome(router)),
        "/healthz" => text(StatusCode::OK, "ok\n"),
        #[cfg(feature = "json")]
        "/openrpc.json" => json(router.openrpc()),
        _ => text(
            StatusCode::NOT_FOUND,
            "there is nothing here; calls are made with POST\n",
        ),
    };
    if method == Method::HEAD {
        without_body(reply)
    } else {
        reply
    }
}

fn welcome(router: &Router) -> String {
    let mut page = concat!(
        "farcall ",
        env!("CARGO_PKG_VERSION"),
        "\n\nCalls are made with POST: JSON-RPC 2.0 as application/json, XML-RPC as text/xml.\n\n",
        "Methods:\n",
    )
    .to_owned();
    for name in router.names() {
        page.push_str("  ");
        page.push_str(name);
        page.push('\n');
    }
    page
}

/// A response in plain words.
pub(super) fn text(status: StatusCode, words: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(words.into()));
    *reply.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    reply.headers_mut().insert(CONTENT_TYPE, plain);
    reply
}

#[cfg(feature = "json")]
fn json(document: String) -> Reply {
    let mut reply = text(StatusCode::OK, document);
    let json = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(CONTENT_TYPE, json);
    reply
}

/// The same head, with the length of the body it does not have.
fn without_body(reply: Reply) -> Reply {
    use http_body::Body;

    let (mut parts, body) = reply.into_parts();
    let length = body.size_hint().lower();
    parts
        .headers
        .insert(CONTENT_LENGTH, HeaderValue::from(length));
    Response::from_parts(parts, Full::default())
}
