//! Reading what a server sent.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::canonical::{self, place};
use super::envelope::Envelope;
use crate::channel::Inbound;
use crate::encoding::Encoding;
use crate::error::Failure;
use crate::fault::{Data, Fault, code};
use crate::payload::Payload;
use crate::protocol::batch::Numbered;

/// A reply, and which call it ends.
///
/// ```
/// use farcall_core::{payload::Payload, protocol::jsonrpc::read_reply};
///
/// let text = br#"{"id":7,"result":null,"error":{"code":1,"message":"out of paper"}}"#;
/// let reply = read_reply(Payload::copied_from(text));
/// assert_eq!(reply.id, Some(7));
/// assert_eq!(reply.outcome.unwrap_err().fault().unwrap().message, "out of paper");
/// ```
#[derive(Debug)]
pub struct Replied {
    /// The call's id; none if the server could not read the request, or this is no reply.
    pub id: Option<u64>,
    /// The result, still encoded.
    pub outcome: Result<Inbound, Failure>,
}

/// Reads one text from a server.
#[must_use]
pub fn read_reply(text: Payload) -> Replied {
    if let Some(guess) = canonical::reply(&text) {
        return Replied {
            id: Some(guess.id),
            outcome: Ok(Inbound::new(Encoding::Json, text, guess.result)),
        };
    }
    match Envelope::read(&text) {
        Ok(envelope) => Replied {
            id: envelope.id.and_then(|id| id.get().parse().ok()),
            outcome: outcome(&envelope, &text),
        },
        Err(error) => Replied {
            id: None,
            outcome: Err(Failure::peer(format!("the reply is no JSON-RPC: {error}"))),
        },
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
    if text.trim_ascii_start().first() == Some(&b'[') {
        let replies = read_batch(&text)?;
        return Ok(replies.into_iter().map(|reply| (reply.id, reply.outcome)));
    }
    match read_reply(text).outcome {
        Err(failure) => match failure.fault() {
            Some(fault) => Err(Failure::batch_refused(fault.clone())),
            None => Err(failure),
        },
        Ok(_) => Err(Failure::peer("one reply to a batch")),
    }
}

/// For a result that turned out malformed: where in `text` it really is, if it was guessed wrong.
pub(crate) fn whole_result(text: &[u8], result: &Range<usize>) -> Option<Range<usize>> {
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

/// The fault in an `error` member. Before 2.0 that could be anything, so anything is taken.
fn fault(error: &RawValue) -> Fault {
    #[derive(Deserialize)]
    struct Members<'a> {
        code: i32,
        #[serde(borrow)]
        message: Option<Cow<'a, str>>,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    match serde_json::from_str::<Members<'_>>(error.get()) {
        Ok(members) => Fault {
            code: members.code,
            message: members.message.unwrap_or_default().into_owned(),
            data: members.data.map(data),
        },
        Err(_) => Fault {
            code: code::INTERNAL_ERROR,
            message: serde_json::from_str(error.get())
                .unwrap_or_else(|_| "the server answered with an error of its own form".to_owned()),
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
