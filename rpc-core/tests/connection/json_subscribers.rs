//! Streams over JSON-RPC, as a client has them beside strange servers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use farcall_core::channel::{Channel, Streaming};
use farcall_core::connection::client::{Client, Driver};
use farcall_core::connection::{Received, Speech};
use farcall_core::encoding::Encoding;
use farcall_core::error::Error;
use farcall_core::service::Service;
use futures_util::{Stream, stream};

use crate::json_streams::{limits, reply, told};
use crate::pair::{now, poll, sent};
use crate::streams::{Numbers, count, sum};

/// A client whose server is a stranger.
struct Asking {
    channel: Channel,
    driver: Driver,
    received: Received,
}

impl Asking {
    fn new() -> Self {
        let (client, driver) = Client::new(Speech::JsonRpc, Encoding::Json, limits(0), now);
        Self {
            channel: Channel::over(Arc::new(client)),
            driver,
            received: Received::default(),
        }
    }

    /// Has the client read `texts`; what it sends.
    fn hears(&mut self, texts: &[String]) -> Vec<String> {
        self.received
            .room()
            .extend_from_slice(texts.join("\n").as_bytes());
        while self.driver.receive(&mut self.received).unwrap() {}
        self.driver
            .poll_uploads(&mut Context::from_waker(Waker::noop()));
        let said = String::from_utf8(sent(|sending| self.driver.transmit(sending))).unwrap();
        said.lines().map(str::to_owned).collect()
    }
}

fn next(items: &mut Streaming<u64>) -> Poll<Option<Result<u64, Error>>> {
    Pin::new(items).poll_next(&mut Context::from_waker(Waker::noop()))
}

