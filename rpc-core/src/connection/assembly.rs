//! Messages that come in pieces.

// Numbers from outside are not added up unchecked.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Received;
use crate::buffers::{self, Kept};
use crate::payload::Payload;
use crate::protocol::native::{HEADER, Header, TOTAL};

/// How far ahead of the received bytes a message grows at first: a length is a claim.
const AHEAD: usize = 1024 * 1024;
/// What it has room for from its start: so much, and what stands around a megabyte of somebody's bytes. Of a
/// message that grew for its last few bytes all would be moved.
const ROOM: usize = AHEAD + AHEAD / 16;
/// And once so much is there, how many times as much as that: to move what is there is a pause for
/// all calls of the connection, so a message moves seldom, and only while it is small.
const TIMES: usize = 16;
/// So much of a piece, and more, is read straight into its message. Less is copied there: what stands
/// behind it comes with the same read.
const STRAIGHT: usize = 16 * 1024;
/// The most messages that come in pieces at a time. Further ones are refused.
const AT_ONCE: usize = 32;

/// The messages of one connection that have begun and are not complete.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    parts: Vec<Part>,
    /// The message whose piece is being read; none if it is only read past.
    of: Option<u64>,
    /// How much of that piece is still to come.
    left: usize,
    /// That piece is the last one of its message.
    ends: bool,
}

#[derive(Debug)]
struct Part {
    /// Of the first piece, but with the length of the whole body.
    header: Header,
    body: Vec<u8>,
    /// When its last bytes came.
    touched: Instant,
}

/// Why a message in pieces is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Its body has so many bytes.
    TooLarge(usize),
    /// So many are under way.
    TooMany(usize),
    /// Its pieces are not what the first of them said.
    Broken,
}

impl Assembly {
    /// True while a piece is being read, or read past.
    #[inline]
    pub(super) fn is_reading(&self) -> bool {
        self.left > 0
    }

    /// Reads past the next `count` bytes.
    pub(super) fn skip(&mut self, count: usize) {
        (self.of, self.left) = (None, count);
    }

    /// Begins to read the piece under `header`, which is the next that was received; false if its
    /// head is not all there. A message may have `limit` bytes.
    ///
    /// # Errors
    /// If it is not taken; then it is read past.
    pub(super) fn begin(
        &mut self,
        header: &Header,
        received: &mut Received,
        limit: usize,
        now: Instant,
    ) -> Result<bool, Refused> {
        let head = if header.is_chunk() {
            HEADER
        } else {
            HEADER + TOTAL
        };
        let bytes = received.bytes();
        // One that is too short for what stands first in it must not take that from the frame behind it.
        let is_short = header.length.saturating_add(HEADER) < head;
        if !is_short && bytes.len() < head {
            return Ok(false);
        }
        let begun = match header.is_chunk() {
            true => self.go_on(header),
            false if is_short => Err(Refused::Broken),
            false => self.open(header, bytes, limit, now),
        };
        if begun.is_err() {
            self.forget(header.id);
            received.skip(HEADER);
            self.skip(header.length);
            return begun.map(|_| true);
        }
        received.skip(head);
        self.of = Some(header.id);
        self.left = header.length.saturating_add(HEADER).saturating_sub(head);
        self.ends = !header.has_more();
        Ok(true)
    }

    /// Makes room for a message that begins.
    fn open(
        &mut self,
        header: &Header,
        bytes: &[u8],
        limit: usize,
        now: Instant,
    ) -> Result<(), Refused> {
        let total = bytes.get(HEADER..).and_then(<[u8]>::first_chunk);
        let total = total.ok_or(Refused::Broken)?;
        let total = u32::from_le_bytes(*total) as usize;
        if total > limit {
            return Err(Refused::TooLarge(total));
        }
        let is_known = self.parts.iter().any(|part| part.header.id == header.id);
        // A message that is cut at all has more than one piece; a call sends one after the other.
        if is_known || header.length.saturating_sub(TOTAL) >= total {
            return Err(Refused::Broken);
        }
        if self.parts.len() >= AT_ONCE {
            return Err(Refused::TooMany(AT_ONCE));
        }
        let mut body = Vec::new();
        buffers::reserve(&mut body, total.min(ROOM));
        let header = Header {
            length: total,
            ..*header
        };
        self.parts.push(Part {
            header,
            body,
            touched: now,
        });
        Ok(())
    }

