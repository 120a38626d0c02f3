//! Reading what a server sent.

use std::ops::Range;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::BYTE_ORDER_MARK;
use super::canonical::{self, place};
use super::envelope::Envelope;
use super::told;
use crate::channel::Inbound;
use crate::codec::json::exact_integer;
use crate::encoding::Encoding;
use crate::error::Failure;
use crate::fault::{Data, Fault, code};
use crate::payload::Payload;
use crate::protocol::batch::Numbered;

/// A text from a server, and which call it ends.
///
/// ```
/// use farcall_core::payload::Payload;
/// use farcall_core::protocol::jsonrpc::{Ends, read_reply};
///
/// let text = br#"{"id":7,"result":null,"error":{"code":1,"message":"out of paper"}}"#;
/// let reply = read_reply(Payload::copied_from(text));
/// assert_eq!(reply.ends, Ends::Call(7));
/// assert_eq!(reply.outcome.unwrap_err().fault().unwrap().message, "out of paper");
/// ```
#[derive(Debug)]
pub struct Replied {
    /// The call that it ends.
    pub ends: Ends,
    /// The result, still encoded.
    pub outcome: Result<Inbound, Failure>,
}

/// Which call a text from a server ends.
///
/// ```
/// use farcall_core::payload::Payload;
/// use farcall_core::protocol::jsonrpc::{Ends, read_reply};
///
/// let ends = |text: &str| read_reply(Payload::copied_from(text.as_bytes())).ends;
/// assert_eq!(ends(r#"{"jsonrpc":"2.0","result":8,"id":"7"}"#), Ends::Call(7));
/// assert_eq!(ends(r#"{"jsonrpc":"2.0","method":"tick","params":[]}"#), Ends::Nobody);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// The one with this id. Some servers write it as text, or with a fraction of zero.
    Call(u64),
    /// It does not say which: its id is null or not there, as where a server could not read the
    /// request, or it is not JSON.
    Unknown,
    /// None of ours: its id is no number, or it is a request or a notification of the server's own,
    /// which has a method and neither a result nor an error.
    Nobody,
}

/// Reads one text from a server.
#[must_use]
pub fn read_reply(text: Payload) -> Replied {
    match hear(text) {
        Heard::Reply(reply) => reply,
        Heard::News(_) => Replied {
            ends: Ends::Nobody,
            outcome: Err(Failure::peer("a request where a reply is due")),
        },
    }
}

/// A text from a server whose streams are known here.
#[derive(Debug)]
pub(crate) enum Heard {
    Reply(Replied),
    News(Option<News>),
}

/// What a server says by itself.
#[derive(Debug)]
pub(crate) enum News {
    /// An item of the stream of the subscription whose id is written so.
    Item(Payload, Inbound),
    /// That stream is over.
    Over(Payload, Result<(), Failure>),
    /// So many more bytes of what this call sends are taken.
    Credit(u64, u64),
    /// The server says nothing more: what it has not answered, it has not run.
    GoingAway,
}

/// Reads one text from a server; of what is no reply, what belongs to a stream.
pub(crate) fn hear(text: Payload) -> Heard {
    let text = without_mark(text);
    if let Some(guess) = canonical::reply(&text) {
        return Heard::Reply(Replied {
            ends: Ends::Call(guess.id),
            outcome: Ok(Inbound::new(Encoding::Json, text, guess.result)),
        });
    }
    if let Some(guess) = canonical::subscribed(&text) {
        let of = Payload::copied_from(guess.of);
        let item = Inbound::new(Encoding::Json, text.clone(), guess.at);
        return Heard::News(Some(News::Item(of, item)));
    }
    Heard::Reply(match Envelope::read(&text) {
        Ok(envelope) if is_request(&envelope) => return Heard::News(news(&envelope, &text)),
        Ok(envelope) => Replied {
            ends: envelope.id.map_or(Ends::Unknown, ends),
            outcome: outcome(&envelope, &text),
        },
        Err(error) => Replied {
            ends: Ends::Unknown,
            outcome: Err(Failure::peer(format!("the reply is no JSON-RPC: {error}"))),
        },
    })
}

