//! Reading what a client sent.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::value::RawValue;

use super::BYTE_ORDER_MARK;
use super::canonical::{self, place};
use super::envelope::{Envelope, Members, members};
use super::told::Told;
use super::write::without_id;
use crate::codec::json::well_formed;
use crate::encoding::Encoding;
use crate::fault::{Fault, code};
use crate::limits::Limits;
use crate::params::{Arguments, Part};
use crate::payload::Payload;
use crate::protocol::Incoming;
use crate::protocol::outbox::ReplyId;
use crate::router::Router;
use crate::stream::MOST;

/// What one text holds.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "taken apart where it is made; a box would be an allocation for each call"
)]
pub(crate) enum Received {
    /// One request, or what is refused as one.
    One(Incoming),
    /// Several, to be answered in one array; never none.
    /// What else was in it comes first.
    Batch(Vec<Incoming>, Vec<Told>),
    /// Something about calls under way.
    Told(Box<Told>),
}

/// Reads a call in the usual member order, which most are.
#[inline]
pub(crate) fn read_call(router: &Router, text: &Payload) -> Option<Incoming> {
    let guess = canonical::request(text)?;
    let target = router.find(guess.method)?;
    Some(Incoming {
        target: Ok(target),
        arguments: value(text, guess.params),
        reply: Some(ReplyId::Json {
            raw: Payload::copied_from(guess.id),
            version_1: false,
        }),
        window: None,
    })
}

/// Reads one text. What cannot be called has the fault to answer with as its target.
pub(crate) fn read_request(router: &Router, text: &Payload, limits: &Limits) -> Received {
    if let Some(incoming) = read_call(router, text) {
        return Received::One(incoming);
    }
    let json = trimmed(text);
    match json.first() {
        Some(b'{') => match request(router, text, json) {
            Ok(incoming) => Received::One(incoming),
            Err(told) => Received::Told(told),
        },
        Some(b'[') => batch(router, text, json, limits),
        None => Received::One(refused(malformed("there is no JSON text"))),
        Some(_) => Received::One(refused(match well_formed(json) {
            Ok(()) => no_request("it is no object"),
            Err(error) => malformed(error.behind(before(text, json))),
        })),
    }
}

/// For parameters that turned out malformed: reads the text that they are said to be in once more,
/// the long way. None if they came that way already; else where the parameters really are.
pub(crate) fn second_look(
    text: &[u8],
    params: &Range<usize>,
) -> Option<Result<Range<usize>, Fault>> {
    let guess = canonical::request(text)?;
    if guess.params != *params {
        return None;
    }
    Some(match Envelope::read(text) {
        Err(error) => Err(malformed(error)),
        Ok(Envelope {
            twice: Some("id"), ..
        }) => Err(without_id(no_request("it has two `id` members"))),
        Ok(envelope) => match (envelope.twice, envelope.params) {
            (None, Some(params)) => Ok(place(text, params.get().as_bytes())),
            (Some(name), _) => Err(no_request(format_args!("it has two `{name}` members"))),
            (None, None) => Err(no_request("it has no parameters")),
        },
    })
}

fn batch(router: &Router, text: &Payload, json: &[u8], limits: &Limits) -> Received {
    let most = limits.batch_members;
    match members(json, most) {
        Err(error) => Received::One(refused(malformed(error.behind(before(text, json))))),
        Ok(Members::TooMany) => Received::One(refused(Fault::too_many_members(most))),
        Ok(Members::All(members)) if members.is_empty() => {
            Received::One(refused(no_request("the batch is empty")))
        }
        Ok(Members::All(members)) => {
            let mut said = Vec::new();
            let calls = members.into_iter().filter_map(|member| {
                let read = match member.get().as_bytes() {
                    member @ [b'{', ..] => request(router, text, member),
                    _ => Ok(refused(no_request("it is no object"))),
                };
                read.map_or_else(|told| told.in_batch(&mut said), Some)
            });
            let calls = calls.collect();
            Received::Batch(calls, said)
        }
    }
}

