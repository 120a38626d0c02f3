//! Writing frames: the header by hand, the value straight behind it, the length last.

use std::ops::Range;
use std::time::Duration;

use super::frame::{HEADER, IDEMPOTENT, Kind, MORE, NOTIFICATION, OPENED, REQUEST_HEAD, TOTAL};
use crate::channel::Outbound;
use crate::context::Metadata;
use crate::encoding::Encoding;
use crate::error::EncodeError;
use crate::fault::Fault;
use crate::params::Style;

/// Appends the request frame of `call`. On an error the caller cuts off what was appended.
///
/// # Errors
/// If a parameter has no form in `encoding`, or the metadata is longer than 64 KiB.
pub fn write_call(
    out: &mut Vec<u8>,
    call: &Outbound<'_>,
    encoding: Encoding,
    id: u64,
    remaining: Option<Duration>,
) -> Result<(), EncodeError> {
    let mut flags = 0;
    if call.options.notification {
        flags |= NOTIFICATION;
    }
    if call.method.idempotent {
        flags |= IDEMPOTENT;
    }
    let start = out.len();
    let remaining = u64::from(remaining.map_or(0, millis));
    let head = u64::from(call.method.hash) | remaining << 32;
    // At once, as there is a look at the buffer's room for each stretch.
    let mut header = [0; HEADER + REQUEST_HEAD];
    let (frame, request) = header.split_at_mut(HEADER);
    frame.copy_from_slice(&header_of(Kind::Request, flags, id).to_le_bytes());
    request.copy_from_slice(&head.to_le_bytes());
    out.extend_from_slice(&header);
    if !call.options.metadata.is_empty() {
        write_metadata(out, start, &call.options.metadata)?;
    }
    call.params
        .encode(call.method, encoding, Style::Positional, out)?;
    end(out, start);
    Ok(())
}

/// At least 1, as 0 means no deadline; a longer time than fits is as good as the longest.
fn millis(remaining: Duration) -> u32 {
    match u32::try_from(remaining.as_secs()).map(|seconds| seconds.checked_mul(1000)) {
        Ok(Some(millis)) => millis.saturating_add(remaining.subsec_millis()).max(1),
        _ => u32::MAX,
    }
}

/// Appends `metadata` to the frame at `start`.
#[cold]
fn write_metadata(out: &mut Vec<u8>, start: usize, metadata: &Metadata) -> Result<(), EncodeError> {
    let too_long = || EncodeError::new("the metadata is too long (a name 255 bytes, all 65,535)");
    let before = out.len();
    for (name, value) in metadata.iter() {
        out.push(u8::try_from(name.len()).map_err(|_| too_long())?);
        out.extend_from_slice(name.as_bytes());
        let length = u16::try_from(value.len()).map_err(|_| too_long())?;
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(value.as_bytes());
    }
    let length = u16::try_from(out.len().saturating_sub(before)).map_err(|_| too_long())?;
    patch(out, start.saturating_add(6), length.to_le_bytes());
    Ok(())
}

/// Appends the reply frame to the call `id`: `metadata`, and what `encode` appends.
pub(crate) fn write_reply(
    out: &mut Vec<u8>,
    id: u64,
    metadata: &Metadata,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = begin(out, Kind::Reply, 0, id);
    if !metadata.is_empty() {
        write_metadata(out, start, metadata)?;
    }
    encode(out)?;
    end(out, start);
    Ok(())
}

/// Puts `metadata` into the reply frame that is all of `out`.
pub(super) fn add_metadata(out: &mut Vec<u8>, metadata: &Metadata) -> Result<(), EncodeError> {
    let value = out.split_off(HEADER.min(out.len()));
    write_metadata(out, 0, metadata)?;
    out.extend_from_slice(&value);
    Ok(())
}

