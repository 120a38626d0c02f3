//! How many calls of a server are being answered, over all its connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::fault::Fault;

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

/// Why a call is not taken: the server answers `most` already.
#[cold]
pub(crate) fn too_many(most: usize) -> Fault {
    Fault::overloaded(&format!(
        "the server has {most} calls in flight, the most it takes (`Limits::calls`)"
    ))
}
