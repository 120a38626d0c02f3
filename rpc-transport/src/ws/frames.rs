//! Frames, as they are read (RFC 6455 §5). Bytes in, bytes of messages and events out; no IO.

use std::io::Cursor;

use bytes::{Buf, BytesMut};
use farcall_core::connection::MESSAGE_END;
use tokio::io::ReadBuf;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};

use super::utf8::Utf8;
use super::{Content, Role, mask};

/// The longest payload of a frame that is not data (RFC 6455 §5.5).
pub(super) const CONTROL: usize = 125;

/// Why reading stopped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// More bytes are needed.
    More,
    /// There is no room for what comes next.
    Full,
    Ping(BytesMut),
    Pong,
    /// The other side said goodbye; with a code, if it gave one, and words.
    Close(Option<u16>, String),
}

/// The other side broke the rules: why its socket is closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) code: CloseCode,
    pub(super) words: &'static str,
}

fn broken<T>(words: &'static str) -> Result<T, Broken> {
    let code = CloseCode::Protocol;
    Err(Broken { code, words })
}

/// Reads frames, and gives the bytes of their messages.
#[derive(Debug)]
pub(super) struct Reader {
    role: Role,
    content: Content,
    frame: Option<Frame>,
    /// A message has begun and not ended.
    in_message: bool,
    utf8: Utf8,
}

/// The frame that is being read.
#[derive(Debug)]
struct Frame {
    opcode: OpCode,
    is_last: bool,
    mask: Option<[u8; 4]>,
    /// How many bytes of it were read.
    at: usize,
    left: u64,
}

impl Reader {
    pub(super) fn new(role: Role, content: Content) -> Self {
        Self {
            role,
            content,
            frame: None,
            in_message: false,
            utf8: Utf8::default(),
        }
    }

    /// True in the middle of a frame; and of a text between its frames. (What farcall's own protocol says
    /// may be cut by messages anywhere, and one may last.)
    pub(super) fn has_begun(&self) -> bool {
        self.frame.is_some() || (self.in_message && self.content == Content::Json)
    }

    /// Moves bytes of messages from `raw` to `into`, up to the next event. Behind each text goes a
    /// [`MESSAGE_END`].
    pub(super) fn read(
        &mut self,
        raw: &mut BytesMut,
        into: &mut ReadBuf<'_>,
    ) -> Result<Event, Broken> {
        loop {
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None => match self.head(raw)? {
                    Some(frame) => frame,
                    None => return Ok(Event::More),
                },
            };
            let event = match frame.opcode {
                OpCode::Control(control) => frame.control(control, raw)?,
                OpCode::Data(_) => self.data(&mut frame, raw, into)?,
            };
            match event {
                Some(event @ (Event::More | Event::Full)) => {
                    self.frame = Some(frame);
                    return Ok(event);
                }
                Some(event) => return Ok(event),
                None => {}
            }
        }
    }

    /// Takes the head of a frame out of `raw`, if it is all there.
    fn head(&mut self, raw: &mut BytesMut) -> Result<Option<Frame>, Broken> {
        let mut cursor = Cursor::new(&raw[..]);
        let Ok(parsed) = FrameHeader::parse(&mut cursor) else {
            return broken("a frame of a kind that there is not");
        };
        let Some((header, left)) = parsed else {
            return Ok(None);
        };
        let length = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        raw.advance(length.min(raw.len()));
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return broken("a reserved bit is set, and no extension was agreed on");
        }
        match (self.role, header.mask.is_some()) {
            (Role::Server, false) => return broken("a frame of a client is masked, always"),
            (Role::Client, true) => return broken("a frame of a server is not masked"),
            _ => {}
        }
        match header.opcode {
            OpCode::Control(_) if !header.is_final => {
                return broken("a control frame is not fragmented");
            }
            OpCode::Control(_) if left > CONTROL as u64 => {
                return broken("a control frame has 125 bytes at the most");
            }
            OpCode::Control(_) => {}
            OpCode::Data(data) => self.begin(data)?,
        }
        Ok(Some(Frame {
            opcode: header.opcode,
            is_last: header.is_final,
            mask: header.mask,
            at: 0,
            left,
        }))
    }

    /// A message begins, or goes on.
    fn begin(&mut self, data: Data) -> Result<(), Broken> {
        let words = match (data, self.content, self.in_message) {
            (Data::Continue, _, true) => return Ok(()),
            (Data::Continue, _, false) => return broken("nothing was begun that could go on"),
            (_, _, true) => return broken("a message begins before the last one has ended"),
            (Data::Text, Content::Json, _) | (Data::Binary, Content::Native, _) => {
                self.in_message = true;
                return Ok(());
            }
            (_, Content::Json, _) => {
                "JSON-RPC comes in text messages; binary ones are for the subprotocol farcall.native"
            }
            (_, Content::Native, _) => "the subprotocol farcall.native has binary messages only",
        };
        let code = CloseCode::Unsupported;
        Err(Broken { code, words })
    }

    /// Moves what there is of a data frame; no event if that was all of it.
    fn data(
        &mut self,
        frame: &mut Frame,
        raw: &mut BytesMut,
        into: &mut ReadBuf<'_>,
    ) -> Result<Option<Event>, Broken> {
        let left = usize::try_from(frame.left).unwrap_or(usize::MAX);
        let count = left.min(raw.len()).min(into.remaining());
        if count > 0 {
            let start = into.filled().len();
            into.put_slice(raw.get(..count).unwrap_or_default());
            let bytes = into.filled_mut().get_mut(start..).unwrap_or_default();
            frame.unmask(bytes);
            raw.advance(count);
            if self.content == Content::Json {
                self.text(bytes)?;
            }
        }
        match frame.left {
            0 if !frame.is_last => return Ok(None),
            0 => {}
            _ if into.remaining() == 0 => return Ok(Some(Event::Full)),
            _ => return Ok(Some(Event::More)),
        }
        if self.content == Content::Json {
            if into.remaining() == 0 {
                return Ok(Some(Event::Full));
            }
            if !self.utf8.is_whole() {
                return Err(NO_TEXT);
            }
            into.put_slice(&[MESSAGE_END]);
        }
        self.in_message = false;
        Ok(None)
    }

    fn text(&mut self, bytes: &mut [u8]) -> Result<(), Broken> {
        if !self.utf8.takes(bytes) {
            return Err(NO_TEXT);
        }
        // In JSON neither can be; only the one would end the text.
        for byte in bytes.iter_mut().filter(|byte| **byte == MESSAGE_END) {
            *byte = 0x1f;
        }
        Ok(())
    }
}

