//! The server's side: one document in, one document out.

use std::sync::Arc;

use super::document::{head, in_utf8};
use super::write::{AFTER_RESULT, BEFORE_RESULT, write_fault};
use crate::context::{Caller, Context};
use crate::encoding::Encoding;
use crate::fault::Fault;
use crate::params::{Arguments, Part};
use crate::payload::Payload;
use crate::protocol::Answered;
use crate::router::Router;
use crate::service::{ReplyTo, Request};

/// Answers the call that is all of `body`. A fault is a document too.
pub async fn answer(router: &Arc<Router>, caller: Caller, body: Payload) -> Answered {
    let is_farcall = caller.peer.is_farcall;
    run(router, caller, body).await.unwrap_or_else(|fault| {
        let mut out = Vec::new();
        write_fault(&mut out, &fault, is_farcall);
        out.into()
    })
}

async fn run(router: &Arc<Router>, caller: Caller, body: Payload) -> Result<Answered, Fault> {
    let body = in_utf8(body)?;
    let head = head(&body)?;
    let unknown = || Fault::method_not_found(&head.method);
    let target = router.find(&head.method).ok_or_else(unknown)?;
    let method = router.method(target).ok_or_else(unknown)?;
    let at = head.params..body.len();
    let arguments = Arguments::new(Encoding::Xml, Part::XmlParams, body, at);
    let (clock, deadline) = (caller.peer.clock, caller.deadline);
    let most = caller.peer.limits.call_time_max;
    let context = Context::new(caller.peer, method, deadline, caller.metadata);
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(BEFORE_RESULT);
    let request = Request::new(context, target.index(), arguments, ReplyTo::Buffer(out));
    let answer = router
        .call(target, request)?
        .in_time(clock, deadline, most)
        .await?;
    let mut message = answer.body.unwrap_or_default();
    message.extend_from_slice(AFTER_RESULT);
    let metadata = answer.metadata;
    Ok(Answered { message, metadata })
}
