//! Request frames in, reply frames out: the native protocol where something else (HTTP) tells one
//! message from the next.

use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};

use super::frame::{HEADER, Header, Kind, read_fault, read_head, read_reply_metadata};
use super::write::{add_metadata, begin, end, write_fault};
use crate::channel::Inbound;
use crate::context::{Caller, Context, Id};
use crate::encoding::Encoding;
use crate::error::Failure;
use crate::fault::{Fault, code};
use crate::params::{Arguments, Part};
use crate::payload::Payload;
use crate::protocol::batch::Numbered;
use crate::protocol::room::Room;
use crate::router::Router;
use crate::service::{ReplyTo, Request};

/// Answers the request frames that are all of `body`, usually one; nothing to a notification.
///
/// Several run side by side, as many as the peer's limits say, and are answered in the order they
/// came.
pub async fn answer(router: &Arc<Router>, caller: Caller, body: Payload) -> Option<Vec<u8>> {
    let header = Header::read(&body);
    if header.is_some_and(|header| body.len() == HEADER.saturating_add(header.length)) {
        // As nearly always.
        return one(router, caller, body).await;
    }
    let limits = &caller.peer.limits;
    let most = limits.batch_members;
    let Some(frames) = frames(&body, most).filter(|frames| frames.len() > 1) else {
        return one(router, caller, body).await;
    };
    if frames.len() > most {
        return Some(faulted(0, &Fault::too_many_members(most)));
    }
    let limit = caller.peer.outbox.message_limit();
    let peer = Arc::clone(&caller.peer);
    let side_by_side = peer.members.run(frames.len(), limits);
    let room = &Room::of(limit);
    let answers = frames.into_iter().map(|at| {
        let frame = body.part(at);
        let id = Header::read(&frame).map_or(0, |header| header.id);
        let caller = caller.clone();
        async move {
            if let Some(fault) = room.refuses()
                && wants_reply(&frame)
            {
                return (id, Some(faulted(id, &fault)));
            }
            let mut answer = room.run(pin!(one(router, caller, frame))).await;
            let size = answer.as_ref().map_or(0, Vec::len);
            if let Err(fault) = room.take(size) {
                answer = Some(faulted(id, &fault));
            }
            (id, answer)
        }
    });
    let mut answers = pin!(stream::iter(answers).buffered(side_by_side.places()));
    let mut out = Vec::new();
    while let Some((id, answer)) = room.next(answers.as_mut()).await {
        let Some(answer) = answer else { continue };
        // The last of many large answers are told why they are missing.
        if out.len().saturating_add(answer.len()) > limit {
            write_fault(&mut out, id, &Fault::replies_too_large(limit));
        } else {
            out.extend_from_slice(&answer);
        }
    }
    (!out.is_empty()).then_some(out)
}

/// Where the frames are in `body`, headers and all, if it holds nothing but whole frames. Looks no
/// further than one frame beyond `most`.
fn frames(body: &[u8], most: usize) -> Option<Vec<Range<usize>>> {
    let mut frames = Vec::new();
    let mut start = 0;
    while start < body.len() && frames.len() <= most {
        let header = Header::read(body.get(start..)?)?;
        let end = start.checked_add(HEADER)?.checked_add(header.length)?;
        if end > body.len() {
            return None;
        }
        frames.push(start..end);
        start = end;
    }
    Some(frames)
}

/// Answers the request frame that is all of `body`.
async fn one(router: &Arc<Router>, caller: Caller, body: Payload) -> Option<Vec<u8>> {
    let header = Header::read(&body);
    let id = header.map_or(0, |header| header.id);
    let outcome = match header {
        Some(header) => run(router, caller, header, body).await,
        None => Err(no_request()),
    };
    outcome.unwrap_or_else(|fault| Some(faulted(id, &fault)))
}

fn faulted(id: u64, fault: &Fault) -> Vec<u8> {
    let mut out = Vec::new();
    write_fault(&mut out, id, fault);
    out
}

/// False if `frame` is a notification.
fn wants_reply(frame: &[u8]) -> bool {
    let head = Header::read(frame)
        .and_then(|header| read_head(&header, frame.get(HEADER..).unwrap_or_default()));
    head.is_none_or(|head| !head.notification)
}

