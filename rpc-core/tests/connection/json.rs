//! What JSON-RPC says about calls under way, in the words of strangers and in our own.

use std::sync::Arc;
use std::task::{Context, Waker};

use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Speech};
use farcall_core::context::Peer;
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use farcall_core::router::Router;
use farcall_core::service::Service;

use crate::pair::{Gates, Pair, Parts, Wait, now, parts, poll, sent};

/// A server that a stranger talks to.
pub(crate) struct Served(pub(crate) Server, pub(crate) Received);

impl Served {
    pub(crate) fn new(service: impl Service, limits: Limits) -> Self {
        let router = Router::builder().service(service).build().unwrap();
        let peer = Arc::new(Peer::new("mem", Encoding::Json, None, limits));
        let server = Server::new(router, peer, Speech::JsonRpc).unwrap();
        Self(server, Received::default())
    }

    /// What is answered to `text`, line by line.
    pub(crate) fn said(&mut self, text: &str) -> Vec<String> {
        self.1.room().extend_from_slice(text.as_bytes());
        let mut bytes = Vec::new();
        loop {
            while self.0.receive(&mut self.1, now()).unwrap() {}
            self.0.poll(&Context::from_waker(Waker::noop()));
            let more = sent(|sending| self.0.transmit(sending));
            if more.is_empty() {
                let said = String::from_utf8(bytes).unwrap();
                return said.lines().map(str::to_owned).collect();
            }
            bytes.extend(more);
        }
    }
}