/// Appends the frame that says that the call `id` is answered with a stream, with `metadata`.
pub(crate) fn write_opened(
    out: &mut Vec<u8>,
    id: u64,
    metadata: &Metadata,
) -> Result<(), EncodeError> {
    let start = begin(out, Kind::Reply, OPENED, id);
    if !metadata.is_empty() {
        write_metadata(out, start, metadata)?;
        end(out, start);
    }
    Ok(())
}

/// Appends an item of the call `id`: what `encode` appends.
pub(crate) fn write_item(
    out: &mut Vec<u8>,
    id: u64,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = begin(out, Kind::Item, 0, id);
    encode(out)?;
    end(out, start);
    Ok(())
}

/// Appends the frame that lets the other side send `bytes` more of the items of the call `id`.
pub(crate) fn write_credit(out: &mut Vec<u8>, id: u64, bytes: usize) {
    let start = begin(out, Kind::Credit, 0, id);
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    out.extend_from_slice(&bytes.to_le_bytes());
    end(out, start);
}

/// Appends `fault` as the reply to the call `id`; its data only if it is in `encoding`.
pub(crate) fn write_fault(out: &mut Vec<u8>, id: u64, fault: &Fault) {
    let start = begin(out, Kind::Fault, 0, id);
    out.extend_from_slice(&fault.code.to_le_bytes());
    let length = u32::try_from(fault.message.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(fault.message.as_bytes());
    if let Some(data) = &fault.data {
        out.extend_from_slice(&data.bytes);
    }
    end(out, start);
}

/// Appends what stands before the bytes `piece` of a frame of `length` bytes where they are sent:
/// before the first one the frame's own header and the length of the whole body, before the others
/// a header of their own.
pub(crate) fn write_piece_head(
    out: &mut Vec<u8>,
    header: &[u8; HEADER],
    length: usize,
    piece: Range<usize>,
) {
    let start = out.len();
    let more = if piece.end < length { MORE } else { 0 };
    let body = u32::try_from(length.saturating_sub(HEADER)).unwrap_or(u32::MAX);
    let mut length = u32::try_from(piece.len()).unwrap_or(u32::MAX);
    let &[_, _, _, _, kind, flags, m0, m1, ref id @ ..] = header;
    if piece.start == HEADER {
        length = length.saturating_add(TOTAL as u32);
        out.extend_from_slice(&[0, 0, 0, 0, kind, flags | more, m0, m1]);
        out.extend_from_slice(id);
        out.extend_from_slice(&body.to_le_bytes());
    } else {
        out.extend_from_slice(&[0, 0, 0, 0, Kind::Chunk as u8, more, 0, 0]);
        out.extend_from_slice(id);
    }
    patch(out, start, length.to_le_bytes());
}

/// Appends the frame that gives up the call `id`.
pub(crate) fn write_cancel(out: &mut Vec<u8>, id: u64) {
    write_empty(out, Kind::Cancel, id);
}

/// Appends a frame without a body.
pub(crate) fn write_empty(out: &mut Vec<u8>, kind: Kind, id: u64) {
    begin(out, kind, 0, id);
}

/// Appends a header whose length is not known yet, and gives where it starts.
pub(super) fn begin(out: &mut Vec<u8>, kind: Kind, flags: u8, id: u64) -> usize {
    let start = out.len();
    out.extend_from_slice(&header_of(kind, flags, id).to_le_bytes());
    start
}

/// A header whose length is not known yet, as one number, to be written at once.
fn header_of(kind: Kind, flags: u8, id: u64) -> u128 {
    u128::from(id) << 64 | u128::from(flags) << 40 | u128::from(kind as u8) << 32
}

/// Writes the length into the header at `start`. (No message of 4 GiB passes the limits.)
pub(super) fn end(out: &mut [u8], start: usize) {
    let length =
        u32::try_from(out.len().saturating_sub(start.saturating_add(HEADER))).unwrap_or(u32::MAX);
    patch(out, start, length.to_le_bytes());
}

fn patch<const N: usize>(out: &mut [u8], at: usize, bytes: [u8; N]) {
    if let Some(place) = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = bytes;
    }
}
