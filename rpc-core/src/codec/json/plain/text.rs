//! Tokens of a JSON text, one after the other, within a budget.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::borrow::Cow;
use std::ops::Range;

use super::{GivenUp, give_up};
use crate::codec::scan::{self, past};
use crate::limits::Budget;

/// How deep the long way goes at most.
const DEEPEST: u16 = 127;

/// What is read next from a text.
pub(super) struct Text<'de> {
    bytes: &'de [u8],
    /// All of them, once something had to be text. Outside of strings only ASCII is taken.
    text: &'de str,
    at: usize,
    /// How many more lists and objects may be within each other.
    depth: u16,
    /// How many more items there may be.
    items: usize,
}

/// A number as it is written.
#[derive(Clone, Copy)]
pub(super) enum Number<'de> {
    Positive(u64),
    /// Less than zero.
    Negative(i64),
    Float(&'de str),
}

impl<'de> Text<'de> {
    pub(super) fn new(bytes: &'de [u8], budget: Budget) -> Self {
        Self {
            bytes,
            text: "",
            at: 0,
            depth: budget.json_depth.min(DEEPEST),
            items: budget.items,
        }
    }

    /// The next byte past white space, which is not taken. Zero at the end, as at a zero.
    #[inline]
    pub(super) fn peek(&mut self) -> u8 {
        match self.byte() {
            Some(byte) if byte > b' ' => byte,
            _ => self.peek_further(),
        }
    }

    fn peek_further(&mut self) -> u8 {
        while let Some(byte) = self.byte() {
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return byte;
            }
            self.at = past(self.at, 1);
        }
        0
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn rest(&self) -> &'de [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Takes the next byte past white space if it is this. (With branches: rustc 1.95 optimizes an
    /// addition of `usize::from(takes)` away.)
    #[inline]
    pub(super) fn takes(&mut self, byte: u8) -> bool {
        if self.peek() != byte {
            return false;
        }
        self.at = past(self.at, 1);
        true
    }

