//! Native frames, as a server reads them.

use std::time::Instant;

use super::{BATCH, Core};
use crate::connection::assembly::{Piece, Refused};
use crate::connection::{PeerMisbehaved, Received};
use crate::context::Peer;
use crate::fault::{Fault, code};
use crate::params::{Arguments, Part};
use crate::payload::Payload;
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
            if header.length > header.most(limit) {
                received.skip(HEADER);
                self.skip = header.length;
                if header.kind == Some(Kind::Request) {
                    refuse_large(core, &header, header.length);
                }
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

fn refuse_large(core: &Core, header: &Header, size: usize) {
    let limit = core.peer.limits.message_bytes;
    let words =
        format!("the message has {size} bytes; the limit is {limit} (`Limits::message_bytes`)");
    refuse(core, header, code::TOO_LARGE, words);
}

fn refuse(core: &Core, header: &Header, code: i32, why: String) {
    let fault = Fault::new(code, why);
    core.peer.outbox.fault(&ReplyId::Native(header.id), &fault);
}

/// Takes a piece of a request, and starts it if it is the last.
fn piece(core: &mut Core, received: &Received, header: &Header, now: Instant) {
    let limit = core.peer.limits.message_bytes;
    let bytes = received.bytes().get(HEADER..HEADER + header.length);
    let piece = bytes.unwrap_or_default();
    match core.assembly.take(header, piece, limit, now) {
        Piece::Partial => {}
        Piece::Whole(header, body) => request(core, &header, body, now),
        Piece::Refused(Refused::TooLarge(size)) => refuse_large(core, header, size),
        Piece::Refused(Refused::TooMany(most)) => {
            let words = format!("{most} requests in pieces are under way on this connection");
            refuse(core, header, code::OVERLOADED, words);
        }
        Piece::Refused(Refused::Broken) => {
            let words = "a message in pieces that do not fit".to_owned();
            refuse(core, header, code::INVALID_REQUEST, words);
        }
    }
}

impl Core {
    /// The caller gave up the call `id`.
    fn cancel(&mut self, id: u64) {
        self.pending.cancel(id);
        self.assembly.forget(id);
        self.peer.outbox.lock().forget(id);
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
fn frame(
    core: &mut Core,
    received: &mut Received,
    header: &Header,
    now: Instant,
) -> Result<(), PeerMisbehaved> {
    if header.is_piece() {
        let is_request = header.kind == Some(Kind::Request);
        if !is_request && !header.is_chunk() {
            let kind = header.kind;
            let what = format!("a {kind:?} frame to a server, in pieces");
            return Err(PeerMisbehaved::new(&what));
        }
        piece(core, received, header, now);
        received.skip(HEADER + header.length);
        return Ok(());
    }
    match header.kind {
        Some(Kind::Request) => {
            received.skip(HEADER);
            let body = received.take(header.length);
            request(core, header, body, now);
        }
        other => {
            received.skip(HEADER + header.length);
            match other {
                Some(Kind::Cancel) => core.cancel(header.id),
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

/// Takes the body of a request and starts it.
fn request(core: &mut Core, header: &Header, body: Payload, now: Instant) {
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
    write_empty(&mut peer.outbox.lock().whole, Kind::GoingAway, 0);
}
