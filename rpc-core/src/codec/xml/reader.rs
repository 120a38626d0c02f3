//! The grammar of `<value>`, within a budget.
//!
//! A value is handed out as an [`Item`]: a scalar with its text, read to its end, or the beginning
//! of an array or a struct, whose items or members are asked for one by one.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::borrow::Cow;

use super::text::trimmed;
use super::tokens::{Tag, Tokens, VALUE};
use crate::codec::place::shown_name;
use crate::error::DecodeError;
use crate::limits::Budget;

/// Reads values one step at a time.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'de> {
    pub(crate) tokens: Tokens<'de>,
    budget: Budget,
    depth: u16,
    items: usize,
}

/// One value, or its beginning.
#[derive(Debug)]
pub(crate) enum Item<'de> {
    Scalar(Type, Cow<'de, str>),
    Nil,
    /// To be followed by [`Reader::next_item`] unless it has `ended`.
    Array {
        ended: bool,
    },
    /// To be followed by [`Reader::next_member`] unless it has `ended`.
    Struct {
        ended: bool,
    },
}

/// What a scalar's element says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Integer,
    Double,
    Boolean,
    String,
    Base64,
    DateTime,
}

impl Type {
    /// By the element's name, whatever its prefix: Apache's extensions are `ex:i8` and so on.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "int" | "i4" | "i8" | "i1" | "i2" | "i64" | "biginteger" => Self::Integer,
            "string" => Self::String,
            "double" | "float" => Self::Double,
            "boolean" => Self::Boolean,
            "base64" => Self::Base64,
            "dateTime.iso8601" | "dateTime" => Self::DateTime,
            _ => return None,
        })
    }
}

impl<'de> Reader<'de> {
    pub(crate) fn new(text: &'de str, budget: Budget) -> Self {
        Self {
            tokens: Tokens::new(text),
            budget,
            depth: 0,
            items: 0,
        }
    }

