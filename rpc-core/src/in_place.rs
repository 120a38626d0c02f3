//! Large byte strings that are not copied: in a message that came they stay where they are, and
//! beside one that is being written they wait to be sent from where they are.
//!
//! serde has no way to hand a codec more than a slice, so the two talk past it, on their thread: a
//! scope says which message is read, or which buffer is written, and only what is within that very
//! message, or is written to that very buffer, is treated so.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::ops::Range;

use bytes::Bytes;

use crate::payload::Payload;

/// Up to this length bytes are copied: they travel with their message in one piece, and a share of
/// it would keep much alive for little.
const SMALL: usize = 64 * 1024;

/// Bytes that belong into a message and are not in its buffer.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Where in the buffer they belong.
    pub(crate) at: usize,
    pub(crate) bytes: Bytes,
}

thread_local! {
    /// The message that is read.
    static MESSAGE: RefCell<Option<Bytes>> = const { RefCell::new(None) };
    /// The address of the buffer that is being written; none is at 0.
    static BUFFER: Cell<usize> = const { Cell::new(0) };
    /// What was set aside; that of inner scopes last.
    static SEGMENTS: RefCell<Vec<Segment>> = const { RefCell::new(Vec::new()) };
    /// How many those are. Apart and without a destructor, as is the buffer's address, so that
    /// messages with nothing set aside cost next to nothing.
    static COUNT: Cell<usize> = const { Cell::new(0) };
    /// What a serializer is just given.
    static OFFER: RefCell<Option<Bytes>> = const { RefCell::new(None) };
}

/// While this is there, large bytes that are read from a message are a share of it.
pub(crate) struct Reading {
    /// What was read around it.
    outer: Option<Bytes>,
    here: PhantomData<*const ()>,
}

impl Reading {
    /// None where there is nothing to share, as in nearly all messages.
    #[inline]
    pub(crate) fn of(message: &Payload) -> Option<Self> {
        match message.shared() {
            Some(bytes) if bytes.len() > SMALL => Some(Self::begin(bytes)),
            _ => None,
        }
    }

    #[cold]
    fn begin(message: &Bytes) -> Self {
        Self {
            outer: MESSAGE.replace(Some(message.clone())),
            here: PhantomData,
        }
    }
}

impl Drop for Reading {
    #[cold]
    fn drop(&mut self) {
        MESSAGE.set(self.outer.take());
    }
}

/// The bytes that were read: a share of the message if they are large and in it, else a copy.
pub(crate) fn share(read: &[u8]) -> Bytes {
    if read.len() <= SMALL {
        return Bytes::copy_from_slice(read);
    }
    MESSAGE.with_borrow(|message| match message {
        Some(message) if is_within(read, message) => message.slice_ref(read),
        _ => Bytes::copy_from_slice(read),
    })
}

fn is_within(part: &[u8], whole: &[u8]) -> bool {
    let (Range { start, end }, whole) = (part.as_ptr_range(), whole.as_ptr_range());
    start >= whole.start && end <= whole.end
}

/// While this is there, large [`Bytes`](crate::types::Bytes) that are written to one buffer are set
/// aside. What was is dropped with it, whatever ended the writing.
pub(crate) struct Aside {
    /// The buffer that was written around it.
    outer: usize,
    /// How many segments there were before.
    first: usize,
    here: PhantomData<*const ()>,
}

impl Aside {
    #[inline]
    pub(crate) fn of(buffer: &Vec<u8>) -> Self {
        Self {
            outer: BUFFER.replace(address(buffer)),
            first: COUNT.get(),
            here: PhantomData,
        }
    }

    /// What was set aside, if anything was, and how many bytes that are.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<(Vec<Segment>, usize)> {
        (COUNT.get() > self.first).then(|| self.take_all())
    }

    #[cold]
    fn take_all(&mut self) -> (Vec<Segment>, usize) {
        COUNT.set(self.first);
        let segments = SEGMENTS.with_borrow_mut(|all| {
            let first = self.first.min(all.len());
            all.split_off(first)
        });
        let bytes = segments.iter().map(|segment| segment.bytes.len()).sum();
        (segments, bytes)
    }
}

impl Drop for Aside {
    #[inline]
    fn drop(&mut self) {
        drop(self.take());
        BUFFER.set(self.outer);
    }
}

fn address(buffer: &Vec<u8>) -> usize {
    std::ptr::from_ref(buffer).addr()
}

/// Says that `write` writes all of `bytes`, if those are large and a buffer is in scope.
pub(crate) fn offered<T>(bytes: &Bytes, write: impl FnOnce() -> T) -> T {
    /// Takes the offer back, even from a serializer that panicked.
    struct Over;

    impl Drop for Over {
        fn drop(&mut self) {
            OFFER.set(None);
        }
    }

    if bytes.len() <= SMALL || BUFFER.get() == 0 {
        return write();
    }
    OFFER.set(Some(bytes.clone()));
    let _over = Over;
    write()
}

/// Sets `written` aside instead of appending it to `buffer`; false if it is to be appended.
#[cold]
pub(crate) fn set_aside(buffer: &Vec<u8>, written: &[u8]) -> bool {
    if BUFFER.get() != address(buffer) {
        return false;
    }
    let is_offered = |bytes: &mut Bytes| bytes.as_ptr_range() == written.as_ptr_range();
    let Some(bytes) = OFFER.with_borrow_mut(|offer| offer.take_if(is_offered)) else {
        return false;
    };
    COUNT.set(COUNT.get() + 1);
    let at = buffer.len();
    SEGMENTS.with_borrow_mut(|all| all.push(Segment { at, bytes }));
    true
}
