//! What is written of streams: a line for each item, its end and its credit.
//!
//! A server tells of a stream by notifications with the method's name and the subscription's id, in
//! the form that others know from Ethereum's nodes; a client tells of what it sends by methods of
//! their own, `rpc.item` and `rpc.end`.

use super::told::{CREDIT, END, GOING_AWAY, ITEM, UNSUBSCRIBE};
use super::write::{on_one_line, put_error, put_name, write_reply};
use crate::codec::json;
use crate::error::EncodeError;
use crate::fault::Fault;
use crate::protocol::subscription::Subscription;

type Encoded = Result<(), EncodeError>;

/// Appends the reply that a stream follows: the number of its subscription.
pub(crate) fn write_opened(out: &mut Vec<u8>, of: &Subscription) -> Encoded {
    let number = |out: &mut Vec<u8>| json::encode(&of.number, out);
    write_reply(out, &of.raw, of.version_1, number)
}

/// Appends an item of the stream that a server gives; the length of what `encode` appends.
pub(crate) fn write_subscription_item(
    out: &mut Vec<u8>,
    of: &Subscription,
    encode: impl FnOnce(&mut Vec<u8>) -> Encoded,
) -> Result<usize, EncodeError> {
    begin_subscription(out, of)?;
    out.extend_from_slice(br#","result":"#);
    let length = put_value(out, encode)?;
    out.extend_from_slice(b"}}\n");
    Ok(length)
}

/// Appends that the stream is over.
pub(crate) fn write_subscription_end(out: &mut Vec<u8>, of: &Subscription) {
    // A number and a name have a JSON form always.
    let _ = begin_subscription(out, of);
    out.extend_from_slice(b",\"end\":true}}\n");
}

/// Appends that the stream ended with `fault`.
pub(crate) fn write_subscription_error(out: &mut Vec<u8>, of: &Subscription, fault: &Fault) {
    let _ = begin_subscription(out, of);
    out.extend_from_slice(br#","error":"#);
    put_error(out, fault);
    out.extend_from_slice(b"}}\n");
}

fn begin_subscription(out: &mut Vec<u8>, of: &Subscription) -> Encoded {
    begin(out, of.method)?;
    out.extend_from_slice(br#"{"subscription":"#);
    json::encode(&of.number, out)
}

/// Appends an item of what the call `id` sends; the length of what `encode` appends.
pub(crate) fn write_item(
    out: &mut Vec<u8>,
    id: u64,
    encode: impl FnOnce(&mut Vec<u8>) -> Encoded,
) -> Result<usize, EncodeError> {
    begin(out, ITEM)?;
    out.push(b'[');
    json::encode(&id, out)?;
    out.push(b',');
    let length = put_value(out, encode)?;
    out.extend_from_slice(b"]}\n");
    Ok(length)
}

/// Appends that what the call `id` sends is over.
pub(crate) fn write_end(out: &mut Vec<u8>, id: u64) {
    let _ = begin(out, END);
    out.push(b'[');
    let _ = json::encode(&id, out);
    out.extend_from_slice(b"]}\n");
}

/// Appends that `bytes` more of the items of the call or subscription `raw` are taken.
pub(crate) fn write_credit(out: &mut Vec<u8>, raw: &[u8], bytes: usize) {
    let _ = begin(out, CREDIT);
    out.push(b'[');
    out.extend_from_slice(raw);
    out.push(b',');
    let _ = json::encode(&bytes, out);
    out.extend_from_slice(b"]}\n");
}

/// Appends that the subscription `raw` is not wanted any more. A notification: who gives up waits for
/// no answer.
pub(crate) fn write_unsubscribe(out: &mut Vec<u8>, raw: &[u8]) {
    let _ = begin(out, UNSUBSCRIBE);
    out.push(b'[');
    out.extend_from_slice(raw);
    out.extend_from_slice(b"]}\n");
}

/// Appends a server's last word.
pub(crate) fn write_going_away(out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"#);
    let _ = put_name(out, GOING_AWAY);
    out.extend_from_slice(b"}\n");
}

fn begin(out: &mut Vec<u8>, method: &str) -> Encoded {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"#);
    put_name(out, method)?;
    out.extend_from_slice(br#","params":"#);
    Ok(())
}

fn put_value(
    out: &mut Vec<u8>,
    encode: impl FnOnce(&mut Vec<u8>) -> Encoded,
) -> Result<usize, EncodeError> {
    let start = out.len();
    encode(out)?;
    on_one_line(out, start);
    Ok(out.len() - start)
}
