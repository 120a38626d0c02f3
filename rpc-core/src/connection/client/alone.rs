//! A call with streams that is the only one of its connection: the body of one HTTP request, say.
//!
//! What these give owns the connection: dropped, it ends it.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::stream;

use super::{Client, Open, Unsent, Waiting};
use crate::channel::{InFlight, Outbound, ReceivedItems, SentItems, StreamInFlight};
use crate::error::Failure;
use crate::stream::Flow;

impl Client {
    /// Encodes a call that takes `items` as its stream, as [`Carrier::start_upload`] does. It must
    /// be the first of this connection, and is the only one.
    ///
    /// # Errors
    /// If the parameters cannot be sent.
    ///
    /// [`Carrier::start_upload`]: crate::channel::Carrier::start_upload
    pub fn into_upload(self, call: Outbound<'_>, items: SentItems) -> Result<InFlight, Failure> {
        let (client, id, _) = self.begin(call, Some(items))?;
        Ok(Box::pin(async move {
            let mut waiting = Waiting::new(Arc::clone(&client), id);
            poll_fn(|cx| waiting.poll_reply(cx)).await
        }))
    }

    /// Encodes a call that is answered with a stream, as [`Carrier::start_stream`] does. It must be
    /// the first of this connection, and is the only one.
    ///
    /// # Errors
    /// If the parameters cannot be sent.
    ///
    /// [`Carrier::start_stream`]: crate::channel::Carrier::start_stream
    pub fn into_stream(
        self,
        call: Outbound<'_>,
        items: Option<SentItems>,
    ) -> Result<StreamInFlight, Failure> {
        let (client, id, flow) = self.begin(call, items)?;
        Ok(Box::pin(async move {
            let mut waiting = Waiting::new(Arc::clone(&client), id);
            let opened = poll_fn(|cx| waiting.poll_reply(cx)).await?;
            drop(waiting);
            let open = Open::new(client, id, flow);
            let items: ReceivedItems = Box::pin(stream::poll_fn(move |cx| open.poll_next(cx)));
            Ok((opened.metadata().clone(), items))
        }))
    }

    fn begin(
        self,
        call: Outbound<'_>,
        items: Option<SentItems>,
    ) -> Result<(Arc<Self>, u64, Arc<Flow>), Failure> {
        let mut items = items.map(|SentItems(items)| items);
        let client = Arc::new(self);
        let mut unsent = Unsent::new(Arc::clone(&client));
        // Nobody waits for it yet.
        let cx = Context::from_waker(Waker::noop());
        let (id, flow) = match unsent.poll_open(call, &mut items, &cx) {
            Poll::Ready(opened) => opened.map(|(waiting, flow)| (waiting.into_id(), flow))?,
            Poll::Pending => {
                return Err(Failure::unsupported(
                    "the limit of calls in flight is 0 (`Limits::calls_per_connection`)",
                ));
            }
        };
        drop(unsent);
        Ok((client, id, flow))
    }
}
