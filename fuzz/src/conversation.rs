//! What a client and a server say to each other when all goes well.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Waker};

use farcall::types::{DateTime, Value};
use farcall::{Channel, Encoding, Limits};
use farcall_core::connection::client::Client;
use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Sending, Speech};
use farcall_core::context::Peer;
use futures_util::stream::{self, FuturesUnordered};
use futures_util::{FutureExt, StreamExt};
use serde::Serialize;

use crate::service::{EverythingClient, Record, Shape, Tree};
use crate::stream::{now, router};

/// All that each side said.
#[derive(Default)]
pub struct Said {
    /// The client, from its hello on.
    pub client: Vec<u8>,
    /// The server.
    pub server: Vec<u8>,
}

/// Calls every method, and writes down what is said.
pub fn record(speech: Speech, encoding: Encoding) -> Said {
    let (client, mut driver) = Client::new(speech, encoding, Limits::default(), now);
    let client = EverythingClient::new(Channel::over(Arc::new(client)));
    let peer = Arc::new(Peer::new("mem", encoding, None, Limits::default()));
    let Ok(mut server) = Server::new(router(), peer, speech) else {
        panic!("{speech:?} is in this build");
    };
    let mut calls = FuturesUnordered::new();
    calls.push(client.add(7, 3).into_future().map(drop).boxed());
    calls.push(client.echo(a_record()).into_future().map(drop).boxed());
    calls.push(client.tree(a_tree()).into_future().map(drop).boxed());
    calls.push(
        client
            .borrow("text", b"bytes")
            .into_future()
            .map(drop)
            .boxed(),
    );
    calls.push(
        client
            .greet("Ada", Some(true))
            .into_future()
            .map(drop)
            .boxed(),
    );
    calls.push(
        client
            .total(stream::iter(1..=3))
            .into_future()
            .map(drop)
            .boxed(),
    );
    let count = async {
        if let Ok(items) = client.count(3).await {
            items.for_each(async |item| drop(item)).await;
        }
    };
    calls.push(count.boxed());
    let batch = client.batch((client.add(1, 2), client.greet("Ada", None)));
    calls.push(batch.into_future().map(drop).boxed());

    let mut said = Said::default();
    let cx = &mut Context::from_waker(Waker::noop());
    let (mut to_server, mut to_client) = (Received::default(), Received::default());
    for _ in 0..8 {
        while calls.poll_next_unpin(cx).is_ready() && !calls.is_empty() {}
        driver.poll_uploads(cx);
        let bytes = all(|sending| driver.transmit(sending));
        said.client.extend(&bytes);
        to_server.room().extend_from_slice(&bytes);
        let _ = server.receive(&mut to_server, now());
        server.poll(cx);
        let bytes = all(|sending| server.transmit(sending));
        said.server.extend(&bytes);
        to_client.room().extend_from_slice(&bytes);
        let _ = driver.receive(&mut to_client);
    }
    said
}

/// Values of the types that the target `values` reads, in their order.
pub fn values(encoding: Encoding) -> Vec<Vec<u8>> {
    let marks = BTreeMap::from([("a".to_owned(), (-1_i128, 1_u128, Some('x')))]);
    vec![
        encoded(encoding, &a_record()),
        encoded(encoding, &a_tree()),
        encoded(
            encoding,
            &Value::Array(vec![Value::Nil, Value::Boolean(true)]),
        ),
        encoded(encoding, &"1998-07-17T14:08:55Z".parse::<DateTime>().ok()),
        encoded(encoding, &vec![(); 3]),
        encoded(encoding, &marks),
        encoded(encoding, &"text <&>"),
        encoded(encoding, &vec![0.1_f64, -1e30]),
    ]
}

fn encoded<T: Serialize>(encoding: Encoding, value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    // One that this encoding has no form for is no seed.
    let _ = encoding.encode(value, &mut out);
    out
}

/// All that `transmit` gives, however often it has to be asked.
pub(crate) fn all(mut transmit: impl FnMut(&mut Sending)) -> Vec<u8> {
    let (mut sending, mut bytes) = (Sending::default(), Vec::new());
    loop {
        transmit(&mut sending);
        if sending.is_empty() {
            return bytes;
        }
        sending.drain_into(&mut bytes);
    }
}

fn a_record() -> Record {
    Record {
        numbers: (1, -2, 3, -4, 5, -6),
        weight: 1.5,
        name: "Ada".to_owned(),
        initial: 'A',
        nickname: Some("é <&>".to_owned()),
        photo: vec![0, 255],
        tags: vec![String::new(), "b".to_owned()],
        marks: BTreeMap::from([(7, true)]),
        shape: Shape::Box {
            width: 3,
            height: 4,
        },
    }
}

fn a_tree() -> Tree {
    let leaf = Tree {
        branches: Vec::new(),
        top: None,
    };
    Tree {
        branches: vec![leaf.clone()],
        top: Some(Box::new(leaf)),
    }
}
