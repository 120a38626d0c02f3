//! What waits to be sent over a byte stream: whole messages in one buffer, and beside them large
//! ones, which leave in pieces.
//!
//! A message that is longer than a piece would hold up all that come behind it, so the pieces of
//! large ones take turns, and what is small goes ahead of the next piece. Only messages of the same
//! call keep their order: an item must not overtake the large one before it.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::ops::Range;
use std::task::{Context, Waker};

use bytes::Bytes;

use crate::buffers::{self, Kept};
use crate::in_place::{Aside, Segment};
use crate::protocol::native::{HEADER, write_piece_head};

/// The longest piece of a large message, in bytes.
pub(crate) const PIECE: usize = 512 * 1024;

/// The longest while small messages come too, which wait for the piece before them.
const SHORT_PIECE: usize = 128 * 1024;

/// So many pieces are short behind a small message, 4 MiB of them.
const SHORT_PIECES: usize = 32;

/// While so much waits to be sent, streams make no further items: replies must not queue behind
/// them, nor memory grow.
const ROOM: usize = 64 * 1024;

/// A buffer that grew beyond this for one message is not kept by the connection.
const KEPT: usize = 256 * 1024;

/// What waits to be sent.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    /// Whole messages, one behind the other. A writer appends here, then calls
    /// [`settle`](Self::settle).
    pub(crate) whole: Vec<u8>,
    large: VecDeque<Large>,
    /// How much of large messages is left to be sent.
    left: usize,
    /// The call whose large message has its turn: it is with the transport.
    away: Option<u64>,
    /// The peer takes messages in pieces.
    takes_pieces: bool,
    /// How many of the next pieces are short.
    short: usize,
    /// Streams that wait for [`ROOM`].
    waiting: Vec<Waker>,
    /// How many bytes of whole messages a transport took so far.
    taken: u64,
}

/// A frame that is sent in pieces.
#[derive(Debug)]
struct Large {
    id: u64,
    /// The frame's header.
    header: [u8; HEADER],
    /// The frame, header and all, in the stretches that it is written in.
    frame: Vec<Bytes>,
    /// How long the frame is.
    length: usize,
    /// How much of it was sent, its header included from the first piece on.
    sent: usize,
}

/// What a transport is sending: some whole messages, and a piece of a large one.
///
/// ```
/// use farcall_core::connection::Sending;
///
/// let mut sending = Sending::default();
/// assert!(sending.is_empty());
/// sending.advance(0);
/// ```
#[derive(Debug, Default)]
pub struct Sending {
    bytes: Vec<u8>,
    /// How many of these are whole messages; the head of the piece is behind them.
    whole: usize,
    piece: Option<Large>,
    /// Where the piece ends in its frame.
    end: usize,
    /// How much of both was sent.
    sent: usize,
    /// There was more to be sent when this was filled.
    more: bool,
}

/// How much waits to be sent.
///
/// ```
/// assert_eq!(farcall_core::connection::Unsent::default().bytes, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unsent {
    /// In bytes.
    pub bytes: usize,
    /// How many of them are in messages that leave in pieces.
    pub large_bytes: usize,
    /// How many such messages there are.
    pub large: usize,
}

