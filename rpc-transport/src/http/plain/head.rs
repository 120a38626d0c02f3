//! Which heads are plain. Bytes in, a decision out; no IO.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::mem::MaybeUninit;

use farcall_core::limits::Limits;
use http::HeaderName;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING, UPGRADE};

use super::super::fields::Fields;

/// The most headers of a plain request: calls have ten or so.
const HEADERS: usize = 32;
/// The longest head of one. What is not whole yet is read from its beginning whenever more comes.
const LENGTH: usize = 8 * 1024;
/// The longest target of one.
const TARGET: usize = 1024;
/// How one begins.
const START: &[u8] = b"POST /";

/// What there is to a head so far.
#[derive(Debug)]
pub(super) enum Parsed<'a> {
    /// It may become plain.
    Partial,
    /// It is not, or something is wrong with it: hyper knows what.
    Other,
    Plain(Head<'a>),
}

/// The head of a plain request.
#[derive(Debug)]
pub(super) struct Head<'a> {
    headers: &'a [httparse::Header<'a>],
    /// How many bytes it has.
    pub(super) length: usize,
    /// How many bytes come behind it.
    pub(super) body: usize,
}

impl Fields for Head<'_> {
    fn each(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers
            .iter()
            .map(|header| (header.name, header.value))
    }

    fn all(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        values(self.headers, name)
    }
}

/// Room for the headers of a head, which [`parse`] fills.
pub(super) type Room<'a> = [MaybeUninit<httparse::Header<'a>>; HEADERS];

pub(super) fn room<'a>() -> Room<'a> {
    [const { MaybeUninit::uninit() }; HEADERS]
}

/// Reads the head that `received` begins with.
pub(super) fn parse<'a>(received: &'a [u8], room: &'a mut Room<'a>, limits: &Limits) -> Parsed<'a> {
    let begun = received.len().min(START.len());
    if received.get(..begun) != START.get(..begun) {
        return Parsed::Other;
    }
    let (most, longest) = (limits.headers.min(HEADERS), limits.head_bytes.min(LENGTH));
    let mut request = httparse::Request::new(&mut []);
    let room = room.get_mut(..most).unwrap_or_default();
    let length = match request.parse_with_uninit_headers(received, room) {
        Ok(httparse::Status::Complete(length)) if length <= longest => length,
        Ok(httparse::Status::Partial) if received.len() < longest => {
            return Parsed::Partial;
        }
        _ => return Parsed::Other,
    };
    let is_plain = request.version == Some(1) && request.path.is_some_and(is_path);
    let headers: &'a [_] = request.headers;
    match body(headers).filter(|body| is_plain && *body <= limits.message_bytes) {
        Some(body) => Parsed::Plain(Head {
            headers,
            length,
            body,
        }),
        None => Parsed::Other,
    }
}

/// True for what is a path to everybody.
fn is_path(target: &str) -> bool {
    let is_usual =
        |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~%?=&+:@,;!*'()$".contains(&byte);
    target.len() <= TARGET && target.bytes().all(is_usual)
}

/// The length of the body, if these headers leave no doubt about it, and ask for nothing else.
fn body(headers: &[httparse::Header<'_>]) -> Option<usize> {
    let mut length = None;
    for header in headers {
        let is = |name: &HeaderName| header.name.eq_ignore_ascii_case(name.as_str());
        match header.name.len() {
            6 if is(&EXPECT) => return None,
            7 if is(&UPGRADE) => return None,
            10 if is(&CONNECTION) && !header.value.eq_ignore_ascii_case(b"keep-alive") => {
                return None;
            }
            14 if is(&CONTENT_LENGTH) && length.is_some() => return None,
            14 if is(&CONTENT_LENGTH) => length = Some(number(header.value)?),
            17 if is(&TRANSFER_ENCODING) => return None,
            _ => {}
        }
    }
    length
}

/// Digits and nothing else: no sign, no blank, no list.
fn number(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_usize, |number, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        number.checked_mul(10)?.checked_add(digit as usize)
    })
}

fn values<'a>(
    headers: &'a [httparse::Header<'a>],
    name: &HeaderName,
) -> impl Iterator<Item = &'a [u8]> {
    // Looked up once, and not for each header.
    let name = name.as_str();
    let named = headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name));
    named.map(|header| header.value)
}
