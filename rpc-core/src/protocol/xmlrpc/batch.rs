//! The client's side of `system.multicall`: many calls in one document, their outcomes in another.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use super::document::in_utf8;
use super::reply::{Reply, fault_members, read, skip_value};
use crate::channel::{Inbound, Outbound};
use crate::codec::scan::past;
use crate::codec::xml::reader::{Item, Reader};
use crate::codec::xml::text::{self, readable};
use crate::encoding::Encoding;
use crate::error::{DecodeError, EncodeError, Failure};
use crate::limits::Budget;
use crate::params::Style;
use crate::payload::Payload;

/// What stands before the members of a batch.
pub(crate) const BEFORE_BATCH: &[u8] =
    b"<?xml version=\"1.0\"?>\n<methodCall><methodName>system.multicall</methodName>\
      <params><param><value><array><data>";
/// What stands behind them.
pub(crate) const AFTER_BATCH: &[u8] = b"</data></array></value></param></params></methodCall>\n";

/// Appends `call` as a member of a batch, a struct of methodName and params.
pub(crate) fn write_member(out: &mut Vec<u8>, call: &Outbound<'_>) -> Result<(), EncodeError> {
    out.extend_from_slice(b"<value><struct><member><name>methodName</name><value><string>");
    text::write(out, call.method.name)?;
    out.extend_from_slice(b"</string></value></member><member><name>params</name>");
    call.params
        .encode(call.method, Encoding::Xml, Style::Member, out)?;
    out.extend_from_slice(b"</member></struct></value>");
    Ok(())
}

/// Reads the document that answers a batch: the outcomes in the order of the members.
///
/// # Errors
/// The fault that came for all of it, or that it is no such answer.
pub(crate) fn read_batch(
    body: Payload,
    budget: Budget,
) -> Result<Vec<Result<Inbound, Failure>>, Failure> {
    let body = in_utf8(body).map_err(|fault| Failure::peer(fault.message))?;
    let broken = |error| Failure::peer(format!("the reply is no answer to a batch: {error}"));
    let text = readable(&body).map_err(broken)?;
    let mut reader = Reader::new(text, budget);
    let reply = read(&mut reader, &body);
    match reply.map_err(|error| broken(reader.tokens.located(&error)))? {
        Reply::Fault(fault) => Err(Failure::batch_refused(fault)),
        Reply::Nothing => Err(broken(DecodeError::new("it has no result"))),
        Reply::Result(at) => {
            let result = text.get(at.clone()).unwrap_or_default();
            let mut reader = Reader::new(result, budget);
            let before = text.get(..at.start).unwrap_or_default();
            outcomes(&mut reader, &body, at.start)
                .map_err(|error| broken(reader.tokens.located(&error).behind(before.as_bytes())))
        }
    }
}

/// Reads the array of outcomes that begins at `start` of `body`.
fn outcomes(
    reader: &mut Reader<'_>,
    body: &Payload,
    start: usize,
) -> Result<Vec<Result<Inbound, Failure>>, DecodeError> {
    let Item::Array { mut ended } = reader.value()? else {
        return Err(DecodeError::new("the result is no array"));
    };
    let mut outcomes = Vec::new();
    while !ended {
        match reader.next_item()? {
            None => ended = true,
            Some(Item::Struct { ended }) => {
                let result = body.get(start..).unwrap_or_default();
                let fault = fault_members(reader, result, ended)?;
                outcomes.push(Err(Failure::remote(fault)));
            }
            // A result, in an array of one.
            Some(Item::Array { ended: false }) => {
                let at = skip_value(reader)?;
                if reader.next_item()?.is_some() {
                    return Err(DecodeError::new("an outcome of more than one value"));
                }
                let at = past(start, at.start)..past(start, at.end);
                outcomes.push(Ok(Inbound::new(Encoding::Xml, body.clone(), at)));
            }
            Some(_) => {
                return Err(DecodeError::new(
                    "an outcome that is no array of one and no fault",
                ));
            }
        }
    }
    reader.tokens.end()?;
    Ok(outcomes)
}