    /// Requires this byte next.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), GivenUp> {
        if self.takes(byte) {
            Ok(())
        } else {
            Err(give_up())
        }
    }

    /// Takes a word that was seen to begin.
    #[inline]
    pub(super) fn word(&mut self, word: &[u8]) -> Result<(), GivenUp> {
        if !self.rest().starts_with(word) {
            return Err(give_up());
        }
        self.at = past(self.at, word.len());
        Ok(())
    }

    /// Requires that nothing but white space follows.
    pub(super) fn end(&mut self) -> Result<(), GivenUp> {
        self.peek();
        match self.byte() {
            None => Ok(()),
            Some(_) => Err(give_up()),
        }
    }

    /// Goes into a list or an object, behind its bracket.
    #[inline]
    pub(super) fn enter(&mut self, bracket: u8) -> Result<(), GivenUp> {
        self.expect(bracket)?;
        self.depth = self.depth.checked_sub(1).ok_or_else(give_up)?;
        Ok(())
    }

    /// Leaves it.
    #[inline]
    pub(super) fn leave(&mut self, bracket: u8) -> Result<(), GivenUp> {
        self.expect(bracket)?;
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    /// Counts an item.
    #[inline]
    pub(super) fn count(&mut self) -> Result<(), GivenUp> {
        self.items = self.items.checked_sub(1).ok_or_else(give_up)?;
        Ok(())
    }

    /// The text that stands there.
    #[inline]
    fn text(&mut self, at: Range<usize>) -> Result<&'de str, GivenUp> {
        match self.text.get(at.clone()) {
            Some(text) => Ok(text),
            None => self.look(at),
        }
    }

    /// Makes sure that all of it is text, in one look, as soon as any of it has to be.
    #[inline(never)]
    fn look(&mut self, at: Range<usize>) -> Result<&'de str, GivenUp> {
        self.text = std::str::from_utf8(self.bytes).map_err(|_| give_up())?;
        self.text.get(at).ok_or_else(give_up)
    }

    /// Takes a string; borrowed if nothing in it is escaped.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'de, str>, GivenUp> {
        self.expect(b'"')?;
        let start = self.at;
        let len = plain(self.rest())?;
        let plain = self.text(start..past(start, len))?;
        self.at = past(past(start, len), 1);
        match self.bytes.get(past(start, len)) {
            Some(b'"') => Ok(Cow::Borrowed(plain)),
            _ => self.escaped(plain).map(Cow::Owned),
        }
    }

    /// Takes the rest of a string, behind `before` and a backslash.
    fn escaped(&mut self, before: &str) -> Result<String, GivenUp> {
        let mut out = String::with_capacity(past(before.len(), 16));
        out.push_str(before);
        loop {
            out.push(self.escape()?);
            let start = self.at;
            let len = plain(self.rest())?;
            out.push_str(self.text(start..past(start, len))?);
            self.at = past(past(start, len), 1);
            if self.bytes.get(past(start, len)) == Some(&b'"') {
                return Ok(out);
            }
        }
    }

    /// Takes what stands behind a backslash.
    fn escape(&mut self) -> Result<char, GivenUp> {
        let byte = self.byte().ok_or_else(give_up)?;
        self.at = past(self.at, 1);
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                let units = match first {
                    0xd800..=0xdbff => {
                        self.word(b"\\u")?;
                        [first, self.unit()?]
                    }
                    _ => [first, 0],
                };
                let decoded = char::decode_utf16(units).next();
                decoded.and_then(Result::ok).ok_or_else(give_up)?
            }
            _ => return Err(give_up()),
        })
    }

    /// Takes four hexadecimal digits.
    fn unit(&mut self) -> Result<u16, GivenUp> {
        let digits: &[u8; 4] = self.rest().first_chunk().ok_or_else(give_up)?;
        let mut unit = 0;
        for &digit in digits {
            let digit = char::from(digit).to_digit(16).ok_or_else(give_up)?;
            unit = unit << 4 | digit as u16;
        }
        self.at = past(self.at, 4);
        Ok(unit)
    }

    /// Takes a number.
    #[inline]
    pub(super) fn number(&mut self) -> Result<Number<'de>, GivenUp> {
        let negative = self.takes(b'-');
        let start = self.at;
        let size = self.digits()?;
        if matches!(self.byte(), Some(b'.' | b'e' | b'E')) {
            let start = if negative {
                start.saturating_sub(1)
            } else {
                start
            };
            return self.fraction(start).map(Number::Float);
        }
        match negative {
            false => Ok(Number::Positive(size)),
            // `-0` is a float, they say.
            true => match 0_i64.checked_sub_unsigned(size) {
                Some(integer @ ..0) => Ok(Number::Negative(integer)),
                _ => Err(give_up()),
            },
        }
    }

    /// Takes digits: the integer that they are.
    #[inline]
    fn digits(&mut self) -> Result<u64, GivenUp> {
        /// So many always fit.
        const FIT: usize = 19;
        let mut size: u64 = 0;
        let mut len = 0;
        for byte in self.rest().iter().take(FIT.saturating_add(1)) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            size = size.wrapping_mul(10).wrapping_add(u64::from(digit));
            len = past(len, 1);
        }
        let leads_with_zero = len > 1 && self.byte() == Some(b'0');
        if len == 0 || leads_with_zero {
            return Err(give_up());
        }
        if len > FIT {
            return self.large();
        }
        self.at = past(self.at, len);
        Ok(size)
    }

    /// Takes so many digits that they may be too many.
    fn large(&mut self) -> Result<u64, GivenUp> {
        let start = self.at;
        self.many_digits()?;
        let digits = self.text(start..self.at)?;
        digits.parse().map_err(|_| give_up())
    }

    /// Takes what stands behind the integer of a float that begins at `start`.
    fn fraction(&mut self, start: usize) -> Result<&'de str, GivenUp> {
        if self.byte() == Some(b'.') {
            self.at = past(self.at, 1);
            self.many_digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at = past(self.at, 1);
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at = past(self.at, 1);
            }
            self.many_digits()?;
        }
        self.text(start..self.at)
    }

    /// Takes one digit or more.
    fn many_digits(&mut self) -> Result<(), GivenUp> {
        let is_digit = |byte: &&u8| byte.is_ascii_digit();
        match self.rest().iter().take_while(is_digit).count() {
            0 => Err(give_up()),
            len => {
                self.at = past(self.at, len);
                Ok(())
            }
        }
    }

    /// Takes a value that nobody asked for.
    pub(super) fn skip(&mut self) -> Result<(), GivenUp> {
        let depth = self.depth;
        // Of each bracket that is open here, whether it is an object's. There are 127 at most.
        let mut objects = 0_u128;
        loop {
            // A value.
            match self.peek() {
                bracket @ (b'[' | b'{') => {
                    self.enter(bracket)?;
                    let is_object = bracket == b'{';
                    let closing = if is_object { b'}' } else { b']' };
                    if self.peek() == closing {
                        self.leave(closing)?;
                    } else {
                        objects = objects << 1 | u128::from(is_object);
                        if is_object {
                            self.name()?;
                        }
                        continue;
                    }
                }
                b'"' => drop(self.string()?),
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => drop(self.number()?),
            }
            // What is behind it.
            loop {
                if self.depth == depth {
                    return Ok(());
                }
                let is_object = objects & 1 == 1;
                if self.takes(b',') {
                    if is_object {
                        self.name()?;
                    }
                    break;
                }
                self.leave(if is_object { b'}' } else { b']' })?;
                objects >>= 1;
            }
        }
    }

    fn name(&mut self) -> Result<(), GivenUp> {
        self.string()?;
        self.expect(b':')
    }
}

/// How far `rest` goes until a quote or a backslash. A control character is none of JSON's.
#[inline]
fn plain(rest: &[u8]) -> Result<usize, GivenUp> {
    /// Most strings are shorter, and for them a search costs more than it saves.
    const SHORT: usize = 8;
    let mut len = 0;
    for _ in 0..SHORT {
        let Some(word) = rest.get(len..).and_then(scan::word) else {
            break;
        };
        let marks = scan::equal(word, b'"') | scan::equal(word, b'\\') | scan::below(word, b' ');
        if marks != 0 {
            len = past(len, scan::before(marks));
            return match rest.get(len) {
                Some(b'"' | b'\\') => Ok(len),
                _ => Err(give_up()),
            };
        }
        len = past(len, 8);
    }
    long(rest, len)
}

/// The same, of which so many bytes were looked at.
fn long(rest: &[u8], from: usize) -> Result<usize, GivenUp> {
    let further = rest.get(from..).unwrap_or_default();
    let len = memchr::memchr2(b'"', b'\\', further).ok_or_else(give_up)?;
    let plain = further.get(..len).unwrap_or_default();
    // No early exit: that is what lets the compiler compare many at a time.
    match plain.iter().fold(false, |bad, &byte| bad | (byte < b' ')) {
        false => Ok(past(from, len)),
        true => Err(give_up()),
    }
}