/// What a notification says of a stream, if it is about one.
fn news(envelope: &Envelope<'_>, text: &Payload) -> Option<News> {
    let method = envelope.method?.get();
    let method = method
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'));
    if method == Some(told::GOING_AWAY) {
        return Some(News::GoingAway);
    }
    let params = envelope.params?.get();
    if method == Some(told::CREDIT) {
        let (id, bytes) = serde_json::from_str(params).ok()?;
        return Some(News::Credit(id, bytes));
    }
    let params: Subscription<'_> = serde_json::from_str(params).ok()?;
    let of = Payload::copied_from(params.subscription.get().as_bytes());
    if let Some(error) = params.error {
        return Some(News::Over(of, Err(Failure::remote(fault(error)))));
    }
    if let Some(item) = params.result {
        let at = place(text, item.get().as_bytes());
        return Some(News::Item(
            of,
            Inbound::new(Encoding::Json, text.clone(), at),
        ));
    }
    (params.end == Some(true)).then_some(News::Over(of, Ok(())))
}

/// The parameters of what a server says of a stream.
#[derive(Deserialize)]
struct Subscription<'a> {
    #[serde(borrow)]
    subscription: &'a RawValue,
    /// An item may be null, which is not none.
    #[serde(borrow, default, deserialize_with = "there")]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    end: Option<bool>,
}

fn there<'de, D: Deserializer<'de>>(member: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(member).map(Some)
}

/// The id of a subscription as it is written, where a call that opens a stream was answered so.
pub(crate) fn subscription_id(result: &[u8]) -> Option<Payload> {
    let id: &RawValue = serde_json::from_slice(result).ok()?;
    let id = id.get().as_bytes();
    matches!(id.first()?, b'"' | b'-' | b'0'..=b'9').then(|| Payload::copied_from(id))
}

/// Reads the reply to the one call `id`, where nothing else can be answered.
///
/// # Errors
/// The fault that came, or that it is no reply to this call.
pub(crate) fn read_only_reply(text: Payload, id: u64) -> Result<Inbound, Failure> {
    let Replied { ends, outcome } = read_reply(text);
    match ends {
        Ends::Call(other) if other != id => Err(Failure::peer("a reply to another call")),
        Ends::Call(_) => outcome,
        Ends::Unknown if outcome.is_ok() => Err(Failure::peer("a reply without an id")),
        Ends::Unknown => outcome,
        // Its own words, if it is a request.
        Ends::Nobody => outcome.and(Err(Failure::peer("a reply to another call"))),
    }
}

/// Reads the array that answers a batch, its members in the order they came.
///
/// # Errors
/// If it is no array, or not JSON.
pub(crate) fn read_batch(text: &Payload) -> Result<Vec<Replied>, Failure> {
    let members: Vec<&RawValue> = serde_json::from_slice(text)
        .map_err(|error| Failure::peer(format!("the reply is no JSON-RPC: {error}")))?;
    let replies = members.into_iter().map(|member| {
        let at = place(text, member.get().as_bytes());
        read_reply(text.part(at))
    });
    Ok(replies.collect())
}

/// Reads the answer to a batch that is all of `text`: each reply with its id.
///
/// # Errors
/// The fault that came for all of it, or that it is no such answer.
pub(crate) fn read_whole_batch(text: Payload) -> Result<impl Iterator<Item = Numbered>, Failure> {
    let text = without_mark(text);
    if text.trim_ascii_start().first() == Some(&b'[') {
        let replies = read_batch(&text)?;
        return Ok(replies.into_iter().filter_map(|reply| match reply.ends {
            Ends::Call(id) => Some((Some(id), reply.outcome)),
            Ends::Unknown => Some((None, reply.outcome)),
            Ends::Nobody => None,
        }));
    }
    match read_reply(text).outcome {
        Err(failure) => match failure.fault() {
            Some(fault) => Err(Failure::batch_refused(fault.clone())),
            None => Err(failure),
        },
        Ok(_) => Err(Failure::peer("one reply to a batch")),
    }
}

/// For a result or an item that turned out malformed: where in `text` it really is, if it was
/// guessed wrong.
pub(crate) fn whole_value(text: &[u8], value: &Range<usize>) -> Option<Range<usize>> {
    let is_guess = |item: canonical::Item<'_>| item.at == *value;
    if canonical::subscribed(text).is_some_and(is_guess) {
        let envelope = Envelope::read(text).ok()?;
        let params: Subscription<'_> = serde_json::from_str(envelope.params?.get()).ok()?;
        return Some(place(text, params.result?.get().as_bytes()));
    }
    if canonical::item(text).is_some_and(is_guess) {
        return told::item_in(text, Envelope::read(text).ok()?.params?);
    }
    whole_result(text, value)
}