    /// Reads `<value>`.
    pub(crate) fn value(&mut self) -> Result<Item<'de>, DecodeError> {
        if self.tokens.takes(VALUE) {
            return self.content();
        }
        match self.tokens.tag()? {
            Tag::Open("value") => self.content(),
            Tag::Empty("value") => Ok(EMPTY),
            found => Err(self.tokens.expected("`<value>`", found)),
        }
    }

    /// Reads what follows `<value>`.
    fn content(&mut self) -> Result<Item<'de>, DecodeError> {
        self.tokens.mark();
        if let Some((kind, text)) = self.plain_scalar() {
            return Ok(Item::Scalar(kind, Cow::Borrowed(text)));
        }
        let text = self.tokens.text()?;
        let tag = self.tokens.tag()?;
        // Without an element it is a string, and all of its white space counts.
        if tag == Tag::Close("value") {
            return Ok(Item::Scalar(Type::String, text));
        }
        if !trimmed(&text).is_empty() {
            return Err(self.tokens.unfit("value", "`</value>` after text", tag));
        }
        let (name, empty) = match tag {
            Tag::Open(name) => (name, false),
            Tag::Empty(name) => (name, true),
            Tag::Close(_) | Tag::End => return Err(self.tokens.unfit("value", "a type", tag)),
        };
        let local = match name {
            // Most are these, and have no prefix to look for.
            "string" | "int" | "double" | "array" | "struct" | "boolean" => name,
            _ => name.rsplit_once(':').map_or(name, |(_, local)| local),
        };
        match local {
            "array" if !empty => return self.array(name),
            "struct" if !empty => return self.structure(),
            _ => {}
        }
        let item = match (local, Type::named(local)) {
            (_, Some(kind)) if empty => Item::Scalar(kind, Cow::Borrowed("")),
            (_, Some(kind)) => Item::Scalar(kind, self.tokens.text()?),
            ("nil", _) => Item::Nil,
            ("struct", _) => Item::Struct { ended: true },
            // By the letter it holds a `<data>`.
            ("array", _) => Item::Array { ended: true },
            _ => {
                return Err(DecodeError::new(format!(
                    "`<{}>` is no type of XML-RPC",
                    shown_name(name)
                )));
            }
        };
        if !empty {
            self.tokens.close(name)?;
        }
        self.tokens.close("value")?;
        Ok(item)
    }

    /// Reads a scalar that is written as most are, to the end of its `<value>`; else nothing.
    #[inline]
    fn plain_scalar(&mut self) -> Option<(Type, &'de str)> {
        macro_rules! one_of {
            ($($kind:ident $open:literal $close:literal)*) => {
                $(if let Some(text) = self.tokens.takes_element($open, $close) {
                    return Some((Type::$kind, text));
                })*
            };
        }
        one_of! {
            String b"<string>" b"</string></value>"
            Integer b"<int>" b"</int></value>"
            Double b"<double>" b"</double></value>"
            Integer b"<i8>" b"</i8></value>"
        }
        None
    }

    fn array(&mut self, name: &str) -> Result<Item<'de>, DecodeError> {
        self.enter()?;
        match self.tokens.tag()? {
            Tag::Open("data") => Ok(Item::Array { ended: false }),
            Tag::Empty("data") => {
                self.depth = self.depth.saturating_sub(1);
                self.tokens.close(name)?;
                self.tokens.close("value")?;
                Ok(Item::Array { ended: true })
            }
            // As `<array/>`.
            Tag::Close(found) if found == name => {
                self.depth = self.depth.saturating_sub(1);
                self.tokens.close("value")?;
                Ok(Item::Array { ended: true })
            }
            found => Err(self.tokens.unfit(name, "`<data>`", found)),
        }
    }

    fn structure(&mut self) -> Result<Item<'de>, DecodeError> {
        self.enter()?;
        Ok(Item::Struct { ended: false })
    }

    fn enter(&mut self) -> Result<(), DecodeError> {
        if self.depth >= self.budget.depth {
            return Err(self.too_deep());
        }
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    #[cold]
    fn too_deep(&self) -> DecodeError {
        let most = self.budget.depth;
        DecodeError::new(format!("values nest deeper than {most} (`Limits::depth`)"))
    }

    /// Counts an item, member or parameter.
    #[inline]
    pub(crate) fn count(&mut self) -> Result<(), DecodeError> {
        if self.items >= self.budget.items {
            return Err(self.too_many());
        }
        self.items = self.items.saturating_add(1);
        Ok(())
    }

    #[cold]
    fn too_many(&self) -> DecodeError {
        let most = self.budget.items;
        DecodeError::new(format!(
            "there are more than {most} items (`Limits::items`)"
        ))
    }

    /// The next item of the array, or none after the last.
    pub(crate) fn next_item(&mut self) -> Result<Option<Item<'de>>, DecodeError> {
        match self.another_item()? {
            true => self.value().map(Some),
            false => Ok(None),
        }
    }

    /// Whether the array has another item. If so, it comes next; else the array was read to its end.
    pub(super) fn another_item(&mut self) -> Result<bool, DecodeError> {
        self.tokens.skip_to_tag();
        if self.tokens.follows(VALUE) {
            self.count()?;
            return Ok(true);
        }
        if self.tokens.takes(b"</data></array></value>") {
            self.depth = self.depth.saturating_sub(1);
            return Ok(false);
        }
        let before = self.tokens.at();
        match self.tokens.tag()? {
            Tag::Open("value") | Tag::Empty("value") => {
                self.count()?;
                self.tokens.back_to(before);
                Ok(true)
            }
            Tag::Close("data") => {
                self.depth = self.depth.saturating_sub(1);
                self.tokens.close("array")?;
                self.tokens.close("value")?;
                Ok(false)
            }
            found => Err(self.tokens.unfit("data", "`<value>` or `</data>`", found)),
        }
    }

    /// The name of the struct's next member, or none after the last. Its value comes next, then
    /// [`end_member`](Self::end_member).
    pub(crate) fn next_member(&mut self) -> Result<Option<Cow<'de, str>>, DecodeError> {
        if let Some(name) = self.tokens.takes_element(b"<member><name>", b"</name>") {
            self.count()?;
            return Ok(Some(Cow::Borrowed(name)));
        }
        if self.tokens.takes(b"</struct></value>") {
            self.depth = self.depth.saturating_sub(1);
            return Ok(None);
        }
        match self.tokens.tag()? {
            Tag::Open("member") => {}
            Tag::Close("struct") => {
                self.depth = self.depth.saturating_sub(1);
                self.tokens.close("value")?;
                return Ok(None);
            }
            found => {
                return Err(self
                    .tokens
                    .unfit("struct", "`<member>` or `</struct>`", found));
            }
        }
        self.count()?;
        match self.tokens.tag()? {
            Tag::Open("name") => {
                let name = self.tokens.text()?;
                self.tokens.close("name")?;
                Ok(Some(name))
            }
            Tag::Empty("name") => Ok(Some(Cow::Borrowed(""))),
            found => Err(self.tokens.unfit("member", "`<name>`", found)),
        }
    }

    /// Whether the struct's next member has this name, written as most are; then its value comes
    /// next. Else nothing was read.
    pub(super) fn member_is(&mut self, name: &str) -> Result<bool, DecodeError> {
        if !self
            .tokens
            .takes_around(b"<member><name>", name, b"</name>")
        {
            return Ok(false);
        }
        self.count().map(|()| true)
    }

    /// Reads what follows the value of a member.
    pub(crate) fn end_member(&mut self) -> Result<(), DecodeError> {
        self.tokens.close("member")
    }

    /// Reads the rest of a value that nobody asked for. Recurses as deep as the budget allows.
    pub(crate) fn skip(&mut self, item: &Item<'de>) -> Result<(), DecodeError> {
        match item {
            Item::Array { ended: false } => {
                while let Some(item) = self.next_item()? {
                    self.skip(&item)?;
                }
            }
            Item::Struct { ended: false } => {
                while self.next_member()?.is_some() {
                    let value = self.value()?;
                    self.skip(&value)?;
                    self.end_member()?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads past the element that begins here, whatever is in it, as long as its tags match: what
    /// is wrong with it is found by whoever reads it. False if no element begins here. What may be
    /// items and members is counted.
    pub(crate) fn skip_element(&mut self) -> Result<bool, DecodeError> {
        // The names of the elements that are open, each behind a `<`, which no name has. So depth
        // costs no more than the document itself, and no stack.
        let mut open = String::new();
        loop {
            let tag = self.tokens.tag()?;
            if let Tag::Open(name) | Tag::Empty(name) = tag
                && (name == "member" || (name == "value" && open.ends_with("<data")))
            {
                self.count()?;
            }
            match tag {
                Tag::Open(name) => {
                    open.push('<');
                    open.push_str(name);
                }
                Tag::Close(name) => {
                    let rest = open
                        .strip_suffix(name)
                        .and_then(|rest| rest.strip_suffix('<'));
                    let Some(rest) = rest.map(str::len) else {
                        return match open.rsplit_once('<') {
                            Some((_, inside)) => Err(self.tokens.unfit(inside, "another tag", tag)),
                            None => Ok(false),
                        };
                    };
                    open.truncate(rest);
                }
                Tag::Empty(_) => {}
                Tag::End => return Err(self.tokens.expected("a closing tag", tag)),
            }
            if open.is_empty() {
                return Ok(true);
            }
            self.tokens.text()?;
        }
    }
}

/// Values of a type that somebody waits for, if that is what comes next and they are written as most
/// are; else nothing is read.
impl<'de> Reader<'de> {
    pub(super) fn plain_string(&mut self) -> Option<&'de str> {
        self.tokens
            .takes_element(b"<value><string>", b"</string></value>")
    }

    pub(super) fn plain_double(&mut self) -> Option<&'de str> {
        self.tokens
            .takes_element(b"<value><double>", b"</double></value>")
    }

    pub(super) fn plain_integer(&mut self) -> Option<i64> {
        let tokens = &mut self.tokens;
        tokens
            .takes_integer(b"<value><int>", b"</int></value>")
            .or_else(|| tokens.takes_integer(b"<value><i8>", b"</i8></value>"))
            .or_else(|| tokens.takes_integer(b"<value><i4>", b"</i4></value>"))
    }

    pub(super) fn plain_boolean(&mut self) -> Option<bool> {
        let tokens = &mut self.tokens;
        if tokens.takes(b"<value><boolean>0</boolean></value>") {
            return Some(false);
        }
        tokens
            .takes(b"<value><boolean>1</boolean></value>")
            .then_some(true)
    }

    /// Whether the value is something, as opposed to nil.
    pub(super) fn is_plainly_something(&self) -> bool {
        let rest = self.tokens.bytes();
        let inside = rest.strip_prefix(b"<value><");
        let kinds: [&[u8]; 5] = [b"string>", b"int>", b"double>", b"struct>", b"array>"];
        inside.is_some_and(|inside| kinds.iter().any(|kind| inside.starts_with(kind)))
    }

    /// The beginning of an array, to be followed by [`another_item`](Self::another_item).
    pub(super) fn plain_array(&mut self) -> Result<bool, DecodeError> {
        match self.tokens.takes(b"<value><array><data>") {
            true => self.enter().map(|()| true),
            false => Ok(false),
        }
    }

    /// The beginning of a struct, to be followed by [`next_member`](Self::next_member).
    pub(super) fn plain_struct(&mut self) -> Result<bool, DecodeError> {
        match self.tokens.takes(b"<value><struct>") {
            true => self.enter().map(|()| true),
            false => Ok(false),
        }
    }
}

const EMPTY: Item<'static> = Item::Scalar(Type::String, Cow::Borrowed(""));
