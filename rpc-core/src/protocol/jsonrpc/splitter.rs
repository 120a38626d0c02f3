//! Finds the JSON texts in a raw byte stream.
//!
//! Clients end a text with a line feed, or with nothing, and the network cuts anywhere. So the end
//! of a text is where its brackets close; every byte is looked at once, whatever the cuts.
//!
//! Brackets that cannot close any more would have the peer wait for ever, and swallow what it sends
//! next. So a text that has more than one line is looked at again line by line, as JSON, and ends
//! where it is broken: before a line that begins as a text of its own does, so that this one is read.
//!
//! Where a transport has messages, such as a WebSocket, it says itself where each text ends.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::ops::Range;

use crate::codec::scan::past;
use crate::connection::MESSAGE_END;

use super::marks::{end_of_string, is_mark, plain_until};
use super::prefix::Prefix;

/// Finds where texts begin and end in a buffer that grows at its end and is consumed at its start.
///
/// ```
/// use farcall_core::protocol::jsonrpc::{Split, Splitter};
///
/// let mut splitter = Splitter::new(1024);
/// let mut buffer = br#"{"a":"}"} [1"#.to_vec();
/// assert_eq!(splitter.next(&buffer), Split::Text(0..9));
/// buffer.drain(..9);
/// splitter.consumed(9);
/// assert_eq!(splitter.next(&buffer), Split::Blank(1));
/// buffer.drain(..1);
/// splitter.consumed(1);
/// assert_eq!(splitter.next(&buffer), Split::Partial);
/// buffer.extend_from_slice(b"]\n");
/// assert_eq!(splitter.next(&buffer), Split::Text(0..3));
/// ```
#[derive(Debug)]
pub struct Splitter {
    limit: usize,
    /// Everything before this has been looked at.
    scanned: usize,
    /// Where the current text begins.
    start: usize,
    /// The last line feed in the current text, or where that begins.
    line: usize,
    /// What of the current text is before that.
    prefix: Prefix,
    state: State,
    /// What surely ends a text: a line feed, or the mark behind each message.
    end: u8,
}

/// What a [`Splitter`] found. Places are those in the buffer it was shown.
///
/// ```
/// use farcall_core::protocol::jsonrpc::{Split, Splitter};
///
/// assert_eq!(Splitter::new(8).next(b"\r\n"), Split::Blank(2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Split {
    /// One text, maybe broken. What is before its end is to be consumed.
    Text(Range<usize>),
    /// So many bytes at the start are of no text: consume them, then ask again.
    Blank(usize),
    /// More bytes are needed.
    Partial,
    /// The text is larger than the limit. What is left of its line will come as [`Split::Blank`].
    TooLarge,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// No text has begun.
    Between,
    /// In a bare word: a number, `true`, nonsense.
    Word,
    /// In brackets so deep, or between the quotes of a string.
    Nested {
        depth: usize,
    },
    Quoted {
        depth: usize,
        escaped: bool,
    },
    /// In brackets so deep, behind a line feed and white space.
    Indented {
        depth: usize,
    },
    /// On the way to the next line feed, or the end of the message.
    Skipping,
}

