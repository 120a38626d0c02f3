//! Looking for a byte, eight at a time, and moving on behind it.
//!
//! For stretches so short that calling a real search costs more than it saves.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The place `len` bytes behind `at`: everything that reads moves on by this.
#[inline]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "places in memory, which ends long before `usize` does"
)]
pub(crate) const fn past(at: usize, len: usize) -> usize {
    at + len
}

/// The first eight bytes, if there are so many.
#[inline]
pub(crate) fn word(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|word| u64::from_le_bytes(*word))
}

/// Marks where in `word` a byte is `byte`. The first mark is right; those behind it may be none.
#[inline]
pub(crate) fn equal(word: u64, byte: u8) -> u64 {
    let differs = word ^ (LOW.wrapping_mul(u64::from(byte)));
    differs.wrapping_sub(LOW) & !differs & HIGH
}

/// Marks where a byte of `word` is less than `bound`, which is 128 at most. The first mark is right;
/// those behind it may be none.
#[cfg(any(feature = "json", feature = "xml"))]
#[inline]
pub(crate) fn below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(LOW.wrapping_mul(u64::from(bound))) & !word & HIGH
}

/// Marks where a byte of `word` is not ASCII.
#[cfg(feature = "xml")]
#[inline]
pub(crate) fn not_ascii(word: u64) -> u64 {
    word & HIGH
}

/// How many bytes stand before the first mark, of the eight.
#[inline]
pub(crate) fn before(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mark_is_right() {
        for first in 0..=255_u8 {
            for at in 0..8 {
                let mut bytes = [b'a'; 8];
                bytes[at] = first;
                // A neighbour that a borrow could mark.
                if let Some(next) = bytes.get_mut(at + 1) {
                    *next = b'"' + 1;
                }
                let marks = equal(u64::from_le_bytes(bytes), b'"');
                assert_eq!(marks != 0, first == b'"', "{first} at {at}");
                if marks != 0 {
                    assert_eq!(before(marks), at);
                }
                #[cfg(feature = "xml")]
                {
                    let word = u64::from_le_bytes(bytes);
                    assert_eq!(not_ascii(word) != 0, first > 127, "{first} at {at}");
                    let marks = below(word, b' ');
                    assert_eq!(marks != 0, first < b' ', "{first} at {at}");
                    if marks != 0 {
                        assert_eq!(before(marks), at);
                    }
                }
            }
        }
        assert_eq!(word(b"1234567"), None);
    }
}
