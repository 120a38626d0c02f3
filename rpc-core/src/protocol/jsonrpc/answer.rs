//! Answering one text with one text.

use std::pin::pin;
use std::sync::Arc;

use futures_util::{StreamExt, stream};

use super::request::{Received, read_request};
use super::write::{after_result, before_result, put_fault};
use crate::context::{Caller, Context, Id};
use crate::fault::{Fault, code};
use crate::payload::Payload;
use crate::protocol::outbox::ReplyId;
use crate::protocol::room::Room;
use crate::protocol::{Answered, Incoming};
use crate::router::Router;
use crate::service::{Answer, Reply, ReplyTo, Request};

/// Answers one HTTP body, or one text from anywhere else: the reply without a line feed, or none
/// if none is wanted.
///
/// The members of a batch run side by side, as many as the peer's limits say, and are answered in
/// the order they came. Dropping the future drops the handlers.
///
/// ```
/// use std::sync::Arc;
///
/// use farcall_core::context::{Caller, Peer};
/// use farcall_core::protocol::jsonrpc::answer;
/// use farcall_core::{encoding::Encoding, limits::Limits, payload::Payload, router::Router};
/// use futures_util::FutureExt;
///
/// let router = Router::builder().build()?;
/// let peer = Peer::new("http", Encoding::Json, None, Limits::default());
/// let body = br#"{"jsonrpc":"2.0","method":"add","params":[7,3],"id":"a"}"#;
/// let reply = answer(&router, Caller::new(Arc::new(peer)), Payload::copied_from(body));
/// assert_eq!(
///     String::from_utf8(reply.now_or_never().flatten().unwrap_or_default().message)?,
///     r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"there is no method `add`"},"id":"a"}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn answer(
    router: &Arc<Router>,
    caller: Caller,
    body: Payload,
) -> impl Future<Output = Option<Answered>> + Send + use<> {
    let router = Arc::clone(router);
    async move {
        match read_request(&router, &body, &caller.peer.limits) {
            Received::One(incoming) => one(&router, &caller, incoming).await,
            Received::Batch(members, _) => answer_batch(&router, &caller, members)
                .await
                .map(Into::into),
            Received::Told(told) => one(&router, &caller, told.without_calls()).await,
        }
    }
}

/// Answers the members of a batch.
pub(crate) async fn answer_batch(
    router: &Router,
    caller: &Caller,
    members: Vec<Incoming>,
) -> Option<Vec<u8>> {
    let limit = caller.peer.outbox.message_limit();
    let side_by_side = caller.peer.members.run(members.len(), &caller.peer.limits);
    let room = &Room::of(limit);
    let answers = members.into_iter().map(|mut member| {
        member.target = member.target.and_then(|target| router.in_batch(target));
        async move {
            let id = member.reply.clone();
            if id.is_some()
                && let Some(fault) = room.refuses()
            {
                let refusal = faulted(id.as_ref(), &fault);
                return (id, Some(refusal));
            }
            // Of the metadata of many replies none is sent: nobody could tell whose is whose.
            let mut answer = room
                .run(pin!(one(router, caller, member)))
                .await
                .map(|answer| answer.message);
            let size = answer.as_ref().map_or(0, Vec::len);
            if let Err(fault) = room.take(size) {
                answer = Some(faulted(id.as_ref(), &fault));
            }
            (id, answer)
        }
    });
    let mut answers = pin!(stream::iter(answers).buffered(side_by_side.places()));
    let mut out = vec![b'['];
    while let Some((id, answer)) = room.next(answers.as_mut()).await {
        let Some(answer) = answer else { continue };
        if out.len() > 1 {
            out.push(b',');
        }
        // The last of many large answers are told why they are missing.
        if out.len().saturating_add(answer.len()) > limit {
            put(&mut out, id.as_ref(), &Fault::replies_too_large(limit));
        } else {
            out.extend_from_slice(&answer);
        }
    }
    out.push(b']');
    // Nothing but notifications: no answer at all, not an empty array.
    (out.len() > 2).then_some(out)
}

/// Answers one request.
async fn one(router: &Router, caller: &Caller, incoming: Incoming) -> Option<Answered> {
    let id = incoming.reply.clone();
    let outcome = run(router, caller, incoming).await;
    let (raw, version_1) = id.as_ref()?.json();
    let fault = match outcome {
        Ok(Answer {
            body: Some(mut message),
            metadata,
        }) => {
            after_result(&mut message, raw, version_1);
            return Some(Answered { message, metadata });
        }
        Ok(_) => Fault::new(code::INTERNAL_ERROR, "the handler gave no result"),
        Err(fault) => fault,
    };
    Some(faulted(id.as_ref(), &fault).into())
}

/// Runs the handler; what it gives is the reply up to the end of its result.
async fn run(router: &Router, caller: &Caller, incoming: Incoming) -> Reply {
    let target = incoming.target?;
    let Some(method) = router.method(target) else {
        return Err(Fault::method_not_found(""));
    };
    let context = Context::new(
        Arc::clone(&caller.peer),
        method,
        caller.deadline,
        caller.metadata.clone(),
    )
    .with_id(Id::of(incoming.reply.as_ref()));
    let reply_to = match &incoming.reply {
        Some(id) => {
            let mut out = Vec::with_capacity(128);
            out.extend_from_slice(before_result(id.json().1));
            ReplyTo::Buffer(out)
        }
        None => ReplyTo::Nobody,
    };
    let request = Request::new(context, target.index(), incoming.arguments, reply_to);
    let running = router.call(target, request)?;
    let Caller { peer, deadline, .. } = caller;
    let most = peer.limits.call_time_max;
    running.in_time(peer.clock, *deadline, most).await
}

pub(super) fn faulted(id: Option<&ReplyId>, fault: &Fault) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, id, fault);
    out
}

fn put(out: &mut Vec<u8>, id: Option<&ReplyId>, fault: &Fault) {
    let (raw, version_1) = id.map_or((&b"null"[..], false), ReplyId::json);
    put_fault(out, raw, version_1, fault);
}
