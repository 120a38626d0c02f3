//! JSON-RPC texts, as a server reads them from a byte stream.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::BATCH;
use super::calls::Core;
use crate::channel::Inbound;
use crate::connection::{PeerMisbehaved, Received};
use crate::context::{Caller, Metadata, Peer};
use crate::encoding::Encoding;
use crate::fault::{Fault, code};
use crate::payload::Payload;
use crate::protocol::jsonrpc::{
    self, Split, Splitter, Told, Word, answer_batch, read_call, read_request,
};
use crate::protocol::outbox::ReplyId;
use crate::stream::{Broken, Flow};

/// Where in the stream the connection is.
#[derive(Debug)]
pub(super) struct Json {
    splitter: Splitter,
    /// Each text is a message: nothing that is no JSON can stand before what is.
    in_messages: bool,
}

impl Json {
    pub(super) fn new(message_bytes: usize) -> Self {
        Self {
            splitter: Splitter::new(message_bytes),
            in_messages: false,
        }
    }

    /// As [`new`](Self::new), where each text is a message.
    pub(super) fn of_messages(message_bytes: usize) -> Self {
        Self {
            splitter: Splitter::of_messages(message_bytes),
            in_messages: true,
        }
    }

    pub(super) fn receive(
        &mut self,
        core: &mut Core,
        received: &mut Received,
        now: Instant,
    ) -> Result<bool, PeerMisbehaved> {
        for _ in 0..BATCH {
            match self.splitter.next(received.bytes()) {
                Split::Partial => return Ok(false),
                Split::Blank(count) => {
                    received.skip(count);
                    self.splitter.consumed(count);
                }
                Split::TooLarge => {
                    let limit = core.peer.limits.message_bytes;
                    let fault = Fault::new(
                        code::TOO_LARGE,
                        format!(
                            "the limit of a message is {limit} bytes (`Limits::message_bytes`)"
                        ),
                    );
                    let text = self.splitter.begun(received.bytes());
                    if !self.in_messages && may_skip_http(text, limit) {
                        return Err(refuse_http(core));
                    }
                    let item_of = jsonrpc::item_of(text);
                    match item_of.and_then(|id| core.peer.streams.of_request(id)) {
                        // Without it its stream is not what was sent.
                        Some(number) => core.fail(number, &fault),
                        None => core.peer.outbox.fault(&nobody(), &fault),
                    }
                }
                Split::Text(at) => {
                    let text = received.bytes().get(at.clone()).unwrap_or_default();
                    if !self.in_messages && begins_http(text) {
                        return Err(refuse_http(core));
                    }
                    let text = take(received, &at);
                    self.splitter.consumed(at.end);
                    self.text(core, &text, now)?;
                }
            }
        }
        Ok(true)
    }

    /// What is left at the end of the stream is a text that was not finished.
    pub(super) fn receive_end(&mut self, core: &Core, received: &mut Received) {
        if !received.bytes().trim_ascii().is_empty() {
            let fault = Fault::new(
                code::PARSE_ERROR,
                "the stream ends in the middle of a message",
            );
            core.peer.outbox.fault(&nobody(), &fault);
        }
        received.skip(usize::MAX);
    }

    fn text(
        &mut self,
        core: &mut Core,
        text: &Payload,
        now: Instant,
    ) -> Result<(), PeerMisbehaved> {
        if let Some(call) = read_call(&core.router, text) {
            core.start(call, now);
            return Ok(());
        }
        if let Some(item) = jsonrpc::item(text)
            && let Some(number) = core.peer.streams.of_request(item.of)
        {
            // What is no JSON is found out by whoever reads it, and ends that call alone.
            let item = Inbound::new(Encoding::Json, text.clone(), item.at);
            core.of_stream(number, |flow| flow.push(item));
            return Ok(());
        }
        match read_request(&core.router, text, &core.peer.limits) {
            jsonrpc::Received::One(incoming) => {
                if matches!(&incoming.target, Err(fault) if fault.code == code::PARSE_ERROR) {
                    if !self.in_messages && hides_http(text) {
                        return Err(refuse_http(core));
                    }
                    self.splitter.resync();
                }
                core.start(incoming, now);
            }
            jsonrpc::Received::Batch(members, said) => {
                for told in said {
                    core.told(told);
                }
                if members.is_empty() {
                    return Ok(());
                }
                if !core.admits() {
                    core.peer.outbox.fault(&nobody(), &core.unavailable());
                    return Ok(());
                }
                let router = Arc::clone(&core.router);
                let mut caller = Caller::new(Arc::clone(&core.peer));
                caller.metadata = core.peer.metadata.clone();
                core.run(async move {
                    if let Some(mut reply) = answer_batch(&router, &caller, members).await {
                        reply.push(b'\n');
                        caller.peer.outbox.lock().whole.extend_from_slice(&reply);
                    }
                });
            }
            jsonrpc::Received::Told(told) => core.told(*told),
        }
        Ok(())
    }
}

