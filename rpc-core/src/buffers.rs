//! Large buffers, kept to be used again.
//!
//! A megabyte that is allocated and freed for each message costs more in page faults than in
//! copying. Buffers of large messages are kept here for the whole process, so that a connection
//! that is idle holds none.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

#[cfg(feature = "bincode")]
use crate::in_place::set_aside;

/// Smaller buffers are not worth keeping: the allocator is good at them.
const LARGE: usize = 64 * 1024;
/// The most that is kept beside the largest, in bytes. That one is kept whatever its size, up to which
/// messages are let grow by their limit: a hundred megabytes are given back to the system and had from
/// it anew in no less time than they take to travel, most of it in one piece.
const MOST: usize = 32 * 1024 * 1024;
/// The most buffers that are kept, so that looking for one stays short.
const COUNT: usize = 64;

static KEPT: Mutex<Pool> = Mutex::new(Pool(Vec::new()));

/// Buffers that nobody needs now.
struct Pool(Vec<Vec<u8>>);

impl Pool {
    /// The smallest with this capacity.
    fn take(&mut self, capacity: usize) -> Option<Vec<u8>> {
        let fitting = self.0.iter().enumerate();
        let fitting = fitting.filter(|(_, buffer)| buffer.capacity() >= capacity);
        let (at, _) = fitting.min_by_key(|(_, buffer)| buffer.capacity())?;
        Some(self.0.swap_remove(at))
    }

    /// Keeps `buffer` if there is room for it.
    fn give_back(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        let others = self.0.iter().map(Vec::capacity);
        let largest = others.clone().fold(buffer.capacity(), usize::max);
        let all = others.fold(buffer.capacity(), usize::saturating_add);
        if self.0.len() < COUNT && all - largest <= MOST {
            self.0.push(buffer);
        }
    }
}

/// Makes room for `more` bytes in `buffer`, in one that was kept if it has to become large.
#[inline]
pub(crate) fn reserve(buffer: &mut Vec<u8>, more: usize) {
    if buffer.capacity() - buffer.len() < more {
        grow(buffer, more);
    }
}

#[cold]
fn grow(buffer: &mut Vec<u8>, more: usize) {
    let needed = buffer.len().saturating_add(more);
    if needed > LARGE
        && let Some(mut kept) = take(needed)
    {
        kept.extend_from_slice(buffer);
        give_back(std::mem::replace(buffer, kept));
        return;
    }
    buffer.reserve(more);
}

fn take(capacity: usize) -> Option<Vec<u8>> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.take(capacity)
}

/// Keeps `buffer` if it is large and there is room for it.
pub(crate) fn give_back(buffer: Vec<u8>) {
    if buffer.capacity() > LARGE {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        kept.give_back(buffer);
    }
}

/// How long the last message of one kind was: the next has room for as much at once, instead of
/// growing to it.
#[derive(Debug, Default)]
pub(crate) struct Usual(AtomicUsize);

impl Usual {
    /// Makes room in `buffer` for a message of the usual length.
    #[inline]
    pub(crate) fn make_room(&self, buffer: &mut Vec<u8>) {
        let usual = self.0.load(Ordering::Relaxed);
        buffer.reserve(usual.saturating_sub(buffer.len()));
    }

    /// A message had this length.
    #[inline]
    pub(crate) fn learn(&self, length: usize) {
        // What stands behind its result, and a little more than the last time.
        let usual = length.saturating_add(length / 16 + 64).min(LARGE);
        self.0.store(usual, Ordering::Relaxed);
    }
}

/// Bytes whose buffer is given back when they are dropped.
pub(crate) struct Kept(pub(crate) Vec<u8>);

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        give_back(std::mem::take(&mut self.0));
    }
}

/// Appends `bytes` to `buffer`, with room as of [`reserve`]; large ones that a message was offered
/// are set aside instead.
#[cfg(feature = "bincode")]
#[inline]
pub(crate) fn put(buffer: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() > LARGE {
        if set_aside(buffer, bytes) {
            return;
        }
        reserve(buffer, bytes.len());
    }
    buffer.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_buffer_is_used_again_and_keeps_what_was_written() {
        // An odd size, so that tests beside this one do not take it.
        let capacity = 3 * 1024 * 1024 + 17;
        give_back(Vec::with_capacity(capacity));
        let mut buffer = b"head".to_vec();
        reserve(&mut buffer, capacity - 4);
        assert_eq!((buffer.capacity(), &buffer[..]), (capacity, &b"head"[..]));
    }

    #[test]
    fn a_message_has_room_for_as_much_as_the_last_one() {
        let usual = Usual::default();
        let mut buffer = b"head".to_vec();
        usual.learn(5000);
        usual.make_room(&mut buffer);
        assert!((5000..6000).contains(&buffer.capacity()));
        usual.learn(usize::MAX);
        let mut next = Vec::new();
        usual.make_room(&mut next);
        assert_eq!(next.capacity(), LARGE, "however long it was");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut pool = Pool(Vec::new());
        for _ in 0..10 {
            pool.give_back(Vec::with_capacity(MOST / 4));
            pool.give_back(Vec::with_capacity(2 * MOST));
        }
        let mut kept: Vec<usize> = pool.0.iter().map(Vec::capacity).collect();
        kept.sort_unstable();
        assert_eq!(kept.pop(), Some(2 * MOST));
        let held: usize = kept.iter().sum();
        assert!(held <= MOST, "{held}");
    }
}
