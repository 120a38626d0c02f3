//! The short way to read a message in the usual member order.
//!
//! A text that starts `{"jsonrpc":"2.0","method":"NAME","params":` and ends `,"id":7}` is taken
//! apart from both ends, and the value between is not looked at: whoever decodes it does so once,
//! as one complete JSON value with nothing behind it.
//!
//! Why this is sound: if what is between *is* one complete value, then the text is an object of
//! exactly these members, and nothing else can be meant. If it is not (`[1],"id":"x"` is not, nor
//! is `[1,`), decoding fails as malformed, and the text is read again by the long way, which tells
//! broken JSON from a request with more members. Nothing is ever taken for something else: of a
//! text that is valid JSON the last `}` closes the object, so that the `"id"` before it is one of
//! its own members (if the quote before `id` closed a string, a bare `id` would follow).

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::ops::Range;

use crate::codec::scan::past;

const REQUEST: &[u8] = br#"{"jsonrpc":"2.0","method":""#;
const PARAMS: &[u8] = br#"","params":"#;
const REPLY: &[u8] = br#"{"jsonrpc":"2.0","result":"#;
const ID: &[u8] = br#","id":"#;
const ITEM: &[u8] = br#"{"jsonrpc":"2.0","method":"rpc.item","params":["#;
const NOTIFICATION: &[u8] = br#"{"jsonrpc":"2.0","method":""#;
const SUBSCRIPTION: &[u8] = br#"","params":{"subscription":"#;
const RESULT: &[u8] = br#","result":"#;

/// A request as it was guessed.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// Where the parameters are.
    pub(super) params: Range<usize>,
    /// Digits.
    pub(super) id: &'a [u8],
}

/// A reply as it was guessed.
pub(super) struct Reply {
    /// Where the result is.
    pub(super) result: Range<usize>,
    pub(super) id: u64,
}

/// An item of a stream as it was guessed.
pub(crate) struct Item<'a> {
    /// The id of its call, or its subscription.
    pub(crate) of: &'a [u8],
    /// Where the item is.
    pub(crate) at: Range<usize>,
}

/// Takes an item that a client sends apart, if it looks canonical.
pub(crate) fn item(text: &[u8]) -> Option<Item<'_>> {
    let rest = text.strip_prefix(ITEM)?;
    let inside = rest.trim_ascii_end().strip_suffix(b"]}")?;
    let (of, rest) = split_of(inside)?;
    let item = rest.strip_prefix(b",")?;
    Some(Item {
        of,
        at: place(text, item),
    })
}

/// The id of the call whose item begins like this, if it is one that looks canonical.
pub(crate) fn item_of(text: &[u8]) -> Option<&[u8]> {
    let (of, _) = split_of(text.strip_prefix(ITEM)?)?;
    Some(of)
}

/// Takes an item that a server sends apart, if it looks canonical.
pub(super) fn subscribed(text: &[u8]) -> Option<Item<'_>> {
    let rest = text.strip_prefix(NOTIFICATION)?;
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\');
    let (_, rest) = rest.split_at_checked(rest.iter().position(ends)?)?;
    let rest = rest.strip_prefix(SUBSCRIPTION)?;
    let inside = rest.trim_ascii_end().strip_suffix(b"}}")?;
    let (of, rest) = split_of(inside)?;
    let item = rest.strip_prefix(RESULT)?;
    Some(Item {
        of,
        at: place(text, item),
    })
}

/// Parts an id without escapes from what is behind it.
fn split_of(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = match text.first()? {
        b'"' => {
            let ends = |byte: &u8| matches!(byte, b'"' | b'\\');
            let inside = text.get(1..)?.iter().position(ends)?;
            past(inside, 2)
        }
        _ => text.iter().position(|byte| !byte.is_ascii_digit())?,
    };
    text.split_at_checked(length)
}

/// Takes a request apart, if it looks canonical.
pub(super) fn request(text: &[u8]) -> Option<Request<'_>> {
    let rest = text.strip_prefix(REQUEST)?;
    // A name with an escape ends here too, and not with `","params":`.
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\');
    let (name, rest) = rest.split_at_checked(rest.iter().position(ends)?)?;
    let (params, id) = split_id(rest.strip_prefix(PARAMS)?)?;
    // The specification has only lists and objects here; the long way says so.
    matches!(
        (params.first()?, params.last()?),
        (b'[', b']') | (b'{', b'}')
    )
    .then_some(())?;
    Some(Request {
        method: std::str::from_utf8(name).ok()?,
        params: place(text, params),
        id,
    })
}

/// Takes a reply apart, if it looks canonical.
pub(super) fn reply(text: &[u8]) -> Option<Reply> {
    let (result, id) = split_id(text.strip_prefix(REPLY)?)?;
    // Keeps out most of what has more members, such as `"result":null,"error":{…}`.
    let plausible = match (result.first()?, result.last()?) {
        (b'[', b']') | (b'{', b'}') => true,
        (b'"', b'"') => result.len() > 1,
        (b'[' | b'{' | b'"', _) => false,
        _ => !result.contains(&b','),
    };
    plausible.then_some(())?;
    Some(Reply {
        result: place(text, result),
        id: number(id)?,
    })
}

/// Parts `…,"id":7}` before the comma. The id is digits without a leading zero: `07` is no JSON.
fn split_id(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_end().strip_suffix(b"}")?;
    let before = text.iter().rposition(|byte| !byte.is_ascii_digit())?;
    let (rest, id) = text.split_at_checked(past(before, 1))?;
    let value = rest.strip_suffix(ID)?;
    match id {
        [b'0'] | [b'1'..=b'9', ..] => Some((value, id)),
        _ => None,
    }
}

/// The number that these digits are, if it is not too large.
fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = u64::from(digit.wrapping_sub(b'0'));
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// Where `part` is in `whole`, of which it is a slice.
pub(crate) fn place(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
    start..start.wrapping_add(part.len())
}
