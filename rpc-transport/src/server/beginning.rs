//! The first bytes of a connection, and how somebody is refused who has said no more.

use std::time::Duration;

use bytes::BytesMut;
use farcall_core::fault::code;
use farcall_core::protocol::native::refusal;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use crate::net::linger;
use crate::net::listener::Arrival;
use crate::sniff::{HTTP2, Sniffed, sniff};

/// A connection whose first bytes were read.
pub(super) struct Beginning {
    pub(super) arrival: Arrival,
    pub(super) start: BytesMut,
    pub(super) sniffed: Sniffed,
}

impl Beginning {
    pub(super) async fn read(mut arrival: Arrival) -> Self {
        let mut start = BytesMut::new();
        let sniffed = first(&mut arrival, &mut start).await;
        Self {
            arrival,
            start,
            sniffed,
        }
    }

    /// The same until `end`, which is `time` after it came. Who has sent something by then is told that it
    /// was too little; to somebody who has not there is nothing to say.
    pub(super) async fn read_in(
        time: Duration,
        end: Instant,
        mut arrival: Arrival,
    ) -> Option<Self> {
        let mut start = BytesMut::new();
        let first = first(&mut arrival, &mut start);
        let sniffed = tokio::time::timeout_at(end, first).await;
        let is_late = sniffed.is_err();
        let beginning = Self {
            arrival,
            start,
            sniffed: sniffed.unwrap_or(Sniffed::NeedMore),
        };
        if !is_late {
            return Some(beginning);
        }
        if !beginning.start.is_empty() {
            let words = format!(
                "what is spoken was not to be told within {time:?} (`Limits::handshake_time`)"
            );
            beginning.refuse(&words).await;
        }
        None
    }

    /// Says in words that the other side can show what is spoken here, and closes.
    pub(super) async fn refuse(self, words: &str) {
        self.say(words, &NOT_SPOKEN).await;
    }

    /// Says that there is no room, and closes.
    pub(super) async fn turn_away(self, words: &str) {
        self.say(words, &OVERLOADED).await;
    }

    async fn say(self, words: &str, refusal: &Refusal) {
        let mut io = self.arrival.io;
        linger::close(&mut io, &answer(self.sniffed, &self.start, words, refusal)).await;
    }
}

/// Reads until the first bytes tell what is spoken.
async fn first(arrival: &mut Arrival, start: &mut BytesMut) -> Sniffed {
    loop {
        let sniffed = sniff(start);
        if sniffed != Sniffed::NeedMore {
            return sniffed;
        }
        match arrival.io.read_buf(start).await {
            Ok(0) | Err(_) if start.is_empty() => return Sniffed::NeedMore,
            Ok(0) | Err(_) => return Sniffed::Unknown,
            Ok(_) => {}
        }
    }
}

/// How a refusal is numbered, where it is.
struct Refusal {
    status: &'static str,
    code: i32,
    /// In HTTP/2 (RFC 9113 §7).
    reason: u8,
}

const NOT_SPOKEN: Refusal = Refusal {
    status: "400 Bad Request",
    code: code::INVALID_REQUEST,
    reason: 0x1, // PROTOCOL_ERROR
};
const OVERLOADED: Refusal = Refusal {
    status: "503 Service Unavailable",
    code: code::OVERLOADED,
    reason: 0xb, // ENHANCE_YOUR_CALM
};

/// `words` in what the other side speaks.
fn answer(sniffed: Sniffed, start: &[u8], words: &str, refusal: &Refusal) -> Vec<u8> {
    let Refusal {
        status,
        code,
        reason,
    } = refusal;
    match sniffed {
        // A fatal `protocol_version` alert (RFC 8446 §6.2): the nearest that TLS has to "not here".
        Sniffed::Tls => b"\x15\x03\x01\x00\x02\x02\x46".to_vec(),
        Sniffed::Http if start.starts_with(HTTP2) => go_away(*reason, words),
        Sniffed::Http => {
            let words = format!("farcall: {words}\n");
            format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{words}",
                words.len()
            )
            .into_bytes()
        }
        Sniffed::Native => self::refusal(words),
        Sniffed::JsonRpc => format!(
            "{{\"jsonrpc\":\"2.0\",\"error\":{{\"code\":{code},\"message\":\"{words}\"}},\
             \"id\":null}}\n"
        )
        .into_bytes(),
        Sniffed::NeedMore | Sniffed::Unknown => format!("farcall: {words}\n").into_bytes(),
    }
}

/// What a server of HTTP/2 must say first, empty settings, and that it has taken no request and why
/// (RFC 9113 §6.5, §6.8).
fn go_away(reason: u8, words: &str) -> Vec<u8> {
    let words = format!("farcall: {words}");
    // Our words are a line or two.
    let length = u32::try_from(words.len().saturating_add(8)).unwrap_or(u32::MAX);
    let [_, high, middle, low] = length.to_be_bytes();
    let mut frames = vec![0, 0, 0, 4, 0, 0, 0, 0, 0];
    frames.extend_from_slice(&[high, middle, low, 7, 0, 0, 0, 0, 0]);
    frames.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, reason]);
    frames.extend_from_slice(words.as_bytes());
    frames
}
