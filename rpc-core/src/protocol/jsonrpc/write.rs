//! What either side writes: one text on one line, its members in the canonical order.

use crate::channel::Outbound;
use crate::codec::json;
use crate::encoding::Encoding;
use crate::error::EncodeError;
use crate::fault::{Data, Fault};
use crate::params::Style;
use crate::payload::Payload;

/// Appends a call with this `id`, or a notification. No line feed follows.
///
/// ```
/// use farcall_core::channel::{Options, Outbound};
/// use farcall_core::method::{Method, Param};
/// use farcall_core::{params::Style, protocol::jsonrpc::write_call};
///
/// static ADD: Method = Method::new("add", "")
///     .takes(&[Param::required::<i64>("x"), Param::required::<i64>("y")]);
///
/// let (params, options) = ((7_i64, 3_i64), Options::default());
/// let call = Outbound { method: &ADD, params: &params, options: &options };
/// let mut out = Vec::new();
/// write_call(&mut out, &call, Style::Named, Some(1))?;
/// assert_eq!(out, br#"{"jsonrpc":"2.0","method":"add","params":{"x":7,"y":3},"id":1}"#);
/// # Ok::<(), farcall_core::error::EncodeError>(())
/// ```
///
/// # Errors
/// If a parameter has no JSON form. What was appended stays in `out`.
pub fn write_call(
    out: &mut Vec<u8>,
    call: &Outbound<'_>,
    style: Style,
    id: Option<u64>,
) -> Result<(), EncodeError> {
    write_request(out, call, style, id, None)
}

/// As [`write_call`], of a stream of which `window` bytes of items are taken at first.
pub(crate) fn write_request(
    out: &mut Vec<u8>,
    call: &Outbound<'_>,
    style: Style,
    id: Option<u64>,
    window: Option<usize>,
) -> Result<(), EncodeError> {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"#);
    put_name(out, call.method.name)?;
    out.extend_from_slice(br#","params":"#);
    let start = out.len();
    call.params
        .encode(call.method, Encoding::Json, style, out)?;
    on_one_line(out, start);
    if let Some(window) = window {
        out.extend_from_slice(br#","window":"#);
        json::encode(&window, out)?;
    }
    if let Some(id) = id {
        out.extend_from_slice(br#","id":"#);
        json::encode(&id, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// Appends the name of a method, which hardly ever has anything to escape.
pub(super) fn put_name(out: &mut Vec<u8>, name: &str) -> Result<(), EncodeError> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'/' | b'-');
    if !name.bytes().all(is_plain) {
        return json::encode(name, out);
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
    Ok(())
}

/// Appends the notification that gives up the call `id`, and a line feed.
pub(crate) fn write_cancel(out: &mut Vec<u8>, id: u64) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"#);
    // A number has a JSON form always.
    let _ = json::encode(&id, out);
    out.extend_from_slice(b"}}\n");
}

/// Appends the reply to `raw_id` and a line feed; `encode` writes the result.
pub(crate) fn write_reply(
    out: &mut Vec<u8>,
    raw_id: &[u8],
    version_1: bool,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    out.extend_from_slice(before_result(version_1));
    let start = out.len();
    encode(out)?;
    on_one_line(out, start);
    after_result(out, raw_id, version_1);
    out.push(b'\n');
    Ok(())
}

/// Appends `fault` as the reply to `raw_id`, and a line feed.
pub(crate) fn write_fault(out: &mut Vec<u8>, raw_id: &[u8], version_1: bool, fault: &Fault) {
    put_fault(out, raw_id, version_1, fault);
    out.push(b'\n');
}

/// What stands before a result.
pub(super) fn before_result(version_1: bool) -> &'static [u8] {
    if version_1 {
        br#"{"result":"#
    } else {
        br#"{"jsonrpc":"2.0","result":"#
    }
}

/// Appends what stands after a result.
pub(super) fn after_result(out: &mut Vec<u8>, raw_id: &[u8], version_1: bool) {
    if version_1 {
        out.extend_from_slice(br#","error":null"#);
    }
    end_with_id(out, raw_id);
}

/// Appends `fault` as the reply to `raw_id`.
pub(super) fn put_fault(out: &mut Vec<u8>, raw_id: &[u8], version_1: bool, fault: &Fault) {
    let raw_id = if is_without_id(fault) {
        b"null"
    } else {
        raw_id
    };
    out.extend_from_slice(if version_1 {
        br#"{"result":null,"error":"#
    } else {
        br#"{"jsonrpc":"2.0","error":"#
    });
    put_error(out, fault);
    end_with_id(out, raw_id);
}

/// Appends `fault` as the value of an `error` member.
pub(super) fn put_error(out: &mut Vec<u8>, fault: &Fault) {
    out.extend_from_slice(br#"{"code":"#);
    // An integer and a string have a JSON form always.
    let _ = json::encode(&fault.code, out);
    out.extend_from_slice(br#","message":"#);
    let _ = json::encode(&fault.message, out);
    if let Some(data) = &fault.data
        && data.encoding == Encoding::Json
    {
        out.extend_from_slice(br#","data":"#);
        let start = out.len();
        out.extend_from_slice(&data.bytes);
        on_one_line(out, start);
    }
    out.push(b'}');
}

fn end_with_id(out: &mut Vec<u8>, raw_id: &[u8]) {
    out.extend_from_slice(br#","id":"#);
    out.extend_from_slice(raw_id);
    out.push(b'}');
}

/// Raw JSON that somebody else wrote may have line feeds, and a line is a message. In valid JSON
/// they are only ever white space between tokens.
pub(super) fn on_one_line(out: &mut [u8], start: usize) {
    let mut rest = out.get_mut(start..).unwrap_or_default();
    // A search would cost more than the few bytes that most results are.
    if let ..16 = rest.len() {
        for byte in rest {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        return;
    }
    while let Some(at) = memchr::memchr2(b'\n', b'\r', rest) {
        let Some((end, after)) = rest.get_mut(at..).and_then(<[u8]>::split_first_mut) else {
            return;
        };
        *end = b' ';
        rest = after;
    }
}

/// The same fault, to be answered with the id null whatever id was read: that of a message which
/// turned out to be no request after its handler was started. The mark is data that JSON replies
/// leave out.
pub(super) fn without_id(mut fault: Fault) -> Fault {
    fault.data = Some(Data {
        encoding: Encoding::Bincode,
        bytes: Payload::default(),
    });
    fault
}

fn is_without_id(fault: &Fault) -> bool {
    use crate::fault::code::{INVALID_REQUEST, PARSE_ERROR};
    matches!(fault.code, PARSE_ERROR | INVALID_REQUEST)
        && fault
            .data
            .as_ref()
            .is_some_and(|data| data.encoding == Encoding::Bincode && data.bytes.is_empty())
}
