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
#[derive(Debug)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    /// How many of them are taken.
    taken: usize,
    /// How many calls have had one.
    made: u64,
    /// The first free one; each knows the next.
    free: usize,
    /// The first of those that were taken since the last look at the clock, whose time begins with
    /// the next: one look for all calls that gathered.
    new: usize,
}

/// Behind the last of a list.
const END: usize = usize::MAX;

impl Default for Slots {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            taken: 0,
            made: 0,
            free: END,
            new: END,
        }
    }
}

#[derive(Debug)]
struct Slot {
    /// Of the call that has the slot, or will have it next; never 0.
    generation: u64,
    /// How long the call that has the slot, or had it last, may take.
    time: Time,
    /// When that is over; none before its time began.
    deadline: Option<Instant>,
    /// The length of its message.
    size: usize,
    /// Where it stands among all that is sent on the connection.
    at: u64,
    stage: Stage,
    /// Who waits for the reply, if somebody does by now.
    waker: Option<Waker>,
    /// How the call ended, to be taken.
    outcome: Option<Outcome>,
    /// The next free one, if it is free itself.
    next_free: usize,
    /// The next whose time has not begun, if its own has not.
    next_new: Option<usize>,
}

/// How long a call may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    pub(super) left: Duration,
    /// What its caller asked for, if it is that which ends it.
    pub(super) asked: Option<Duration>,
}

/// How far the call in a slot is. (What belongs to a stage is beside it: to set one that holds
/// nothing drops nothing.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There is none.
    Free,
    /// The reply is waited for.
    Waits,
    /// It has an outcome.
    Ended,
}

impl Slot {
    fn waits(&self) -> bool {
        self.stage == Stage::Waits
    }

    /// Ends the call, if it still waits; whom to wake.
    #[inline(always)]
    fn end(&mut self, outcome: Outcome) -> Option<Waker> {
        if !self.waits() {
            return None;
        }
        self.stage = Stage::Ended;
        self.outcome = Some(outcome);
        self.waker.take()
    }

    /// The slot is free for the next call, before that at `next_free`.
    #[inline]
    fn leave(&mut self, next_free: usize) {
        self.stage = Stage::Free;
        self.next_free = next_free;
        self.generation += 1;
        if self.generation == GENERATIONS {
            self.generation = 1;
        }
    }
}

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Reply(Result<Inbound, Failure>),
    TimedOut(Option<Duration>),
    /// The connection ended first; `sent` if some of the message may have left before.
    Lost {
        sent: bool,
    },
}

/// `now` and so much later. A time beyond the clock's end is as good as a century.
pub(crate) fn after(now: Instant, time: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    now.checked_add(time).unwrap_or_else(|| now + CENTURY)
}

/// Every slot that the limit allows is taken.
#[derive(Debug)]
pub(super) struct Full;

impl Slots {
    /// How many calls are in flight.
    pub(super) fn len(&self) -> usize {
        self.taken
    }

    /// How many calls have had a slot.
    pub(super) fn made(&self) -> u64 {
        self.made
    }

    /// Takes a slot, if fewer than `limit` are taken, and gives the id of its call. `waker` is who
    /// waits for the reply, if somebody does by now.
    #[inline]
    pub(super) fn open(
        &mut self,
        limit: usize,
        time: Time,
        waker: Option<&Waker>,
    ) -> Result<u64, Full> {
        if self.taken >= limit.min(1 << PLACE_BITS) {
            return Err(Full);
        }
        if self.free == END {
            self.add(time);
        }
        let place = self.free;
        let Some(slot) = self.slots.get_mut(place) else {
            return Err(Full);
        };
        self.free = slot.next_free;
        self.taken += 1;
        self.made += 1;
        slot.time = time;
        slot.deadline = None;
        slot.stage = Stage::Waits;
        slot.waker = waker.cloned();
        if slot.next_new.is_none() {
            slot.next_new = Some(self.new);
            self.new = place;
        }
        Ok(slot.generation << PLACE_BITS | place as u64)
    }

    #[cold]
    fn add(&mut self, time: Time) {
        let next_free = std::mem::replace(&mut self.free, self.slots.len());
        self.slots.push(Slot {
            generation: 1,
            time,
            deadline: None,
            size: 0,
            at: 0,
            stage: Stage::Free,
            waker: None,
            outcome: None,
            next_free,
            next_new: None,
        });
    }

    /// True if the time of some has not begun.
    #[inline]
    pub(super) fn has_new(&self) -> bool {
        self.new != END
    }

    /// Lets it begin; gives the first of their deadlines.
    pub(super) fn begin(&mut self, now: Instant) -> Option<Instant> {
        let mut first = None;
        // Most have the same time, and so the same deadline.
        let (mut last, mut deadline) = (None, now);
        while let Some(slot) = self.slots.get_mut(self.new) {
            self.new = slot.next_new.take().unwrap_or(END);
            if last != Some(slot.time.left) {
                last = Some(slot.time.left);
                deadline = after(now, slot.time.left);
                if first.is_none_or(|first| deadline < first) {
                    first = Some(deadline);
                }
            }
            slot.deadline = Some(deadline);
        }
        first
    }

