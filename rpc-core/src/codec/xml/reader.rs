//! The grammar of `<value>`, within a budget.
//!
//! A value is handed out as an [`Item`]: a scalar with its text, read to its end, or the beginning
//! of an array or a struct, whose items or members are asked for one by one.

use std::borrow::Cow;

use super::text::trimmed;
use super::tokens::{Tag, Tokens};
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
        if self.tokens.takes(b"<value>") {
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
                self.depth -= 1;
                self.tokens.close(name)?;
                self.tokens.close("value")?;
                Ok(Item::Array { ended: true })
            }
            // As `<array/>`.
            Tag::Close(found) if found == name => {
                self.depth -= 1;
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
            return Err(DecodeError::new(format!(
                "values nest deeper than {} (`Limits::depth`)",
                self.budget.depth
            )));
        }
        self.depth += 1;
        Ok(())
    }

    /// Counts an item, member or parameter.
    pub(crate) fn count(&mut self) -> Result<(), DecodeError> {
        if self.items >= self.budget.items {
            return Err(DecodeError::new(format!(
                "there are more than {} items (`Limits::items`)",
                self.budget.items
            )));
        }
        self.items += 1;
        Ok(())
    }

    /// The next item of the array, or none after the last.
    pub(crate) fn next_item(&mut self) -> Result<Option<Item<'de>>, DecodeError> {
        match self.tokens.tag()? {
            Tag::Open("value") => {
                self.count()?;
                self.content().map(Some)
            }
            Tag::Empty("value") => {
                self.count()?;
                Ok(Some(EMPTY))
            }
            Tag::Close("data") => {
                self.depth -= 1;
                self.tokens.close("array")?;
                self.tokens.close("value")?;
                Ok(None)
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
        match self.tokens.tag()? {
            Tag::Open("member") => {}
            Tag::Close("struct") => {
                self.depth -= 1;
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

const EMPTY: Item<'static> = Item::Scalar(Type::String, Cow::Borrowed(""));