#[test]
fn a_call_is_cancelled_by_its_id_as_it_was_written() {
    let gates = Gates::default();
    let mut served = Served::new(gates.clone(), Limits::default());
    let dropped = || gates.dropped.lock().unwrap().clone();
    let call = |gate: u32, id: &str| {
        format!(r#"{{"jsonrpc":"2.0","method":"wait","params":[{gate}],"id":{id}}}"#)
    };
    let cancel = |params: &str| {
        format!(r#"{{"jsonrpc":"2.0","method":"$/cancelRequest","params":{params}}}"#)
    };
    assert!(served.said(&call(1, "7")).is_empty());
    assert!(served.said(&call(2, "\"7\"")).is_empty());
    // Nobody is called so, or it is not said who.
    for nobody in [
        r#"{"id":8}"#,
        r#"{"id":7.0}"#,
        r#"{"id":null}"#,
        "{}",
        "[]",
        "[7,8]",
    ] {
        assert_eq!(served.said(&cancel(nobody)), [""; 0], "{nobody}");
    }
    assert!(dropped().is_empty());
    let gave_up =
        r#"{"jsonrpc":"2.0","error":{"code":-32002,"message":"the caller gave up"},"id":"7"}"#;
    assert_eq!(served.said(&cancel(r#"{"id":"7"}"#)), [gave_up]);
    assert_eq!(dropped(), [2]);
    assert_eq!(served.said(&cancel(r#"{"id":"7"}"#)), [""; 0], "it is over");
    gates.open(1);
    let answered = r#"{"jsonrpc":"2.0","result":1,"id":7}"#;
    assert_eq!(served.said(""), [answered], "its neighbour goes on");
}

#[test]
fn a_cancel_that_is_a_call_itself_is_answered() {
    let gates = Gates::default();
    let mut served = Served::new(gates.clone(), Limits::default());
    served.said(r#"{"jsonrpc":"2.0","method":"wait","params":[1],"id":7}"#);
    let said = served.said(
        r#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":7},"id":8}
           {"jsonrpc":"2.0","method":"$/cancelRequest","params":{},"id":9}"#,
    );
    assert!(
        said[0].contains("-32002") && said[0].ends_with(r#""id":7}"#),
        "{said:?}"
    );
    assert_eq!(said[1], r#"{"jsonrpc":"2.0","result":true,"id":8}"#);
    assert!(
        said[2].contains("-32602") && said[2].contains("`id`"),
        "{said:?}"
    );
    let dropped = gates.dropped.lock().unwrap().clone();
    assert_eq!(dropped, [1]);
}

#[test]
fn what_cannot_be_cancelled_is_refused_in_words() {
    let mut served = Served::new(Gates::default(), Limits::default());
    let said =
        served.said(r#"[{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":7},"id":8}]"#);
    assert!(
        said[0].contains("-32600") && said[0].contains("batch"),
        "{said:?}"
    );
}

#[test]
fn a_client_cancels_what_is_under_way_and_nothing_else() {
    let mut pair = Pair::new(Encoding::Json, &Limits::default());
    let channel = pair.channel.clone();
    let call = |gate| -> Wait<'_> { channel.call(&Gates::METHODS[0], (gate,)).into_future() };
    let (mut answered, mut dropped) = (call(1), call(2));
    assert!(poll(&mut answered).is_pending() && poll(&mut dropped).is_pending());
    pair.gates.open(1);
    Pair::carry(&mut parts!(pair), 64);
    // Its reply is here, if nobody took it yet.
    drop(answered);
    assert_eq!(sent(|sending| pair.driver.transmit(sending)), b"");
    drop(dropped);
    let said = sent(|sending| pair.driver.transmit(sending));
    let said = String::from_utf8(said).unwrap();
    let head = r#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"#;
    let id = said.strip_prefix(head).unwrap();
    let id = id.strip_suffix("}}\n").unwrap();
    assert!(id.parse::<u64>().is_ok(), "{said}");
    pair.to_server.room().extend_from_slice(said.as_bytes());
    while pair.server.receive(&mut pair.to_server, now()).unwrap() {}
    let dropped = pair.gates.dropped.lock().unwrap().clone();
    assert_eq!(dropped, [1, 2]);
    assert!(pair.server.is_idle());
}

#[test]
fn a_server_that_answers_what_is_no_call_does_no_harm() {
    let mut pair = Pair::new(Encoding::Json, &Limits::default());
    let channel = pair.channel.clone();
    let call = |gate| -> Wait<'_> { channel.call(&Gates::METHODS[0], (gate,)).into_future() };
    let (mut dropped, mut kept) = (call(1), call(2));
    assert!(poll(&mut dropped).is_pending() && poll(&mut kept).is_pending());
    let batch = vec![channel.call::<_, u32, std::convert::Infallible>(&Gates::METHODS[0], (3,))];
    let mut batch = Box::pin(channel.batch(batch).into_future());
    assert!(poll(&mut batch).is_pending());
    drop(dropped);
    let unknown = br#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"what?"},"id":null}"#;
    pair.to_client.room().extend_from_slice(unknown);
    while pair.driver.receive(&mut pair.to_client).unwrap() {}
    pair.gates.open(2);
    pair.gates.open(3);
    Pair::carry(&mut parts!(pair), 64);
    assert!(matches!(poll(&mut kept), std::task::Poll::Ready(Ok(2))));
    let std::task::Poll::Ready(Ok(answers)) = poll(&mut batch) else {
        panic!("the batch was not refused");
    };
    assert!(matches!(answers[..], [Ok(3)]));
}

#[test]
fn what_begins_as_http_ends_a_stream_and_is_one_mistake_in_a_message() {
    let ask = |end: &str| {
        let mut received = Received::default();
        let call = r#"{"jsonrpc":"2.0","method":"echo","params":["hi"],"id":1}"#;
        let said = format!("POST /{end}{call}{end}");
        received.room().extend_from_slice(said.as_bytes());
        received
    };
    let mut pair = Pair::new(Encoding::Json, &Limits::default());
    assert!(pair.server.receive(&mut ask("\n"), now()).is_err());
    let said = sent(|sending| pair.server.transmit(sending));
    assert_eq!(said.iter().filter(|&&byte| byte == b'\n').count(), 1);

    let mut server = Pair::new(Encoding::Json, &Limits::default())
        .server
        .in_messages();
    let mut received = ask("\x1e");
    while server.receive(&mut received, now()).unwrap() {}
    server.poll(&Context::from_waker(Waker::noop()));
    let said = String::from_utf8(sent(|sending| server.transmit(sending))).unwrap();
    assert!(
        said.contains("-32700") && said.contains(r#""result":"hi""#),
        "{said}"
    );
}
