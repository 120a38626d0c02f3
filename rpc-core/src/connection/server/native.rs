//! Native frames, as a server reads them.

// Numbers from outside are not added up unchecked.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::time::Instant;

use super::BATCH;
use super::calls::{Beside, Core, Times};
use crate::channel::Inbound;
use crate::connection::assembly::Refused;
use crate::connection::{PeerMisbehaved, Received};
use crate::context::Peer;
use crate::fault::{Fault, code};
use crate::params::{Arguments, Part};
use crate::payload::Payload;
use crate::protocol::native::{
    HEADER, HELLO, Header, Hello, Kind, LAST_WORD, Version, read_credit, read_head, refusal,
    unknown_hash, write_empty,
};
use crate::protocol::outbox::ReplyId;
use crate::stream::{Broken, Flow};

/// After so many requests of a batch the clock is looked at again: a handler may have kept the thread.
const LOOK: usize = 8;

/// Where in the stream the connection is.
#[derive(Debug, Default)]
pub(super) struct Native {
    greeted: bool,
}

impl Native {
    pub(super) fn is_greeted(&self) -> bool {
        self.greeted
    }

    pub(super) fn receive(
        &mut self,
        core: &mut Core,
        received: &mut Received,
        mut times: Times,
    ) -> Result<bool, PeerMisbehaved> {
        if !self.greeted {
            if !greet(core, received)? {
                return Ok(false);
            }
            self.greeted = true;
            if core.draining {
                write_going_away(&core.peer);
            }
        }
        for count in 1..=BATCH {
            if count.is_multiple_of(LOOK) {
                core.look_at_clock(&mut times);
            }
            if core.assembly.is_reading() {
                match core.assembly.read(received, times.now) {
                    Some((header, body)) if header.kind == Some(Kind::Item) => {
                        item(core, &header, body);
                    }
                    Some((header, body)) => large_request(core, &header, body, times),
                    None => {}
                }
                if core.assembly.is_reading() {
                    return Ok(false);
                }
            }
            let Some(header) = Header::read(received.bytes()) else {
                return Ok(false);
            };
            let limit = core.peer.limits.message_bytes;
            if header.length > header.most(limit) {
                received.skip(HEADER);
                core.assembly.skip(header.length);
                if matches!(header.kind, Some(Kind::Request | Kind::Item)) {
                    refuse_large(core, &header, header.length);
                }
                continue;
            }
            if header.is_piece() {
                if !piece(core, received, &header, times.now)? {
                    return Ok(false);
                }
                continue;
            }
            let whole = HEADER.saturating_add(header.length);
            if received.bytes().len() < whole {
                received.expect(whole);
                return Ok(false);
            }
            frame(core, received, &header, times)?;
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
            let mut out = peer.outbox.lock();
            out.whole.extend_from_slice(&mine.to_bytes());
            if hello.takes_pieces() {
                out.take_pieces();
            }
            return Ok(true);
        }
        Ok(Some(Version::Known(hello))) => format!("{} is not spoken here", hello.encoding),
        Ok(Some(Version::Unknown(why))) => why,
        Ok(Some(Version::Refused(_))) | Err(_) => "this is no hello of farcall's".to_owned(),
    };
    peer.outbox.lock().whole.extend_from_slice(&refusal(&why));
    Err(PeerMisbehaved::new(&why))
}

fn refuse_large(core: &mut Core, header: &Header, size: usize) {
    let limit = core.peer.limits.message_bytes;
    let words =
        format!("the message has {size} bytes; the limit is {limit} (`Limits::message_bytes`)");
    refuse(core, header, code::TOO_LARGE, words);
}

/// Answers a request that was begun, if it is known whose it is.
pub(super) fn refuse_begun(core: &Core, received: &Received, fault: &Fault) {
    if let Some(header) = Header::read(received.bytes())
        && header.kind == Some(Kind::Request)
    {
        core.peer.outbox.fault(&ReplyId::Native(header.id), fault);
    }
}

/// Answers a message that is not taken. With an item its call fails, and one of a call that is over
/// is nobody's fault.
fn refuse(core: &mut Core, header: &Header, code: i32, why: String) {
    let fault = Fault::new(code, why);
    if core.peer.streams.flow(header.id).is_some() {
        core.fail(header.id, &fault);
    } else if header.kind != Some(Kind::Item) {
        core.peer.outbox.fault(&ReplyId::Native(header.id), &fault);
    }
}

