//! What few calls have: somebody who asks whether the call is over, values that a layer gave it,
//! metadata of its reply.
//!
//! A call that has none of it costs a number and a look at another. For the others it is kept with
//! their peer until they are over; the clones of a context hold it themselves.

use std::any::Any;
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::Shared;

use super::Metadata;

/// The calls of one peer that have any of it, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    last: AtomicU64,
    /// How many there are in the map.
    count: AtomicUsize,
    calls: Mutex<HashMap<u64, Arc<Extra>>>,
}

impl Extras {
    /// The number of a further call.
    #[inline]
    pub(super) fn next_number(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed)
    }

    /// The numbers of some further calls, for who makes many: to count each where others count too takes
    /// longer.
    pub(super) fn next_numbers(&self) -> Range<u64> {
        const MANY: u64 = 256;

        let first = self.last.fetch_add(MANY, Ordering::Relaxed);
        first..first.saturating_add(MANY)
    }

    /// False if no call has anything. (What a call has itself, it knows of: its handler asked for it
    /// before it ended.)
    #[inline]
    pub(super) fn is_any(&self) -> bool {
        self.count.load(Ordering::Relaxed) != 0
    }

    /// What the call `number` has; it is made if need be.
    pub(super) fn of(&self, number: u64) -> Arc<Extra> {
        let mut calls = lock(&self.calls);
        let extra = Arc::clone(calls.entry(number).or_default());
        self.count.store(calls.len(), Ordering::Relaxed);
        extra
    }

    /// What the call `number` has, if it has anything.
    #[cold]
    pub(super) fn get(&self, number: u64) -> Option<Arc<Extra>> {
        lock(&self.calls).get(&number).cloned()
    }

    /// The call `number` is over.
    #[cold]
    pub(super) fn end(&self, number: u64) {
        let mut calls = lock(&self.calls);
        let extra = calls.remove(&number);
        self.count.store(calls.len(), Ordering::Relaxed);
        drop(calls);
        if let Some(extra) = extra {
            // Those who wait are woken here, behind the locks.
            let signal = lock(&extra.0).end();
            drop(signal);
            // What a layer gave it is dropped here, unless a clone has it: a panic in that is not the
            // connection's.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(extra)));
        }
    }
}

/// What one call has.
#[derive(Debug, Default)]
pub(super) struct Extra(Mutex<State>);

#[derive(Default)]
struct State {
    is_over: bool,
    signal: Option<Signal>,
    values: Vec<Arc<dyn Any + Send + Sync>>,
    reply: Metadata,
}

/// Nothing is ever sent: its end is the message.
struct Signal {
    _until: oneshot::Sender<Infallible>,
    over: Over,
}

type Over = Shared<oneshot::Receiver<Infallible>>;

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State(over: {})", self.is_over)
    }
}

impl State {
    fn end(&mut self) -> Option<Signal> {
        self.is_over = true;
        self.signal.take()
    }
}

impl Extra {
    /// Ready when the call is over; none if it is.
    pub(super) fn over(&self) -> Option<Over> {
        let mut state = lock(&self.0);
        if state.is_over {
            return None;
        }
        let signal = state.signal.get_or_insert_with(|| {
            let (until, over) = oneshot::channel();
            let (_until, over) = (until, over.shared());
            Signal { _until, over }
        });
        Some(signal.over.clone())
    }

    pub(super) fn is_over(&self) -> bool {
        lock(&self.0).is_over
    }

    pub(super) fn extend<T: Any + Send + Sync>(&self, value: T) {
        let mut value: Arc<dyn Any + Send + Sync> = Arc::new(value);
        let mut state = lock(&self.0);
        let known = state.values.iter_mut().find(|known| known.is::<T>());
        match known {
            // The old one is dropped behind the lock.
            Some(known) => std::mem::swap(known, &mut value),
            None => return state.values.push(value),
        }
        drop(state);
    }

    pub(super) fn extension<T: Any + Clone>(&self) -> Option<T> {
        let state = lock(&self.0);
        let found = state.values.iter().find(|value| value.is::<T>()).cloned();
        drop(state);
        // Behind the lock: cloning it may ask for another.
        found?.downcast_ref::<T>().cloned()
    }

    pub(super) fn reply_metadata(&self, name: String, value: String) {
        lock(&self.0).reply.insert(name, value);
    }

    pub(super) fn take_reply_metadata(&self) -> Metadata {
        std::mem::take(&mut lock(&self.0).reply)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_ask_for_another_while_it_is_cloned() {
        struct Asks(Arc<Extra>, u8);

        impl Clone for Asks {
            fn clone(&self) -> Self {
                let found = self.0.extension::<u8>().unwrap_or_default();
                Self(Arc::clone(&self.0), found)
            }
        }

        let extra = Arc::new(Extra::default());
        extra.extend(7_u8);
        extra.extend(Asks(Arc::clone(&extra), 0));
        assert_eq!(extra.extension::<Asks>().unwrap().1, 7);
    }
}
