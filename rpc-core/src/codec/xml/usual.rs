//! What nearly all documents are made of, taken in one step: the tags of XML-RPC with nothing in
//! them but their names, and short text without references.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use super::tokens::Tag;
use crate::codec::scan::{self, past};

/// The tag that `rest` begins with and its length, if it is one of XML-RPC's own as nearly all
/// write them: most of a document is these, with nothing between them.
#[inline]
pub(super) fn usual(rest: &[u8]) -> Option<(Tag<'static>, usize)> {
    macro_rules! one_of {
        ($($tag:literal $kind:ident $name:literal)*) => {{
            $(if rest.starts_with($tag) {
                return Some((Tag::$kind($name), $tag.len()));
            })*
            None
        }};
    }
    match rest.get(1)? {
        b'/' => match rest.get(2)? {
            b'a' => one_of!(b"</array>" Close "array"),
            b'd' => one_of!(b"</data>" Close "data"),
            b'm' => one_of!(
                b"</member>" Close "member"
                b"</methodCall>" Close "methodCall"
            ),
            b'p' => one_of!(b"</param>" Close "param" b"</params>" Close "params"),
            b's' => one_of!(b"</struct>" Close "struct"),
            b'v' => one_of!(b"</value>" Close "value"),
            _ => None,
        },
        b'a' => one_of!(b"<array>" Open "array"),
        b'b' => one_of!(b"<boolean>" Open "boolean" b"<base64>" Open "base64"),
        b'd' => one_of!(b"<data>" Open "data" b"<double>" Open "double"),
        b'i' => one_of!(b"<int>" Open "int" b"<i4>" Open "i4" b"<i8>" Open "i8"),
        b'm' => one_of!(
            b"<member>" Open "member"
            b"<methodCall>" Open "methodCall"
            b"<methodName>" Open "methodName"
            b"<methodResponse>" Open "methodResponse"
        ),
        b'p' => one_of!(b"<param>" Open "param" b"<params>" Open "params"),
        b'n' => one_of!(b"<name>" Open "name" b"<nil/>" Empty "nil"),
        b's' => one_of!(b"<string>" Open "string" b"<struct>" Open "struct"),
        b'v' => one_of!(b"<value>" Open "value"),
        _ => None,
    }
}

/// The length of the text that `rest` begins with, if it is short, means what it says letter by
/// letter, and a tag follows.
#[inline]
pub(super) fn short_and_literal(rest: &[u8]) -> Option<usize> {
    /// In words of eight bytes.
    const SHORT: usize = 8;
    let mut len = 0;
    for _ in 0..SHORT {
        let Some(word) = rest.get(len..).and_then(scan::word) else {
            break;
        };
        // `<` and `>` differ in one bit.
        let marks = scan::equal(word | 0x0202_0202_0202_0202, b'>')
            | scan::equal(word, b'&')
            | scan::equal(word, b'\r');
        if marks != 0 {
            len = past(len, scan::before(marks));
            return ends_at_tag(rest, len);
        }
        len = past(len, 8);
    }
    let tail = rest.get(len..)?.iter().take(8);
    let tail = tail.take_while(|b| !matches!(b, b'<' | b'>' | b'&' | b'\r'));
    ends_at_tag(rest, past(len, tail.count()))
}

/// `len`, if the tag begins there: no remark or CDATA, behind which the text would go on.
#[inline]
fn ends_at_tag(rest: &[u8], len: usize) -> Option<usize> {
    let is_tag =
        rest.get(len) == Some(&b'<') && !matches!(rest.get(past(len, 1)), Some(b'!' | b'?'));
    is_tag.then_some(len)
}

#[cfg(test)]
mod tests {
    use std::marker::PhantomData;

    use proptest::prelude::*;

    use crate::codec::xml::decode;
    use crate::limits::Budget;
    use crate::types::Value;

    fn read(document: &str) -> Option<Value> {
        decode(PhantomData, document.as_bytes(), Budget::default()).ok()
    }

    /// Text as a stranger may write it, often well-formed.
    fn text() -> impl Strategy<Value = String> {
        const PIECES: [&str; 14] = [
            "a", "12345678", "-7", "0.5", " ", "\r", "\n", ">", "]]>", "&lt;", "&#x41;", "&", "é",
            "\u{1}",
        ];
        let pieces = proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..24);
        pieces.prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// A blank in a tag and a remark change nothing but which way is taken.
        #[test]
        fn the_short_way_reads_what_the_long_way_reads(
            kind in proptest::sample::select(&["string", "int", "double", "i8", "boolean"][..]),
            text in text(),
            name in text(),
        ) {
            let short = format!("<value><{kind}>{text}</{kind}></value>");
            let long = format!("<value ><{kind} >{text}<!----></{kind} ></value >");
            prop_assert_eq!(read(&short), read(&long));

            let short = format!(
                "<value><struct><member><name>{name}</name>{short}</member></struct></value>"
            );
            let long = format!(
                "<value><struct><member ><name >{name}<!----></name ><!---->{long}</member ></struct></value>"
            );
            prop_assert_eq!(read(&short), read(&long));
        }
    }
}
