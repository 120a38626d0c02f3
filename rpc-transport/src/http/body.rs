//! Reading a body: no more than a limit, no slower than a limit.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http_body::Body;
use http_body_util::BodyExt;

use super::coding::Coding;
use super::gzip::Inflating;

/// Why a body was not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is longer than the limit.
    TooLarge,
    /// It came no further for too long.
    Stalled,
    /// The other side broke off.
    Broken,
    /// It is not what its coding says, and how.
    Corrupt(String),
}

/// Reads all of `body`: up to `limit` bytes, each piece within `patience`. What is compressed is
/// inflated, and the limit holds for what came and for what comes out.
pub(super) async fn read<B>(
    body: &mut B,
    coding: Coding,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, Unread>
where
    B: Body + Unpin,
    B::Data: Into<Bytes>,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(Unread::TooLarge);
    }
    match coding {
        Coding::Identity => read_plain(body, limit, patience).await,
        Coding::Gzip => inflate(body, limit, patience, Inflating::gzip).await,
        Coding::Deflate => inflate(body, limit, patience, Inflating::zlib).await,
    }
}

/// No more is allocated than came; a body in one piece is not copied.
async fn read_plain<B>(body: &mut B, limit: usize, patience: Duration) -> Result<Bytes, Unread>
where
    B: Body + Unpin,
    B::Data: Into<Bytes>,
{
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    loop {
        let frame = match next(body, patience).await? {
            Some(frame) => frame,
            None if whole.is_empty() => return Ok(first),
            None => return Ok(whole.freeze()),
        };
        if first
            .len()
            .saturating_add(whole.len())
            .saturating_add(frame.len())
            > limit
        {
            return Err(Unread::TooLarge);
        }
        if first.is_empty() && whole.is_empty() {
            first = frame;
        } else {
            whole.extend_from_slice(&std::mem::take(&mut first));
            whole.extend_from_slice(&frame);
        }
    }
}

/// Inflates while it comes: a bomb is let go of at the limit, not after the last byte.
async fn inflate<B>(
    body: &mut B,
    limit: usize,
    patience: Duration,
    begin: fn(usize) -> Inflating,
) -> Result<Bytes, Unread>
where
    B: Body + Unpin,
    B::Data: Into<Bytes>,
{
    let mut inflating = None;
    let mut rest = limit;
    while let Some(piece) = next(body, patience).await? {
        // Compressed nothing could come for ever, and inflate to nothing.
        rest = rest.checked_sub(piece.len()).ok_or(Unread::TooLarge)?;
        let inflating = inflating.get_or_insert_with(|| begin(limit));
        inflating.receive(&piece)?;
    }
    // No body at all has no coding either, though some say one of all their bodies.
    inflating.map_or_else(|| Ok(Bytes::new()), Inflating::finish)
}

/// How much of a refused body is read all the same.
const DISCARDED: usize = 16 * 1024 * 1024;

/// Reads on in a body that is refused, within reason: most clients send all of a body before they
/// look for an answer, and a connection closed on bytes that nobody read loses the answer.
pub(super) async fn discard<B>(body: &mut B, time: Duration)
where
    B: Body + Unpin,
    B::Data: Into<Bytes>,
{
    let discarding = async {
        let mut rest = DISCARDED;
        while let Ok(Some(piece)) = next(body, time).await {
            rest = match rest.checked_sub(piece.len()) {
                Some(rest) => rest,
                None => break,
            };
        }
    };
    let _ = tokio::time::timeout(time, discarding).await;
}

/// The next piece of data; `None` at the end.
async fn next<B>(body: &mut B, patience: Duration) -> Result<Option<Bytes>, Unread>
where
    B: Body + Unpin,
    B::Data: Into<Bytes>,
{
    loop {
        if body.is_end_stream() {
            return Ok(None);
        }
        // What is there already needs no timer, and small bodies mostly are.
        let frame = match body.frame().now_or_never() {
            Some(frame) => frame,
            None => {
                let frame = tokio::time::timeout(patience, body.frame()).await;
                frame.map_err(|_| Unread::Stalled)?
            }
        };
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(Unread::Broken),
            // Trailers are nothing to us.
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data.into()));
                }
            }
        }
    }
}
