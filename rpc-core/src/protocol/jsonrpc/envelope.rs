//! The members of a request or a reply, in any order, their values not looked into.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::codec::json::{explained, not_utf8};
use crate::error::DecodeError;

/// The members that mean something. Others are ignored: there are clients that send more.
///
/// `Some` of a raw `null` is not `None`: a request with `"id": null` is a call, one without an id
/// is none.
#[derive(Debug, Default)]
pub(super) struct Envelope<'a> {
    pub(super) jsonrpc: Option<&'a RawValue>,
    pub(super) method: Option<&'a RawValue>,
    pub(super) params: Option<&'a RawValue>,
    pub(super) id: Option<&'a RawValue>,
    pub(super) result: Option<&'a RawValue>,
    pub(super) error: Option<&'a RawValue>,
    /// farcall's own: how many bytes of a stream's items the caller takes at first.
    pub(super) window: Option<&'a RawValue>,
    /// A member that is there twice. (Seen to the end all the same: broken JSON is worse.)
    pub(super) twice: Option<&'static str>,
}

impl<'a> Envelope<'a> {
    /// Reads an object that fills all of `text`.
    ///
    /// Fails only if that is not well-formed, or no object.
    pub(super) fn read(text: &'a [u8]) -> Result<Self, DecodeError> {
        let text = utf8(text)?;
        serde_json::from_str(text).map_err(|error| explained(&error, text))
    }

    fn member(&mut self, name: &str) -> Option<(&'static str, &mut Option<&'a RawValue>)> {
        Some(match name {
            "jsonrpc" => ("jsonrpc", &mut self.jsonrpc),
            "method" => ("method", &mut self.method),
            "params" => ("params", &mut self.params),
            "id" => ("id", &mut self.id),
            "result" => ("result", &mut self.result),
            "error" => ("error", &mut self.error),
            "window" => ("window", &mut self.window),
            _ => return None,
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Envelope<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Envelope<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut envelope = Envelope::default();
                while let Some(Name(name)) = map.next_key()? {
                    let Some((name, member)) = envelope.member(&name) else {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    if member.replace(map.next_value()?).is_some() {
                        // An id that is there twice counts: it cannot be echoed.
                        envelope.twice = match envelope.twice {
                            Some("id") => Some("id"),
                            _ => Some(name),
                        };
                    }
                }
                Ok(envelope)
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A member's name, borrowed unless it has escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of a batch, or how many are too many.
pub(super) enum Members<'a> {
    All(Vec<&'a RawValue>),
    TooMany,
}

/// Reads an array that fills all of `text`, up to `most` members.
pub(super) fn members(text: &[u8], most: usize) -> Result<Members<'_>, DecodeError> {
    let text = utf8(text)?;
    let mut json = serde_json::Deserializer::from_str(text);
    let members = json
        .deserialize_seq(UpTo(most))
        .and_then(|members| match members {
            Ok(members) => json.end().map(|()| Members::All(members)),
            Err(()) => Ok(Members::TooMany),
        });
    members.map_err(|error| explained(&error, text))
}

struct UpTo(usize);

impl<'de> Visitor<'de> for UpTo {
    type Value = Result<Vec<&'de RawValue>, ()>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        let mut too_many = false;
        while let Some(member) = seq.next_element::<&RawValue>()? {
            // Read on without keeping them: what is broken further on is a parse error.
            if members.len() < self.0 {
                members.push(member);
            } else {
                too_many = true;
            }
        }
        Ok(if too_many { Err(()) } else { Ok(members) })
    }
}

fn utf8(text: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(text).map_err(|error| not_utf8(text, error))
}
