//! Reading frames.
//!
//! All numbers are little-endian. A header is 16 bytes:
//!
//! | at | what |
//! |---|---|
//! | 0 | length of the body, `u32` |
//! | 4 | kind, `u8` |
//! | 5 | flags, `u8` |
//! | 6 | length of the metadata at the body's head, `u16` |
//! | 8 | call id, `u64` |
//!
//! A request's body: method hash `u32`, remaining time in milliseconds `u32` (0: none given),
//! metadata, parameters. A reply's: metadata, value. A fault's: code `i32`, length of the message
//! `u32`, the message in UTF-8, and its data, if any.

use std::ops::Range;
use std::time::Duration;

use crate::context::Metadata;
use crate::encoding::Encoding;
use crate::fault::{Data, Fault};
use crate::payload::Payload;

/// The length of a frame's header, in bytes.
pub const HEADER: usize = 16;

/// The id of a going away behind which the server says nothing more: what it has not answered until
/// then, it has not run and will not run.
pub(crate) const LAST_WORD: u64 = 1;

/// Between a request's header and its metadata: the method hash and the remaining time.
pub(super) const REQUEST_HEAD: usize = 8;

/// The flag of a request that wants no reply.
pub(super) const NOTIFICATION: u8 = 1;
/// The flag of a request that may be run twice.
pub(super) const IDEMPOTENT: u8 = 2;
/// The flag of a reply that is followed by a stream.
pub(super) const OPENED: u8 = 4;
/// The flag of a message that goes on in a further frame.
pub(super) const MORE: u8 = 0x80;
/// The length of the number at the head of a first piece: how long the whole body is.
pub(crate) const TOTAL: usize = 4;

/// What a frame is.
///
/// ```
/// use farcall_core::protocol::native::Kind;
///
/// assert_eq!(Kind::from_byte(4), Some(Kind::Cancel));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A call.
    Request = 1,
    /// Its result.
    Reply = 2,
    /// Why it has none.
    Fault = 3,
    /// The caller gave up.
    Cancel = 4,
    /// An item of a stream.
    Item = 5,
    /// The end of a stream.
    End = 6,
    /// Leave to send more items.
    Credit = 7,
    /// Are you there?
    Ping = 8,
    /// I am.
    Pong = 9,
    /// No further calls are taken on this connection.
    GoingAway = 10,
    /// The next piece of a large message.
    Chunk = 11,
}

impl Kind {
    /// The kind of this number.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Request,
            2 => Self::Reply,
            3 => Self::Fault,
            4 => Self::Cancel,
            5 => Self::Item,
            6 => Self::End,
            7 => Self::Credit,
            8 => Self::Ping,
            9 => Self::Pong,
            10 => Self::GoingAway,
            11 => Self::Chunk,
            _ => return None,
        })
    }
}

/// The head of a frame.
///
/// ```
/// use farcall_core::protocol::native::{Header, Kind};
///
/// let bytes = [5, 0, 0, 0, 2, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
/// let header = Header::read(&bytes).unwrap();
/// assert_eq!((header.length, header.kind, header.id), (5, Some(Kind::Reply), 9));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The length of the body, in bytes.
    pub length: usize,
    /// What the frame is; `None` if it is from a later version.
    pub kind: Option<Kind>,
    /// Bits whose meaning depends on the kind.
    pub flags: u8,
    /// The length of the metadata in the body.
    pub metadata: u16,
    /// Which call it belongs to.
    pub id: u64,
}

impl Header {
    /// Reads the header at the start of `bytes`; `None` if there are fewer than [`HEADER`].
    #[inline]
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let &[
            l0,
            l1,
            l2,
            l3,
            kind,
            flags,
            m0,
            m1,
            i0,
            i1,
            i2,
            i3,
            i4,
            i5,
            i6,
            i7,
        ] = bytes.first_chunk::<HEADER>()?;
        Some(Self {
            length: u32::from_le_bytes([l0, l1, l2, l3]) as usize,
            kind: Kind::from_byte(kind),
            flags,
            metadata: u16::from_le_bytes([m0, m1]),
            id: u64::from_le_bytes([i0, i1, i2, i3, i4, i5, i6, i7]),
        })
    }

    /// True if the message goes on in a further frame.
    pub(crate) fn has_more(&self) -> bool {
        self.flags & MORE != 0
    }

    /// How long its body may be where a message may have `message_bytes`.
    pub(crate) fn most(&self, message_bytes: usize) -> usize {
        message_bytes.saturating_add(if self.has_more() { TOTAL } else { 0 })
    }

    /// True if it is a reply with nothing beside its value.
    #[inline]
    pub(crate) fn is_plain_reply(&self) -> bool {
        self.kind == Some(Kind::Reply) && self.flags == 0 && self.metadata == 0
    }

    /// True if it is a reply that is followed by a stream.
    pub(crate) fn opens_stream(&self) -> bool {
        self.flags & OPENED != 0
    }

    /// True if the frame is a piece of a message, but not the first.
    pub(crate) fn is_chunk(&self) -> bool {
        self.kind == Some(Kind::Chunk)
    }

    /// True if the frame is no message but a piece of one.
    pub(crate) fn is_piece(&self) -> bool {
        self.has_more() || self.is_chunk()
    }
}