/// Begins to read a piece of a request; false if its head is not all there.
fn piece(
    core: &mut Core,
    received: &mut Received,
    header: &Header,
    now: Instant,
) -> Result<bool, PeerMisbehaved> {
    let is_message = matches!(header.kind, Some(Kind::Request | Kind::Item));
    if !is_message && !header.is_chunk() {
        let kind = header.kind;
        let what = format!("a {kind:?} frame to a server, in pieces");
        return Err(PeerMisbehaved::new(&what));
    }
    let limit = core.peer.limits.message_bytes;
    match core.assembly.begin(header, received, limit, now) {
        Ok(begun) => return Ok(begun),
        Err(Refused::TooLarge(size)) => refuse_large(core, header, size),
        Err(Refused::TooMany(most)) => {
            let words = format!("{most} requests in pieces are under way on this connection");
            let Fault { code, message, .. } = Fault::overloaded(&words);
            refuse(core, header, code, message);
        }
        Err(Refused::Broken) => {
            let words = "a message in pieces that do not fit".to_owned();
            refuse(core, header, code::INVALID_REQUEST, words);
        }
    }
    Ok(true)
}

impl Core {
    /// Ends the call `id` with `fault`.
    pub(super) fn fail(&mut self, id: u64, fault: &Fault) {
        if let Some(reply) = self.cancel(id) {
            self.peer.outbox.fault(&reply, fault);
        }
    }

    /// Has what belongs to a stream taken by the call `id`. If that is over, the caller did not
    /// know yet: nobody is wrong, and a reply may still be under way.
    pub(super) fn of_stream(&mut self, id: u64, take: impl FnOnce(&Flow) -> Result<(), Broken>) {
        let taken = self.peer.streams.flow(id).map(|flow| take(&flow));
        if let Some(Err(broken)) = taken {
            self.fail(id, &Fault::new(code::INVALID_REQUEST, broken.to_string()));
        }
    }

    /// The caller gave up the call `id`.
    fn cancel(&mut self, id: u64) -> Option<ReplyId> {
        self.assembly.forget(id);
        self.peer.outbox.lock().forget(id);
        self.pending.cancel(id)
    }

    /// When a request that stopped in the middle is refused.
    pub(super) fn next_piece_due(&self) -> Option<Instant> {
        self.assembly.next_deadline(self.peer.limits.body_time)
    }

    /// Refuses requests of which no piece came for too long.
    pub(super) fn refuse_unfinished(&mut self, now: Instant) {
        let patience = self.peer.limits.body_time;
        while let Some(header) = self.assembly.expire(now, patience) {
            let words = format!(
                "no further piece of the message came for {patience:?} (`Limits::body_time`)"
            );
            refuse(self, &header, code::TIMEOUT, words);
        }
    }
}

/// Takes one whole frame.
#[inline]
fn frame(
    core: &mut Core,
    received: &mut Received,
    header: &Header,
    times: Times,
) -> Result<(), PeerMisbehaved> {
    match header.kind {
        Some(Kind::Request) => {
            received.skip(HEADER);
            let body = received.take(header.length);
            request(core, header, body, times);
        }
        Some(Kind::Item) => {
            received.skip(HEADER);
            let body = received.take(header.length);
            item(core, header, body);
        }
        Some(Kind::Credit) => {
            received.skip(HEADER);
            let body = received.take(header.length);
            let bytes = read_credit(&body).unwrap_or_default();
            core.of_stream(header.id, |flow| flow.granted(bytes));
        }
        other => {
            received.skip(HEADER.saturating_add(header.length));
            match other {
                Some(Kind::End) => core.of_stream(header.id, |flow| {
                    flow.end(Ok(()));
                    Ok(())
                }),
                Some(Kind::Cancel) => {
                    core.cancel(header.id);
                }
                Some(Kind::Ping) => {
                    write_empty(&mut core.peer.outbox.lock().whole, Kind::Pong, header.id);
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

/// Takes an item of a caller's stream.
fn item(core: &mut Core, header: &Header, body: Payload) {
    let at = 0..body.len();
    let item = Inbound::new(core.peer.encoding, body, at).in_frame();
    core.of_stream(header.id, |flow| flow.push(item));
}

/// As [`request`], of one that came in pieces.
#[cold]
fn large_request(core: &mut Core, header: &Header, body: Payload, times: Times) {
    request(core, header, body, times);
}

/// Takes the body of a request and starts it. (Always inline, with what it calls: the parts of a
/// request are moved from each function to the next, and nearly all frames are requests.)
#[inline(always)]
fn request(core: &mut Core, header: &Header, body: Payload, times: Times) {
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
    let metadata = match head.metadata.is_empty() {
        true => core.peer.metadata.clone(),
        false => head.metadata,
    };
    let beside = Beside {
        metadata,
        remaining: head.remaining,
        window: None,
    };
    core.call(target, arguments, reply, beside, times);
}

/// Asks the client whether it is still there.
pub(super) fn write_ping(peer: &Peer) {
    write_empty(&mut peer.outbox.lock().whole, Kind::Ping, 0);
}

/// Tells the client to make its further calls elsewhere.
pub(super) fn write_going_away(peer: &Peer) {
    write_empty(&mut peer.outbox.lock().whole, Kind::GoingAway, 0);
}

/// Tells the client that what is not answered was not run.
pub(super) fn write_last_word(peer: &Peer) {
    write_empty(&mut peer.outbox.lock().whole, Kind::GoingAway, LAST_WORD);
}
