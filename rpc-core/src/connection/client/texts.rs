//! JSON-RPC texts, as a client reads them.

use super::State;
use super::driver::Driver;
use super::slots::Outcome;
use crate::channel::Inbound;
use crate::connection::{PeerMisbehaved, Received};
use crate::error::Failure;
use crate::fault::{Fault, code};
use crate::payload::Payload;
use crate::protocol::jsonrpc::{Ends, Heard, News, Split, hear, read_batch, subscription_id};

impl Driver {
    /// Takes one JSON text; false if none is complete.
    pub(super) fn text(
        &mut self,
        state: &mut State,
        received: &mut Received,
    ) -> Result<bool, PeerMisbehaved> {
        let range = match self.splitter.next(received.bytes()) {
            Split::Partial => return Ok(false),
            Split::Text(range) => range,
            Split::Blank(count) => {
                received.skip(count);
                self.splitter.consumed(count);
                return Ok(true);
            }
            Split::TooLarge => {
                return Err(PeerMisbehaved::new(&format!(
                    "a reply of more than {} bytes (`Limits::message_bytes`)",
                    self.shared.limits.message_bytes
                )));
            }
        };
        received.skip(range.start);
        let text = received.take(range.len());
        self.splitter.consumed(range.end);
        if text.first() == Some(&b'[') {
            self.batch(state, &text)?;
            return Ok(true);
        }
        let reply = match hear(text) {
            Heard::Reply(reply) => reply,
            Heard::News(news) => {
                if let Some(news) = news {
                    self.news(state, news);
                }
                return Ok(true);
            }
        };
        note_going_away(state, &reply.outcome);
        match (reply.ends, reply.outcome) {
            (Ends::Call(id), outcome) if state.streams.is_empty() => {
                self.complete(state, id, outcome);
            }
            (Ends::Call(id), outcome) => self.answered(state, id, outcome),
            (Ends::Unknown, Err(failure)) => {
                let fault = failure.fault();
                // What has no id is not to be answered, and some servers answer it: that they do not
                // know it, which is never said of a call without its id, or something else.
                let is_of = |code| fault.is_some_and(|fault| fault.code == code);
                if state.told && is_of(code::METHOD_NOT_FOUND) {
                    return Ok(true);
                }
                let is_to_what_was_told =
                    state.told && fault.is_some() && !is_of(code::PARSE_ERROR);
                let refused = fault
                    .cloned()
                    .is_some_and(|fault| state.refused(fault, |waker| self.wakers.extend(waker)));
                if !refused && !is_to_what_was_told {
                    return Err(PeerMisbehaved::new(&failure.how()));
                }
            }
            (Ends::Unknown, Ok(_)) => return Err(PeerMisbehaved::new("a reply without an id")),
            (Ends::Nobody, _) => {}
        }
        Ok(true)
    }

    /// Takes the answer to a call that may have streams: the id of its subscription, if it gives one.
    fn answered(&mut self, state: &mut State, id: u64, outcome: Result<Inbound, Failure>) {
        if !state.slots.is_waited_for(id) {
            return;
        }
        if state.streams.gives(id)
            && let Ok(answer) = &outcome
        {
            let Some(subscription) = subscription_id(answer.bytes()) else {
                let failure = Failure::peer("the answer is not a stream, which has an id");
                self.wakers.extend(state.break_off(id, failure));
                return;
            };
            state.streams.opened(id, &subscription);
        } else {
            state.streams.remove(id);
        }
        self.complete(state, id, outcome);
    }

    /// Takes what the server says of a stream. Of one that is over it did not know yet.
    fn news(&mut self, state: &mut State, news: News) {
        match news {
            News::Item(of, item) => {
                if let Some(id) = state.streams.of_subscription(&of) {
                    self.wakers.extend(state.item(id, item));
                }
            }
            News::Over(of, how) => {
                if let Some(id) = state.streams.of_subscription(&of) {
                    state.stream_ended(id, how);
                }
            }
            News::Credit(id, bytes) => {
                let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
                self.wakers.extend(state.granted(id, bytes));
            }
            News::GoingAway => state.going_away(true),
        }
    }

    /// Hands out the replies to a batch. What of it they leave out will never be answered.
    fn batch(&mut self, state: &mut State, text: &Payload) -> Result<(), PeerMisbehaved> {
        let replies = read_batch(text).map_err(|failure| PeerMisbehaved::new(&failure.how()))?;
        let mut whole = Vec::new();
        let (mut named, mut unnamed) = (false, None);
        // Nothing at all is an answer too: requests of the server's own are none.
        let mut answers = replies.is_empty();
        for reply in replies {
            note_going_away(state, &reply.outcome);
            match (reply.ends, reply.outcome) {
                (Ends::Call(id), outcome) => {
                    if whole.is_empty() {
                        whole = state.batches.take(id);
                    }
                    self.wakers
                        .extend(state.slots.complete(id, Outcome::Reply(outcome)));
                    named = true;
                }
                (Ends::Unknown, outcome) => {
                    unnamed = unnamed.or_else(|| outcome.err()?.fault().cloned());
                    answers = true;
                }
                (Ends::Nobody, _) => {}
            }
        }
        if answers && !named {
            whole = state
                .batches
                .take_longest(0, &state.slots)
                .unwrap_or_default();
        }
        for id in whole {
            let left_out = Failure::left_out_but_for(unnamed.clone());
            let left_out = Outcome::Reply(Err(left_out));
            self.wakers.extend(state.slots.complete(id, left_out));
        }
        Ok(())
    }
}

/// JSON-RPC has no other word for it than that a call is not taken.
fn note_going_away(state: &mut State, outcome: &Result<Inbound, Failure>) {
    if let Err(failure) = outcome
        && failure.fault().is_some_and(Fault::says_going_away)
    {
        state.going_away(false);
    }
}