impl Splitter {
    /// A splitter for texts of up to `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            scanned: 0,
            start: 0,
            line: 0,
            prefix: Prefix::new(),
            state: State::Between,
            end: b'\n',
        }
    }

    /// A splitter for texts of up to `limit` bytes with a [`MESSAGE_END`] behind each: what is before
    /// it is one text, however broken.
    ///
    /// ```
    /// use farcall_core::protocol::jsonrpc::{Split, Splitter};
    ///
    /// let mut splitter = Splitter::of_messages(1024);
    /// assert_eq!(splitter.next(b"[1,\n{}"), Split::Partial);
    /// assert_eq!(splitter.next(b"[1,\n{}\x1e"), Split::Text(0..6));
    /// ```
    #[must_use]
    pub fn of_messages(limit: usize) -> Self {
        Self {
            end: MESSAGE_END,
            ..Self::new(limit)
        }
    }

    /// Looks at what is new in `buffer`.
    pub fn next(&mut self, buffer: &[u8]) -> Split {
        if matches!(self.state, State::Between | State::Skipping)
            && let Some(nothing) = self.begin(buffer)
        {
            return nothing;
        }
        let end = self.end_of_text(buffer);
        if self.scanned.saturating_sub(self.start) > self.limit {
            // The same line feed ends it, however much of it came at once.
            self.scanned = self.start.saturating_add(self.limit);
            self.resync();
            return Split::TooLarge;
        }
        let Some(end) = end else {
            // What is kept is the text alone, so that its limit is the buffer's.
            return match self.start {
                0 => Split::Partial,
                blank => Split::Blank(blank),
            };
        };
        self.scanned = end;
        self.state = State::Between;
        Split::Text(self.start..self.scanned)
    }

    /// What there is in `buffer` of the text that was looked at last.
    pub(crate) fn begun<'a>(&self, buffer: &'a [u8]) -> &'a [u8] {
        buffer.get(self.start..).unwrap_or_default()
    }

    /// The first `count` bytes of the buffer are gone.
    pub fn consumed(&mut self, count: usize) {
        self.scanned = self.scanned.saturating_sub(count);
        self.start = self.start.saturating_sub(count);
        self.line = self.line.saturating_sub(count);
    }

    /// The last text was broken: skips to the next line feed (or the end of the message), the only place where a text surely
    /// begins. A text that broke at the beginning of a line ends at the line feed before it.
    pub fn resync(&mut self) {
        self.state = State::Skipping;
    }

    /// Moves to where a text begins; tells if there is none yet.
    fn begin(&mut self, buffer: &[u8]) -> Option<Split> {
        let rest = buffer.get(self.scanned..).unwrap_or_default();
        let skipped = match self.state {
            State::Skipping => match memchr::memchr(self.end, rest) {
                Some(at) => {
                    self.state = State::Between;
                    at
                }
                None => rest.len(),
            },
            _ => 0,
        };
        let rest = rest.get(skipped..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| is_blank(**byte)).count();
        self.scanned = past(past(self.scanned, skipped), blank);
        match buffer.get(self.scanned) {
            Some(_) => {
                self.start = self.scanned;
                self.line = self.scanned;
                self.prefix.clear();
                self.state = State::Word;
                None
            }
            None if self.scanned > 0 => Some(Split::Blank(self.scanned)),
            None => Some(Split::Partial),
        }
    }

    /// Moves on; gives the end of the text, if that was reached.
    fn end_of_text(&mut self, buffer: &[u8]) -> Option<usize> {
        if self.end == MESSAGE_END {
            return self.end_of_message(buffer);
        }
        if matches!(self.state, State::Word) && self.scanned == self.start {
            self.open(buffer);
        }
        loop {
            let moved = match self.state {
                State::Nested { depth } => self.nested(buffer, depth),
                State::Quoted { depth, escaped } => self.quoted(buffer, depth, escaped),
                State::Indented { depth } => self.indented(buffer, depth),
                _ => self.word(buffer),
            };
            match moved {
                Moved::On => {}
                Moved::ToEnd(end) => return Some(end),
                Moved::OutOfBytes => return None,
            }
        }
    }

    fn end_of_message(&mut self, buffer: &[u8]) -> Option<usize> {
        let rest = buffer.get(self.scanned..).unwrap_or_default();
        let length = memchr::memchr(MESSAGE_END, rest);
        self.scanned = past(self.scanned, length.unwrap_or(rest.len()));
        length.map(|_| self.scanned)
    }

    /// Looks at how a text begins, and skips the head that nearly all messages have.
    fn open(&mut self, buffer: &[u8]) {
        const HEAD: &[u8] = br#"{"jsonrpc":"2.0","#;
        const NAMES: [&[u8]; 2] = [br#""method":"#, br#""result":"#];
        let rest = buffer.get(self.start..).unwrap_or_default();
        if let Some(members) = rest.strip_prefix(HEAD) {
            let named = NAMES.iter().find(|name| members.starts_with(name));
            self.scanned = past(self.scanned, HEAD.len());
            self.scanned = past(self.scanned, named.map_or(0, |name| name.len()));
            self.state = State::Nested { depth: 1 };
        } else if matches!(rest.first(), Some(b'{' | b'[' | b'"')) {
            self.state = State::Nested { depth: 0 };
        }
    }

    /// Moves on between brackets: to the end of the text, of the buffer, to a line, or into a
    /// string that does not end well.
    fn nested(&mut self, buffer: &[u8], mut depth: usize) -> Moved {
        let mut at = self.scanned;
        loop {
            let rest = buffer.get(at..).unwrap_or_default();
            let Some((plain, &byte)) = rest.iter().enumerate().find(|(_, byte)| is_mark(**byte))
            else {
                at = buffer.len();
                break;
            };
            at = past(at, plain);
            match byte {
                b'"' => {
                    let Some(end) = end_of_string(buffer, past(at, 1)) else {
                        self.scanned = past(at, 1);
                        let escaped = false;
                        self.state = State::Quoted { depth, escaped };
                        return Moved::On;
                    };
                    at = end;
                    if depth == 0 {
                        return self.ends(end);
                    }
                    continue;
                }
                b'{' | b'[' => depth = depth.saturating_add(1),
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return self.ends(past(at, 1));
                    }
                }
                b'\n' => {
                    self.scanned = at;
                    return self.line_feed(buffer, depth);
                }
                _ => {}
            }
            at = past(at, 1);
        }
        self.scanned = at;
        self.state = State::Nested { depth };
        Moved::OutOfBytes
    }

    fn ends(&mut self, end: usize) -> Moved {
        self.scanned = end;
        Moved::ToEnd(end)
    }

    /// Looks at the line that ends here.
    fn line_feed(&mut self, buffer: &[u8], depth: usize) -> Moved {
        let line = buffer.get(self.line..self.scanned).unwrap_or_default();
        if !self.prefix.read(line) {
            return Moved::ToEnd(match line {
                [b'\n', first, ..] if begins_text(*first) => self.line,
                _ => self.scanned,
            });
        }
        self.line = self.scanned;
        self.scanned = past(self.scanned, 1);
        self.state = State::Indented { depth };
        Moved::On
    }

    /// Moves on to what a line begins with: a text of its own, where it cannot go on with this one.
    fn indented(&mut self, buffer: &[u8], depth: usize) -> Moved {
        while let Some(&byte) = buffer.get(self.scanned) {
            match byte {
                b'\n' => self.line = self.scanned,
                b' ' | b'\t' | b'\r' => {}
                byte => {
                    let is_first = self.scanned == past(self.line, 1);
                    if is_first && begins_text(byte) && !self.prefix.takes(byte) {
                        return Moved::ToEnd(self.line);
                    }
                    self.state = State::Nested { depth };
                    return Moved::On;
                }
            }
            self.scanned = past(self.scanned, 1);
        }
        Moved::OutOfBytes
    }

    /// Moves on between quotes: to the end of the text, of the buffer, or of the string.
    fn quoted(&mut self, buffer: &[u8], depth: usize, mut escaped: bool) -> Moved {
        let mut at = self.scanned;
        loop {
            if escaped && at < buffer.len() {
                at = past(at, 1);
                escaped = false;
            }
            at = plain_until(buffer, at);
            match buffer.get(at) {
                Some(b'"') => {
                    at = past(at, 1);
                    self.state = State::Nested { depth };
                    if depth == 0 {
                        return self.ends(at);
                    }
                    self.scanned = at;
                    return Moved::On;
                }
                Some(b'\\') => {
                    at = past(at, 1);
                    escaped = true;
                }
                // A string cannot hold a raw line feed: the text is broken, and ends here.
                Some(_) => return self.ends(at),
                None => {
                    self.scanned = at;
                    self.state = State::Quoted { depth, escaped };
                    return Moved::OutOfBytes;
                }
            }
        }
    }

    /// Moves on to the blank that ends a bare word.
    fn word(&mut self, buffer: &[u8]) -> Moved {
        let rest = buffer.get(self.scanned..).unwrap_or_default();
        let length = rest.iter().position(|&byte| is_blank(byte));
        self.scanned = past(self.scanned, length.unwrap_or(rest.len()));
        match length {
            Some(_) => Moved::ToEnd(self.scanned),
            None => Moved::OutOfBytes,
        }
    }
}

/// How far a step brought the splitter.
enum Moved {
    /// To another state.
    On,
    /// To the end of the text, or beyond it.
    ToEnd(usize),
    OutOfBytes,
}

/// True if a line that begins so, without white space before it, begins a text where it does not
/// fit into one: what is inside of a text is mostly indented.
fn begins_text(first: u8) -> bool {
    matches!(first, b'{' | b'[' | 0x1e)
}

/// White space, the record separator of RFC 7464, and the bytes of a byte order mark.
fn is_blank(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\r' | b'\n' | 0x1e | 0xef | 0xbb | 0xbf
    )
}