impl Core {
    /// The client said something about its calls.
    fn told(&mut self, told: Told) {
        let done = told.what.and_then(|word| self.done(word));
        let Some(reply) = &told.reply else { return };
        let outbox = &self.peer.outbox;
        let answered = done.and_then(|()| {
            let nothing = Metadata::default();
            outbox.reply(reply, &nothing, |out| Encoding::Json.encode(&true, out))
        });
        if let Err(fault) = answered {
            outbox.fault(reply, &fault);
        }
    }

    fn done(&mut self, word: Word) -> Result<(), Fault> {
        match word {
            Word::Cancel(id) => self.cancel_request(&id),
            Word::Unsubscribe(number) => {
                if !self.pending.unsubscribe(number) {
                    let words = format!("no subscription {number} is open on this connection");
                    return Err(Fault::new(code::INVALID_PARAMS, words));
                }
            }
            Word::Credit(number, bytes) => {
                let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
                self.of_stream(number, |flow| flow.granted(bytes));
            }
            Word::Item(id, item) => self.of_request(&id, |flow| flow.push(item)),
            Word::End(id) => self.of_request(&id, |flow| {
                flow.end(Ok(()));
                Ok(())
            }),
        }
        Ok(())
    }

    /// Has what belongs to a stream taken by the call with this id. If that is over, the caller did
    /// not know yet.
    fn of_request(&mut self, id: &[u8], take: impl FnOnce(&Flow) -> Result<(), Broken>) {
        if let Some(number) = self.peer.streams.of_request(id) {
            self.of_stream(number, take);
        }
    }

    /// Drops the handler of a call. It is answered all the same: in JSON-RPC every call is.
    fn cancel_request(&mut self, id: &[u8]) {
        if let Some(reply) = self.pending.cancel_request(id) {
            let fault = Fault::new(code::CANCELLED, "the caller gave up");
            self.peer.outbox.fault(&reply, &fault);
        }
    }
}

/// Takes the text `at` of what was received, and drops what stands before it.
fn take(received: &mut Received, at: &Range<usize>) -> Payload {
    received.skip(at.start);
    received.take(at.len())
}

/// Answers a text that was begun.
pub(super) fn refuse_begun(core: &Core, fault: &Fault) {
    core.peer.outbox.fault(&nobody(), fault);
}

/// The id of a request that could not be read.
fn nobody() -> ReplyId {
    ReplyId::Json {
        raw: Payload::copied_from(b"null"),
        version_1: false,
    }
}

/// Tells the client that what is not answered was not run.
pub(super) fn write_last_word(peer: &Peer) {
    jsonrpc::write_going_away(&mut peer.outbox.lock().whole);
}

/// True if `text`, which should be JSON, begins as a request of HTTP does, with a word in capitals. What
/// stands behind it may be a body that somebody else chose the text of, a web page say: nothing in it is run.
#[inline]
fn begins_http(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_uppercase) && {
        let is_of_word = |byte: &&u8| byte.is_ascii_uppercase() || **byte == b'-';
        let length = text.iter().take_while(is_of_word).count();
        let behind = text.get(length);
        length >= 3 && behind.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'/'))
    }
}

/// True if a line of `text`, which is no JSON, begins so: the lines before it were there to hide it.
#[cold]
fn hides_http(text: &[u8]) -> bool {
    let mut lines = text.split(|&byte| byte == b'\n');
    lines.any(|line| begins_http(line.trim_ascii_start()))
}

/// True if the line may begin so in which `text` exceeds its `limit`: what is left of it is not looked at.
#[cold]
fn may_skip_http(text: &[u8], limit: usize) -> bool {
    let text = text.get(..=limit).unwrap_or(text);
    let line = text.rsplit(|&byte| byte == b'\n').next();
    line.is_some_and(|line| {
        let first = line.trim_ascii_start().first();
        !line.is_empty() && first.is_none_or(u8::is_ascii_uppercase)
    })
}

/// Nothing further is read.
#[cold]
fn refuse_http(core: &Core) -> PeerMisbehaved {
    let what = "HTTP where a JSON-RPC message was expected";
    refuse_begun(core, &Fault::new(code::PARSE_ERROR, what));
    PeerMisbehaved::new(what)
}
