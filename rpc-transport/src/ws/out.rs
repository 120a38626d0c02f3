//! Frames, as they are written (RFC 6455 §5): what waits to be sent.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};

use super::frames::CONTROL;
use super::{Content, Role, mask};

/// So many bytes are put into frames at a time: all lines that are ready leave in one write, and a
/// longer one in fragments, so that it is never here as a whole.
const CHUNK: usize = 64 * 1024;
/// A buffer that grew beyond this is not kept.
const KEPT: usize = 16 * 1024;

/// Frames on their way out.
#[derive(Debug)]
pub(super) struct Out {
    content: Content,
    /// Makes the masks of a client. They must be such that nobody can tell the next one (§10.3).
    keys: Option<RandomState>,
    frames: u64,
    bytes: Vec<u8>,
    written: usize,
    /// A message was begun, and its last fragment is not here yet.
    in_message: bool,
    /// A write waits for the other side to read.
    is_held: bool,
    /// One that waited went on: the other side is there.
    went_on: bool,
}

impl Out {
    pub(super) fn new(role: Role, content: Content) -> Self {
        Self {
            content,
            keys: (role == Role::Client).then(RandomState::new),
            frames: 0,
            bytes: Vec::new(),
            written: 0,
            in_message: false,
            is_held: false,
            went_on: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Puts the beginning of `bytes` into frames; gives how many bytes that is. Of JSON each line is
    /// a text message.
    pub(super) fn put(&mut self, bytes: &[u8]) -> usize {
        let chunk = bytes.get(..CHUNK).unwrap_or(bytes);
        match self.content {
            Content::Native => self.frame(OpCode::Data(Data::Binary), true, chunk),
            Content::Json => self.lines(chunk),
        }
        chunk.len()
    }

    fn lines(&mut self, chunk: &[u8]) {
        for line in chunk.split_inclusive(|&byte| byte == b'\n') {
            let (line, is_last) = match line.strip_suffix(b"\n") {
                Some(line) => (line, true),
                None => (line, false),
            };
            let data = match self.in_message {
                true => Data::Continue,
                false if line.is_empty() => continue,
                false => Data::Text,
            };
            self.frame(OpCode::Data(data), is_last, line);
            self.in_message = !is_last;
        }
    }

    pub(super) fn ping(&mut self) {
        self.frame(OpCode::Control(Control::Ping), true, b"");
    }

    pub(super) fn pong(&mut self, payload: &[u8]) {
        self.frame(OpCode::Control(Control::Pong), true, payload);
    }

    /// Says goodbye; without a code if the other side gave none.
    pub(super) fn close(&mut self, code: Option<CloseCode>, words: &str) {
        let mut payload = Vec::new();
        if let Some(code) = code {
            payload.extend_from_slice(&u16::from(code).to_be_bytes());
            let room = words.floor_char_boundary(CONTROL.saturating_sub(payload.len()));
            payload.extend_from_slice(words.get(..room).unwrap_or_default().as_bytes());
        }
        self.frame(OpCode::Control(Control::Close), true, &payload);
    }

    fn frame(&mut self, opcode: OpCode, is_final: bool, payload: &[u8]) {
        let key = self.keys.as_ref().map(|keys| {
            let [a, b, c, d, ..] = keys.hash_one(self.frames).to_ne_bytes();
            [a, b, c, d]
        });
        self.frames = self.frames.wrapping_add(1);
        let header = FrameHeader {
            is_final,
            opcode,
            mask: key,
            ..FrameHeader::default()
        };
        // A vector takes whatever is written to it.
        let _ = header.format(payload.len() as u64, &mut self.bytes);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        if let (Some(key), Some(payload)) = (key, self.bytes.get_mut(start..)) {
            mask(payload, key, 0);
        }
    }

    /// Writes some of what there is, and gives how much.
    pub(super) fn poll_some<IO: AsyncWrite + Unpin>(
        &mut self,
        io: &mut IO,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let rest = self.bytes.get(self.written..).unwrap_or_default();
        let written = Pin::new(io).poll_write(cx, rest);
        self.went_on |= self.is_held && written.is_ready();
        self.is_held = written.is_pending();
        let count = match ready!(written)? {
            0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            count => count,
        };
        self.written = self.written.saturating_add(count);
        if self.written >= self.bytes.len() {
            self.written = 0;
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
        }
        Poll::Ready(Ok(count))
    }

    /// True if, since this was asked last, a write went on that had waited: what was written before
    /// it has arrived.
    pub(super) fn went_on(&mut self) -> bool {
        std::mem::take(&mut self.went_on)
    }

    /// Writes all of it.
    pub(super) fn poll_all<IO: AsyncWrite + Unpin>(
        &mut self,
        io: &mut IO,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            ready!(self.poll_some(io, cx))?;
        }
        Pin::new(io).poll_flush(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_message_and_a_long_one_is_in_fragments() {
        let mut out = Out::new(Role::Server, Content::Json);
        assert_eq!(out.put(b"[1]\n\n[2]\n[3"), 11);
        assert_eq!(out.put(b"]\n"), 2);
        assert_eq!(out.bytes, b"\x81\x03[1]\x81\x03[2]\x01\x02[3\x80\x01]");
        let mut out = Out::new(Role::Server, Content::Native);
        assert_eq!(out.put(&vec![0; CHUNK + 1]), CHUNK);
        assert_eq!(out.bytes[..4], [0x82, 127, 0, 0]);
    }

    #[test]
    fn what_a_client_sends_is_masked_each_frame_in_another_way() {
        let mut out = Out::new(Role::Client, Content::Json);
        out.put(b"[]\n[]\n");
        let (one, two) = out.bytes.split_at(8);
        assert_eq!((&one[..2], &two[..2]), (&b"\x81\x82"[..], &b"\x81\x82"[..]));
        assert_ne!(one[2..6], two[2..6]);
        let key = one[2..6].try_into().unwrap();
        let mut payload = one[6..].to_vec();
        mask(&mut payload, key, 0);
        assert_eq!(payload, b"[]");
    }

    #[test]
    fn a_goodbye_has_its_words_as_far_as_there_is_room() {
        let mut out = Out::new(Role::Server, Content::Json);
        out.close(Some(CloseCode::Away), &"\u{e4}".repeat(100));
        assert_eq!(out.bytes.len(), 2 + 2 + 122);
        let mut out = Out::new(Role::Server, Content::Json);
        out.close(None, "");
        assert_eq!(out.bytes, b"\x88\x00");
    }
}
