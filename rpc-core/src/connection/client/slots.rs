//! Where the replies of calls in flight are waited for.

use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::channel::Inbound;
use crate::error::Failure;

/// The low bits of an id are the slot, the high bits its generation. Together they stay below
/// 2^53, beyond which JavaScript and its kin would round an id of JSON-RPC.
const PLACE_BITS: u32 = 24;
const GENERATIONS: u64 = 1 << 29;

/// The slots of one connection.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Slot {
    generation: u64,
    call: Option<Call>,
}

#[derive(Debug)]
struct Call {
    deadline: Instant,
    timeout: Option<Duration>,
    /// The length of its message.
    size: usize,
    waker: Option<Waker>,
    outcome: Option<Outcome>,
}

/// How a call ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Reply(Result<Inbound, Failure>),
    TimedOut(Option<Duration>),
    /// The connection ended first.
    Lost,
}

/// Every slot that the limit allows is taken.
#[derive(Debug)]
pub(super) struct Full;

impl Slots {
    /// How many calls are in flight.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Takes a slot, if fewer than `limit` are taken, and gives the id of its call.
    pub(super) fn open(
        &mut self,
        limit: usize,
        deadline: Instant,
        timeout: Option<Duration>,
    ) -> Result<u64, Full> {
        if self.len() >= limit.min(1 << PLACE_BITS) {
            return Err(Full);
        }
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 1,
                call: None,
            });
            self.slots.len() - 1
        });
        let Some(slot) = self.slots.get_mut(place) else {
            return Err(Full);
        };
        slot.call = Some(Call {
            deadline,
            timeout,
            size: 0,
            waker: None,
            outcome: None,
        });
        Ok(slot.generation << PLACE_BITS | place as u64)
    }

    /// Notes how long the message of the call `id` is.
    pub(super) fn sent(&mut self, id: u64, size: usize) {
        if let Some(call) = self.call(id) {
            call.size = size;
        }
    }

    /// The call with the longest message of those that are waited for, and that length.
    pub(super) fn longest(&self) -> Option<(usize, u64)> {
        let waited_for = self.slots.iter().enumerate().filter_map(|(place, slot)| {
            let call = slot.call.as_ref().filter(|call| call.outcome.is_none())?;
            Some((call.size, slot.generation << PLACE_BITS | place as u64))
        });
        waited_for.max()
    }

    /// True if the call `id` has no outcome yet.
    pub(super) fn is_waited_for(&self, id: u64) -> bool {
        let slot = usize::try_from(id & ((1 << PLACE_BITS) - 1))
            .ok()
            .and_then(|place| self.slots.get(place));
        slot.is_some_and(|slot| {
            let waits = slot
                .call
                .as_ref()
                .is_some_and(|call| call.outcome.is_none());
            slot.generation == id >> PLACE_BITS && waits
        })
    }

    /// Gives the slot of `id` back; false if it was given back before.
    pub(super) fn close(&mut self, id: u64) -> bool {
        let Some((place, slot)) = self.find(id) else {
            return false;
        };
        slot.call = None;
        slot.generation = (slot.generation + 1) % GENERATIONS;
        self.free.push(place);
        true
    }

    /// The outcome of the call `id`, after which its slot is free; else its waker is kept.
    pub(super) fn poll(&mut self, id: u64, waker: &Waker) -> Poll<Outcome> {
        let Some(call) = self.call(id) else {
            return Poll::Ready(Outcome::Lost);
        };
        let Some(outcome) = call.outcome.take() else {
            match &mut call.waker {
                Some(known) => known.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
            return Poll::Pending;
        };
        self.close(id);
        Poll::Ready(outcome)
    }

    /// Ends the call `id`, if it is still waited for; whom to wake.
    pub(super) fn complete(&mut self, id: u64, outcome: Outcome) -> Option<Waker> {
        let call = self.call(id).filter(|call| call.outcome.is_none())?;
        call.outcome = Some(outcome);
        call.waker.take()
    }

    /// Ends the calls whose deadline is past; gives the first deadline of the others.
    pub(super) fn expire(
        &mut self,
        now: Instant,
        mut ended: impl FnMut(u64, Option<Waker>),
    ) -> Option<Instant> {
        let mut next = None;
        for (place, slot) in self.slots.iter_mut().enumerate() {
            let id = slot.generation << PLACE_BITS | place as u64;
            let Some(call) = slot.call.as_mut().filter(|call| call.outcome.is_none()) else {
                continue;
            };
            if call.deadline <= now {
                call.outcome = Some(Outcome::TimedOut(call.timeout));
                ended(id, call.waker.take());
            } else if next.is_none_or(|next| call.deadline < next) {
                next = Some(call.deadline);
            }
        }
        next
    }

    /// Ends every call: the connection did.
    pub(super) fn lose_all(&mut self, mut ended: impl FnMut(Option<Waker>)) {
        for call in self.slots.iter_mut().filter_map(|slot| slot.call.as_mut()) {
            if call.outcome.is_none() {
                call.outcome = Some(Outcome::Lost);
                ended(call.waker.take());
            }
        }
    }

    fn call(&mut self, id: u64) -> Option<&mut Call> {
        self.find(id)?.1.call.as_mut()
    }

    /// An id from outside can be anything: both its parts are checked.
    fn find(&mut self, id: u64) -> Option<(usize, &mut Slot)> {
        let place = usize::try_from(id & ((1 << PLACE_BITS) - 1)).ok()?;
        let slot = self.slots.get_mut(place)?;
        (slot.generation == id >> PLACE_BITS && slot.call.is_some()).then_some((place, slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reply_completes_nobody_else() {
        let mut slots = Slots::default();
        let soon = Instant::now() + Duration::from_secs(1);
        let first = slots.open(10, soon, None).unwrap();
        assert!(slots.close(first));
        let second = slots.open(10, soon, None).unwrap();
        assert_ne!(first, second);
        slots.complete(first, Outcome::Lost);
        assert!(slots.poll(second, Waker::noop()).is_pending());
        assert!(!slots.close(first), "it was given back before");
    }

    #[test]
    fn ids_that_were_never_given_are_nobody() {
        let mut slots = Slots::default();
        for id in [0, 1, 1 << 24, u64::MAX] {
            assert!(slots.complete(id, Outcome::Lost).is_none());
            assert!(!slots.close(id));
        }
    }

    #[test]
    fn an_id_is_exact_in_a_double() {
        let mut slots = Slots::default();
        for _ in 0..3 {
            let id = slots.open(10, Instant::now(), None).unwrap();
            assert!(id < 1 << 53);
        }
    }
}
