//! Native frames, as a client reads them.

// Numbers from outside are not added up unchecked.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use super::driver::Driver;
use super::{Closed, State};
use crate::channel::Inbound;
use crate::connection::assembly::Refused;
use crate::connection::{PeerMisbehaved, Received};
use crate::error::Failure;
use crate::fault::shown;
use crate::payload::Payload;
use crate::protocol::native::{
    HEADER, HELLO, Header, Kind, LAST_WORD, Version, read_credit, read_fault, read_reply_metadata,
    write_empty,
};

impl Driver {
    /// Reads the server's hello; false while it is not all there.
    pub(super) fn greet(&mut self, received: &mut Received) -> Result<bool, PeerMisbehaved> {
        let mut state = self.shared.lock();
        let why = match Version::read(received.bytes()) {
            Ok(None) => return Ok(false),
            Ok(Some(Version::Known(hello))) if hello.encoding == self.shared.encoding => {
                received.skip(HELLO);
                if hello.takes_pieces() {
                    state.out.take_pieces();
                }
                state.message_bytes = state.message_bytes.min(hello.message_bytes as usize);
                state.calls = state.calls.min((hello.calls as usize).max(1));
                state.greeted = true;
                self.wakers.extend(state.waits_for_hello.take());
                return Ok(true);
            }
            Ok(Some(Version::Known(hello))) => format!("the server speaks {}", hello.encoding),
            Ok(Some(Version::Unknown(why))) => why,
            Ok(Some(Version::Refused(words))) => shown(&words),
            // Somebody else's protocol: what it said is the best explanation there is.
            Err(_) => {
                let said = String::from_utf8_lossy(received.bytes());
                format!(
                    "it does not speak the native protocol; it said: {}",
                    shown(said.trim())
                )
            }
        };
        state.closed = Some(Closed::Refused(why.clone()));
        Err(PeerMisbehaved::new(&why))
    }

    /// Takes one frame; false if none is complete.
    #[inline]
    pub(super) fn frame(
        &mut self,
        state: &mut State,
        received: &mut Received,
    ) -> Result<bool, PeerMisbehaved> {
        if state.assembly.is_reading() {
            let now = (self.shared.now)();
            if let Some((header, body)) = state.assembly.read(received, now) {
                self.message(state, &header, body)?;
            }
            if state.assembly.is_reading() {
                return Ok(false);
            }
        }
        let Some(header) = Header::read(received.bytes()) else {
            return Ok(false);
        };
        let limit = self.shared.limits.message_bytes;
        if header.length > header.most(limit) {
            received.skip(HEADER);
            state.assembly.skip(header.length);
            let failure = Failure::reply_too_large(Some(header.length), limit);
            self.wakers.extend(state.break_off(header.id, failure));
            return Ok(true);
        }
        if header.is_piece() {
            return Ok(self.piece(state, received, &header));
        }
        let whole = HEADER.saturating_add(header.length);
        if received.bytes().len() < whole {
            received.expect(whole);
            return Ok(false);
        }
        received.skip(HEADER);
        let body = received.take(header.length);
        if header.is_plain_reply() && state.streams.is_empty() {
            // Nearly all that comes.
            let at = 0..body.len();
            let reply = Inbound::new(self.shared.encoding, body, at).in_frame();
            self.complete(state, header.id, Ok(reply));
        } else {
            self.message(state, &header, body)?;
        }
        Ok(true)
    }

    /// Begins to read a piece of a message; false if its head is not all there.
    fn piece(&mut self, state: &mut State, received: &mut Received, header: &Header) -> bool {
        // Nobody waits any more: neither is it kept.
        let id = header.id;
        let is_wanted = state.slots.is_waited_for(id) || state.streams.flow(id).is_some();
        if !header.is_chunk() && !is_wanted {
            received.skip(HEADER);
            state.assembly.skip(header.length);
            return true;
        }
        let limit = self.shared.limits.message_bytes;
        let now = (self.shared.now)();
        let refused = match state.assembly.begin(header, received, limit, now) {
            Ok(begun) => return begun,
            Err(refused) => refused,
        };
        let failure = match refused {
            Refused::TooLarge(size) => Failure::reply_too_large(Some(size), limit),
            Refused::TooMany(most) => {
                Failure::peer(format!("more than {most} messages in pieces at a time"))
            }
            Refused::Broken => Failure::peer("a message in pieces that do not fit"),
        };
        self.wakers.extend(state.break_off(header.id, failure));
        true
    }

    /// Takes a reply: the answer to a call, or the word that its stream follows.
    fn reply(&mut self, state: &mut State, header: &Header, reply: Result<Inbound, Failure>) {
        let id = header.id;
        match (state.streams.gives(id), header.opens_stream()) {
            (true, true) => self.complete(state, id, reply),
            (false, false) => {
                state.streams.remove(id);
                self.complete(state, id, reply);
            }
            (gives, _) => {
                let wanted = if gives { "a stream" } else { "a value" };
                let failure = Failure::peer(format!("the answer is not {wanted}"));
                self.wakers.extend(state.break_off(id, failure));
            }
        }
    }

    /// Takes one whole message.
    fn message(
        &mut self,
        state: &mut State,
        header: &Header,
        body: Payload,
    ) -> Result<(), PeerMisbehaved> {
        let encoding = self.shared.encoding;
        match header.kind {
            Some(Kind::Reply) => {
                let at = usize::from(header.metadata)..body.len();
                let reply = match read_reply_metadata(header, &body) {
                    Some(metadata) => Ok(Inbound::new(encoding, body, at)
                        .in_frame()
                        .with_metadata(metadata)),
                    None => Err(Failure::peer("a reply whose metadata is none")),
                };
                self.reply(state, header, reply);
            }
            Some(Kind::Fault) => {
                let failure = read_fault(&body, encoding)
                    .map_or_else(|| Failure::peer("a fault frame too short"), Failure::remote);
                if state.slots.is_waited_for(header.id) {
                    state.streams.remove(header.id);
                    self.complete(state, header.id, Err(failure));
                } else {
                    state.stream_ended(header.id, Err(failure));
                }
            }
            Some(Kind::Item) => {
                let at = 0..body.len();
                let item = Inbound::new(encoding, body, at).in_frame();
                self.wakers.extend(state.item(header.id, item));
            }
            Some(Kind::End) => {
                state.stream_ended(header.id, Ok(()));
            }
            Some(Kind::Credit) => {
                if let Some(bytes) = read_credit(&body) {
                    self.wakers.extend(state.granted(header.id, bytes));
                }
            }
            Some(Kind::Ping) => write_empty(&mut state.out.whole, Kind::Pong, header.id),
            Some(Kind::GoingAway) => state.going_away(header.id == LAST_WORD),
            None | Some(Kind::Pong) => {}
            Some(kind) => {
                return Err(PeerMisbehaved::new(&format!(
                    "a {kind:?} frame to a client"
                )));
            }
        }
        Ok(())
    }
}
