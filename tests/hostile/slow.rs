//! Who begins something and does not finish it ("slowloris"): each is let go at its limit, however it began.

use std::time::{Duration, Instant};

use farcall::{Limits, Server, ServerTls};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::beside::GoodCalls;
use crate::service::{ADD, Attacked, HELLO, native_request, post, rest, until};

const TIME: Duration = Duration::from_millis(700);
/// How much later than at its limit it may be found out, on a busy machine.
const LATE: Duration = Duration::from_secs(5);
const MANY: usize = 50;

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.handshake_time = TIME;
    limits.head_time = TIME;
    limits.body_time = TIME;
    limits
}

/// Sends the start of something, waits to be let go, and gives how long that took and what was said.
async fn begins(mut io: TcpStream, start: Vec<u8>) -> (Duration, String) {
    let began = Instant::now();
    io.write_all(&start).await.unwrap();
    let said = rest(&mut io).await;
    (began.elapsed(), said)
}

async fn assert_let_go(attacked: &Attacked, start: &[u8], words: &str) {
    let mut slow = JoinSet::new();
    for _ in 0..MANY {
        slow.spawn(begins(attacked.connect().await, start.to_vec()));
    }
    while let Some(ended) = slow.join_next().await {
        let (after, said) = ended.unwrap();
        let begun = String::from_utf8_lossy(start);
        // The server began to count when it was connected.
        let early = TIME - Duration::from_millis(200);
        assert!(after >= early && after < TIME + LATE, "{after:?}: {begun}");
        assert!(said.contains(words), "{begun}: {said}");
    }
}

#[tokio::test]
async fn whoever_begins_and_does_not_finish_is_let_go_at_the_limit() {
    let attacked = Attacked::with(limits()).await;
    let good = GoodCalls::beside(&attacked).await;
    let held = attacked.gauges.connections();
    let chunked = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                   Transfer-Encoding: chunked\r\n\r\n5\r\n{";
    let whole = native_request(1, "add");
    let large = [&0x0010_0000_u32.to_le_bytes(), &whole[4..]].concat();
    for (start, words) in [
        // The first byte, and what it is the first of.
        (&b""[..], ""),
        (b"\xfc\x66", "700ms (`Limits::handshake_time`)"),
        (&HELLO[..9], "700ms (`Limits::handshake_time`)"),
        (b"P", "700ms (`Limits::handshake_time`)"),
        (b"POST / HTTP/1.1\r\nHost: ", "700ms (`Limits::head_time`)"),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX: y",
            "700ms (`Limits::head_time`)",
        ),
        (b"PRI * HTTP/2.0\r\n", ""),
        (
            &post("", ADD).into_bytes()[..120],
            "700ms (`Limits::body_time`)",
        ),
        (chunked.as_bytes(), "700ms (`Limits::body_time`)"),
        (b"{\"jsonrpc\":", "Limits::body_time"),
        (b"[", "Limits::body_time"),
        // A frame's head, and its body.
        (&[&HELLO[..], &whole[..7]].concat(), ""),
        (&[&HELLO[..], &whole[..20]].concat(), "Limits::body_time"),
        (&[&HELLO[..], &large].concat(), "Limits::body_time"),
    ] {
        assert_let_go(&attacked, start, words).await;
    }
    good.were_answered().await;
    until("only those that were there before", || {
        attacked.gauges.connections() <= held
    })
    .await;
}

#[tokio::test]
async fn a_tls_handshake_that_stops_is_let_go_at_the_limit() {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = ServerTls::from_pem(pair.cert.pem(), pair.signing_key.serialize_pem()).unwrap();
    let server = Server::new().limits(limits()).tls(tls).tls_beside_plain();
    let attacked = Attacked::of(server, "tcp").await;
    let good = GoodCalls::beside(&attacked).await;
    for start in [
        // The head of a record, and half a hello of a client's.
        &b"\x16"[..],
        b"\x16\x03\x01\x02\x00",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03random",
    ] {
        assert_let_go(&attacked, start, "").await;
    }
    good.were_answered().await;
}

#[tokio::test]
async fn who_sends_a_byte_now_and_then_is_let_go_in_the_middle_of_a_head() {
    let attacked = Attacked::with(limits()).await;
    let good = GoodCalls::beside(&attacked).await;
    for start in ["POST / HTTP/1.1\r\nX: ", "GET / HTTP/1.1\r\nX: "] {
        let (mut read, mut write) = attacked.connect().await.into_split();
        write.write_all(start.as_bytes()).await.unwrap();
        let began = Instant::now();
        let dripping = tokio::spawn(async move {
            while write.write_all(b"x").await.is_ok() {
                tokio::time::sleep(TIME / 5).await;
            }
        });
        let mut nothing = Vec::new();
        use tokio::io::AsyncReadExt;
        while matches!(read.read_buf(&mut nothing).await, Ok(count) if count > 0) {}
        assert!(began.elapsed() < TIME + LATE, "{:?}", began.elapsed());
        dripping.abort();
    }
    good.were_answered().await;
}

#[tokio::test]
async fn a_message_that_comes_slowly_but_does_come_is_answered() {
    let attacked = Attacked::with(limits()).await;
    let mut io = attacked.connect().await;
    for piece in ADD.as_bytes().chunks(20) {
        io.write_all(piece).await.unwrap();
        tokio::time::sleep(TIME / 2).await;
    }
    io.shutdown().await.unwrap();
    assert!(rest(&mut io).await.contains("10"));
}