async fn run(
    router: &Arc<Router>,
    caller: Caller,
    header: Header,
    body: Payload,
) -> Result<Option<Vec<u8>>, Fault> {
    let whole = body.len() == HEADER.saturating_add(header.length);
    if !whole || header.kind != Some(Kind::Request) || header.has_more() {
        return Err(no_request());
    }
    let frame = body.get(HEADER..).unwrap_or_default();
    let head = read_head(&header, frame).ok_or_else(no_request)?;
    let target = router
        .find_hash(head.method)
        .ok_or_else(|| unknown_hash(head.method))?;
    let method = router
        .method(target)
        .ok_or_else(|| unknown_hash(head.method))?;
    let metadata = if head.metadata.is_empty() {
        caller.metadata.clone()
    } else {
        head.metadata
    };
    let at = HEADER.saturating_add(head.params.start)..body.len();
    let arguments = Arguments::new(
        caller.peer.encoding,
        Part::of(caller.peer.encoding),
        body,
        at,
    )
    .in_frame();
    let clock = caller.peer.clock;
    let most = caller.peer.limits.call_time_max;
    let deadline = deadline(&caller, head.remaining);
    let context = Context::new(caller.peer, method, deadline, metadata);
    let (context, reply_to) = if head.notification {
        (context, ReplyTo::Nobody)
    } else {
        let mut out = Vec::with_capacity(64);
        begin(&mut out, Kind::Reply, 0, header.id);
        let context = context.with_id(Id::Number(header.id));
        (context, ReplyTo::Buffer(out))
    };
    let request = Request::new(context, target.index(), arguments, reply_to);
    let answer = router
        .call(target, request)?
        .in_time(clock, deadline, most)
        .await?;
    let Some(mut out) = answer.body else {
        return Ok(None);
    };
    if !answer.metadata.is_empty() {
        let added = add_metadata(&mut out, &answer.metadata);
        added.map_err(|error| Fault::new(code::INTERNAL_ERROR, error.to_string()))?;
    }
    end(&mut out, 0);
    Ok(Some(out))
}

/// The earlier of what was said beside the frame and in it.
fn deadline(caller: &Caller, remaining: Option<Duration>) -> Option<Instant> {
    let inside = caller
        .peer
        .clock
        .zip(remaining)
        .and_then(|(clock, remaining)| {
            (clock.now)().checked_add(remaining.min(caller.peer.limits.call_time_max))
        });
    caller.deadline.into_iter().chain(inside).min()
}

fn no_request() -> Fault {
    Fault::new(
        code::INVALID_REQUEST,
        "the body is not one native request frame",
    )
}

pub(crate) fn unknown_hash(hash: u32) -> Fault {
    Fault::new(
        code::METHOD_NOT_FOUND,
        format!("there is no method with the hash {hash:#010x}: is the trait the same here?"),
    )
}

/// Reads the reply frame that is all of `body`.
///
/// # Errors
/// The fault that came, or that it is no reply.
pub fn read_reply(body: Payload, encoding: Encoding) -> Result<Inbound, Failure> {
    let header = Header::read(&body).ok_or_else(no_reply)?;
    let whole = body.len() == HEADER.saturating_add(header.length);
    let frame = body.get(HEADER..).filter(|_| whole).ok_or_else(no_reply)?;
    match header.kind {
        Some(Kind::Reply) if !header.has_more() => {
            let start = HEADER + usize::from(header.metadata);
            let end = body.len();
            let metadata = read_reply_metadata(&header, frame).ok_or_else(no_reply)?;
            let inbound = Inbound::new(encoding, body, start..end).in_frame();
            Ok(inbound.with_metadata(metadata))
        }
        Some(Kind::Fault) => {
            Err(read_fault(frame, encoding).map_or_else(no_reply, Failure::remote))
        }
        _ => Err(no_reply()),
    }
}

/// Reads the reply frames that are all of `body`, each with the id of its call.
///
/// # Errors
/// The fault that came for all of them, or that these are no reply frames.
pub(crate) fn read_batch(body: &Payload, encoding: Encoding) -> Result<Vec<Numbered>, Failure> {
    let frames = frames(body, usize::MAX).filter(|frames| !frames.is_empty());
    let frames = frames.ok_or_else(no_reply)?;
    let mut replies = Vec::with_capacity(frames.len());
    for at in frames {
        let frame = body.part(at);
        let id = Header::read(&frame).map_or(0, |header| header.id);
        let reply = read_reply(frame, encoding);
        match reply {
            // Calls are counted from 1: this is for none of them.
            Err(failure) if id == 0 => {
                return Err(match failure.fault() {
                    Some(fault) => Failure::batch_refused(fault.clone()),
                    None => failure,
                });
            }
            reply => replies.push((Some(id), reply)),
        }
    }
    Ok(replies)
}

fn no_reply() -> Failure {
    Failure::peer("the answer is not one native reply frame")
}
