//! What a server answers on a stream.

use std::sync::Arc;
use std::time::Instant;

use super::router;
use crate::connection::server::Server;
use crate::connection::{Received, Sending, Speech};
use crate::context::Peer;
use crate::encoding::Encoding;
use crate::limits::Limits;

/// The code or the result of every answer, and its id, to a stream in pieces of this size.
fn answers(stream: &[u8], size: usize) -> Vec<(i64, serde_json::Value)> {
    let peer = Peer::new("tcp", Encoding::Json, None, Limits::default());
    let mut server = Server::new(router(), Arc::new(peer), Speech::JsonRpc).unwrap();
    let mut received = Received::default();
    for piece in stream.chunks(size) {
        received.room().extend_from_slice(piece);
        while server.receive(&mut received, Instant::now()).unwrap() {}
    }
    let (mut sending, mut out) = (Sending::default(), Vec::new());
    server.transmit(&mut sending);
    sending.drain_into(&mut out);
    let lines = out.split_inclusive(|&byte| byte == b'\n');
    lines
        .map(|line| {
            let answer: serde_json::Value = serde_json::from_slice(line).unwrap();
            let said = answer["error"]["code"].as_i64();
            let said = said.or_else(|| answer["result"].as_i64());
            (said.unwrap(), answer["id"].clone())
        })
        .collect()
}

const NEXT: &str = r#"{"jsonrpc":"2.0","method":"subtract","params":[7,3],"id":9}"#;

#[test]
fn a_broken_text_is_answered_and_does_not_swallow_the_next_one() {
    for broken in [
        // Section 7 of the specification, as it is printed there.
        "[\n  {\"jsonrpc\": \"2.0\", \"method\": \"sum\", \"params\": [1,2,4], \"id\": \"1\"},\n  \
         {\"jsonrpc\": \"2.0\", \"method\"\n]\n",
        "{\"jsonrpc\": \"2.0\", \"method\": \"foobar, \"params\": \"bar\", \"baz]\n",
        "{\"jsonrpc\":\"2.0\",\"method\":\"subtract\",\"params\":[1,2\n",
        "{\"jsonrpc\":\"2.0\",\"method\"\n",
        "{\"jsonrpc\":\"2.0\",\n",
        "{\"jsonrpc\":\"2.0\",\"method\":\"subtract\",\"params\":{\"minuend\":\r\n\r\n\"x\"\n",
    ] {
        let stream = format!("{broken}{NEXT}");
        for size in [1, 2, 7, stream.len()] {
            let answered = answers(stream.as_bytes(), size);
            assert_eq!(
                answered,
                [(-32700, serde_json::Value::Null), (4, 9.into())],
                "{broken} by {size}"
            );
        }
    }
}

#[test]
fn a_byte_order_mark_may_begin_a_stream() {
    let stream = format!("\u{feff}{NEXT}\n\u{feff}{NEXT}");
    for size in [1, 2, stream.len()] {
        let answered = answers(stream.as_bytes(), size);
        assert_eq!(answered, [(4, 9.into()), (4, 9.into())]);
    }
}
