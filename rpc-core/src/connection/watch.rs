//! Whether the other side is still there, while somebody waits for it.
//!
//! A connection whose other end vanished without a word looks like one that has nothing to say. So
//! where calls or streams are in flight and nothing comes for `Limits::silence_time`, the other side
//! is asked for a sign of life, and given up if there is none within `Limits::pong_time`.

use std::time::{Duration, Instant};

use crate::limits::Limits;

/// So many looks in a row that hear nothing are a silence. What comes in between costs a flag and
/// no look at the clock; the price is that a silence may be noticed a quarter of its time late.
const LOOKS: u32 = 4;

/// Looks after one connection.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// When to look next; none while nobody waits.
    next: Option<Instant>,
    /// Something came since the last look.
    heard: bool,
    /// How many looks in a row heard nothing.
    silent: u32,
}

/// What a look shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Nothing,
    /// It is silent: ask.
    Silence,
    /// It did not answer either.
    Gone,
}

impl Watch {
    /// Something came.
    #[inline]
    pub(super) fn heard(&mut self) {
        self.heard = true;
    }

    /// Somebody waits, from `now` on; gives the first look if that is news.
    #[inline]
    pub(super) fn begin(&mut self, now: Instant, limits: &Limits) -> Option<Instant> {
        match self.next {
            Some(_) => None,
            None => self.rest(now, limits),
        }
    }

    /// All is well: the next look.
    fn rest(&mut self, now: Instant, limits: &Limits) -> Option<Instant> {
        self.heard = false;
        self.silent = 0;
        self.next = now.checked_add(pause(limits));
        self.next
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Looks, if it is time; `waits` tells whether anybody still does.
    pub(super) fn look(&mut self, now: Instant, waits: bool, limits: &Limits) -> Seen {
        if !waits {
            self.next = None;
        }
        if self.next.is_none_or(|next| now < next) {
            return Seen::Nothing;
        }
        if self.heard {
            self.rest(now, limits);
            return Seen::Nothing;
        }
        self.silent = self.silent.saturating_add(1);
        let (after, seen) = match self.silent {
            ..LOOKS => (pause(limits), Seen::Nothing),
            LOOKS => (limits.pong_time, Seen::Silence),
            _ => {
                self.next = None;
                return Seen::Gone;
            }
        };
        self.next = now.checked_add(after);
        seen
    }
}

/// From one look to the next.
fn pause(limits: &Limits) -> Duration {
    (limits.silence_time / LOOKS).max(Duration::from_millis(1))
}