const NO_TEXT: Broken = Broken {
    code: CloseCode::Invalid,
    words: "a text message is not UTF-8",
};

impl Frame {
    fn unmask(&mut self, bytes: &mut [u8]) {
        if let Some(key) = self.mask {
            mask(bytes, key, self.at);
        }
        self.at = self.at.wrapping_add(bytes.len()) % 4;
        self.left = self.left.saturating_sub(bytes.len() as u64);
    }

    /// What a control frame says, once it is all there.
    fn control(&mut self, control: Control, raw: &mut BytesMut) -> Result<Option<Event>, Broken> {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        if raw.len() < left {
            return Ok(Some(Event::More));
        }
        let mut payload = raw.split_to(left);
        self.unmask(&mut payload);
        Ok(Some(match control {
            Control::Ping => Event::Ping(payload),
            Control::Close => return close(&payload).map(Some),
            Control::Pong | Control::Reserved(_) => Event::Pong,
        }))
    }
}

/// What the payload of a close frame says (RFC 6455 §5.5.1 and §7.4).
fn close(payload: &[u8]) -> Result<Event, Broken> {
    let Some((code, words)) = payload.split_first_chunk::<2>() else {
        return match payload {
            [] => Ok(Event::Close(None, String::new())),
            _ => broken("a close frame has a code of two bytes, or none"),
        };
    };
    let code = u16::from_be_bytes(*code);
    if !CloseCode::from(code).is_allowed() {
        return broken("a close frame has a code that is none");
    }
    match std::str::from_utf8(words) {
        Ok(words) => Ok(Event::Close(Some(code), words.to_owned())),
        Err(_) => Err(NO_TEXT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of a client.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let key = [9, 8, 7, 6];
        let mut masked = payload.to_vec();
        mask(&mut masked, key, 0);
        let head = match u8::try_from(payload.len()) {
            Ok(short) if short < 126 => vec![first, 0x80 | short],
            _ => {
                let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
                [&[first, 0x80 | 126][..], &length].concat()
            }
        };
        [head, key.to_vec(), masked].concat()
    }

    /// What a server reads from `bytes`, which come `step` at a time into `room` bytes of room.
    fn read(
        content: Content,
        bytes: &[u8],
        step: usize,
        room: usize,
    ) -> Result<(String, Vec<Event>), Broken> {
        let mut reader = Reader::new(Role::Server, content);
        let (mut raw, mut text, mut events) = (BytesMut::new(), Vec::new(), Vec::new());
        for piece in bytes.chunks(step) {
            raw.extend_from_slice(piece);
            loop {
                let mut room = vec![0; room];
                let mut into = ReadBuf::new(&mut room);
                let event = reader.read(&mut raw, &mut into)?;
                text.extend_from_slice(into.filled());
                match event {
                    Event::More => break,
                    Event::Full => {}
                    event => events.push(event),
                }
            }
        }
        Ok((String::from_utf8(text).unwrap(), events))
    }

    #[test]
    fn however_it_is_cut_a_message_is_the_same() {
        let long = "x".repeat(300);
        let stream = [
            frame(0x81, b"[1]"),
            frame(0x01, b"[\"\xe2\x82"),
            frame(0x89, b"there?"),
            frame(0x00, b""),
            frame(0x8a, b""),
            frame(0x80, b"\xac\"]"),
            frame(0x81, long.as_bytes()),
            frame(0x81, b"a\x1eb"),
            frame(0x88, b"\x03\xe8bye"),
        ]
        .concat();
        let text = format!("[1]\u{1e}[\"\u{20ac}\"]\u{1e}{long}\u{1e}a\u{1f}b\u{1e}");
        let events = vec![
            Event::Ping(BytesMut::from("there?")),
            Event::Pong,
            Event::Close(Some(1000), "bye".to_owned()),
        ];
        for step in 1..stream.len() {
            for room in [1, 2, 7, 1000] {
                let read = read(Content::Json, &stream, step, room).unwrap();
                assert_eq!(read.0, text, "{step} {room}");
                assert_eq!(read.1, events, "{step} {room}");
            }
        }
    }

    #[test]
    fn what_breaks_the_rules_is_closed_with_the_code_for_it() {
        let cases: [(&[u8], CloseCode, &str); 17] = [
            (b"\x81\x02[]", CloseCode::Protocol, "masked"),
            (&frame(0xc1, b""), CloseCode::Protocol, "reserved bit"),
            (&frame(0xa1, b""), CloseCode::Protocol, "reserved bit"),
            (&frame(0x91, b""), CloseCode::Protocol, "reserved bit"),
            (&frame(0x83, b""), CloseCode::Protocol, "kind"),
            (&frame(0x8b, b""), CloseCode::Protocol, "kind"),
            (&frame(0x80, b"x"), CloseCode::Protocol, "nothing was begun"),
            (
                &[frame(0x01, b"["), frame(0x81, b"]")].concat(),
                CloseCode::Protocol,
                "before the last",
            ),
            (&frame(0x09, b""), CloseCode::Protocol, "fragmented"),
            (&frame(0x89, &[0; 126]), CloseCode::Protocol, "125"),
            (&frame(0x81, b"\xff"), CloseCode::Invalid, "UTF-8"),
            (&frame(0x81, b"\xe2\x82"), CloseCode::Invalid, "UTF-8"),
            (&frame(0x82, b""), CloseCode::Unsupported, "farcall.native"),
            (&frame(0x88, b"\x03"), CloseCode::Protocol, "two bytes"),
            (
                &frame(0x88, b"\x03\xed"),
                CloseCode::Protocol,
                "that is none",
            ),
            (&frame(0x88, b"\0\0"), CloseCode::Protocol, "that is none"),
            (&frame(0x88, b"\x03\xe8\xff"), CloseCode::Invalid, "UTF-8"),
        ];
        for (bytes, code, words) in cases {
            let error = read(Content::Json, bytes, 1, 100).unwrap_err();
            assert_eq!(error.code, code, "{bytes:?}");
            assert!(error.words.contains(words), "{error:?}");
        }
        let text = read(Content::Native, &frame(0x81, b""), 1, 100).unwrap_err();
        assert_eq!(text.code, CloseCode::Unsupported);
    }

    #[test]
    fn a_client_takes_no_masked_frames() {
        let mut reader = Reader::new(Role::Client, Content::Json);
        let mut raw = BytesMut::from(&frame(0x81, b"[]")[..]);
        let mut room = [0; 10];
        let read = reader.read(&mut raw, &mut ReadBuf::new(&mut room));
        assert!(read.is_err());
        let mut reader = Reader::new(Role::Client, Content::Json);
        let mut raw = BytesMut::from(&b"\x81\x02[]"[..]);
        let read = reader.read(&mut raw, &mut ReadBuf::new(&mut room));
        assert_eq!(read, Ok(Event::More));
    }
}
