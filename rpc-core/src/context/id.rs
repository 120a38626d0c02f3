//! What a caller calls its request.

use std::fmt;
use std::sync::Arc;

use crate::fault::shown;
use crate::payload::Payload;
use crate::protocol::outbox::ReplyId;

/// A request's id, to be shown: a caller may have made it of anything, so what `Display` gives is
/// escaped, and cut at 256 bytes. The variants have it as it came.
///
/// ```
/// use farcall_core::context::RequestId;
///
/// assert_eq!(RequestId::Number(7).to_string(), "7");
/// assert_eq!(RequestId::Json("\"7f\"").to_string(), "\"7f\"");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestId<'a> {
    /// The caller's own word, from its metadata.
    Given(&'a str),
    /// The id of a native frame.
    Number(u64),
    /// The id of a JSON-RPC request, as it was written.
    Json(&'a str),
}

impl fmt::Display for RequestId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(text) | Self::Json(text) => f.write_str(&shown(text)),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// So much of a JSON text is held in place: numbers, and short words.
const SHORT: usize = 22;

/// The same as it is kept: small, as every call has one, and most are never looked at.
#[derive(Clone, Debug)]
pub(crate) enum Id {
    None,
    Number(u64),
    Short { len: u8, text: [u8; SHORT] },
    Long(Arc<Payload>),
}

impl Id {
    #[inline]
    pub(crate) fn of(reply: Option<&ReplyId>) -> Self {
        match reply {
            None => Self::None,
            Some(ReplyId::Native(id)) => Self::Number(*id),
            Some(ReplyId::Json { raw, .. }) => Self::json(raw),
            Some(ReplyId::Subscription(of)) => Self::json(&of.raw),
        }
    }

    #[inline]
    fn json(raw: &Payload) -> Self {
        match raw.short() {
            Some((len, text)) => Self::Short { len, text },
            None => Self::Long(Arc::new(raw.clone())),
        }
    }

    pub(super) fn shown(&self) -> Option<RequestId<'_>> {
        let text = match self {
            Self::None => return None,
            Self::Number(number) => return Some(RequestId::Number(*number)),
            Self::Short { len, text } => text.get(..usize::from(*len))?,
            Self::Long(text) => text,
        };
        std::str::from_utf8(text).ok().map(RequestId::Json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(raw: &str) -> String {
        let raw = Payload::copied_from(raw.as_bytes());
        let id = Id::of(Some(&ReplyId::Json {
            raw,
            version_1: false,
        }));
        id.shown().unwrap().to_string()
    }

    #[test]
    fn an_id_of_any_length_is_shown_as_it_was_written() {
        let long = format!("\"{}\"", "7f".repeat(100));
        for raw in [
            "7",
            "1e3",
            "null",
            "\"a\"",
            &"9".repeat(22),
            &"9".repeat(23),
            &long,
        ] {
            assert_eq!(shown(raw), raw);
        }
    }
}