/// What a request frame says before its parameters.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: u32,
    pub(crate) remaining: Option<Duration>,
    pub(crate) notification: bool,
    pub(crate) metadata: Metadata,
    /// Where the parameters are in the body.
    pub(crate) params: Range<usize>,
}

/// Reads the body of a request; `None` if it is too short for what its header says.
#[inline]
pub(crate) fn read_head(header: &Header, body: &[u8]) -> Option<Head> {
    let &[h0, h1, h2, h3, r0, r1, r2, r3] = body.first_chunk::<REQUEST_HEAD>()?;
    let params = REQUEST_HEAD + usize::from(header.metadata);
    let metadata = match header.metadata {
        0 => Metadata::default(),
        _ => read_metadata(body.get(REQUEST_HEAD..params)?)?,
    };
    let remaining = u32::from_le_bytes([r0, r1, r2, r3]);
    Some(Head {
        method: u32::from_le_bytes([h0, h1, h2, h3]),
        remaining: (remaining != 0).then(|| Duration::from_millis(remaining.into())),
        notification: header.flags & NOTIFICATION != 0,
        metadata,
        params: params..body.len(),
    })
}

/// The metadata at the head of a reply's body, as long as its header says; `None` if it is none.
#[inline]
pub(crate) fn read_reply_metadata(header: &Header, body: &[u8]) -> Option<Metadata> {
    match header.metadata {
        0 => Some(Metadata::default()),
        length => read_metadata(body.get(..usize::from(length))?),
    }
}

/// Entries, each a name and a value: length `u8`, name, length `u16`, value.
fn read_metadata(mut bytes: &[u8]) -> Option<Metadata> {
    let mut metadata = Metadata::default();
    while let Some((&length, rest)) = bytes.split_first() {
        let (name, rest) = rest.split_at_checked(length.into())?;
        let (&[v0, v1], rest) = rest.split_first_chunk()?;
        let (value, rest) = rest.split_at_checked(u16::from_le_bytes([v0, v1]).into())?;
        metadata.insert(
            std::str::from_utf8(name).ok()?,
            std::str::from_utf8(value).ok()?,
        );
        bytes = rest;
    }
    Some(metadata)
}

/// Reads the body of a credit: how many bytes; `None` if it is not one.
pub(crate) fn read_credit(body: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*body.first_chunk()?))
}

/// Reads the body of a fault; `None` if it is not one.
pub(crate) fn read_fault(body: &[u8], encoding: Encoding) -> Option<Fault> {
    let (&code, rest) = body.split_first_chunk::<4>()?;
    let (&length, rest) = rest.split_first_chunk::<4>()?;
    let (message, data) = rest.split_at_checked(u32::from_le_bytes(length) as usize)?;
    let mut fault = Fault::new(i32::from_le_bytes(code), String::from_utf8_lossy(message));
    if !data.is_empty() {
        fault.data = Some(Data {
            encoding,
            bytes: Payload::copied_from(data),
        });
    }
    Some(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(metadata: u16) -> Header {
        Header {
            length: 0,
            kind: Some(Kind::Request),
            flags: 0,
            metadata,
            id: 1,
        }
    }

    #[test]
    fn a_body_shorter_than_its_header_says_is_no_request() {
        assert!(read_head(&header(0), &[0; 7]).is_none());
        assert!(read_head(&header(1), &[0; 8]).is_none());
        assert!(read_head(&header(3), &[0, 0, 0, 0, 0, 0, 0, 0, 9, b'a', b'b']).is_none());
    }

    #[test]
    fn the_longest_deadline_is_just_long() {
        let body = [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
        let head = read_head(&header(0), &body).unwrap();
        assert_eq!(
            head.remaining,
            Some(Duration::from_millis(u64::from(u32::MAX)))
        );
    }

    #[test]
    fn a_fault_with_a_lying_length_is_none() {
        assert!(read_fault(&[0, 0, 0, 0, 9, 0, 0, 0, b'x'], Encoding::Bincode).is_none());
        assert!(read_fault(&[0; 3], Encoding::Bincode).is_none());
    }
}
