//! The head of an HTTP/1.1 answer (RFC 9112 §4 and §6): what of it means something to a caller.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::mem::MaybeUninit;

use bytes::{Buf, BytesMut};
use farcall_core::context::Metadata;
use http::StatusCode;

use super::super::coding::{Coding, Unsupported};
use super::super::headers::{GOING_AWAY, reply_metadata};
use super::framing::{Chunk, Framing};

/// A head that was read.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) coding: Result<Coding, Unsupported>,
    pub(super) framing: Framing,
    /// What the handler sent along.
    pub(super) metadata: Metadata,
    /// The connection can carry another request after this.
    pub(super) keeps_alive: bool,
    /// It answers nothing: the server said it as it ended, and read no further request.
    pub(super) is_last_word: bool,
}

/// As many headers as there is room for without asking for any.
const HEADERS: usize = 100;

/// More than these are never taken.
const MOST: usize = 16_384;

/// Takes the head out of `received`, past any that only say to go on waiting; `None` while it is
/// not all there. The error says what is wrong with it, or that it has more than `most` headers.
pub(super) fn take(received: &mut BytesMut, most: usize) -> Result<Option<Head>, String> {
    loop {
        let mut usual = [const { MaybeUninit::uninit() }; HEADERS];
        let mut more = Vec::new();
        let room = match usual.get_mut(..most) {
            Some(room) => room,
            None => {
                more.resize_with(most.min(MOST), MaybeUninit::uninit);
                more.as_mut_slice()
            }
        };
        let mut answer = httparse::Response::new(&mut []);
        let config = httparse::ParserConfig::default();
        let parsed = config.parse_response_with_uninit_headers(&mut answer, received, room);
        let length = match parsed {
            Err(httparse::Error::TooManyHeaders) => {
                let most = most.min(MOST);
                return Err(format!(
                    "its head has more than {most} headers (`Limits::headers`)"
                ));
            }
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let code = answer.code.unwrap_or_default();
        // 100, 103 and whatever else is not the answer yet. (101 was not asked for.)
        if (100..200).contains(&code) && code != 101 {
            received.advance(length);
            continue;
        }
        let head = understood(code, answer.version == Some(1), answer.headers)?;
        received.advance(length);
        return Ok(Some(head));
    }
}

fn understood(code: u16, is_1_1: bool, headers: &[httparse::Header<'_>]) -> Result<Head, String> {
    let status = StatusCode::from_u16(code).map_err(|_| format!("the status {code}"))?;
    let values = |name: &'static str| {
        let named = headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value)
    };
    let connection_says = |word: &str| {
        values("connection")
            .flat_map(|value| value.split(|&byte| byte == b','))
            .any(|option| option.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    };
    let keeps_alive = match is_1_1 {
        true => !connection_says("close"),
        false => connection_says("keep-alive"),
    };
    let mut transfer = values("transfer-encoding").peekable();
    let framing = if matches!(code, 204 | 304) {
        Framing::Done
    } else if transfer.peek().is_some() {
        // Chunked must be the last one, and then it ends the body; else the connection does.
        let last = transfer
            .last()
            .and_then(|value| value.rsplit(|&byte| byte == b',').next());
        match last.is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked")) {
            true => Framing::Chunked(Chunk::Size),
            false => Framing::UntilClose,
        }
    } else {
        match length(values("content-length"))? {
            Some(length) => Framing::Length(length),
            None => Framing::UntilClose,
        }
    };
    let named = headers.iter().map(|header| (header.name, header.value));
    let is_last_word = code == 503 && values(GOING_AWAY.as_str()).next().is_some();
    Ok(Head {
        is_last_word,
        status,
        metadata: reply_metadata(named),
        coding: Coding::named_by(values("content-encoding")),
        keeps_alive: keeps_alive && framing != Framing::UntilClose,
        framing,
    })
}

/// What all the lengths say, if they say the same.
fn length<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Option<u64>, String> {
    let mut length = None;
    for value in values.flat_map(|value| value.split(|&byte| byte == b',')) {
        let value = value.trim_ascii();
        let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        let number = std::str::from_utf8(value).ok().filter(|_| digits);
        let number = number.and_then(|digits| digits.parse().ok());
        match (number, length) {
            (Some(number), None) => length = Some(number),
            (Some(number), Some(known)) if number == known => {}
            _ => return Err("a Content-Length that is no length".to_owned()),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Option<Head>, String> {
        take(&mut BytesMut::from(text.as_bytes()), HEADERS)
    }

    #[test]
    fn more_headers_than_the_limit_are_refused_by_its_name() {
        let text = |count| format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(count));
        for most in [3, HEADERS, 250] {
            let took = |count: usize| take(&mut BytesMut::from(text(count).as_bytes()), most);
            assert!(took(most).unwrap().is_some(), "{most}");
            let why = took(most + 1).unwrap_err();
            let named = format!("more than {most} headers (`Limits::headers`)");
            assert!(why.contains(&named), "{why}");
        }
    }

    fn framing(headers: &str) -> Framing {
        let text = format!("HTTP/1.1 200 OK\r\n{headers}\r\n");
        head(&text).unwrap().unwrap().framing
    }

    #[test]
    fn the_body_ends_where_the_head_says() {
        assert_eq!(framing("Content-Length: 12\r\n"), Framing::Length(12));
        assert_eq!(
            framing("content-length:12\r\nContent-Length: 12, 12\r\n"),
            Framing::Length(12)
        );
        assert_eq!(
            framing("Transfer-Encoding: Chunked\r\n"),
            Framing::Chunked(Chunk::Size)
        );
        assert_eq!(
            framing("Transfer-Encoding: chunked, gzip\r\n"),
            Framing::UntilClose
        );
        let both = "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n";
        assert_eq!(framing(both), Framing::Chunked(Chunk::Size));
        assert_eq!(framing(""), Framing::UntilClose);
        let none = head("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n");
        assert_eq!(none.unwrap().unwrap().framing, Framing::Done);
    }

    #[test]
    fn a_length_that_is_none_is_refused() {
        for length in ["1, 2", "-1", "+1", "1x", "", "99999999999999999999"] {
            let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            assert!(head(&text).is_err(), "{length}");
        }
        assert!(head("SSH-2.0-OpenSSH\r\n\r\n").is_err());
    }

    #[test]
    fn a_connection_is_kept_as_its_version_has_it() {
        let kept = |text: &str| head(text).unwrap().unwrap().keeps_alive;
        assert!(kept("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
        assert!(!kept(
            "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n"
        ));
        assert!(!kept("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
        assert!(kept(
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"
        ));
        assert!(
            !kept("HTTP/1.1 200 OK\r\n\r\n"),
            "its body ends with the connection"
        );
    }

    #[test]
    fn what_is_not_the_answer_yet_is_passed_over() {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
        assert!(head(text).unwrap().is_none());
        let text = format!("{text}HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(head(&text).unwrap().unwrap().status, 500);
    }
}