fn whole_result(text: &[u8], result: &Range<usize>) -> Option<Range<usize>> {
    let guess = canonical::reply(text)?;
    let envelope = Envelope::read(text).ok()?;
    let found = place(text, envelope.result?.get().as_bytes());
    let has_error = envelope.error.is_some_and(|error| error.get() != "null");
    (guess.result == *result && !has_error && envelope.twice.is_none()).then_some(found)
}

fn outcome(envelope: &Envelope<'_>, text: &Payload) -> Result<Inbound, Failure> {
    if let Some(name) = envelope.twice {
        return Err(Failure::peer(format!("the reply has two `{name}` members")));
    }
    // 1.0 has both always, the unused one null.
    match (
        envelope.error.filter(|error| error.get() != "null"),
        envelope.result,
    ) {
        (Some(error), _) => Err(Failure::remote(fault(error))),
        (None, Some(result)) => {
            let at = place(text, result.get().as_bytes());
            Ok(Inbound::new(Encoding::Json, text.clone(), at))
        }
        (None, None) => Err(Failure::peer("the reply has neither a result nor an error")),
    }
}

/// The text without a byte order mark, which is none of JSON's (RFC 8259 §8.1) and sent all the same.
fn without_mark(text: Payload) -> Payload {
    match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(_) => text.part(BYTE_ORDER_MARK.len()..text.len()),
        None => text,
    }
}

/// What a server asks or tells by itself. A reply that repeats the method is still a reply.
fn is_request(envelope: &Envelope<'_>) -> bool {
    envelope.method.is_some() && envelope.result.is_none() && envelope.error.is_none()
}

fn ends(id: &RawValue) -> Ends {
    let id = id.get();
    if id == "null" {
        return Ends::Unknown;
    }
    let quoted = id
        .strip_prefix('"')
        .and_then(|id| id.strip_suffix('"'))
        .filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
    integer(quoted.unwrap_or(id))
        .and_then(|id| u64::try_from(id).ok())
        .map_or(Ends::Nobody, Ends::Call)
}

/// The integer that a number is, which some write as `1.0`.
fn integer(number: &str) -> Option<i64> {
    number
        .parse()
        .ok()
        .or_else(|| exact_integer(number.parse().ok()?))
}

/// The fault in an `error` member. Before 2.0 that could be anything, so anything is taken, and what
/// the server said is kept.
fn fault(error: &RawValue) -> Fault {
    const OWN_FORM: &str = "the server answered with an error of its own form";
    #[derive(Deserialize)]
    struct Members<'a> {
        #[serde(borrow)]
        code: Option<&'a RawValue>,
        #[serde(borrow)]
        message: Option<&'a RawValue>,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    let text = |raw: &RawValue| serde_json::from_str::<String>(raw.get()).ok();
    let Ok(members) = serde_json::from_str::<Members<'_>>(error.get()) else {
        return Fault {
            code: code::INTERNAL_ERROR,
            message: text(error).unwrap_or_else(|| OWN_FORM.to_owned()),
            data: Some(data(error)),
        };
    };
    let code = members.code.and_then(|code| integer(code.get()));
    let code = code.and_then(|code| i32::try_from(code).ok());
    // One that is not there is none; one that is no text could have been anything.
    let message = members
        .message
        .map_or(Some(None), |raw| text(raw).map(Some));
    match (code, message) {
        (Some(code), Some(message)) => Fault {
            code,
            message: message.unwrap_or_default(),
            data: members.data.map(data),
        },
        (code, message) => Fault {
            code: code.unwrap_or(code::INTERNAL_ERROR),
            message: message.flatten().unwrap_or_else(|| OWN_FORM.to_owned()),
            data: Some(data(error)),
        },
    }
}

fn data(raw: &RawValue) -> Data {
    Data {
        encoding: Encoding::Json,
        bytes: Payload::copied_from(raw.get().as_bytes()),
    }
}
