//! What a caller sends as a stream.

use std::pin::Pin;
use std::task::{Context, Poll};

use serde::Serialize;

use super::Stream;
use crate::encoding::Encoding;
use crate::error::EncodeError;

/// A stream whose type is forgotten: its items are written where they come up.
pub(crate) trait Upload: Send {
    /// Ready when the next item is there: true, or false at the end.
    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<bool>;

    /// Appends the item that is there.
    fn encode(&mut self, encoding: Encoding, out: &mut Vec<u8>) -> Result<(), EncodeError>;
}

/// An [`Upload`] of `S`.
pub(crate) struct Uploaded<S: Stream> {
    items: Pin<Box<S>>,
    next: Option<S::Item>,
}

impl<S: Stream> Uploaded<S> {
    pub(crate) fn new(items: S) -> Self {
        Self {
            items: Box::pin(items),
            next: None,
        }
    }
}

impl<S: Stream + Send> Upload for Uploaded<S>
where
    S::Item: Serialize + Send,
{
    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.next.is_some() {
            return Poll::Ready(true);
        }
        self.items.as_mut().poll_next(cx).map(|next| {
            self.next = next;
            self.next.is_some()
        })
    }

    fn encode(&mut self, encoding: Encoding, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self.next.take() {
            Some(item) => encoding.encode(&item, out),
            None => Ok(()),
        }
    }
}
