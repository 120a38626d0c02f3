//! The members of a `system.multicall`: `[{methodName, params}, …]`.

use std::ops::Range;

use crate::codec::xml::reader::{Item, Reader};
use crate::codec::xml::text::readable;
use crate::codec::xml::tokens::Tag;
use crate::error::DecodeError;
use crate::limits::Budget;

/// One member, as far as it could be understood.
#[derive(Debug, Default)]
pub(crate) struct Member {
    pub(crate) name: Option<String>,
    /// Where its parameters are, an array.
    pub(crate) params: Option<Range<usize>>,
}

/// Finds the members in the parameters of the call.
///
/// # Errors
/// If they are not one array, not well-formed, or the budget of items is spent. What is no struct
/// in it is an empty member; what is in a member's parameters is seen when they are read.
pub(crate) fn members(params: &[u8], budget: Budget) -> Result<Vec<Member>, DecodeError> {
    let mut reader = Reader::new(readable(params)?, budget);
    read(&mut reader).map_err(|error| reader.tokens.located(&error))
}

fn read(reader: &mut Reader<'_>) -> Result<Vec<Member>, DecodeError> {
    for expected in ["params", "param"] {
        match reader.tokens.tag()? {
            Tag::Open(name) if name == expected => {}
            found => return Err(reader.tokens.expected("one parameter, an array", found)),
        }
    }
    let Item::Array { mut ended } = reader.value()? else {
        return Err(DecodeError::new("the parameter is an array of calls"));
    };
    let mut members = Vec::new();
    while !ended {
        let before = reader.clone();
        match next(reader) {
            Ok(None) => ended = true,
            Ok(Some(member)) => members.push(member),
            Err(error) => {
                let after = std::mem::replace(reader, before);
                if !reader.skip_element()? {
                    *reader = after;
                    return Err(error);
                }
                members.push(Member::default());
            }
        }
    }
    reader.tokens.close("param")?;
    reader.tokens.close("params")?;
    match reader.tokens.tag()? {
        Tag::End => {}
        Tag::Close("methodCall") => reader.tokens.end()?,
        found => return Err(reader.tokens.expected("`</methodCall>`", found)),
    }
    Ok(members)
}

/// The next member, or none after the last.
fn next(reader: &mut Reader<'_>) -> Result<Option<Member>, DecodeError> {
    match reader.next_item()? {
        None => Ok(None),
        Some(Item::Struct { ended }) => member(reader, ended).map(Some),
        Some(_) => Err(DecodeError::new("a call is a struct")),
    }
}

fn member(reader: &mut Reader<'_>, mut ended: bool) -> Result<Member, DecodeError> {
    let mut member = Member::default();
    while !ended {
        let Some(name) = reader.next_member()? else {
            ended = true;
            continue;
        };
        if name == "methodName" {
            match reader.value()? {
                Item::Scalar(_, text) => member.name = Some(text.into_owned()),
                _ => return Err(DecodeError::new("a methodName is text")),
            }
        } else {
            let start = reader.tokens.at();
            if !reader.skip_element()? {
                return Err(DecodeError::new("a member without a value"));
            }
            if name == "params" {
                member.params = Some(start..reader.tokens.at());
            }
        }
        reader.end_member()?;
    }
    Ok(member)
}