impl Sending {
    /// True if everything was sent, and more can be asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left() == 0
    }

    /// How many bytes are left to be sent.
    #[must_use]
    pub fn left(&self) -> usize {
        self.bytes.len() + self.piece_range().len() - self.sent
    }

    /// True if there was more to be sent when this was last filled.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// How many bytes were sent since this was last filled.
    #[must_use]
    pub fn sent(&self) -> usize {
        self.sent
    }

    /// Where the piece is in its frame.
    fn piece_range(&self) -> Range<usize> {
        let start = self.piece.as_ref().map(|large| large.sent);
        start.map_or(0..0, |start| start..self.end)
    }

    /// What is left to be sent, in this order; rarely there is more behind it. All but the first
    /// are empty unless a message is large.
    #[must_use]
    pub fn slices(&self) -> [IoSlice<'_>; 4] {
        let mut slices = [IoSlice::new(&[]); 4];
        let Range { start, end } = self.piece_range();
        let left = start + self.sent.saturating_sub(self.bytes.len())..end;
        let of_piece = self
            .piece
            .iter()
            .flat_map(|large| large.slices(left.clone()));
        let whole = self.bytes.get(self.sent..).unwrap_or_default();
        for (slice, bytes) in slices
            .iter_mut()
            .zip(std::iter::once(whole).chain(of_piece))
        {
            *slice = IoSlice::new(bytes);
        }
        slices
    }

    /// Notes that `count` more bytes were sent.
    pub fn advance(&mut self, count: usize) {
        self.sent = (self.sent + count).min(self.bytes.len() + self.piece_range().len());
        if self.sent >= self.bytes.len() && self.is_empty() {
            self.sent = 0;
            self.whole = 0;
            self.bytes.clear();
            if self.bytes.capacity() > KEPT {
                buffers::give_back(std::mem::take(&mut self.bytes));
            }
            if let Some(large) = &mut self.piece {
                large.sent = self.end;
            }
        }
    }

    /// Appends all that is left to `out`, as if it was sent.
    pub fn drain_into(&mut self, out: &mut Vec<u8>) {
        while !self.is_empty() {
            let before = out.len();
            for slice in self.slices() {
                out.extend_from_slice(&slice);
            }
            self.advance(out.len() - before);
        }
    }
}

impl Large {
    /// The frame whose own bytes are `written`, with `segments` where they belong in it.
    fn new(id: u64, mut written: Vec<u8>, segments: Vec<Segment>) -> Self {
        let beside: usize = segments.iter().map(|segment| segment.bytes.len()).sum();
        let length = written.len() + beside;
        let body = u32::try_from(length.saturating_sub(HEADER)).unwrap_or(u32::MAX);
        let mut header = [0; HEADER];
        if let Some(head) = written.first_chunk_mut::<HEADER>() {
            if let Some(place) = head.first_chunk_mut() {
                *place = body.to_le_bytes();
            }
            header = *head;
        }
        let mut frame = Vec::with_capacity(2 * segments.len() + 1);
        let mut rest = Bytes::from_owner(Kept(written));
        let mut start = 0;
        for Segment { at, bytes } in segments {
            frame.push(rest.split_to(at - start));
            frame.push(bytes);
            start = at;
        }
        frame.push(rest);
        Self {
            id,
            header,
            frame,
            length,
            sent: 0,
        }
    }

    /// The bytes `range` of the frame.
    fn slices(&self, range: Range<usize>) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.frame.iter().filter_map(move |bytes| {
            let from = range.start.saturating_sub(start);
            let to = range.end.saturating_sub(start).min(bytes.len());
            start += bytes.len();
            bytes.get(from..to).filter(|slice| !slice.is_empty())
        })
    }

    /// Where the next piece is, of `longest` bytes at most. The header of a frame that is cut leaves
    /// with its first piece, in another form.
    fn next_piece(&self, longest: usize) -> (usize, usize) {
        match self.sent {
            0 if self.length <= HEADER + PIECE => (0, self.length),
            0 => (HEADER, HEADER + longest),
            sent => (sent, self.length.min(sent + longest)),
        }
    }
}

impl Outgoing {
    /// The peer's hello says that it takes messages in pieces.
    pub(crate) fn take_pieces(&mut self) {
        self.takes_pieces = true;
    }

    /// Where the next whole message stands among all that were ever written.
    #[inline]
    pub(crate) fn position(&self) -> u64 {
        self.taken + self.whole.len() as u64
    }

    /// Up to where of that the messages may have left, as far as `sending` knows. Those that leave in
    /// pieces have no place there.
    pub(crate) fn left_until(&self, sending: &Sending) -> u64 {
        let kept = sending.whole.saturating_sub(sending.sent);
        self.taken.saturating_sub(kept as u64)
    }

