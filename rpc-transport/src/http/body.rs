//! Reading a body: no more than a limit, no slower than a limit.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;

/// Why a body was not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is longer than the limit.
    TooLarge,
    /// It came no further for too long.
    Stalled,
    /// The other side broke off.
    Broken,
}

/// Reads all of `body`: up to `limit` bytes, each piece within `patience`.
///
/// No more is allocated than came; a body in one piece is not copied.
pub(super) async fn read<B>(body: &mut B, limit: usize, patience: Duration) -> Result<Bytes, Unread>
where
    B: Body + Unpin,
    B::Data: Into<Bytes>,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(Unread::TooLarge);
    }
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    loop {
        let frame = match next(body, patience).await? {
            Some(frame) => frame,
            None if whole.is_empty() => return Ok(first),
            None => return Ok(whole.freeze()),
        };
        if first.len() + whole.len() + frame.len() > limit {
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
        let frame = tokio::time::timeout(patience, body.frame()).await;
        match frame.map_err(|_| Unread::Stalled)? {
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
