//! Native frames, as a server reads them.

use std::time::Instant;

use super::{BATCH, Core};
use crate::connection::{PeerMisbehaved, Received};
use crate::context::Peer;
use crate::fault::{Fault, code};
use crate::params::{Arguments, Part};
use crate::protocol::native::{
    HEADER, HELLO, Header, Hello, Kind, Version, read_head, refusal, unknown_hash, write_empty,
};
use crate::protocol::outbox::ReplyId;

/// Where in the stream the connection is.
#[derive(Debug, Default)]
pub(super) struct Native {
    greeted: bool,
    /// What is left of a frame that is too large to be kept.
    skip: usize,
}

impl Native {
    pub(super) fn receive(
        &mut self,
        core: &mut Core,
        received: &mut Received,
        now: Instant,
    ) -> Result<bool, PeerMisbehaved> {
        if !self.greeted {
            if !greet(core, received)? {
                return Ok(false);
            }
            self.greeted = true;
        }
        for _ in 0..BATCH {
            if self.skip > 0 {
                self.skip -= received.skip(self.skip);
            }
            let Some(header) = Header::read(received.bytes()) else {
                return Ok(false);
            };
            let limit = core.peer.limits.message_bytes;
            if header.length > limit {
                received.skip(HEADER);
                self.skip = header.length;
                refuse_large(core, &header, limit);
                continue;
            }
            let whole = HEADER + header.length;
            if received.bytes().len() < whole {
                received.expect(whole);
                return Ok(false);
            }
            frame(core, received, &header, now)?;
        }
        Ok(true)
    }
}

/// Reads the client's hello and answers it; false while it is not all there.
fn greet(core: &Core, received: &mut Received) -> Result<bool, PeerMisbehaved> {
    let peer = &core.peer;
    let why = match Version::read(received.bytes()) {
        Ok(None) => return Ok(false),
        Ok(Some(Version::Known(hello))) if hello.encoding == peer.encoding => {
            received.skip(HELLO);
            peer.outbox.limit_messages(hello.message_bytes as usize);
            let mine = Hello::new(peer.encoding, &peer.limits);
            peer.outbox.lock().extend_from_slice(&mine.to_bytes());
            return Ok(true);
        }
        Ok(Some(Version::Known(hello))) => format!("{} is not spoken here", hello.encoding),
        Ok(Some(Version::Unknown(why))) => why,
        Ok(Some(Version::Refused(_))) | Err(_) => "this is no hello of farcall's".to_owned(),
    };
    peer.outbox.lock().extend_from_slice(&refusal(&why));
    Err(PeerMisbehaved::new(&why))
}

fn refuse_large(core: &Core, header: &Header, limit: usize) {
    if header.kind == Some(Kind::Request) {
        let fault = Fault::new(
            code::TOO_LARGE,
            format!(
                "the message has {} bytes; the limit is {limit} (`Limits::message_bytes`)",
                header.length
            ),
        );
        core.peer.outbox.fault(&ReplyId::Native(header.id), &fault);
    }
}

/// Takes one whole frame.
fn frame(
    core: &mut Core,
    received: &mut Received,
    header: &Header,
    now: Instant,
) -> Result<(), PeerMisbehaved> {
    if header.has_more() {
        return Err(PeerMisbehaved::new(
            "a message in pieces, which no hello offered",
        ));
    }
    match header.kind {
        Some(Kind::Request) => {
            received.skip(HEADER);
            request(core, received, header, now);
        }
        other => {
            received.skip(HEADER + header.length);
            match other {
                Some(Kind::Cancel) => core.pending.cancel(header.id),
                Some(Kind::Ping) => {
                    write_empty(&mut core.peer.outbox.lock(), Kind::Pong, header.id);
                }
                // From a later version, and harmless: what matters is offered in the hello.
                None | Some(Kind::Pong | Kind::GoingAway) => {}
                Some(kind) => {
                    return Err(PeerMisbehaved::new(&format!(
                        "a {kind:?} frame to a server"
                    )));
                }
            }
        }
    }
    Ok(())
}

/// Takes the body of a request and starts it.
fn request(core: &mut Core, received: &mut Received, header: &Header, now: Instant) {
    let body = received.take(header.length);
    let id = ReplyId::Native(header.id);
    let encoding = core.peer.encoding;
    let Some(head) = read_head(header, &body) else {
        let fault = Fault::new(code::INVALID_REQUEST, "the frame is no request");
        core.peer.outbox.fault(&id, &fault);
        return;
    };
    let reply = (!head.notification).then_some(id);
    let Some(target) = core.router.find_hash(head.method) else {
        let fault = unknown_hash(head.method);
        return core.peer.outbox.refuse(reply.as_ref(), &fault);
    };
    let arguments = Arguments::new(encoding, Part::of(encoding), body, head.params).in_frame();
    core.call(target, arguments, reply, head.metadata, head.remaining, now);
}

/// Tells the client to make its further calls elsewhere.
pub(super) fn write_going_away(peer: &Peer) {
    write_empty(&mut peer.outbox.lock(), Kind::GoingAway, 0);
}
