//! Integers that the parser made floats of.
//!
//! To a type that takes any number it gives those beyond 64 bits as floats, rounded, and does not
//! say so. So where such a type got a float of that size, the text is looked through for how it was
//! written.

// Numbers from outside are not added up unchecked.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use crate::codec::place::Place;

/// Where in `text`, which is JSON, one of `floats` is written as an integer.
pub(super) fn rounded(text: &str, mut floats: Vec<f64>) -> Option<Place> {
    if floats.is_empty() {
        return None;
    }
    floats.sort_unstable_by(f64::total_cmp);
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let len = match byte {
            b'"' => string(rest),
            b'-' | b'0'..=b'9' => {
                let len = rest.iter().take_while(|&&b| is_number(b)).count();
                let number = text.get(at..at.saturating_add(len)).unwrap_or_default();
                if is_one_of(number, &floats) {
                    return Some(Place::after(bytes.get(..at).unwrap_or_default()));
                }
                len
            }
            _ => 1,
        };
        at = at.saturating_add(len);
    }
    None
}

/// The length of the string that `rest` begins with.
pub(super) fn string(rest: &[u8]) -> usize {
    let mut escaped = true; // As its first quote does not end it.
    let end = rest.iter().position(|&b| {
        let ends = b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
        ends
    });
    end.map_or(rest.len(), |end| end.saturating_add(1))
}

fn is_number(b: u8) -> bool {
    b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E')
}

fn is_one_of(number: &str, floats: &[f64]) -> bool {
    !number.contains(['.', 'e', 'E'])
        && number.parse().is_ok_and(|float: f64| {
            floats
                .binary_search_by(|known| known.total_cmp(&float))
                .is_ok()
        })
}
