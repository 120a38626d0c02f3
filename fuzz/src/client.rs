//! Bytes into the client's side of a connection on which calls wait.

use std::future::ready;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use farcall::types::Value;
use farcall::{Channel, Encoding, Limits};
use farcall_core::connection::client::{Client, Driver};
use farcall_core::connection::{Received, Speech};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, FuturesUnordered};
use futures_util::{FutureExt, StreamExt};

use crate::conversation::all;
use crate::service::EverythingClient;
use crate::stream::{next, now};

/// Has calls of every kind wait for replies, and gives `bytes` for them, in pieces of `length`.
/// Each call must end: with a reply, because its time is over, or because the connection is.
pub(crate) fn receive(speech: Speech, encoding: Encoding, bytes: &[u8], length: usize) {
    let (client, driver) = Client::new(speech, encoding, Limits::default(), now);
    let client = EverythingClient::new(Channel::over(Arc::new(client)));
    let mut side = Side {
        driver,
        calls: calls(&client),
    };
    side.go_on();
    let mut received = Received::default();
    let mut misbehaved = None;
    let mut pieces = bytes.chunks(length);
    let mut piece: &[u8] = &[];
    'all: while let Some(next) = next(piece, &mut pieces) {
        piece = received.put(next);
        loop {
            match side.driver.receive(&mut received) {
                Ok(true) => {}
                Ok(false) => break,
                Err(how) => {
                    misbehaved = Some(how);
                    break 'all;
                }
            }
        }
        side.go_on();
    }
    side.driver.handle_timeout(now() + Duration::from_secs(3));
    side.go_on();
    side.driver.close(misbehaved.as_ref());
    side.go_on();
    assert!(
        side.calls.is_empty(),
        "a call did not end with its connection"
    );
}

/// A call of each kind.
fn calls(client: &EverythingClient) -> FuturesUnordered<BoxFuture<'_, ()>> {
    let count = async {
        if let Ok(items) = client.count(3).await {
            items.for_each(|_| ready(())).await;
        }
    };
    let twice = async {
        let texts = stream::iter(["a".to_owned(), "b".to_owned()]);
        if let Ok(items) = client.twice(texts).await {
            items.for_each(|_| ready(())).await;
        }
    };
    let batch = client.batch((client.add(1, 2), client.greet("Ada", None)));
    let calls = FuturesUnordered::new();
    calls.push(client.add(7, 3).into_future().map(drop).boxed());
    calls.push(client.any(Value::Nil).into_future().map(drop).boxed());
    calls.push(count.boxed());
    calls.push(
        client
            .total(stream::iter(1..=3))
            .into_future()
            .map(drop)
            .boxed(),
    );
    calls.push(twice.boxed());
    calls.push(batch.into_future().map(drop).boxed());
    calls
}

/// The connection, and those who wait.
struct Side<'a> {
    driver: Driver,
    calls: FuturesUnordered<BoxFuture<'a, ()>>,
}

impl Side<'_> {
    /// Lets those who were woken run, and sends what they have to say.
    fn go_on(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(())) = self.calls.poll_next_unpin(&mut cx) {}
        self.driver.poll_uploads(&mut cx);
        all(|sending| self.driver.transmit(sending));
    }
}
