//! Bytes in JSON: written as base64 text, read from that or from a list of numbers.

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::wide;
use crate::codec::guard::{Asked, Guard, Policy, Sign};
use crate::error::EncodeError;

/// The standard alphabet, padded when written. Some writers leave the padding off.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Appends `bytes` as base64 text.
pub(super) fn put_base64(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), EncodeError> {
    // A multiple of three, so that only the last piece is padded.
    const PIECE: usize = 768;
    let mut text = [0; PIECE / 3 * 4];
    out.push(b'"');
    for piece in bytes.chunks(PIECE) {
        let len = ENGINE
            .encode_slice(piece, &mut text)
            .map_err(EncodeError::new)?;
        out.extend_from_slice(text.get(..len).unwrap_or_default());
    }
    out.push(b'"');
    Ok(())
}

/// How the guard reads JSON.
#[derive(Clone, Copy)]
pub(super) struct Textual;

impl Policy for Textual {
    const DEPTH: &'static str = "Limits::json_depth";

    fn wide<'de, D: Deserializer<'de>, V: Visitor<'de>>(
        guard: Guard<'_, D, Self>,
        sign: Sign,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        wide::read(guard, sign, visitor)
    }

    fn bytes<'de, D: Deserializer<'de>, V: Visitor<'de>>(
        guard: Guard<'_, D, Self>,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let watched = guard.watch(Asked::Anything, Bytes(visitor));
        guard.inner.deserialize_any(watched)
    }
}

/// Makes bytes of what stands for them in JSON.
pub(super) struct Bytes<V>(pub(super) V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Bytes<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes, as base64 or a list of numbers")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        match ENGINE.decode(text) {
            Ok(bytes) => self.0.visit_byte_buf(bytes),
            // Its own error shows bytes of the message.
            Err(_) => Err(E::custom("expected base64, found other text")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<V::Value, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        self.0.visit_byte_buf(bytes)
    }
}
