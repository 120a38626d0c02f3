//! Whether text that comes in pieces is UTF-8: the pieces may cut a character.

use std::str::from_utf8;

/// The part of a character at the end of what was checked.
#[derive(Debug, Default)]
pub(super) struct Utf8 {
    part: [u8; 4],
    length: usize,
}

impl Utf8 {
    /// False if what came so far is not the beginning of any text.
    pub(super) fn takes(&mut self, bytes: &[u8]) -> bool {
        let mut bytes = bytes;
        while self.length > 0 {
            let Some((first, rest)) = bytes.split_first() else {
                return true;
            };
            let Some(free) = self.part.get_mut(self.length) else {
                return false;
            };
            *free = *first;
            self.length = self.length.saturating_add(1);
            bytes = rest;
            match from_utf8(self.part.get(..self.length).unwrap_or_default()) {
                Ok(_) => self.length = 0,
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return false,
            }
        }
        let Err(error) = from_utf8(bytes) else {
            return true;
        };
        let part = bytes.get(error.valid_up_to()..).unwrap_or_default();
        match (error.error_len(), self.part.get_mut(..part.len())) {
            (None, Some(room)) => {
                room.copy_from_slice(part);
                self.length = part.len();
                true
            }
            _ => false,
        }
    }

    /// True if it did not end inside of a character.
    pub(super) fn is_whole(&self) -> bool {
        self.length == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_text(bytes: &[u8], step: usize) -> bool {
        let mut utf8 = Utf8::default();
        bytes.chunks(step).all(|piece| utf8.takes(piece)) && utf8.is_whole()
    }

    #[test]
    fn however_text_is_cut_it_is_text_and_what_is_none_is_none() {
        let texts: [&[u8]; 9] = [
            b"",
            b"plain",
            "gr\u{fc}n \u{20ac} \u{1f980}!".as_bytes(),
            b"\xff",
            b"a\xc3",
            b"\xc3a",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xf0\x9f\xa6\xf0\x9f\xa6\x80",
        ];
        for text in texts {
            for step in 1..=text.len().max(1) {
                assert_eq!(
                    is_text(text, step),
                    from_utf8(text).is_ok(),
                    "{text:?} {step}"
                );
            }
        }
    }
}
