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
    /// Of the call that has the slot, or had it last.
    deadline: Instant,
    timeout: Option<Duration>,
    /// The length of its message.
    size: usize,
    stage: Stage,
}

/// How far the call in a slot is.
#[derive(Debug)]
enum Stage {
    /// There is none.
    Free,
    /// The reply is waited for.
    Waits(Option<Waker>),
    /// It has an outcome, to be taken.
    Ended(Outcome),
}

impl Slot {
    fn waits(&self) -> bool {
        matches!(self.stage, Stage::Waits(_))
    }

    /// Ends the call, if it still waits; whom to wake.
    fn end(&mut self, outcome: Outcome) -> Option<Waker> {
        match &mut self.stage {
            Stage::Waits(waker) => {
                let waker = waker.take();
                self.stage = Stage::Ended(outcome);
                waker
            }
            Stage::Free | Stage::Ended(_) => None,
        }
    }
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

    /// Takes a slot, if fewer than `limit` are taken, and gives the id of its call. `waker` is who
    /// waits for the reply, if somebody does by now.
    pub(super) fn open(
        &mut self,
        limit: usize,
        deadline: Instant,
        timeout: Option<Duration>,
        waker: Option<&Waker>,
    ) -> Result<u64, Full> {
        if self.len() >= limit.min(1 << PLACE_BITS) {
            return Err(Full);
        }
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 1,
                deadline,
                timeout,
                size: 0,
                stage: Stage::Free,
            });
            self.slots.len() - 1
        });
        let Some(slot) = self.slots.get_mut(place) else {
            return Err(Full);
        };
        slot.deadline = deadline;
        slot.timeout = timeout;
        slot.stage = Stage::Waits(waker.cloned());
        Ok(slot.generation << PLACE_BITS | place as u64)
    }

    /// Notes how long the message of the call `id` is.
    pub(super) fn sent(&mut self, id: u64, size: usize) {
        if let Some((_, slot)) = self.find(id) {
            slot.size = size;
        }
    }

    /// The call with the longest message of those that are waited for, and that length.
    pub(super) fn longest(&self) -> Option<(usize, u64)> {
        let slots = self.slots.iter().enumerate();
        let waited_for = slots.filter(|(_, slot)| slot.waits());
        waited_for
            .map(|(place, slot)| (slot.size, slot.generation << PLACE_BITS | place as u64))
            .max()
    }

    /// True if the call `id` has no outcome yet.
    pub(super) fn is_waited_for(&self, id: u64) -> bool {
        let place = usize::try_from(id & ((1 << PLACE_BITS) - 1)).ok();
        let slot = place.and_then(|place| self.slots.get(place));
        slot.is_some_and(|slot| slot.generation == id >> PLACE_BITS && slot.waits())
    }

    /// Gives the slot of `id` back; false if it was given back before.
    pub(super) fn close(&mut self, id: u64) -> bool {
        self.take(id).is_some()
    }

    /// The outcome of the call `id`, after which its slot is free; else its waker is kept.
    pub(super) fn poll(&mut self, id: u64, waker: &Waker) -> Poll<Outcome> {
        if let Some((_, slot)) = self.find(id)
            && let Stage::Waits(kept) = &mut slot.stage
        {
            match kept {
                Some(known) => known.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
            return Poll::Pending;
        }
        Poll::Ready(match self.take(id) {
            Some(Stage::Ended(outcome)) => outcome,
            _ => Outcome::Lost,
        })
    }

    /// Ends the call `id`, if it is still waited for; whom to wake.
    pub(super) fn complete(&mut self, id: u64, outcome: Outcome) -> Option<Waker> {
        self.find(id)?.1.end(outcome)
    }

    /// Ends the calls whose deadline is past; gives the first deadline of the others.
    pub(super) fn expire(
        &mut self,
        now: Instant,
        mut ended: impl FnMut(u64, Option<Waker>),
    ) -> Option<Instant> {
        let mut next = None;
        for (place, slot) in self.slots.iter_mut().enumerate() {
            if !slot.waits() {
                continue;
            }
            if slot.deadline <= now {
                let id = slot.generation << PLACE_BITS | place as u64;
                ended(id, slot.end(Outcome::TimedOut(slot.timeout)));
            } else if next.is_none_or(|next| slot.deadline < next) {
                next = Some(slot.deadline);
            }
        }
        next
    }

    /// Ends every call: the connection did.
    pub(super) fn lose_all(&mut self, mut ended: impl FnMut(Option<Waker>)) {
        for slot in &mut self.slots {
            ended(slot.end(Outcome::Lost));
        }
    }

    /// Frees the slot of `id`; how far its call was.
    fn take(&mut self, id: u64) -> Option<Stage> {
        let (place, slot) = self.find(id)?;
        slot.generation = (slot.generation + 1) % GENERATIONS;
        let stage = std::mem::replace(&mut slot.stage, Stage::Free);
        self.free.push(place);
        Some(stage)
    }

    /// An id from outside can be anything: both its parts are checked.
    fn find(&mut self, id: u64) -> Option<(usize, &mut Slot)> {
        let place = usize::try_from(id & ((1 << PLACE_BITS) - 1)).ok()?;
        let slot = self.slots.get_mut(place)?;
        let taken = !matches!(slot.stage, Stage::Free);
        (slot.generation == id >> PLACE_BITS && taken).then_some((place, slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reply_completes_nobody_else() {
        let mut slots = Slots::default();
        let soon = Instant::now() + Duration::from_secs(1);
        let first = slots.open(10, soon, None, None).unwrap();
        assert!(slots.close(first));
        let second = slots.open(10, soon, None, None).unwrap();
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
            let id = slots.open(10, Instant::now(), None, None).unwrap();
            assert!(id < 1 << 53);
        }
    }
}