    /// True if nothing waits, nor is any large message under way.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.whole.is_empty() && self.left == 0 && self.away.is_none()
    }

    /// The first `count` bytes of the whole messages have left, by another way than
    /// [`transmit`](Self::transmit).
    #[inline]
    pub(crate) fn leave(&mut self, count: usize) {
        let count = count.min(self.whole.len());
        self.taken += count as u64;
        if count == self.whole.len() {
            self.whole.clear();
        } else {
            self.whole.drain(..count);
        }
    }

    /// How many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.whole.len() + self.left
    }

    /// What of it is how much.
    pub(crate) fn unsent(&self) -> Unsent {
        Unsent {
            bytes: self.len(),
            large_bytes: self.left,
            large: self.large.len() + usize::from(self.away.is_some()),
        }
    }

    /// Lets large bytes stay out of the frame of the call `id` that is going to be appended, if it
    /// can be sent in pieces.
    #[inline]
    pub(crate) fn aside(&self, id: u64) -> Option<Aside> {
        (self.takes_pieces && id != 0).then(|| Aside::of(&self.whole))
    }

    /// The frame of the call `id` that was appended at `start` is complete, with `segments` that
    /// were set [`aside`](Self::aside): sends it in pieces if it is large, or if one of that call's is still under way.
    #[inline]
    pub(crate) fn settle(&mut self, start: usize, id: u64, segments: Option<Vec<Segment>>) {
        let length = self.whole.len() - start;
        if length > HEADER + PIECE || self.left > 0 || segments.is_some() {
            self.settle_aside(start, id, segments.unwrap_or_default());
        }
    }

    #[cold]
    fn settle_aside(&mut self, start: usize, id: u64, mut segments: Vec<Segment>) {
        let is_large = self.whole.len() - start > HEADER + PIECE || !segments.is_empty();
        let is_behind = self.away == Some(id) || self.large.iter().any(|large| large.id == id);
        // Notifications have no id to find the pieces by.
        if !self.takes_pieces || id == 0 || !(is_large || is_behind) {
            return;
        }
        let frame = if start == 0 {
            std::mem::take(&mut self.whole)
        } else {
            let mut frame = Vec::new();
            let tail = self.whole.get(start..).unwrap_or_default();
            buffers::reserve(&mut frame, tail.len());
            frame.extend_from_slice(tail);
            self.whole.truncate(start);
            frame
        };
        for segment in &mut segments {
            segment.at -= start;
        }
        let large = Large::new(id, frame, segments);
        self.left += large.length;
        self.large.push_back(large);
    }

    /// The call `id` was given up: what is left of its large messages is not sent.
    pub(crate) fn forget(&mut self, id: u64) {
        if self.left == 0 {
            return;
        }
        if self.away == Some(id) {
            self.away = None;
        }
        let (forgotten, kept) = std::mem::take(&mut self.large)
            .into_iter()
            .partition(|large| large.id == id);
        self.large = kept;
        let forgotten: VecDeque<Large> = forgotten;
        for large in forgotten {
            self.left -= large.length - large.sent;
        }
    }

    /// Fills `sending`, which is empty, with what gathered and one piece.
    pub(crate) fn transmit(&mut self, sending: &mut Sending) {
        if let Some(large) = sending.piece.take() {
            self.put_back(large);
        }
        std::mem::swap(&mut self.whole, &mut sending.bytes);
        sending.whole = sending.bytes.len();
        self.taken += sending.whole as u64;
        if let Some(large) = self.large.pop_front() {
            self.short = match sending.bytes.is_empty() {
                true => self.short.saturating_sub(1),
                false => SHORT_PIECES,
            };
            let longest = if self.short > 0 { SHORT_PIECE } else { PIECE };
            let (from, end) = large.next_piece(longest);
            if (from, end) != (0, large.length) {
                let (header, length) = (&large.header, large.length);
                write_piece_head(&mut sending.bytes, header, length, from..end);
            }
            self.left -= end - large.sent;
            self.away = Some(large.id);
            sending.end = end;
            sending.piece = Some(Large {
                sent: from,
                ..large
            });
        }
        sending.more = self.len() > 0;
        if self.whole.len() < ROOM {
            self.waiting.drain(..).for_each(Waker::wake);
        }
    }

    /// Puts a message behind the others, whose piece was sent.
    fn put_back(&mut self, large: Large) {
        let is_wanted = self.away.take() == Some(large.id);
        let rest = large.length - large.sent;
        match is_wanted && rest > 0 {
            true => self.large.push_back(large),
            false => self.left -= rest,
        }
    }

    /// True if a stream may append an item; else `cx` is woken when it may.
    pub(crate) fn has_room(&mut self, cx: &Context<'_>) -> bool {
        let has_room = self.whole.len() < ROOM;
        if !has_room {
            self.waiting.push(cx.waker().clone());
        }
        has_room
    }
}
