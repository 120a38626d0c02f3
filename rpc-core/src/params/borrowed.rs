//! Text and bytes that stay in the message where they can.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// A `&str` parameter on the server: borrowed from the message where its bytes are the text
/// itself, owned where they had escapes.
///
/// ```
/// use farcall_core::{encoding::Encoding, params::Text};
///
/// let text: Text<'_> = Encoding::Json.decode(br#""plain""#)?;
/// assert_eq!(&*text, "plain");
/// # Ok::<(), farcall_core::error::DecodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<'a>(Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a, S: Into<Cow<'a, str>>> From<S> for Text<'a> {
    fn from(text: S) -> Self {
        Self(text.into())
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

/// Bytes as bytes: a `&[u8]` parameter, base64 in JSON and XML.
///
/// ```
/// use farcall_core::{encoding::Encoding, params::Blob};
///
/// let mut json = Vec::new();
/// Encoding::Json.encode(&Blob::from(&b"\x00\xff"[..]), &mut json)?;
/// assert_eq!(json, br#""AP8=""#);
/// # Ok::<(), farcall_core::error::EncodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob<'a>(Cow<'a, [u8]>);

impl Deref for Blob<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<'a, S: Into<Cow<'a, [u8]>>> From<S> for Blob<'a> {
    fn from(bytes: S) -> Self {
        Self(bytes.into())
    }
}

impl Blob<'_> {
    /// What `borrowed` makes of bytes in the message, and `owned` of others.
    pub(crate) fn either<T>(
        self,
        borrowed: impl FnOnce(&[u8]) -> T,
        owned: impl FnOnce(Vec<u8>) -> T,
    ) -> T {
        match self.0 {
            Cow::Borrowed(bytes) => borrowed(bytes),
            Cow::Owned(bytes) => owned(bytes),
        }
    }
}

impl Serialize for Blob<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Blob<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BlobVisitor;

        impl<'de> Visitor<'de> for BlobVisitor {
            type Value = Blob<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Blob<'de>, E> {
                Ok(Blob(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Blob<'de>, E> {
                Ok(Blob(Cow::Owned(bytes.to_vec())))
            }

            fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Blob<'de>, E> {
                Ok(Blob(Cow::Owned(bytes)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Blob<'de>, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.push(byte);
                }
                Ok(Blob(Cow::Owned(bytes)))
            }
        }

        deserializer.deserialize_bytes(BlobVisitor)
    }
}

/// Bytes as bytes, owned: how a table of methods describes a `&[u8]` parameter, and what one is
/// decoded as that has to outlive its message.
///
/// ```
/// use farcall_core::{params::Bytes, shape};
///
/// assert_eq!(shape::of::<Bytes>(), shape::Shape::Bytes);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes(Vec<u8>);

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<S: Into<Vec<u8>>> From<S> for Bytes {
    fn from(bytes: S) -> Self {
        Self(bytes.into())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Blob::deserialize(deserializer).map(|blob| Self(blob.0.into_owned()))
    }
}
