//! One request frame in, one reply frame out: the native protocol where something else (HTTP)
//! tells one message from the next.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::frame::{HEADER, Header, Kind, read_fault, read_head};
use super::write::{begin, end, write_fault};
use crate::channel::Inbound;
use crate::context::{Caller, Context};
use crate::encoding::Encoding;
use crate::error::Failure;
use crate::fault::{Fault, code};
use crate::params::{Arguments, Part};
use crate::payload::Payload;
use crate::router::Router;
use crate::service::{ReplyTo, Request};

/// Answers the request frame that is all of `body`; nothing to a notification.
pub async fn answer(router: &Arc<Router>, caller: Caller, body: Payload) -> Option<Vec<u8>> {
    let header = Header::read(&body);
    let id = header.map_or(0, |header| header.id);
    let outcome = match header {
        Some(header) => run(router, caller, header, body).await,
        None => Err(no_request()),
    };
    outcome.unwrap_or_else(|fault| {
        let mut out = Vec::new();
        write_fault(&mut out, id, &fault);
        Some(out)
    })
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
    let at = HEADER + head.params.start..body.len();
    let arguments = Arguments::new(
        caller.peer.encoding,
        Part::of(caller.peer.encoding),
        body,
        at,
    )
    .in_frame();
    let clock = caller.peer.clock;
    let deadline = deadline(&caller, head.remaining);
    let context = Context::new(caller.peer, method, deadline, metadata);
    let reply_to = if head.notification {
        ReplyTo::Nobody
    } else {
        let mut out = Vec::with_capacity(64);
        begin(&mut out, Kind::Reply, 0, header.id);
        ReplyTo::Buffer(out)
    };
    let request = Request::new(context, target.index(), arguments, reply_to);
    let answer = router
        .call(target, request)?
        .in_time(clock, deadline)
        .await?;
    Ok(answer.body.map(|mut out| {
        end(&mut out, 0);
        out
    }))
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
            Ok(Inbound::new(encoding, body, start..end).in_frame())
        }
        Some(Kind::Fault) => {
            Err(read_fault(frame, encoding).map_or_else(no_reply, Failure::remote))
        }
        _ => Err(no_reply()),
    }
}

fn no_reply() -> Failure {
    Failure::peer("the answer is not one native reply frame")
}
