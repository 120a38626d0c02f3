//! Answers to bytes, as hyper writes them.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderName;
use http::header::VARY;
use http::response::Parts;

use super::super::admission::Refused;
use super::super::answer::Answer;
use super::super::cors::Shared;
use super::super::headers::{GOING_AWAY, reply_headers};
use super::super::response::{last, mime};

/// The bytes of a refusal behind which the connection ends.
pub(in super::super) fn last_words(refused: Refused) -> Vec<u8> {
    let body = format!("{}\n", refused.words);
    let (parts, _) = last(refused.reply()).into_parts();
    let mut out = Out::default();
    out.reply(&parts, body.as_bytes());
    out.bytes
}

/// Answers that gather until they are written.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub(super) bytes: Vec<u8>,
    date: Date,
}

impl Out {
    /// Appends the head of `answer`; its message is to follow.
    pub(super) fn head(&mut self, answer: &Answer, shared: Option<&Shared>, is_last: bool) {
        let varies = shared.is_some_and(|shared| shared.varies);
        let bytes = &mut self.bytes;
        bytes.extend_from_slice(b"HTTP/1.1 200 OK\r\ncontent-type: ");
        bytes.extend_from_slice(mime(answer.encoding).as_bytes());
        if answer.is_gzip {
            bytes.extend_from_slice(b"\r\ncontent-encoding: gzip\r\nvary: accept-encoding");
            // Beside the other one, where a header map has it.
            if varies {
                header(bytes, &VARY, Shared::VARY.as_bytes());
            }
        }
        for (name, value) in reply_headers(&answer.metadata) {
            header(bytes, &name, value.as_bytes());
        }
        if let Some(shared) = shared {
            self.share(shared, answer);
        }
        let bytes = &mut self.bytes;
        if is_last {
            bytes.extend_from_slice(b"\r\nconnection: close");
        }
        self.end(answer.message.len());
    }

    /// Appends what is said to browsers.
    #[cold]
    fn share(&mut self, shared: &Shared, answer: &Answer) {
        if shared.varies && !answer.is_gzip {
            header(&mut self.bytes, &VARY, Shared::VARY.as_bytes());
        }
        let names: Vec<_> = reply_headers(&answer.metadata)
            .map(|(name, _)| name)
            .collect();
        for (name, value) in shared.headers(names.iter()) {
            header(&mut self.bytes, &name, value.as_bytes());
        }
    }

    /// Appends a whole answer that is not to a call.
    pub(super) fn reply(&mut self, parts: &Parts, body: &[u8]) {
        let status = parts.status;
        let reason = status.canonical_reason().unwrap_or_default();
        let line = format!("HTTP/1.1 {} {reason}", status.as_str());
        self.bytes.extend_from_slice(line.as_bytes());
        for (name, value) in &parts.headers {
            header(&mut self.bytes, name, value.as_bytes());
        }
        self.end(body.len());
        self.bytes.extend_from_slice(body);
    }

    /// Appends what a server says, unasked, as it ends: whatever comes now is not run.
    pub(super) fn last_word(&mut self) {
        let head = "HTTP/1.1 503 Service Unavailable\r\nconnection: close";
        self.bytes.extend_from_slice(head.as_bytes());
        header(&mut self.bytes, &GOING_AWAY, b"1");
        self.end(0);
    }

    fn end(&mut self, length: usize) {
        let bytes = &mut self.bytes;
        bytes.extend_from_slice(b"\r\ncontent-length: ");
        bytes.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
        bytes.extend_from_slice(b"\r\ndate: ");
        bytes.extend_from_slice(self.date.now().as_bytes());
        bytes.extend_from_slice(b"\r\n\r\n");
    }
}

/// Appends one header. (Its value cannot have a line end in it: its type saw to that.)
fn header(bytes: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(name.as_str().as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
}

/// The time as HTTP has it. It is the same for a second, and costs more than the rest of a head.
#[derive(Debug, Default)]
struct Date {
    second: u64,
    text: String,
}

impl Date {
    fn now(&mut self) -> &str {
        let now = SystemTime::now();
        let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if second != self.second || self.text.is_empty() {
            self.second = second;
            self.text.clear();
            // Writing to a String does not fail.
            let _ = write!(self.text, "{}", httpdate::HttpDate::from(now));
        }
        &self.text
    }
}
