//! Callers that wait for a free slot: first come, first served.

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Instant;

/// The queue of one connection.
#[derive(Debug, Default)]
pub(super) struct Turns {
    queue: VecDeque<Turn>,
    last_ticket: u64,
}

#[derive(Debug)]
struct Turn {
    ticket: u64,
    deadline: Instant,
    waker: Waker,
}

impl Turns {
    /// Queues a caller, and gives the ticket to ask with again. One that has a ticket keeps its
    /// place; if it was called and somebody else was faster, it is the next.
    pub(super) fn wait(&mut self, ticket: Option<u64>, deadline: Instant, waker: &Waker) -> u64 {
        let ticket = match ticket {
            Some(ticket) => {
                let known = self.queue.iter_mut().find(|turn| turn.ticket == ticket);
                if let Some(turn) = known {
                    turn.waker.clone_from(waker);
                    return ticket;
                }
                ticket
            }
            None => {
                self.last_ticket += 1;
                self.last_ticket
            }
        };
        let turn = Turn {
            ticket,
            deadline,
            waker: waker.clone(),
        };
        if ticket == self.last_ticket {
            self.queue.push_back(turn);
        } else {
            self.queue.push_front(turn);
        }
        ticket
    }

    /// Takes a caller out; false if it was called before.
    pub(super) fn leave(&mut self, ticket: u64) -> bool {
        let at = self.queue.iter().position(|turn| turn.ticket == ticket);
        at.and_then(|at| self.queue.remove(at)).is_some()
    }

    /// The next caller, to be woken.
    pub(super) fn call(&mut self) -> Option<Waker> {
        self.queue.pop_front().map(|turn| turn.waker)
    }

    /// Takes out those whose deadline is past; gives the first deadline of the others.
    pub(super) fn expire(&mut self, now: Instant, mut ended: impl FnMut(Waker)) -> Option<Instant> {
        self.queue.retain_mut(|turn| {
            let waits = turn.deadline > now;
            if !waits {
                ended(turn.waker.clone());
            }
            waits
        });
        self.queue.iter().map(|turn| turn.deadline).min()
    }

    /// Takes out everybody: the connection ended.
    pub(super) fn dismiss(&mut self) -> impl Iterator<Item = Waker> + '_ {
        self.queue.drain(..).map(|turn| turn.waker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_that_asks_again_keeps_its_place() {
        let (mut turns, now) = (Turns::default(), Instant::now());
        let first = turns.wait(None, now, Waker::noop());
        let second = turns.wait(None, now, Waker::noop());
        assert_eq!(turns.wait(Some(first), now, Waker::noop()), first);
        assert_eq!(turns.queue.len(), 2);
        assert!(turns.call().is_some());
        assert!(!turns.leave(first), "it was called");
        assert!(turns.leave(second));
    }

    #[test]
    fn a_caller_that_came_too_late_is_the_next() {
        let (mut turns, now) = (Turns::default(), Instant::now());
        let first = turns.wait(None, now, Waker::noop());
        turns.wait(None, now, Waker::noop());
        turns.call();
        turns.wait(Some(first), now, Waker::noop());
        turns.call();
        assert!(!turns.leave(first), "it was called before the second");
    }
}
