//! The client's side: reading the document that answers a call.

use std::ops::Range;

use super::document::{DECLARATION, in_utf8};
use crate::channel::Inbound;
use crate::codec::xml::reader::{Item, Reader};
use crate::codec::xml::text::readable;
use crate::codec::xml::tokens::Tag;
use crate::encoding::Encoding;
use crate::error::{DecodeError, Failure};
use crate::fault::{Data, Fault, code};
use crate::limits::Budget;
use crate::payload::Payload;

/// Reads the document that is all of `body`, at a cost of no more than `budget`.
///
/// # Errors
/// The fault that came, or that it is no reply.
pub fn read_reply(body: Payload, budget: Budget) -> Result<Inbound, Failure> {
    let body = in_utf8(body).map_err(|fault| Failure::peer(fault.message))?;
    let reply = readable(&body).and_then(|text| {
        let mut reader = Reader::new(text, budget);
        read(&mut reader, &body).map_err(|error| reader.tokens.located(&error))
    });
    match reply {
        Ok(Reply::Result(at)) => Ok(Inbound::new(Encoding::Xml, body, at)),
        // An answer without a value is read as none.
        Ok(Reply::Nothing) => {
            let nil = Payload::copied_from(b"<value><nil/></value>");
            let at = 0..nil.len();
            Ok(Inbound::new(Encoding::Xml, nil, at))
        }
        Ok(Reply::Fault(fault)) => Err(Failure::remote(fault)),
        Err(error) => Err(Failure::peer(format!(
            "the reply is no XML-RPC response: {error}"
        ))),
    }
}

pub(super) enum Reply {
    Result(Range<usize>),
    Nothing,
    Fault(Fault),
}

pub(super) fn read(reader: &mut Reader<'_>, body: &[u8]) -> Result<Reply, DecodeError> {
    // Most begin so; else it is a remark like any other.
    if reader.tokens.takes(DECLARATION) {
        reader.tokens.takes(b"\n");
    }
    match reader.tokens.tag()? {
        Tag::Open("methodResponse") => {}
        found => return Err(reader.tokens.expected("`<methodResponse>`", found)),
    }
    let reply = match reader.tokens.tag()? {
        Tag::Empty("params") => Reply::Nothing,
        Tag::Open("params") => match result(reader, body)? {
            Found::Guess(at) => return Ok(Reply::Result(at)),
            Found::Read(reply) => reply,
        },
        Tag::Open("fault") => {
            let fault = fault(reader, body)?;
            reader.tokens.close("fault")?;
            Reply::Fault(fault)
        }
        found => return Err(reader.tokens.expected("`<params>` or `<fault>`", found)),
    };
    reader.tokens.close("methodResponse")?;
    reader.tokens.end()?;
    Ok(reply)
}

/// Where the result is.
enum Found {
    /// Read, up to `</params>`.
    Read(Reply),
    /// Between a plain beginning and a plain end of the document, not read yet.
    Guess(Range<usize>),
}

fn result(reader: &mut Reader<'_>, body: &[u8]) -> Result<Found, DecodeError> {
    match reader.tokens.tag()? {
        Tag::Close("params") => return Ok(Found::Read(Reply::Nothing)),
        Tag::Open("param") => {}
        found => return Err(reader.tokens.expected("`<param>`", found)),
    }
    if let Some(end) = plain_end(body) {
        return Ok(Found::Guess(reader.tokens.at()..end));
    }
    let at = skip_value(reader)?;
    reader.tokens.close("param")?;
    reader.tokens.close("params")?;
    Ok(Found::Read(Reply::Result(at)))
}

/// Where the document's end begins, if it is written as nearly everybody does.
///
/// That spares a pass over the value, and nothing is taken for something else: whoever decodes what
/// is before it requires exactly one whole value, remarks closed.
fn plain_end(body: &[u8]) -> Option<usize> {
    let mut rest = body;
    for tag in ["</methodResponse>", "</params>", "</param>"] {
        rest = rest.trim_ascii_end().strip_suffix(tag.as_bytes())?;
    }
    Some(rest.len())
}

/// Reads past a value, and gives where it is.
pub(super) fn skip_value(reader: &mut Reader<'_>) -> Result<Range<usize>, DecodeError> {
    let start = reader.tokens.at();
    let item = reader.value()?;
    reader.skip(&item)?;
    Ok(start..reader.tokens.at())
}

fn fault(reader: &mut Reader<'_>, body: &[u8]) -> Result<Fault, DecodeError> {
    match reader.value()? {
        Item::Struct { ended } => fault_members(reader, body, ended),
        _ => Err(DecodeError::new("a fault is a struct")),
    }
}

/// Reads what is in a fault's struct; `body` is what the reader reads. The members come in any
/// order, and some servers add their own or send the code as text. One that is no integer of 32 bits
/// is [`INTERNAL_ERROR`](code::INTERNAL_ERROR).
pub(super) fn fault_members(
    reader: &mut Reader<'_>,
    body: &[u8],
    mut ended: bool,
) -> Result<Fault, DecodeError> {
    let mut fault = Fault::new(code::INTERNAL_ERROR, "");
    let mut says_anything = false;
    while !ended {
        let Some(name) = reader.next_member()? else {
            ended = true;
            continue;
        };
        match &*name {
            "data" => {
                let at = skip_value(reader)?;
                let bytes = Payload::copied_from(body.get(at).unwrap_or_default());
                fault.data = Some(Data {
                    encoding: Encoding::Xml,
                    bytes,
                });
            }
            name => {
                let item = reader.value()?;
                match (name, &item) {
                    ("faultCode", Item::Scalar(_, text)) => {
                        // If it is none, there may still be words.
                        if let Ok(code) = text.trim().parse() {
                            fault.code = code;
                            says_anything = true;
                        }
                    }
                    ("faultString", Item::Scalar(_, text)) => {
                        fault.message = text.clone().into_owned();
                        says_anything = true;
                    }
                    _ => {}
                }
                reader.skip(&item)?;
            }
        }
        reader.end_member()?;
    }
    if !says_anything {
        return Err(DecodeError::new("a fault without code and words"));
    }
    Ok(fault)
}