/// The id that a client gave its request.
fn id_of(request: &str) -> String {
    let (_, id) = request.rsplit_once(r#""id":"#).unwrap();
    id.trim_end_matches('}').to_owned()
}

/// A client that asked for a stream; the server calls it `subscription`.
fn opened(asking: &mut Asking, subscription: &str) -> Streaming<u64> {
    let channel = asking.channel.clone();
    let mut call = count(&channel);
    assert!(poll(&mut call).is_pending());
    let asked = asking.hears(&[]);
    let [request] = &asked[..] else {
        panic!("{asked:?}")
    };
    let head = r#"{"jsonrpc":"2.0","method":"count","params":[9],"window":65536,"id":"#;
    assert!(request.starts_with(head), "{request}");
    asking.hears(&[reply(subscription, &id_of(request))]);
    let Poll::Ready(Ok(items)) = poll(&mut call) else {
        panic!("it was opened");
    };
    items
}

fn item(subscription: &str, item: &str) -> String {
    let params = format!(r#"{{"subscription":{subscription},"result":{item}}}"#);
    told("count", &params)
}

#[test]
fn a_client_reads_what_other_servers_call_a_subscription() {
    for subscription in ["5", r#""0xcd0c3e8af590364c09d0fa6a1210faf5""#] {
        let mut asking = Asking::new();
        let mut items = opened(&mut asking, subscription);
        asking.hears(&[
            item(subscription, "1"),
            // Nobody's; another order; more members; no JSON-RPC of ours.
            item("6", "2"),
            format!(r#"{{"params":{{"result":3,"subscription":{subscription}}},"method":"x"}}"#),
            told(
                "count",
                &format!(r#"{{"subscription":{subscription},"result":4}},"x":{{"y":1}}"#),
            ),
            told("tick", "[]"),
            told(
                "count",
                &format!(r#"{{"subscription":{subscription},"end":true}}"#),
            ),
            item(subscription, "5"),
        ]);
        for expected in [1, 3, 4] {
            match next(&mut items) {
                Poll::Ready(Some(Ok(item))) => assert_eq!(item, expected),
                other => panic!("{other:?}"),
            }
        }
        assert!(matches!(next(&mut items), Poll::Ready(None)));
        drop(items);
        assert_eq!(asking.hears(&[]), [""; 0], "it is over by itself");
    }
}

#[test]
fn a_client_that_drops_its_stream_unsubscribes() {
    for subscription in ["5", r#""0xcd""#] {
        let mut asking = Asking::new();
        drop(opened(&mut asking, subscription));
        let unsubscribe = told("rpc.unsubscribe", &format!("[{subscription}]"));
        assert_eq!(asking.hears(&[item(subscription, "1")]), [unsubscribe]);
    }
    // Whoever gives up before it was opened has no name for it yet.
    let mut asking = Asking::new();
    let channel = asking.channel.clone();
    let mut call = count(&channel);
    assert!(poll(&mut call).is_pending());
    let id = id_of(&asking.hears(&[])[0]);
    drop(call);
    let cancel = told("$/cancelRequest", &format!(r#"{{"id":{id}}}"#));
    assert_eq!(asking.hears(&[]), [cancel]);
    assert_eq!(asking.hears(&[reply("1", &id), item("1", "1")]), [""; 0]);
}

#[test]
fn a_stream_that_overruns_its_window_fails_and_is_unsubscribed() {
    let mut asking = Asking::new();
    let mut items = opened(&mut asking, "5");
    let flood = vec![item("5", "1"); 1010];
    let said = asking.hears(&flood);
    assert_eq!(said, [told("rpc.unsubscribe", "[5]")]);
    for _ in 0..1009 {
        assert!(matches!(next(&mut items), Poll::Ready(Some(Ok(1)))));
    }
    match next(&mut items) {
        Poll::Ready(Some(Err(error))) => {
            assert!(error.to_string().contains("stream_bytes"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(next(&mut items), Poll::Ready(None)));
}

#[test]
fn a_client_grants_what_it_read() {
    let mut asking = Asking::new();
    let mut items = opened(&mut asking, "5");
    asking.hears(&vec![item("5", "1"); 505]);
    for _ in 0..504 {
        assert!(next(&mut items).is_ready());
    }
    assert_eq!(asking.hears(&[]), [""; 0]);
    assert!(next(&mut items).is_ready());
    assert_eq!(
        asking.hears(&[]),
        [told("rpc.credit", "[5,32825]")],
        "half of 64 KiB"
    );
}

#[test]
fn an_error_ends_the_stream_and_is_told() {
    let mut asking = Asking::new();
    let mut items = opened(&mut asking, "5");
    let error = r#"{"subscription":5,"error":{"code":7,"message":"out of paper","data":[1]}}"#;
    asking.hears(&[item("5", "1"), told("count", error)]);
    assert!(matches!(next(&mut items), Poll::Ready(Some(Ok(1)))));
    match next(&mut items) {
        Poll::Ready(Some(Err(error))) => assert_eq!(error.fault().unwrap().code, 7),
        other => panic!("{other:?}"),
    }
    drop(items);
    assert_eq!(asking.hears(&[]), [""; 0]);
}

#[test]
fn what_a_strange_server_answers_fails_that_call_alone() {
    for answer in ["null", "[1]", r#"{"id":1}"#, "true"] {
        let mut asking = Asking::new();
        let channel = asking.channel.clone();
        let (mut call, mut other) = (count(&channel), count(&channel));
        assert!(poll(&mut call).is_pending() && poll(&mut other).is_pending());
        let asked = asking.hears(&[]);
        let (id, neighbour) = (id_of(&asked[0]), id_of(&asked[1]));
        let said = asking.hears(&[reply(answer, &id), reply("4", &neighbour)]);
        assert_eq!(
            said,
            [told("$/cancelRequest", &format!(r#"{{"id":{id}}}"#))]
        );
        match poll(&mut call) {
            Poll::Ready(Err(error)) => {
                assert!(error.to_string().contains("not a stream"), "{error}")
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(poll(&mut other), Poll::Ready(Ok(_))));
    }
    let mut asking = Asking::new();
    let channel = asking.channel.clone();
    let mut call = sum(&channel);
    assert!(poll(&mut call).is_pending());
    let id = id_of(&asking.hears(&[])[0]);
    let said = asking.hears(&[told("rpc.credit", &format!("[{id},4294967296]"))]);
    assert_eq!(
        said,
        [told("$/cancelRequest", &format!(r#"{{"id":{id}}}"#))]
    );
    match poll(&mut call) {
        Poll::Ready(Err(error)) => assert!(error.to_string().contains("2 GiB"), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_client_sends_keeps_to_its_credit() {
    let mut asking = Asking::new();
    let channel = asking.channel.clone();
    let mut call = sum(&channel);
    assert!(poll(&mut call).is_pending());
    let mut said = asking.hears(&[]);
    let id = id_of(&said.remove(0));
    for _ in 0..30 {
        said.extend(asking.hears(&[]));
    }
    let items = vec![told("rpc.item", &format!("[{id},1]")); 1009];
    assert!(said == items, "{} items", said.len());
    let grant = told("rpc.credit", &format!("[{id},100]"));
    assert_eq!(asking.hears(&[grant]).len(), 1, "49 bytes were owed");
    asking.hears(&[reply("1010", &id)]);
    assert!(matches!(poll(&mut call), Poll::Ready(Ok(1010))));
    assert_eq!(asking.hears(&[]), [""; 0]);
}

/// No JSON number.
#[derive(Clone, Copy)]
struct Odd;

impl serde::Serialize for Odd {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::NAN)
    }
}

#[test]
fn a_stream_that_cannot_be_written_gives_its_call_up() {
    let mut asking = Asking::new();
    let channel = asking.channel.clone();
    let call = channel.call::<_, u64, std::convert::Infallible>(&Numbers::METHODS[1], ());
    let mut call = call.upload(stream::repeat(Odd)).into_future();
    assert!(poll(&mut call).is_pending());
    let said = asking.hears(&[]);
    let id = id_of(&said[0]);
    let cancel = told("$/cancelRequest", &format!(r#"{{"id":{id}}}"#));
    assert_eq!(said[1..], [cancel]);
    match poll(&mut call) {
        Poll::Ready(Err(error)) => assert!(error.to_string().contains("NaN"), "{error}"),
        other => panic!("{other:?}"),
    }
}
