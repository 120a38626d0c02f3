//! The first bytes of a connection, the same in every version for ever.

use crate::encoding::Encoding;
use crate::limits::Limits;

/// How every hello begins: no ASCII, no UTF-8, no TLS, no byte order mark.
pub const MAGIC: [u8; 4] = [0xfc, b'f', b'a', b'r'];

/// The length of a hello, in bytes.
pub const HELLO: usize = 16;

/// The version this crate speaks.
const VERSION: u8 = 1;

/// In the place of the version: what follows is a refusal in words.
const REFUSED: u8 = 0;

/// The feature of taking messages in pieces, and streams.
const PIECES: u16 = 1;

/// What one side says of itself before its first frame.
///
/// ```
/// use farcall_core::{encoding::Encoding, limits::Limits, protocol::native::{Hello, Version}};
///
/// let hello = Hello::new(Encoding::Bincode, &Limits::default());
/// assert_eq!(Version::read(&hello.to_bytes()), Ok(Some(Version::Known(hello))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// What the values of this connection are encoded in.
    pub encoding: Encoding,
    /// What the sender can do beyond version 1's unary calls; a bit each.
    pub features: u16,
    /// The largest frame body the sender takes, in bytes.
    pub message_bytes: u32,
    /// The most calls in flight the sender takes.
    pub calls: u32,
}

impl Hello {
    /// The hello of a side with these `limits`.
    #[must_use]
    pub fn new(encoding: Encoding, limits: &Limits) -> Self {
        Self {
            encoding,
            features: PIECES,
            message_bytes: u32::try_from(limits.message_bytes).unwrap_or(u32::MAX),
            calls: u32::try_from(limits.calls_per_connection).unwrap_or(u32::MAX),
        }
    }

    /// True if the sender takes messages in pieces, and streams.
    #[must_use]
    pub fn takes_pieces(self) -> bool {
        self.features & PIECES != 0
    }

    /// The hello as it is sent.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HELLO] {
        let [m0, m1, m2, m3] = MAGIC;
        let [f0, f1] = self.features.to_le_bytes();
        let [b0, b1, b2, b3] = self.message_bytes.to_le_bytes();
        let [c0, c1, c2, c3] = self.calls.to_le_bytes();
        let encoding = encoding_id(self.encoding);
        [
            m0, m1, m2, m3, VERSION, encoding, f0, f1, b0, b1, b2, b3, c0, c1, c2, c3,
        ]
    }
}

/// What the first bytes of the other side are.
///
/// ```
/// use farcall_core::protocol::native::{Version, refusal};
///
/// let bytes = refusal("only bincode is spoken here");
/// let words = "only bincode is spoken here".to_owned();
/// assert_eq!(Version::read(&bytes), Ok(Some(Version::Refused(words))));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// A hello of this version.
    Known(Hello),
    /// A hello of a version, or with an encoding, that is not known here; what is wrong with it.
    Unknown(String),
    /// The other side refuses, in these words.
    Refused(String),
}

impl Version {
    /// Reads the other side's first bytes; `None` while more are needed. A hello takes [`HELLO`]
    /// of them.
    ///
    /// # Errors
    /// If they do not begin with [`MAGIC`].
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, Refusal> {
        let start = bytes.get(..MAGIC.len()).unwrap_or(bytes);
        if !MAGIC.starts_with(start) {
            return Err(Refusal);
        }
        let Some(&[_, _, _, _, version, encoding, f0, f1]) = bytes.first_chunk() else {
            return Ok(None);
        };
        if version == REFUSED {
            let length = usize::from(u16::from_le_bytes([f0, f1]));
            let words = bytes.get(8..8 + length);
            return Ok(
                words.map(|words| Self::Refused(String::from_utf8_lossy(words).into_owned()))
            );
        }
        if version != VERSION {
            return Ok(Some(Self::Unknown(format!(
                "version {version} of the native protocol is not spoken here, only {VERSION}"
            ))));
        }
        let Some(encoding) = encoding_of(encoding) else {
            return Ok(Some(Self::Unknown(format!(
                "encoding {encoding} is not known here"
            ))));
        };
        let Some(&[_, _, _, _, _, _, _, _, b0, b1, b2, b3, c0, c1, c2, c3]) =
            bytes.first_chunk::<HELLO>()
        else {
            return Ok(None);
        };
        Ok(Some(Self::Known(Hello {
            encoding,
            features: u16::from_le_bytes([f0, f1]),
            message_bytes: u32::from_le_bytes([b0, b1, b2, b3]),
            calls: u32::from_le_bytes([c0, c1, c2, c3]),
        })))
    }
}

/// The bytes are no hello at all.
///
/// ```
/// assert!(farcall_core::protocol::native::Version::read(b"HTTP/1.1 400").is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal;

/// A refusal in `words`, which every version can read.
#[must_use]
pub fn refusal(words: &str) -> Vec<u8> {
    let mut end = words.len().min(usize::from(u16::MAX));
    while !words.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let words = words.get(..end).unwrap_or_default().as_bytes();
    let length = u16::try_from(words.len()).unwrap_or(u16::MAX);
    let mut bytes = Vec::with_capacity(words.len().saturating_add(8));
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&[REFUSED, 0]);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(words);
    bytes
}

fn encoding_id(encoding: Encoding) -> u8 {
    match encoding {
        Encoding::Bincode => 1,
        Encoding::Json => 2,
        Encoding::Xml => 3,
    }
}

fn encoding_of(id: u8) -> Option<Encoding> {
    Encoding::ALL
        .into_iter()
        .find(|&encoding| encoding_id(encoding) == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_is_these_bytes_for_ever() {
        let limits = Limits {
            message_bytes: 0x0040_0000,
            calls_per_connection: 1024,
            ..Limits::default()
        };
        assert_eq!(
            Hello::new(Encoding::Bincode, &limits).to_bytes(),
            *b"\xfcfar\x01\x01\x01\x00\x00\x00\x40\x00\x00\x04\x00\x00",
        );
        assert_eq!(refusal("no"), *b"\xfcfar\x00\x00\x02\x00no");
    }

    #[test]
    fn a_hello_may_come_one_byte_at_a_time() {
        let bytes = Hello::new(Encoding::Xml, &Limits::default()).to_bytes();
        for end in 0..bytes.len() {
            assert_eq!(Version::read(&bytes[..end]), Ok(None), "after {end} bytes");
        }
        assert!(matches!(Version::read(&bytes), Ok(Some(Version::Known(_)))));
    }

    #[test]
    fn a_version_or_encoding_from_the_future_is_told_from_nonsense() {
        assert!(matches!(
            Version::read(b"\xfcfar\x02\x01\x00\x00"),
            Ok(Some(Version::Unknown(_)))
        ));
        assert!(matches!(
            Version::read(b"\xfcfar\x01\x09\x00\x00"),
            Ok(Some(Version::Unknown(_)))
        ));
        assert_eq!(Version::read(b"\xfcfat"), Err(Refusal));
        assert_eq!(Version::read(b"HTTP"), Err(Refusal));
    }
}
