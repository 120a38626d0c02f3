//! Requests that two servers in a row could read as two different ones, with another hidden behind: none is
//! answered but by a refusal, the connection ends, and what is hidden does not run.

use std::sync::atomic::Ordering;

use farcall::Limits;
use tokio::io::AsyncWriteExt;

use crate::beside::GoodCalls;
use crate::service::{ADD, Attacked, HIDDEN, post, rest};

/// A request with these lines between the `Host` and the body, which is `body`.
fn with(lines: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{lines}\r\n{body}"
    )
}

/// What is refused, each before a request that is hidden behind it.
fn shapes() -> Vec<String> {
    let hidden = post("", HIDDEN);
    let length = ADD.len();
    let chunked = |body: &str| with("Transfer-Encoding: chunked\r\n", body);
    let one_chunk = format!("{length:x}\r\n{ADD}\r\n0\r\n\r\n");
    let mut shapes = Vec::new();
    // Lengths that are none, or two.
    for value in [
        "+5",
        "-1",
        "0x36",
        "5_4",
        "5 4",
        "5,4",
        "54, 55",
        "54;1",
        "5.4",
        "1e1",
        "",
        "five",
        "18446744073709551616",
        "99999999999999999999",
        "\u{664}",
        "54\u{b}",
    ] {
        shapes.push(with(&format!("Content-Length: {value}\r\n"), ADD));
    }
    for (one, other) in [("0", "54"), ("54", "0"), ("54", "55")] {
        let lines = format!("Content-Length: {one}\r\nContent-Length: {other}\r\n");
        shapes.push(with(&lines, ADD));
    }
    // Codings that are none, or stand beside a length.
    for value in [
        "identity",
        "xchunked",
        "chunked, identity",
        "chunked, gzip",
        "gzip",
        "chunked-",
        "\"chunked\"",
        "chunk",
        ",",
        "\u{b}chunked",
        "chunked;q=1",
        "",
        // The last is the right one.
        "chunked, chunked",
        "chunked\r\nTransfer-Encoding: chunked",
        "gzip, chunked",
        "gzip\r\nTransfer-Encoding: chunked",
        "xyz, chunked",
        "identity, chunked",
        "chunked,",
        ", chunked",
    ] {
        shapes.push(with(&format!("Transfer-Encoding: {value}\r\n"), &one_chunk));
    }
    // Names that are none, and lines that are.
    for line in [
        "Content-Length : 54",
        "Content-Length\t: 54",
        " Content-Length: 54",
        "Transfer-Encoding : chunked",
        "Content-Length",
        ": 54",
        "Content Length: 54",
        "X\0: y",
        "X: y\0z",
        "X: y\rContent-Length: 54",
        "X: y\r\n folded: 54",
        "\u{fc}: y",
        "(x): y",
    ] {
        shapes.push(with(
            &format!("{line}\r\nContent-Length: {length}\r\n"),
            ADD,
        ));
    }
    // Chunks that are none.
    for size in [
        "-1",
        "+36",
        "0x36",
        "36 6",
        "g",
        "",
        ";x",
        "ffffffffffffffff",
        "10000000000000000",
        "36\u{b}",
    ] {
        shapes.push(chunked(&format!("{size}\r\n{ADD}\r\n0\r\n\r\n")));
    }
    for body in [
        // Longer and shorter than it says.
        format!("{:x}\r\n{ADD}\r\n0\r\n\r\n", length - 1),
        format!("{:x}\r\n{ADD}\r\n0\r\n\r\n", length + 1),
        format!("{length:x}\r\n{ADD}0\r\n\r\n"),
        format!("{length:x}\r\n{ADD}\n0\r\n\r\n"),
        format!("{length:x}\n{ADD}\r\n0\r\n\r\n"),
        format!("{length:x}\r{ADD}\r\n0\r\n\r\n"),
        format!("{length:x};x\ny\r\n{ADD}\r\n0\r\n\r\n"),
        format!("{length:x}\r\n{ADD}\r\n0\r\nX : y\r\n{}", "x"),
    ] {
        shapes.push(chunked(&body));
    }
    // Lines of a request that are none.
    for line in [
        "POST / HTTP/1.2",
        "POST / HTTP/1.1 x",
        "POST / HTTP/11",
        "POST / http/1.1",
        "POST /\t HTTP/1.1",
        "POST / /x HTTP/1.1",
        "POST /\u{0} HTTP/1.1",
        "P\u{0}ST / HTTP/1.1",
        "POST(x) / HTTP/1.1",
        "POST",
        "POST /",
    ] {
        shapes.push(post("", ADD).replace("POST / HTTP/1.1", line));
    }
    shapes.iter().map(|shape| shape.clone() + &hidden).collect()
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused_and_nothing_hidden_runs() {
    let attacked = Attacked::with(Limits::default()).await;
    let good = GoodCalls::beside(&attacked).await;
    let shapes = shapes();
    assert!(shapes.len() >= 60, "{}", shapes.len());
    for shape in &shapes {
        let said = attacked.ask(shape.as_bytes()).await;
        let hidden = attacked.service.hidden.load(Ordering::SeqCst);
        assert_eq!(hidden, 0, "{shape}");
        let answers: Vec<_> = said.match_indices("HTTP/1.1 ").collect();
        assert!(answers.len() <= 1, "{shape}: {said}");
        let is_refused = said.is_empty()
            || said.starts_with("HTTP/1.1 4")
            || said.starts_with("HTTP/1.1 501")
            || said.starts_with("farcall: ");
        assert!(is_refused, "{shape}: {said}");
    }
    good.were_answered().await;
}

#[tokio::test]
async fn a_coding_that_is_not_known_is_refused_in_words_whatever_asks() {
    let attacked = Attacked::with(Limits::default()).await;
    let chunks = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
    for (coding, line) in [
        ("chunked, chunked", "POST / "),
        ("gzip, chunked", "POST / "),
        ("xyz, chunked", "GET / "),
    ] {
        let request = with(&format!("Transfer-Encoding: {coding}\r\n"), &chunks);
        let said = attacked
            .ask(request.replace("POST / ", line).as_bytes())
            .await;
        assert!(said.starts_with("HTTP/1.1 501 "), "{coding}: {said}");
        assert!(said.contains("`chunked`"), "{said}");
        assert_eq!(attacked.service.hidden.load(Ordering::SeqCst), 0);
    }
    // In any case of letters it is the one that is known.
    let request = with(
        "Transfer-Encoding: Chunked\r\nConnection: close\r\n",
        &chunks,
    );
    let said = attacked.ask(request.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}

/// With two of a kind, whoever stands before the server may have looked at the other one.
#[tokio::test]
async fn a_host_or_an_origin_beside_a_good_one_is_not_overlooked() {
    let attacked = Attacked::with(Limits::default()).await;
    let good = "Host: localhost";
    let own = "Origin: http://localhost";
    let evil = "Origin: http://evil.example";
    let socket = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                  Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let events = "GET /?method=ticks&params=[] HTTP/1.1\r\nHost: localhost\r\n\
                  Accept: text/event-stream\r\n\r\n";
    let call = &post("Connection: close\r\n", HIDDEN);
    let two = |request: &str, one: &str, other: &str| {
        request.replace(good, &format!("{good}\r\n{one}\r\n{other}"))
    };
    let to = |address: &str| call.replace("POST / ", &format!("POST {address} "));
    for (request, status) in [
        (to("http://evil.example/"), 421),
        (to("http://evil.example:80/"), 421),
        (to("http://localhost:80@evil.example/"), 400),
        (to("http://localhost@evil.example/"), 400),
        (two(call, own, evil), 403),
        (two(call, evil, own), 403),
        (two(call, own, own), 403),
        (two(socket, own, evil), 403),
        (two(events, own, evil), 403),
    ] {
        // Refused, it is kept; it ends as no more comes.
        let mut io = attacked.connect().await;
        io.write_all(request.as_bytes()).await.unwrap();
        io.shutdown().await.unwrap();
        let said = rest(&mut io).await;
        assert!(
            said.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}: {said}"
        );
        assert_eq!(
            attacked.service.hidden.load(Ordering::SeqCst),
            0,
            "{request}"
        );
    }
    // What the address of the request says counts alone, also where it is the good one.
    let good = to("http://localhost/").replace("Host: localhost", "Host: evil.example");
    let said = attacked.ask(good.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    assert_eq!(attacked.service.hidden.load(Ordering::SeqCst), 1);
}

/// With a length beside it, `chunked` counts alone (RFC 9112 §6.3), and the connection ends behind it.
#[tokio::test]
async fn behind_a_body_with_a_length_and_chunks_the_connection_ends() {
    let attacked = Attacked::with(Limits::default()).await;
    let hidden = post("", HIDDEN);
    let chunks = format!("{:x}\r\n{ADD}\r\n0\r\n\r\n", ADD.len());
    for lines in [
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
    ] {
        let said = attacked
            .ask((with(lines, &chunks) + &hidden).as_bytes())
            .await;
        assert_eq!(attacked.service.hidden.load(Ordering::SeqCst), 0, "{said}");
    }
}

/// A body that was not read is not taken for the next request.
#[tokio::test]
async fn a_body_that_is_refused_hides_no_request() {
    let attacked = Attacked::with(Limits::default()).await;
    let hidden = post("Connection: close\r\n", HIDDEN);
    for (from, to) in [
        ("application/json", "text/plain"),
        ("application/json", "application/x-www-form-urlencoded"),
        ("POST / ", "GET / "),
        ("POST / ", "OPTIONS / "),
        ("POST / ", "DELETE / "),
        ("Host: localhost", "Host: evil.example"),
        (
            "Host: localhost",
            "Host: localhost\r\nOrigin: http://evil.example",
        ),
        ("Host: localhost", "Host: localhost\r\nContent-Encoding: br"),
    ] {
        let outer = post("Connection: close\r\n", &hidden).replacen(from, to, 1);
        let said = attacked.ask(outer.as_bytes()).await;
        assert_eq!(
            attacked.service.hidden.load(Ordering::SeqCst),
            0,
            "{to}: {said}"
        );
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{to}: {said}");
    }
}
