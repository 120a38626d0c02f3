//! A caller's stream, where the server reads it.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use serde::de::DeserializeOwned;

use super::{Flow, Stream};
use crate::context;
use crate::fault::{Fault, code};

/// The items that a caller sends, as a handler gets them.
///
/// Ends where the caller ends it. An item that is no `T` ends the call with a fault, and the
/// handler is dropped, as it is when the caller gives up.
///
/// ```
/// use farcall_core::stream::{Items, Stream};
///
/// fn is_a_stream<S: Stream<Item = i64> + Send + Unpin>() {}
/// is_a_stream::<Items<i64>>();
/// ```
pub struct Items<T> {
    /// None where the request brought no stream.
    flow: Option<Arc<Flow>>,
    id: u64,
    context: context::Context,
    item: PhantomData<fn() -> T>,
}

impl<T> Items<T> {
    pub(crate) fn new(flow: Option<Arc<Flow>>, id: u64, context: context::Context) -> Self {
        Self {
            flow,
            id,
            context,
            item: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Items({})", self.context.method())
    }
}

impl<T: DeserializeOwned> Stream for Items<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let Some(flow) = &self.flow else {
            return Poll::Ready(None);
        };
        let peer = self.context.peer();
        match flow.poll_next(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some(Ok(item))) => match item.decode(peer.limits.budget()) {
                Ok(item) => Poll::Ready(Some(item)),
                Err(error) => {
                    let method = self.context.method();
                    let words = format!("an invalid item for `{method}`: {error}");
                    let fault = Fault::new(code::INVALID_PARAMS, words);
                    peer.streams.fail(self.id, fault);
                    peer.outbox.wake();
                    Poll::Pending
                }
            },
            // The caller is gone, and this handler with it.
            Poll::Ready(Some(Err(_))) => Poll::Pending,
        }
    }
}
