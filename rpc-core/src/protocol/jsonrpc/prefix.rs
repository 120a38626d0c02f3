//! Whether lines of text can still become one JSON array or object.
//!
//! For the splitter, which must not wait for brackets to close where they cannot close any more. It
//! looks at tokens and their order, not into strings, and remembers where it is between lines: no
//! token goes on on the next line.

use serde::de::IgnoredAny;

/// A larger stack is not kept for the next text.
const KEPT: usize = 256;

/// How a text begins that has not ended yet.
#[derive(Debug)]
pub(super) struct Prefix {
    /// The brackets that are open.
    open: Vec<u8>,
    next: Next,
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Value,
    ValueOrEnd,
    Name,
    NameOrEnd,
    Colon,
    CommaOrEnd,
}

impl Prefix {
    pub(super) fn new() -> Self {
        Self {
            open: Vec::new(),
            next: Next::Value,
        }
    }

    /// Forgets the text: another one begins.
    pub(super) fn clear(&mut self) {
        if self.open.capacity() > KEPT {
            self.open = Vec::new();
        }
        self.open.clear();
        self.next = Next::Value;
    }

    /// True if `byte`, which is no white space, may come next.
    pub(super) fn takes(&self, byte: u8) -> bool {
        use Next::{Colon, CommaOrEnd, Name, NameOrEnd, Value, ValueOrEnd};

        let inside = self.open.last();
        match byte {
            b'"' => matches!(self.next, Value | ValueOrEnd | Name | NameOrEnd),
            b':' => self.next == Colon,
            b',' => self.next == CommaOrEnd && inside.is_some(),
            b'}' => matches!(self.next, NameOrEnd | CommaOrEnd) && inside == Some(&b'{'),
            b']' => matches!(self.next, ValueOrEnd | CommaOrEnd) && inside == Some(&b'['),
            b'{' | b'[' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                matches!(self.next, Value | ValueOrEnd)
            }
            _ => false,
        }
    }

    /// Reads whole lines; false once they cannot be the beginning of a text.
    pub(super) fn read(&mut self, mut lines: &[u8]) -> bool {
        loop {
            lines = lines.trim_ascii_start();
            let Some((&byte, rest)) = lines.split_first() else {
                return true;
            };
            if !self.takes(byte) {
                return false;
            }
            let word = lines;
            lines = rest;
            match byte {
                b'{' => {
                    self.open.push(byte);
                    self.next = Next::NameOrEnd;
                }
                b'[' => {
                    self.open.push(byte);
                    self.next = Next::ValueOrEnd;
                }
                b'}' | b']' => {
                    self.open.pop();
                    self.next = Next::CommaOrEnd;
                }
                b':' => self.next = Next::Value,
                b',' => {
                    self.next = match self.open.last() {
                        Some(b'{') => Next::Name,
                        _ => Next::Value,
                    };
                }
                b'"' => {
                    let Some(behind) = behind_string(rest) else {
                        return false;
                    };
                    lines = behind;
                    self.next = match self.next {
                        Next::Name | Next::NameOrEnd => Next::Colon,
                        _ => Next::CommaOrEnd,
                    };
                }
                _ => {
                    let length = word.iter().take_while(|byte| !ends_word(**byte)).count();
                    let Some((word, behind)) = word.split_at_checked(length) else {
                        return false;
                    };
                    if serde_json::from_slice::<IgnoredAny>(word).is_err() {
                        return false;
                    }
                    lines = behind;
                    self.next = Next::CommaOrEnd;
                }
            }
        }
    }
}

/// What stands behind the string whose first quote is before `rest`, if it ends there.
fn behind_string(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let (_, behind) = rest.split_at_checked(memchr::memchr2(b'"', b'\\', rest)?)?;
        match behind {
            [b'\\', _, more @ ..] => rest = more,
            [b'"', more @ ..] => return Some(more),
            _ => return None,
        }
    }
}

/// True for what ends a number, `true`, `false` or `null`.
fn ends_word(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b',' | b':' | b'{' | b'}' | b'[' | b']' | b'"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_the_parser_says() {
        // Every text of these tokens, up to so many, that is read line by line.
        const TOKENS: [&str; 10] = [
            "{",
            "[",
            "}",
            "]",
            ":",
            ",",
            "\"a\\\"\"",
            "-1e5",
            "null",
            "01",
        ];
        let mut texts: Vec<String> = vec!["[\n".to_owned(), "{\n".to_owned()];
        for _ in 0..4 {
            let longer = texts
                .iter()
                .flat_map(|text| TOKENS.map(|token| format!("{text} {token}\n")));
            texts = longer.collect();
            for text in &texts {
                let mut prefix = Prefix::new();
                let reads = text
                    .split_inclusive('\n')
                    .all(|line| prefix.read(line.as_bytes()));
                let said = serde_json::from_str::<IgnoredAny>(text);
                let goes_on = said.is_ok() || said.is_err_and(|error| error.is_eof());
                assert_eq!(reads, goes_on, "{text}");
            }
        }
    }

    #[test]
    fn a_large_stack_is_given_back() {
        let mut prefix = Prefix::new();
        assert!(prefix.read(&[b'['; 10_000]));
        prefix.clear();
        assert_eq!(prefix.open.capacity(), 0);
    }
}
