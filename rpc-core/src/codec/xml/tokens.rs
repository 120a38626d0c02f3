//! Tags and text: XML as far as XML-RPC has it.
//!
//! A pull tokenizer over text whose characters were checked before (`text::readable`). It knows
//! tags, attributes (which it skips), references, CDATA, comments and processing instructions, and
//! refuses a document type at its first byte, so that there are no entities but XML's own five.
//! That tags match is up to whoever asks for them: `reader`, and the envelopes.
//!
//! Every byte is looked at a bounded number of times, and nothing here recurses.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod tag;

use std::borrow::Cow;

use memchr::{memchr, memchr3_iter, memmem};

use super::literal::{push_normalized, resolved};
use super::number::SURELY_I64;
use super::text::{is_blank, trimmed};
use super::usual::{short_and_literal, usual};
use crate::codec::place::{Place, shown_name};
use crate::codec::scan::past;
use crate::error::DecodeError;

/// How values begin.
pub(super) const VALUE: &[u8] = b"<value>";

/// What is read next from a document.
#[derive(Clone, Debug)]
pub(crate) struct Tokens<'de> {
    text: &'de str,
    at: usize,
    /// Where the value begins that is being read, or where the mistake is.
    mark: usize,
    malformed: bool,
}

/// A tag by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag<'de> {
    /// `<name>`
    Open(&'de str),
    /// `<name/>`
    Empty(&'de str),
    /// `</name>`
    Close(&'de str),
    /// The text is over.
    End,
}

/// What stands between runs of text without being a tag.
enum Aside<'de> {
    /// A comment or a processing instruction.
    Remark,
    /// `<![CDATA[…]]>`
    CData(&'de str),
    /// A tag follows, or nothing.
    Nothing,
}

impl<'de> Tokens<'de> {
    pub(crate) fn new(text: &'de str) -> Self {
        Self {
            text,
            at: 0,
            mark: 0,
            malformed: false,
        }
    }

    /// How far it has read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// What is being read now begins here: an error points to it.
    pub(crate) fn mark(&mut self) {
        self.mark = self.at;
    }

    /// The next tag, past white space and remarks.
    ///
    /// # Errors
    /// If there is text before it, or it is malformed.
    #[inline]
    pub(crate) fn tag(&mut self) -> Result<Tag<'de>, DecodeError> {
        if let Some((tag, len)) = usual(self.bytes()) {
            self.at = past(self.at, len);
            return Ok(tag);
        }
        self.unusual_tag()
    }

    fn unusual_tag(&mut self) -> Result<Tag<'de>, DecodeError> {
        loop {
            self.skip_blanks();
            match self.peek(0) {
                None => return Ok(Tag::End),
                Some(b'<') => {}
                Some(_) => return Err(self.misplaced("text")),
            }
            match self.aside()? {
                Aside::Nothing => return self.tag_here(),
                Aside::Remark => {}
                Aside::CData(text) if trimmed(text).is_empty() => {}
                Aside::CData(_) => return Err(self.misplaced("text")),
            }
        }
    }

    /// The text up to the next tag: runs, references, CDATA put together. Borrowed if it stands in
    /// the document just so.
    pub(crate) fn text(&mut self) -> Result<Cow<'de, str>, DecodeError> {
        if let Some(len) = short_and_literal(self.bytes()) {
            return Ok(Cow::Borrowed(self.take(len)));
        }
        self.long_text()
    }

    fn long_text(&mut self) -> Result<Cow<'de, str>, DecodeError> {
        let run = self.run();
        if !matches!(self.peek(1), Some(b'!' | b'?')) && self.is_literal(run)? {
            return Ok(Cow::Borrowed(run));
        }
        let mut joined = String::with_capacity(run.len());
        self.resolve(run, &mut joined)?;
        loop {
            match self.aside()? {
                Aside::Nothing => return Ok(Cow::Owned(joined)),
                Aside::Remark => {}
                Aside::CData(text) => push_normalized(text, &mut joined),
            }
            let run = self.run();
            self.resolve(run, &mut joined)?;
        }
    }

    /// Requires `</name>` next.
    #[inline]
    pub(crate) fn close(&mut self, name: &str) -> Result<(), DecodeError> {
        let here = self.bytes().strip_prefix(b"</");
        let behind = here.and_then(|here| here.strip_prefix(name.as_bytes()));
        if behind.is_some_and(|behind| behind.first() == Some(&b'>')) {
            self.at = past(past(self.at, name.len()), 3);
            return Ok(());
        }
        self.close_unusual(name)
    }

    fn close_unusual(&mut self, name: &str) -> Result<(), DecodeError> {
        match self.tag()? {
            Tag::Close(found) if found == name => Ok(()),
            found => {
                // Whatever else comes, `name` is not closed where it should be.
                self.malformed |= matches!(found, Tag::Close(_) | Tag::End);
                Err(self.expected(&format!("`</{}>`", shown_name(name)), found))
            }
        }
    }

    /// What is read next is `<value>` and what is in it: an error points to what is in it.
    #[inline]
    pub(super) fn mark_value(&mut self) {
        self.mark = past(self.at, VALUE.len());
    }

    /// Whether `markup` is what follows, letter by letter.
    #[inline]
    pub(super) fn follows(&self, markup: &[u8]) -> bool {
        self.bytes().starts_with(markup)
    }

    /// Takes `markup` if it is what follows, letter by letter.
    #[inline]
    pub(crate) fn takes(&mut self, markup: &[u8]) -> bool {
        let follows = self.follows(markup);
        if follows {
            self.at = past(self.at, markup.len());
        }
        follows
    }

    /// Takes `open`, `text` and `close` if that is what follows, letter by letter.
    #[inline]
    pub(super) fn takes_around(&mut self, open: &[u8], text: &str, close: &[u8]) -> bool {
        let here = self.bytes().strip_prefix(open);
        let behind = here.and_then(|here| here.strip_prefix(text.as_bytes()));
        let follows = behind.is_some_and(|behind| behind.starts_with(close));
        if follows {
            self.at = past(past(past(self.at, open.len()), text.len()), close.len());
        }
        follows
    }

    /// Takes `open`, text that means what it says letter by letter, and `close`, if that is what
    /// follows; gives the text.
    #[inline]
    pub(super) fn takes_element(&mut self, open: &[u8], close: &[u8]) -> Option<&'de str> {
        let inside = self.bytes().strip_prefix(open)?;
        let len = short_and_literal(inside)?;
        inside.get(len..)?.starts_with(close).then_some(())?;
        let start = past(self.at, open.len());
        let end = past(start, len);
        self.at = past(end, close.len());
        self.text.get(start..end)
    }

    /// Takes `open`, digits of which there may be a sign in front, and `close`, if that is what
    /// follows and they surely fit; gives the integer.
    #[inline]
    pub(super) fn takes_integer(&mut self, open: &[u8], close: &[u8]) -> Option<i64> {
        let inside = self.bytes().strip_prefix(open)?;
        let (sign, digits) = match inside {
            [b'-', digits @ ..] => (1, digits),
            digits => (0, digits),
        };
        let mut size = 0_i64;
        let mut len = 0;
        for byte in digits.iter().take(SURELY_I64.saturating_add(1)) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            size = size.wrapping_mul(10).wrapping_add(i64::from(digit));
            len = past(len, 1);
        }
        let fits = (1..=SURELY_I64).contains(&len);
        (fits && digits.get(len..)?.starts_with(close)).then_some(())?;
        self.at = past(past(self.at, open.len()), sign);
        self.at = past(past(self.at, len), close.len());
        Some(if sign == 1 { size.wrapping_neg() } else { size })
    }

    /// Where the next tag is: past white space.
    #[inline]
    pub(super) fn skip_to_tag(&mut self) {
        if self.peek(0).is_some_and(is_blank) {
            self.skip_blanks();
        }
    }

    /// Goes back to where it was [`at`](Self::at) before.
    pub(super) fn back_to(&mut self, at: usize) {
        self.at = at;
    }

    /// The next tag where no element is open: text has no place there.
    pub(crate) fn root(&mut self) -> Result<Tag<'de>, DecodeError> {
        let tag = self.tag();
        self.malformed |= !matches!(tag, Ok(Tag::Open(_) | Tag::Empty(_)));
        tag
    }

    /// Requires that nothing follows.
    pub(crate) fn end(&mut self) -> Result<(), DecodeError> {
        match self.tag() {
            Ok(Tag::End) => Ok(()),
            other => {
                // A document has one root, and nothing but remarks behind it.
                self.malformed = true;
                Err(self.expected("nothing more", other?))
            }
        }
    }

    /// The error for another tag than was `expected` as the next thing in an element `inside`.
    pub(crate) fn unfit(&mut self, inside: &str, expected: &str, found: Tag<'_>) -> DecodeError {
        self.malformed |= matches!(found, Tag::Close(name) if name != inside);
        self.expected(expected, found)
    }

    /// The error for another tag than was `expected`.
    pub(crate) fn expected(&mut self, expected: &str, found: Tag<'_>) -> DecodeError {
        self.mark = self.at;
        DecodeError::new(match found {
            Tag::Open(name) => format!("expected {expected}, found `<{}>`", shown_name(name)),
            Tag::Empty(name) => format!("expected {expected}, found `<{}/>`", shown_name(name)),
            Tag::Close(name) => format!("expected {expected}, found `</{}>`", shown_name(name)),
            Tag::End => {
                self.malformed = true;
                format!("expected {expected}, found the end")
            }
        })
    }

    /// The error for something that is not where it may be.
    fn misplaced(&mut self, what: &str) -> DecodeError {
        self.mark = self.at;
        DecodeError::new(format!("expected a tag, found {what}"))
    }

    /// The error for what no XML document may have, at the present position.
    fn broken(&mut self, reason: &str) -> DecodeError {
        self.mark = self.at;
        self.malformed = true;
        DecodeError::new(reason)
    }

    /// `error` with the place in the text, and whether the text is malformed. (Asked of the tokens
    /// because on its way the error may have passed through code that keeps only its words.)
    pub(crate) fn located(&self, error: &DecodeError) -> DecodeError {
        let before = self.text.get(..self.mark).unwrap_or(self.text);
        let words = error.to_string();
        let error = if self.malformed {
            DecodeError::malformed(words)
        } else {
            DecodeError::new(words)
        };
        error.at(Place::after(before.as_bytes()))
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(past(self.at, ahead)).copied()
    }

    /// What follows, as bytes: whether a character begins here need not be asked.
    #[inline]
    pub(super) fn bytes(&self) -> &'de [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn rest(&self) -> &'de str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes `len` bytes.
    fn take(&mut self, len: usize) -> &'de str {
        let taken = self.rest().get(..len).unwrap_or_default();
        self.at = past(self.at, taken.len());
        taken
    }

    /// Takes what matches.
    fn take_while(&mut self, matches: impl Fn(u8) -> bool) -> &'de str {
        let rest = self.rest();
        let len = rest.bytes().position(|b| !matches(b));
        self.take(len.unwrap_or(rest.len()))
    }

    fn skip_blanks(&mut self) -> bool {
        !self.take_while(is_blank).is_empty()
    }

    /// Takes the text up to the next `<`.
    fn run(&mut self) -> &'de str {
        let rest = self.rest();
        self.take(memchr(b'<', rest.as_bytes()).unwrap_or(rest.len()))
    }

    /// Whether `run`, which was just taken, means what it says, letter by letter.
    fn is_literal(&mut self, run: &str) -> Result<bool, DecodeError> {
        for at in memchr3_iter(b'&', b'\r', b'>', run.as_bytes()) {
            let (before, from) = run.split_at_checked(at).unwrap_or((run, ""));
            if !from.starts_with('>') {
                return Ok(false);
            }
            if before.ends_with("]]") {
                return Err(self.broken("`]]>` in text"));
            }
        }
        Ok(true)
    }

    /// Appends `run`, which was just taken, with its references and line ends resolved.
    fn resolve(&mut self, run: &'de str, out: &mut String) -> Result<(), DecodeError> {
        let mut rest = run;
        while let Some(at) = memchr(b'&', rest.as_bytes()) {
            let (plain, reference) = rest.split_at_checked(at).unwrap_or((rest, ""));
            self.is_literal(plain)?;
            push_normalized(plain, out);
            let Some((c, after)) = resolved(reference) else {
                self.at = self.at.saturating_sub(reference.len());
                return Err(self.broken("a reference to no character"));
            };
            out.push(c);
            rest = after;
        }
        // It may well have line ends to normalize, but no `]]>`.
        self.is_literal(rest)?;
        push_normalized(rest, out);
        Ok(())
    }

    /// Takes a comment, a processing instruction or CDATA if that is next.
    fn aside(&mut self) -> Result<Aside<'de>, DecodeError> {
        match self.peek(1) {
            Some(b'?') => {
                let Some(len) = memmem::find(self.rest().as_bytes(), b"?>") else {
                    return Err(self.broken("`<?` without `?>`"));
                };
                self.take(past(len, 2));
                Ok(Aside::Remark)
            }
            Some(b'!') => self.declaration(),
            _ => Ok(Aside::Nothing),
        }
    }

    /// Takes what begins with `<!`.
    fn declaration(&mut self) -> Result<Aside<'de>, DecodeError> {
        let rest = self.rest();
        if let Some(comment) = rest.strip_prefix("<!--") {
            // The first `--` must be the end of it.
            return match memmem::find(comment.as_bytes(), b"--") {
                Some(len) if comment.as_bytes().get(past(len, 2)) == Some(&b'>') => {
                    self.take(past(len, 4 + 3));
                    Ok(Aside::Remark)
                }
                _ => Err(self.broken("a comment that does not end well")),
            };
        }
        if let Some(cdata) = rest.strip_prefix("<![CDATA[") {
            let Some(len) = memmem::find(cdata.as_bytes(), b"]]>") else {
                return Err(self.broken("CDATA without `]]>`"));
            };
            self.take(past(len, 9 + 3));
            return Ok(Aside::CData(cdata.get(..len).unwrap_or_default()));
        }
        Err(self.broken("a document type, or another `<!` that is not taken here"))
    }
}
