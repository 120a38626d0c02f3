//! The bytes of one message, cheap to hand on.

use std::fmt;
use std::ops::{Deref, Range};

use bytes::Bytes;

/// Up to this many bytes are held in place; 62 makes a [`Payload`] exactly one cache line.
const INLINE: usize = 62;

/// The bytes of one received message.
///
/// A small message is copied into the value itself, so that it costs no allocation and does not
/// keep the connection's whole read buffer alive; a larger one shares that buffer.
///
/// ```
/// use farcall_core::payload::Payload;
///
/// let payload = Payload::copied_from(b"[7,3]");
/// assert_eq!(&payload[..], b"[7,3]");
/// ```
#[derive(Clone)]
pub struct Payload(Repr);

#[derive(Clone)]
enum Repr {
    Inline { len: u8, bytes: [u8; INLINE] },
    Shared(Bytes),
}

impl Payload {
    /// A payload of its own, whatever happens to `bytes`.
    #[must_use]
    pub fn copied_from(bytes: &[u8]) -> Self {
        match bytes.len() {
            ..=INLINE => Self::inline(bytes),
            _ => Self(Repr::Shared(Bytes::copy_from_slice(bytes))),
        }
    }

    /// A copy of so few bytes, written to where it stays: to move it on would have to wait for the
    /// pieces in which it was only just written.
    #[inline(never)]
    fn inline(bytes: &[u8]) -> Self {
        let mut payload = Self(Repr::Inline {
            // It is at most `INLINE` here.
            len: bytes.len() as u8,
            bytes: [0; INLINE],
        });
        if let Repr::Inline { bytes: room, .. } = &mut payload.0
            && let Some(room) = room.get_mut(..bytes.len())
        {
            room.copy_from_slice(bytes);
        }
        payload
    }

    /// The first `len` bytes, if they are held in place.
    #[inline]
    pub(crate) fn start_of(bytes: &[u8], len: usize) -> Option<Self> {
        match bytes.first_chunk() {
            // What follows is copied along, and never shown: a copy of fixed length is cheaper.
            Some(bytes) if len <= INLINE => Some(Self(Repr::Inline {
                // `len` is at most `INLINE` here.
                len: len as u8,
                bytes: *bytes,
            })),
            _ if len <= INLINE => Self::last_of(bytes, len),
            _ => None,
        }
    }

    /// As [`start_of`](Self::start_of), where less follows than fits. (Apart, or the compiler makes
    /// one copy of any length of both.)
    #[cold]
    #[inline(never)]
    fn last_of(bytes: &[u8], len: usize) -> Option<Self> {
        bytes.get(..len).map(Self::copied_from)
    }

    /// The bytes `at`, as a message of its own: a small one copied, a large one shared.
    #[must_use]
    pub(crate) fn part(&self, at: Range<usize>) -> Self {
        match &self.0 {
            Repr::Shared(bytes) if !Self::would_be_inline(at.len()) && at.end <= bytes.len() => {
                Self(Repr::Shared(bytes.slice(at)))
            }
            _ => Self::copied_from(self.get(at).unwrap_or_default()),
        }
    }

    /// How many bytes there are, and these, if they are few enough.
    #[inline]
    pub(crate) fn short<const N: usize>(&self) -> Option<(u8, [u8; N])> {
        match &self.0 {
            // What follows them is copied along: a copy of fixed length is cheaper.
            Repr::Inline { len, bytes } if usize::from(*len) <= N => {
                Some((*len, *bytes.first_chunk()?))
            }
            _ => None,
        }
    }

    /// The bytes, if they are not held in place.
    #[inline]
    pub(crate) fn shared(&self) -> Option<&Bytes> {
        match &self.0 {
            Repr::Inline { .. } => None,
            Repr::Shared(bytes) => Some(bytes),
        }
    }

    /// True if a message of `len` bytes would be copied rather than shared.
    #[must_use]
    pub fn would_be_inline(len: usize) -> bool {
        len <= INLINE
    }

    /// The same bytes as [`Bytes`]: shared where they are shared already.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Repr::Inline { .. } => Bytes::copy_from_slice(&self),
            Repr::Shared(bytes) => bytes,
        }
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or(bytes),
            Repr::Shared(bytes) => bytes,
        }
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self(Repr::Inline {
            len: 0,
            bytes: [0; INLINE],
        })
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        if Self::would_be_inline(bytes.len()) {
            Self::copied_from(&bytes)
        } else {
            Self(Repr::Shared(bytes))
        }
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Bytes::from(bytes))
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.len())
    }
}
