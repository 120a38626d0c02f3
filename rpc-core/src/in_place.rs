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

/// Which buffer is being written, and what was set aside for it.
#[derive(Clone, Copy)]
struct Scope {
    /// The address of the buffer; none is at 0.
    buffer: usize,
    count: usize,
    bytes: usize,
}

const NO_SCOPE: Scope = Scope {
    buffer: 0,
    count: 0,
    bytes: 0,
};

thread_local! {
    /// The message that is read.
    static MESSAGE: RefCell<Option<Bytes>> = const { RefCell::new(None) };
    /// Without a destructor, so that messages with nothing set aside cost next to nothing.
    static SCOPE: Cell<Scope> = const { Cell::new(NO_SCOPE) };
    /// What was set aside; that of inner scopes last.
    static SEGMENTS: RefCell<Vec<Segment>> = const { RefCell::new(Vec::new()) };
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
    outer: Scope,
    here: PhantomData<*const ()>,
}

impl Aside {
    #[inline]
    pub(crate) fn of(buffer: &Vec<u8>) -> Self {
        let inner = Scope {
            buffer: address(buffer),
            ..NO_SCOPE
        };
        Self {
            outer: SCOPE.replace(inner),
            here: PhantomData,
        }
    }

    /// What was set aside, and how many bytes that are.
    #[inline]
    pub(crate) fn take(&mut self) -> (Vec<Segment>, usize) {
        match SCOPE.get() {
            Scope { count: 0, .. } => (Vec::new(), 0),
            scope => Self::take_all(scope),
        }
    }

    #[cold]
    fn take_all(scope: Scope) -> (Vec<Segment>, usize) {
        SCOPE.set(Scope {
            buffer: scope.buffer,
            ..NO_SCOPE
        });
        let segments = SEGMENTS.with_borrow_mut(|all| {
            let first = all.len().saturating_sub(scope.count);
            all.split_off(first)
        });
        (segments, scope.bytes)
    }
}

impl Drop for Aside {
    #[inline]
    fn drop(&mut self) {
        if SCOPE.get().count > 0 {
            drop(self.take());
        }
        SCOPE.set(self.outer);
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

    if bytes.len() <= SMALL || SCOPE.get().buffer == 0 {
        return write();
    }
    OFFER.set(Some(bytes.clone()));
    let _over = Over;
    write()
}

/// Sets `written` aside instead of appending it to `buffer`; false if it is to be appended.
#[cold]
pub(crate) fn set_aside(buffer: &Vec<u8>, written: &[u8]) -> bool {
    let scope = SCOPE.get();
    if scope.buffer != address(buffer) {
        return false;
    }
    let is_offered = |bytes: &mut Bytes| bytes.as_ptr_range() == written.as_ptr_range();
    let Some(bytes) = OFFER.with_borrow_mut(|offer| offer.take_if(is_offered)) else {
        return false;
    };
    SCOPE.set(Scope {
        count: scope.count + 1,
        bytes: scope.bytes + bytes.len(),
        ..scope
    });
    let at = buffer.len();
    SEGMENTS.with_borrow_mut(|all| all.push(Segment { at, bytes }));
    true
}
