//! A tag in any of the ways that XML has to write one, its attributes skipped.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use memchr::{memchr, memchr2};

use super::{Tag, Tokens};
use crate::codec::scan::past;
use crate::codec::xml::literal::resolved;
use crate::error::DecodeError;

/// The most attributes of a tag. XML-RPC has none; a declaration or two of namespaces is fine.
const ATTRIBUTES: usize = 16;

impl<'de> Tokens<'de> {
    /// Takes the tag whose `<` is next; what else may follow `<` was seen to by `aside`.
    pub(super) fn tag_here(&mut self) -> Result<Tag<'de>, DecodeError> {
        let closes = self.peek(1) == Some(b'/');
        self.take(if closes { 2 } else { 1 });
        let name = self.name("a tag without a name")?;
        if self.peek(0) == Some(b'>') {
            self.at = past(self.at, 1);
            return Ok(if closes {
                Tag::Close(name)
            } else {
                Tag::Open(name)
            });
        }
        if !closes {
            return self.attributes(name);
        }
        self.skip_blanks();
        if self.take(1) != ">" {
            return Err(self.broken("a closing tag without its `>`"));
        }
        Ok(Tag::Close(name))
    }

    fn name(&mut self, or: &str) -> Result<&'de str, DecodeError> {
        let name = self.take_while(is_name);
        match name.bytes().next() {
            Some(b'0'..=b'9' | b'-' | b'.') | None => Err(self.broken(or)),
            Some(_) => Ok(name),
        }
    }

    /// Takes attributes, which mean nothing here, and the end of the tag.
    fn attributes(&mut self, name: &'de str) -> Result<Tag<'de>, DecodeError> {
        for _ in 0..=ATTRIBUTES {
            let apart = self.skip_blanks();
            match self.peek(0) {
                Some(b'>') => {
                    self.at = past(self.at, 1);
                    return Ok(Tag::Open(name));
                }
                Some(b'/') if self.peek(1) == Some(b'>') => {
                    self.at = past(self.at, 2);
                    return Ok(Tag::Empty(name));
                }
                Some(_) if apart => self.attribute()?,
                _ => return Err(self.broken("a tag without its `>`")),
            }
        }
        let reason = format!("a tag with more than {ATTRIBUTES} attributes");
        Err(self.broken(&reason))
    }

    fn attribute(&mut self) -> Result<(), DecodeError> {
        self.name("an attribute without a name")?;
        self.skip_blanks();
        let equals = self.take(1);
        self.skip_blanks();
        let quote = match (equals, self.take(1)) {
            ("=", "\"") => b'"',
            ("=", "'") => b'\'',
            _ => return Err(self.broken("an attribute without a value")),
        };
        let rest = self.rest();
        let len = memchr2(quote, b'<', rest.as_bytes()).unwrap_or(rest.len());
        let mut value = self.take(len);
        if self.peek(0) != Some(quote) {
            return Err(self.broken("an attribute without its closing quote"));
        }
        self.at = past(self.at, 1);
        while let Some(at) = memchr(b'&', value.as_bytes()) {
            match value.get(at..).and_then(resolved) {
                Some((_, after)) => value = after,
                None => return Err(self.broken("a reference to no character")),
            }
        }
        Ok(())
    }
}

/// Whether a name may have this byte. (XML is choosier beyond ASCII; nobody is hurt.)
fn is_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':' | 0x80..)
}
