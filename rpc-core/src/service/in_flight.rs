//! How many calls are being answered: of a server over all its connections, and of one peer inside of
//! its batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::fault::Fault;
use crate::limits::Limits;

/// The count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<AtomicUsize>);

/// A call that is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<AtomicUsize>);

impl Calls {
    /// How many there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// One more.
    pub(crate) fn add(&self) -> InFlight {
        self.0.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(&self.0))
    }

    /// One more, if there are not `most` already.
    pub(crate) fn admit(&self, most: usize) -> Result<InFlight, Fault> {
        let one = self.0.fetch_add(1, Ordering::Relaxed);
        // Dropped where there is no room.
        let added = InFlight(Arc::clone(&self.0));
        match one < most {
            true => Ok(added),
            false => Err(too_many(most)),
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many calls of one peer run side by side inside of others: members of batches and of multicalls,
/// beyond one for each of these, which is counted where it waits itself.
#[derive(Debug, Default)]
pub(crate) struct Members {
    inside: AtomicUsize,
    /// How many calls of its connection wait themselves, where somebody counts them.
    waiting: AtomicUsize,
}

/// Members that run side by side. The places go back as this is dropped.
#[derive(Debug)]
pub(crate) struct SideBySide<'a> {
    members: &'a Members,
    beyond: usize,
}

impl Members {
    /// How many there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.inside.load(Ordering::Relaxed)
    }

    /// So many calls wait themselves, without the one that begins.
    #[inline]
    pub(crate) fn beside(&self, waiting: usize) {
        self.waiting.store(waiting, Ordering::Relaxed);
    }

    /// Takes places for `count` members, as many as are free and may run side by side. There is always
    /// one, or nothing would ever run.
    pub(crate) fn run(&self, count: usize, limits: &Limits) -> SideBySide<'_> {
        let wanted = count.min(limits.batch_parallel).saturating_sub(1);
        // And the one around them.
        let waiting = self.waiting.load(Ordering::Relaxed).saturating_add(1);
        let free = limits.calls_per_connection.saturating_sub(waiting);
        let mut beyond = 0;
        let taken = |inside: usize| {
            beyond = wanted.min(free.saturating_sub(inside));
            Some(inside.saturating_add(beyond))
        };
        let _ = self
            .inside
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken);
        SideBySide {
            members: self,
            beyond,
        }
    }
}

impl SideBySide<'_> {
    /// How many may run at a time.
    pub(crate) fn places(&self) -> usize {
        self.beyond.saturating_add(1)
    }
}

impl Drop for SideBySide<'_> {
    fn drop(&mut self) {
        self.members
            .inside
            .fetch_sub(self.beyond, Ordering::Relaxed);
    }
}

/// Why a call is not taken: the server answers `most` already.
#[cold]
pub(crate) fn too_many(most: usize) -> Fault {
    Fault::overloaded(&format!(
        "the server has {most} calls in flight, the most it takes (`Limits::calls`)"
    ))
}
