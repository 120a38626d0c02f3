//! The members of a `system.multicall`: `[{methodName, params}, …]`.

use std::ops::Range;

use super::reply::skip_value;
use super::write::write_fault_value;
use crate::codec::xml::reader::{Item, Reader};
use crate::codec::xml::text::readable;
use crate::codec::xml::tokens::Tag;
use crate::error::DecodeError;
use crate::fault::Fault;
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
/// If they are not one array. What is no struct in it is an empty member.
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
        match reader.next_item()? {
            None => ended = true,
            Some(Item::Struct { ended }) => members.push(member(reader, ended)?),
            Some(other) => {
                reader.skip(&other)?;
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

fn member(reader: &mut Reader<'_>, ended: bool) -> Result<Member, DecodeError> {
    let mut member = Member::default();
    let mut ended = ended;
    while !ended {
        let Some(name) = reader.next_member()? else {
            ended = true;
            continue;
        };
        if name == "params" {
            member.params = Some(skip_value(reader)?);
        } else {
            let item = reader.value()?;
            if let (true, Item::Scalar(_, text)) = (name == "methodName", &item) {
                member.name = Some(text.clone().into_owned());
            }
            reader.skip(&item)?;
        }
        reader.end_member()?;
    }
    Ok(member)
}

/// Appends the array of outcomes: each a result in an array of one, or a fault.
pub(crate) fn write_outcomes(
    out: &mut Vec<u8>,
    outcomes: &[Result<Vec<u8>, Fault>],
    with_data: bool,
) {
    out.extend_from_slice(b"<value><array><data>");
    for outcome in outcomes {
        match outcome {
            Ok(value) => {
                out.extend_from_slice(b"<value><array><data>");
                out.extend_from_slice(value);
                out.extend_from_slice(b"</data></array></value>");
            }
            Err(fault) => write_fault_value(out, fault, with_data),
        }
    }
    out.extend_from_slice(b"</data></array></value>");
}
