//! Calls that leave together: frames one behind the other, or one JSON-RPC batch.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use super::slots::{Outcome, Slots, Time};
use super::{Client, State, Unsent, Waiting};
use crate::channel::Outbound;
use crate::connection::Speech;
use crate::error::Failure;
use crate::fault::Fault;
use crate::protocol::tail::Tail;

impl Unsent {
    /// Encodes the first of `calls`, as many as there is room for, to be sent together, and keeps
    /// slots for their replies; pending while there is room for none. What it gives is for each of
    /// those in order; a notification has nothing to wait for.
    pub(crate) fn poll_start_batch(
        &mut self,
        calls: &[(Outbound<'_>, Instant)],
        cx: &Context<'_>,
    ) -> Poll<Vec<Result<Option<Waiting>, Failure>>> {
        let (client, turn) = self.parts();
        let shared = &client.shared;
        let mut state = shared.lock();
        if let Some(closed) = &state.closed {
            let failed = calls.iter().map(|_| Err(closed.failure(false)));
            return Poll::Ready(failed.collect());
        }
        let started = write_batch(client, &mut state, calls);
        let earliest = calls.iter().map(|(_, deadline)| *deadline).min();
        if started.is_empty() {
            if let Some(earliest) = earliest {
                turn.ticket = Some(state.wait(turn.ticket, earliest, cx.waker()));
                return Poll::Pending;
            }
            return Poll::Ready(Vec::new());
        }
        if let Some(ticket) = turn.ticket.take() {
            state.turns.leave(ticket);
        }
        state.wake_driver();
        drop(state);
        let waiting = started
            .into_iter()
            .map(|id| id.map(|id| id.map(|id| Waiting::new(Arc::clone(client), id))));
        Poll::Ready(waiting.collect())
    }
}

/// The ids of the calls that were written.
fn write_batch(
    client: &Client,
    state: &mut State,
    calls: &[(Outbound<'_>, Instant)],
) -> Vec<Result<Option<u64>, Failure>> {
    let shared = &client.shared;
    let now = (shared.now)();
    let json = shared.speech == Speech::JsonRpc;
    let State {
        slots,
        out,
        batches,
        calls: limit,
        message_bytes,
        ..
    } = state;
    let most = shared.most(*message_bytes);
    let at = out.position();
    let mut started = Vec::with_capacity(calls.len());
    // A `Serialize` that panics takes the whole message with it.
    let mut message = Tail::begin(&mut out.whole);
    for (call, deadline) in calls {
        let time = Time {
            left: deadline.saturating_duration_since(now),
            asked: call.options.own_timeout(*deadline),
        };
        if time.left.is_zero() {
            started.push(Err(Failure::timeout(time.asked, false)));
            continue;
        }
        let id = match call.options.notification {
            true => None,
            false => match slots.open(*limit, time, None) {
                Ok(id) => Some(id),
                Err(_) => break,
            },
        };
        let start = message.len();
        if json {
            message.out.push(if start == 0 { b'[' } else { b',' });
        }
        let mut written = shared.encode(message.out, call, id, Some(time.left));
        // One JSON-RPC batch is one message, with `]` and a line feed at its end.
        let (size, whole) = match json {
            true => (message.len() - start + 1, message.len() + 2),
            false => (message.len() - start, 0),
        };
        if written.is_ok() && size.max(whole) > most {
            written = Err(Failure::too_large(size, *message_bytes));
        }
        match written {
            Ok(()) => {
                if let Some(id) = id {
                    slots.sent(id, size, at);
                }
                started.push(Ok(id));
            }
            Err(failure) => {
                message.cut(start);
                if let Some(id) = id {
                    slots.close(id);
                }
                if start > 0 && size <= most && whole > most {
                    // It fits, but not into this batch any more: it begins the next.
                    break;
                }
                started.push(Err(failure));
            }
        }
    }
    if json && message.len() > 0 {
        message.out.extend_from_slice(b"]\n");
        let ids = started.iter().filter_map(|id| id.as_ref().ok().copied()?);
        batches.add(ids.collect(), message.len(), slots);
    }
    message.keep();
    started
}

/// The JSON-RPC batches under way.
#[derive(Debug, Default)]
pub(super) struct Batches(Vec<Batch>);

#[derive(Debug)]
struct Batch {
    ids: Vec<u64>,
    /// The length of its message.
    size: usize,
}

impl Batches {
    fn add(&mut self, ids: Vec<u64>, size: usize, slots: &Slots) {
        self.0
            .retain(|batch| batch.ids.iter().any(|&id| slots.is_waited_for(id)));
        if !ids.is_empty() {
            self.0.push(Batch { ids, size });
        }
    }

    /// Takes the batch that has the call `id`, answered now: what is still waited for in it was
    /// left out.
    pub(super) fn take(&mut self, id: u64) -> Vec<u64> {
        let at = self.0.iter().position(|batch| batch.ids.contains(&id));
        at.map_or_else(Vec::new, |at| self.0.swap_remove(at).ids)
    }

    /// Takes the batch with the longest message, if it is longer than `than`: the server refused a
    /// message without saying which.
    pub(super) fn take_longest(&mut self, than: usize, slots: &Slots) -> Option<Vec<u64>> {
        let under_way = self.0.iter().enumerate().filter(|(_, batch)| {
            batch.size > than && batch.ids.iter().any(|&id| slots.is_waited_for(id))
        });
        let (at, _) = under_way.max_by_key(|(_, batch)| batch.size)?;
        Some(self.0.swap_remove(at).ids)
    }
}

impl State {
    /// The server refused a message with `fault`, and did not say which: it did not read its id.
    /// A batch is what servers refuse, or else the longest message; false if there is neither.
    pub(super) fn refused(
        &mut self,
        fault: Fault,
        mut wake: impl FnMut(Option<std::task::Waker>),
    ) -> bool {
        use crate::fault::code::TOO_LARGE;

        let longest = self.slots.longest();
        // A batch may be refused for anything, a single call of ours only for its length.
        let than = longest.filter(|_| fault.code == TOO_LARGE);
        let than = than.map_or(0, |(size, _)| size);
        if let Some(ids) = self.batches.take_longest(than, &self.slots) {
            for id in ids {
                let failure = Failure::batch_refused(fault.clone());
                wake(self.slots.complete(id, Outcome::Reply(Err(failure))));
            }
            return true;
        }
        match longest {
            Some((_, id)) if fault.code == TOO_LARGE => {
                let failure = Failure::remote(fault);
                wake(self.slots.complete(id, Outcome::Reply(Err(failure))));
                true
            }
            _ => false,
        }
    }
}
