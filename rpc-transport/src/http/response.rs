//! How answers and refusals look in HTTP.

use farcall_core::encoding::Encoding;
use farcall_core::fault::{Fault, code};
use farcall_core::limits::Limits;
use farcall_core::protocol;
use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

use super::BINCODE;
use super::admission::{ContentType, refused};
use super::body::Unread;
use super::headers::GOING_AWAY;
use super::page::Reply;

/// What is said to a request that is not all there as the server ends.
pub(super) fn going_away() -> Reply {
    let words = "this server ends; the request was not all there, and nothing of it has run";
    let mut reply = last(refused(StatusCode::SERVICE_UNAVAILABLE, words).reply());
    let headers = reply.headers_mut();
    headers.insert(&GOING_AWAY, HeaderValue::from_static("1"));
    reply
}

/// A body too large, or broken where it is compressed, is a fault of its call, where its protocol
/// is known: clients of XML-RPC and JSON-RPC show faults, and hide what comes with another status
/// than 200.
pub(super) fn refuse_body(unread: Unread, content: ContentType, limits: &Limits) -> Reply {
    let Limits {
        message_bytes,
        body_time,
        ..
    } = limits;
    let (status, code, words) = match unread {
        Unread::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            Some(code::TOO_LARGE),
            format!("the message is larger than {message_bytes} bytes (`Limits::message_bytes`)"),
        ),
        Unread::Corrupt(how) => (
            StatusCode::BAD_REQUEST,
            Some(code::PARSE_ERROR),
            format!("the body is not in its Content-Encoding: {how}"),
        ),
        Unread::Stalled => (
            StatusCode::REQUEST_TIMEOUT,
            None,
            format!("nothing came of the body for {body_time:?} (`Limits::body_time`)"),
        ),
        Unread::Broken => (
            StatusCode::BAD_REQUEST,
            None,
            "the body broke off".to_owned(),
        ),
    };
    let is_too_large = code == Some(code::TOO_LARGE);
    let reply = match (code, content) {
        (Some(code), ContentType::Known(encoding)) => {
            let fault = protocol::refusal(encoding, &Fault::new(code, words));
            response(encoding, fault)
        }
        _ => refused(status, words).reply(),
    };
    match is_too_large {
        // What is left of the body is not waited for.
        true => last(reply),
        false => reply,
    }
}

/// Behind `reply` the connection ends.
pub(super) fn last(mut reply: Reply) -> Reply {
    let close = HeaderValue::from_static("close");
    reply.headers_mut().insert(CONNECTION, close);
    reply
}

/// Every answer, a fault too, is a 200: foreign clients take anything else for a broken server.
/// One without a message (to a notification) is empty, as some of them fail on a 204.
pub(super) fn response(encoding: Encoding, message: Vec<u8>) -> Reply {
    let mut reply = Response::new(Full::from(message));
    reply
        .headers_mut()
        .insert(CONTENT_TYPE, content_type(encoding));
    reply
}

/// `reply`, whose body is compressed.
pub(super) fn in_gzip(mut reply: Reply) -> Reply {
    let headers = reply.headers_mut();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    reply
}

/// The header that says so, made when this is built: its text would be looked through for each answer.
fn content_type(encoding: Encoding) -> HeaderValue {
    match encoding {
        Encoding::Json => const { HeaderValue::from_static(JSON) },
        Encoding::Xml => const { HeaderValue::from_static(XML) },
        _ => const { HeaderValue::from_static(BINCODE) },
    }
}

const JSON: &str = "application/json";
const XML: &str = "text/xml";

/// The content type of messages in `encoding`.
pub(super) fn mime(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Json => JSON,
        Encoding::Xml => XML,
        _ => BINCODE,
    }
}