    /// Notes how long the message of the call `id` is, and where it stands among all that is sent: at
    /// 0 if that is not known.
    pub(super) fn sent(&mut self, id: u64, size: usize, at: u64) {
        if let Some((_, slot)) = find(&mut self.slots, id) {
            slot.size = size;
            slot.at = at;
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
        let Some((place, slot)) = find(&mut self.slots, id) else {
            return false;
        };
        slot.waker = None;
        slot.outcome = None;
        slot.leave(self.free);
        self.free = place;
        self.taken -= 1;
        true
    }

    /// Puts the outcome of the call `id` into `ended`, after which its slot is free; else its waker is
    /// kept.
    #[inline]
    pub(super) fn poll(&mut self, id: u64, waker: &Waker, ended: &mut Option<Outcome>) -> Poll<()> {
        let Some((place, slot)) = find(&mut self.slots, id) else {
            *ended = Some(Outcome::Lost { sent: true });
            return Poll::Ready(());
        };
        if slot.outcome.is_none() {
            match &mut slot.waker {
                Some(known) => known.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
            return Poll::Pending;
        }
        *ended = slot.outcome.take();
        slot.leave(self.free);
        self.free = place;
        self.taken -= 1;
        Poll::Ready(())
    }

    /// When the time of the call `id` is over, or was if it ended just now.
    pub(super) fn deadline(&self, id: u64) -> Option<Instant> {
        let place = usize::try_from(id & ((1 << PLACE_BITS) - 1)).ok()?;
        self.slots.get(place)?.deadline
    }

    /// Ends the call `id`, if it is still waited for; whom to wake.
    #[inline]
    pub(super) fn complete(&mut self, id: u64, outcome: Outcome) -> Option<Waker> {
        find(&mut self.slots, id)?.1.end(outcome)
    }

    /// Ends the calls whose deadline is past; gives the first deadline of the others.
    pub(super) fn expire(
        &mut self,
        now: Instant,
        mut ended: impl FnMut(u64, Option<Waker>),
    ) -> Option<Instant> {
        let mut next = None;
        for (place, slot) in self.slots.iter_mut().enumerate() {
            let (true, Some(deadline)) = (slot.waits(), slot.deadline) else {
                continue;
            };
            if deadline <= now {
                let id = slot.generation << PLACE_BITS | place as u64;
                ended(id, slot.end(Outcome::TimedOut(slot.time.asked)));
            } else if next.is_none_or(|next| deadline < next) {
                next = Some(deadline);
            }
        }
        next
    }

    /// Ends every call: the connection did. What stands behind `left_until` never left.
    pub(super) fn lose_all(&mut self, left_until: u64, mut ended: impl FnMut(Option<Waker>)) {
        for slot in &mut self.slots {
            let sent = slot.at < left_until;
            ended(slot.end(Outcome::Lost { sent }));
        }
    }
}

/// The slot of the call `id`. An id from outside can be anything: both its parts are checked.
#[inline]
fn find(slots: &mut [Slot], id: u64) -> Option<(usize, &mut Slot)> {
    let place = usize::try_from(id & ((1 << PLACE_BITS) - 1)).ok()?;
    let slot = slots.get_mut(place)?;
    let is_of_call = slot.generation == id >> PLACE_BITS && slot.stage != Stage::Free;
    is_of_call.then_some((place, slot))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Time = Time {
        left: Duration::from_secs(1),
        asked: None,
    };

    #[test]
    fn a_late_reply_completes_nobody_else() {
        let mut slots = Slots::default();
        let first = slots.open(10, SECOND, None).unwrap();
        assert!(slots.close(first));
        let second = slots.open(10, SECOND, None).unwrap();
        assert_ne!(first, second);
        slots.complete(first, Outcome::Lost { sent: true });
        let mut ended = None;
        assert!(slots.poll(second, Waker::noop(), &mut ended).is_pending());
        assert!(!slots.close(first), "it was given back before");
    }

    #[test]
    fn ids_that_were_never_given_are_nobody() {
        let mut slots = Slots::default();
        for id in [0, 1, 1 << 24, u64::MAX] {
            assert!(slots.complete(id, Outcome::Lost { sent: true }).is_none());
            assert!(!slots.close(id));
        }
    }

    #[test]
    fn the_time_of_a_call_begins_with_the_next_look_at_the_clock() {
        let mut slots = Slots::default();
        let now = Instant::now();
        let ids = [(); 3].map(|()| slots.open(10, SECOND, None).unwrap());
        // A slot that is given back and taken again before the clock is looked at.
        assert!(slots.close(ids[1]));
        slots.open(10, SECOND, None).unwrap();
        assert_eq!(slots.expire(now + Duration::from_secs(60), |_, _| {}), None);
        assert_eq!(slots.begin(now), Some(now + SECOND.left));
        assert!(!slots.has_new());
        let mut late = 0;
        assert_eq!(slots.expire(now + SECOND.left, |_, _| late += 1), None);
        assert_eq!((late, slots.len()), (3, 3));
    }

    #[test]
    fn an_id_is_exact_in_a_double() {
        let mut slots = Slots::default();
        for _ in 0..3 {
            let id = slots.open(10, SECOND, None).unwrap();
            assert!(id < 1 << 53);
        }
    }
}