    /// Checks that a further piece fits. One of a message that is not known is of one that was
    /// given up.
    fn go_on(&self, header: &Header) -> Result<(), Refused> {
        let part = self.parts.iter().find(|part| part.header.id == header.id);
        let Some(part) = part else { return Ok(()) };
        let left = part.header.length.saturating_sub(part.body.len());
        let fits = header.length <= left && header.has_more() == (header.length < left);
        fits.then_some(()).ok_or(Refused::Broken)
    }

    /// Takes what was received of the piece; gives its message if that is whole now.
    pub(super) fn read(
        &mut self,
        received: &mut Received,
        now: Instant,
    ) -> Option<(Header, Payload)> {
        let at = self
            .parts
            .iter()
            .position(|part| Some(part.header.id) == self.of);
        let mut part = at.and_then(|at| self.parts.get_mut(at));
        if let Some((body, left)) = received.take_back() {
            let came = std::mem::replace(&mut self.left, left) > left;
            match &mut part {
                Some(part) => {
                    part.body = body;
                    if came {
                        part.touched = now;
                    }
                }
                // Its call was given up meanwhile.
                None => buffers::give_back(body),
            }
        }
        let count = self.left.min(received.bytes().len());
        let left = self.left.saturating_sub(count);
        if let (Some(part), Some(bytes)) = (part, received.bytes().get(..count)) {
            let wanted = count.saturating_add(left.min(AHEAD));
            if part.body.capacity().saturating_sub(part.body.len()) < wanted {
                let missing = part.header.length.saturating_sub(part.body.len());
                let most = AHEAD.max(part.body.len().saturating_mul(TIMES));
                buffers::reserve(&mut part.body, missing.min(most));
            }
            if count > 0 {
                part.body.extend_from_slice(bytes);
                part.touched = now;
            }
            if left >= STRAIGHT {
                received.lend(std::mem::take(&mut part.body), left);
            }
        }
        received.skip(count);
        self.left = left;
        if self.left > 0 || !self.ends {
            return None;
        }
        self.of = None;
        let Part { header, body, .. } = self.parts.swap_remove(at?);
        Some((header, Payload::from(Bytes::from_owner(Kept(body)))))
    }

    /// The call `id` was given up, or is over.
    pub(super) fn forget(&mut self, id: u64) {
        if let Some(at) = self.parts.iter().position(|part| part.header.id == id) {
            self.drop_at(at);
        }
    }

    fn drop_at(&mut self, at: usize) {
        buffers::give_back(self.parts.swap_remove(at).body);
    }

    /// When the first message will have been without progress for `patience`.
    pub(super) fn next_deadline(&self, patience: Duration) -> Option<Instant> {
        let first = self.parts.iter().map(|part| part.touched).min()?;
        first.checked_add(patience)
    }

    /// Takes out a message that has been without progress for `patience` at `now`.
    pub(super) fn expire(&mut self, now: Instant, patience: Duration) -> Option<Header> {
        let late = |part: &Part| now.saturating_duration_since(part.touched) >= patience;
        let at = self.parts.iter().position(late)?;
        let header = self.parts.get(at)?.header;
        self.drop_at(at);
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::native::{Kind, write_piece_head};

    /// How much room a message has that begins and has a body of so many bytes.
    fn room(total: usize) -> usize {
        let mut header = [0; HEADER];
        header[4] = Kind::Request as u8;
        header[8] = 1;
        header[..4].copy_from_slice(&u32::try_from(total).unwrap().to_le_bytes());
        let mut head = Vec::new();
        write_piece_head(&mut head, &header, HEADER + total, HEADER..2 * HEADER);
        let mut received = Received::default();
        received.room().extend_from_slice(&head);
        let header = Header::read(&head).unwrap();
        let mut assembly = Assembly::default();
        let begun = assembly.begin(&header, &mut received, usize::MAX, Instant::now());
        assert_eq!(begun, Ok(true));
        assembly.parts[0].body.capacity()
    }

    #[test]
    fn a_message_around_a_megabyte_has_room_from_its_start_and_a_longer_one_claims_no_more() {
        let megabyte = 1024 * 1024 + 100;
        assert!(room(megabyte) >= megabyte);
        let claimed = 3 * 1024 * 1024 * 1024;
        assert!(room(claimed) < claimed / 100, "a length is a claim");
    }
}