/// Reads `json`, an object somewhere in `text`: a call, or something about calls.
fn request(router: &Router, text: &Payload, json: &[u8]) -> Result<Incoming, Box<Told>> {
    let envelope = match Envelope::read(json) {
        Ok(envelope) => envelope,
        Err(error) => return Ok(refused(malformed(error.behind(before(text, json))))),
    };
    let version_1 = envelope.jsonrpc.is_none();
    let id = match (envelope.id.map(RawValue::get), envelope.twice) {
        (_, Some("id")) => return Ok(refused(no_request("it has two `id` members"))),
        (Some(id), _) if !is_id(id) => {
            let why = "its id is no string, no number and not null";
            return Ok(refused(no_request(why)));
        }
        (id, _) => id,
    };
    let (method, params) = match read_members(&envelope) {
        Ok(read) => read,
        // No proper request is no notification either, so it is answered; by its id, if it has one.
        Err(fault) => {
            return Ok(Incoming {
                target: Err(fault),
                arguments: Arguments::none(Encoding::Json),
                reply: Some(ReplyId::Json {
                    raw: Payload::copied_from(id.unwrap_or("null").as_bytes()),
                    version_1: false,
                }),
                window: None,
            });
        }
    };
    // In 1.0 a notification is a call with the id null; 2.0 leaves the id out.
    let id = id.filter(|&id| !(version_1 && id == "null"));
    let reply = id.map(|id| ReplyId::Json {
        raw: Payload::copied_from(id.as_bytes()),
        version_1,
    });
    let found = router.find(&method);
    if found.is_none()
        && let Some(told) = Told::read(text, &method, params)
    {
        return Err(Box::new(told.for_reply(reply)));
    }
    let gives = found.and_then(|found| router.method(found));
    let window = match envelope.window {
        Some(window) if gives.is_some_and(|method| method.gives_stream) => {
            match window_of(window) {
                Ok(window) => Some(window),
                Err(fault) => {
                    return Ok(Incoming {
                        target: Err(fault),
                        arguments: Arguments::none(Encoding::Json),
                        reply,
                        window: None,
                    });
                }
            }
        }
        _ => None,
    };
    Ok(Incoming {
        // A method that is not there is still a proper request: without an id it gets no answer.
        target: found.ok_or_else(|| Fault::method_not_found(&method)),
        arguments: match params {
            Some(params) => value(text, place(text, params.as_bytes())),
            None => Arguments::none(Encoding::Json),
        },
        reply,
        window,
    })
}

/// The method's name, and the parameters unless they are absent.
fn read_members<'a>(envelope: &Envelope<'a>) -> Result<(Cow<'a, str>, Option<&'a str>), Fault> {
    if let Some(name) = envelope.twice {
        return Err(no_request(format_args!("it has two `{name}` members")));
    }
    match envelope.jsonrpc.map(text_of) {
        Some(Some(version)) if version == "2.0" => {}
        // The old form has an id always.
        None if envelope.id.is_some() => {}
        _ => return Err(no_request("its `jsonrpc` is not \"2.0\"")),
    }
    let method = envelope.method.and_then(text_of);
    let method = method.ok_or_else(|| no_request("its `method` is no string"))?;
    match envelope.params.map(RawValue::get) {
        // By the letter `null` is not allowed; clients send it for none.
        None | Some("null") => Ok((method, None)),
        Some(params) if params.starts_with(['[', '{']) => Ok((method, Some(params))),
        Some(_) => Err(no_request("its `params` are no array and no object")),
    }
}

/// How many bytes of items a caller takes at first.
fn window_of(raw: &RawValue) -> Result<usize, Fault> {
    let bytes = raw.get().parse::<u32>().ok();
    let bytes = bytes.filter(|&bytes| i64::from(bytes) <= MOST);
    bytes
        .map(|bytes| bytes as usize)
        .ok_or_else(|| no_request("its `window` is no whole number of bytes of at most 2 GiB"))
}

/// The text of a JSON string.
fn text_of(raw: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(serde::Deserialize)]
    struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);
    let Borrowed(text) = serde_json::from_str(raw.get()).ok()?;
    Some(text)
}

fn is_id(raw: &str) -> bool {
    raw == "null" || raw.starts_with(|first: char| matches!(first, '"' | '-' | '0'..='9'))
}

/// What stands in `text` before `json`, a part of it.
fn before<'a>(text: &'a [u8], json: &[u8]) -> &'a [u8] {
    text.get(..place(text, json).start).unwrap_or_default()
}

/// Without a byte order mark and white space around.
fn trimmed(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK)
        .unwrap_or(text)
        .trim_ascii()
}

fn value(text: &Payload, at: Range<usize>) -> Arguments {
    Arguments::new(Encoding::Json, Part::Value, text.clone(), at)
}

/// Something that has no id to be answered by.
fn refused(fault: Fault) -> Incoming {
    Incoming {
        target: Err(fault),
        arguments: Arguments::none(Encoding::Json),
        reply: Some(ReplyId::Json {
            raw: Payload::copied_from(b"null"),
            version_1: false,
        }),
        window: None,
    }
}

fn malformed(error: impl std::fmt::Display) -> Fault {
    let message = format!("the message is not well-formed JSON: {error}");
    without_id(Fault::new(code::PARSE_ERROR, message))
}

fn no_request(why: impl std::fmt::Display) -> Fault {
    Fault::new(code::INVALID_REQUEST, format!("this is no request: {why}"))
}
