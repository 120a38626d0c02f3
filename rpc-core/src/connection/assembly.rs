//! Messages that come in pieces.

use std::time::{Duration, Instant};

use crate::buffers::{self, Kept};
use crate::payload::Payload;
use crate::protocol::native::{Header, TOTAL};

/// How far ahead of the received bytes a message grows at most: a length is a claim.
const AHEAD: usize = 1024 * 1024;
/// The most messages that come in pieces at a time. Further ones are refused.
const AT_ONCE: usize = 32;

/// The messages of one connection that have begun and are not complete.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    /// Of the first piece, but with the length of the whole body.
    header: Header,
    body: Vec<u8>,
    /// When its last piece came.
    touched: Instant,
}

/// What a piece led to.
#[derive(Debug)]
pub(super) enum Piece {
    /// There are more to come; or it is of a message that was given up.
    Partial,
    /// It was the last one.
    Whole(Header, Payload),
    /// The message cannot be taken, for this reason.
    Refused(Refused),
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
    /// Takes the piece under `header`; a message may have `limit` bytes.
    pub(super) fn take(
        &mut self,
        header: &Header,
        piece: &[u8],
        limit: usize,
        now: Instant,
    ) -> Piece {
        let id = header.id;
        let at = self.parts.iter().position(|part| part.header.id == id);
        match (header.is_chunk(), at) {
            (false, None) => self.begin(header, piece, limit, now),
            // The next message of a call that did not finish the last one.
            (false, Some(at)) => {
                self.drop_at(at);
                Piece::Refused(Refused::Broken)
            }
            (true, Some(at)) => self.go_on(at, header, piece, now),
            (true, None) => Piece::Partial,
        }
    }

    fn begin(&mut self, header: &Header, piece: &[u8], limit: usize, now: Instant) -> Piece {
        let Some((total, bytes)) = piece.split_first_chunk::<TOTAL>() else {
            return Piece::Refused(Refused::Broken);
        };
        let total = u32::from_le_bytes(*total) as usize;
        if total > limit {
            return Piece::Refused(Refused::TooLarge(total));
        }
        if bytes.len() >= total {
            return Piece::Refused(Refused::Broken);
        }
        if self.parts.len() >= AT_ONCE {
            return Piece::Refused(Refused::TooMany(AT_ONCE));
        }
        let mut body = Vec::new();
        buffers::reserve(&mut body, total.min(AHEAD));
        body.extend_from_slice(bytes);
        self.parts.push(Part {
            header: Header {
                length: total,
                ..*header
            },
            body,
            touched: now,
        });
        Piece::Partial
    }

    fn go_on(&mut self, at: usize, header: &Header, piece: &[u8], now: Instant) -> Piece {
        let Some(part) = self.parts.get_mut(at) else {
            return Piece::Partial;
        };
        let left = part.header.length - part.body.len();
        let ends = !header.has_more();
        if piece.len() > left || ends != (piece.len() == left) {
            self.drop_at(at);
            return Piece::Refused(Refused::Broken);
        }
        if part.body.capacity() - part.body.len() < piece.len() {
            buffers::reserve(&mut part.body, left.min(AHEAD));
        }
        part.body.extend_from_slice(piece);
        part.touched = now;
        if !ends {
            return Piece::Partial;
        }
        let Part { header, body, .. } = self.parts.swap_remove(at);
        Piece::Whole(header, Payload::from(bytes::Bytes::from_owner(Kept(body))))
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
