//! Calls with streams: a POST whose two bodies are one native byte stream.

use std::convert::Infallible;

use farcall_core::channel::StreamCall;
use farcall_core::encoding::Encoding;
use farcall_core::protocol::native::{Hello, MAGIC};
use tokio::io::DuplexStream;
use tokio::time::Instant;

use super::plain::begin;
use super::*;

const STREAM: &str = "Content-Type: application/vnd.farcall.stream\r\n";
const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

fn hello() -> Vec<u8> {
    Hello::new(Encoding::Bincode, &Limits::default())
        .to_bytes()
        .to_vec()
}

/// One native frame.
fn frame(kind: u8, id: u64, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    let head = [&length[..], &[kind, 0, 0, 0], &id.to_le_bytes()].concat();
    [&head, body].concat()
}

/// A request frame, without a deadline.
fn request(name: &str, id: u64, params: &[u8]) -> Vec<u8> {
    let hash = method(name).hash.to_le_bytes();
    frame(1, id, &[&hash, &[0; 4][..], params].concat())
}

fn item(id: u64, number: i64) -> Vec<u8> {
    frame(5, id, &number.to_le_bytes())
}

fn end(id: u64) -> Vec<u8> {
    frame(6, id, &[])
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let size = format!("{:x}\r\n", bytes.len());
    [size.as_bytes(), bytes, b"\r\n"].concat()
}

/// The head of a request with streams, its body to come in chunks.
fn head() -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nHost: localhost\r\n{STREAM}{CHUNKED}\r\n").into_bytes()
}

/// A server at the other end of a pipe, where hours pass in no time.
fn piped(calc: Calc) -> DuplexStream {
    let (here, there) = tokio::io::duplex(1024);
    let server = Server::new().service(calc);
    tokio::spawn(async move { server.serve_stream(there).await.unwrap() });
    here
}

/// The head of the response, which must be a stream, in lower case.
async fn answered(io: &mut DuplexStream) -> String {
    let (head, _) = message(io).await;
    let stream = "content-type: application/vnd.farcall.stream\r\n";
    assert!(
        head.starts_with("http/1.1 200") && head.contains(stream),
        "{head}"
    );
    assert!(head.contains("x-accel-buffering: no\r\n"), "{head}");
    head
}

/// The next chunk of a body; empty at its end.
async fn next(io: &mut DuplexStream) -> Vec<u8> {
    let mut line = String::new();
    while !line.ends_with("\r\n") {
        line.push(char::from(io.read_u8().await.unwrap()));
    }
    let size = usize::from_str_radix(line.trim(), 16).unwrap();
    let mut chunk = vec![0; size + 2];
    io.read_exact(&mut chunk).await.unwrap();
    chunk.truncate(size);
    chunk
}

/// The rest of a body in chunks.
async fn rest(io: &mut DuplexStream) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        match &*next(io).await {
            [] => return body,
            chunk => body.extend_from_slice(chunk),
        }
    }
}

/// The kinds, ids and bodies of the frames behind a hello.
fn frames(bytes: &[u8]) -> Vec<(u8, u64, Vec<u8>)> {
    assert_eq!(bytes[..4], MAGIC, "{bytes:?}");
    let (mut rest, mut frames) = (&bytes[16..], Vec::new());
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[..4].try_into().unwrap()) as usize;
        let id = u64::from_le_bytes(rest[8..16].try_into().unwrap());
        frames.push((rest[4], id, rest[16..16 + length].to_vec()));
        rest = &rest[16 + length..];
    }
    // How much each side may send is tested where that is decided.
    frames.retain(|(kind, ..)| *kind != 7);
    frames
}

#[tokio::test(start_paused = true)]
async fn two_bodies_are_one_native_connection_however_they_are_cut() {
    let sent = [hello(), request("count", 9, &3_u64.to_le_bytes())].concat();
    let item = |n: u64| (5, 9, n.to_le_bytes().to_vec());
    for step in [1, 7, 1000] {
        let mut io = piped(Calc::default());
        io.write_all(&head()).await.unwrap();
        for piece in sent.chunks(step) {
            io.write_all(&chunk(piece)).await.unwrap();
        }
        io.write_all(b"0\r\n\r\n").await.unwrap();
        answered(&mut io).await;
        let frames = frames(&rest(&mut io).await);
        let expected = [(2, 9, vec![]), item(0), item(1), item(2), (6, 9, vec![])];
        assert_eq!(frames, expected, "{step}");
        // The connection goes on.
        assert_eq!(ask(&mut io, &post("", ADD)).await.1, TEN);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_known_beforehand_may_have_a_length() {
    let sent = [
        hello(),
        request("total", 9, &[]),
        item(9, 7),
        item(9, 3),
        end(9),
    ]
    .concat();
    let length = sent.len();
    for by_hyper in [false, true] {
        let mut io = piped(Calc::default());
        begin(&mut io, by_hyper).await;
        let head = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n{STREAM}Content-Length: {length}\r\n\r\n"
        );
        io.write_all(&[head.as_bytes(), &sent].concat())
            .await
            .unwrap();
        answered(&mut io).await;
        let frames = frames(&rest(&mut io).await);
        assert_eq!(frames, [(2, 9, 10_i64.to_le_bytes().to_vec())]);
    }
}

#[tokio::test(start_paused = true)]
async fn items_for_nobody_and_a_second_call_harm_no_first() {
    let calc = Calc::default();
    let mut io = piped(calc.clone());
    let sent = [
        hello(),
        item(1, 5),
        end(1),
        request("total", 9, &[]),
        item(9, 7),
        request("add", 10, &[0; 16]),
        item(11, 5),
        item(9, 3),
        end(9),
    ];
    io.write_all(&head()).await.unwrap();
    for piece in sent {
        io.write_all(&chunk(&piece)).await.unwrap();
    }
    io.write_all(b"0\r\n\r\n").await.unwrap();
    answered(&mut io).await;
    let frames = frames(&rest(&mut io).await);
    let [(3, 10, refused), (2, 9, total)] = &frames[..] else {
        panic!("{frames:?}");
    };
    assert_eq!(refused[..4], code::OVERLOADED.to_le_bytes());
    let words = String::from_utf8_lossy(refused);
    assert!(words.contains("1 calls are in flight"), "{words}");
    assert_eq!(*total, 10_i64.to_le_bytes());
}

#[tokio::test(start_paused = true)]
async fn whoever_begins_and_falls_silent_is_not_waited_for() {
    let limits = Limits::default();
    let half = [&b"20\r\n"[..], &hello()].concat();
    for (body, time) in [
        (&b""[..], limits.handshake_time),
        // Half a hello.
        (&chunk(&hello()[..9]), limits.handshake_time),
        // A hello in half a chunk, and no request.
        (&half, limits.body_time),
        (&chunk(&hello()), limits.body_time),
    ] {
        let mut io = piped(Calc::default());
        let began = Instant::now();
        io.write_all(&[&head(), body].concat()).await.unwrap();
        answered(&mut io).await;
        io.read_to_end(&mut Vec::new()).await.unwrap();
        let waited = began.elapsed();
        assert!(waited >= time && waited < time * 2, "{body:?}: {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_native_stream_is_told_so() {
    for (body, said) in [
        (&b"GET / HTTP/1.1"[..], "no hello"),
        (b"\xfcfar\x09\x01\0\0\0\0\0\0\0\0\0\0", "version 9"),
        (b"\xfcfar\x01\x09\0\0\0\0\0\0\0\0\0\0", "encoding 9"),
    ] {
        let mut io = piped(Calc::default());
        io.write_all(&[&head()[..], &chunk(body)].concat())
            .await
            .unwrap();
        answered(&mut io).await;
        let refusal = rest(&mut io).await;
        assert_eq!(refusal[..6], *b"\xfcfar\0\0");
        let words = String::from_utf8_lossy(&refusal[8..]);
        assert!(words.contains(said), "{words}");
    }
}

#[tokio::test]
async fn streams_are_taken_from_whom_calls_are() {
    let address = calc().await;
    for (headers, status) in [
        ("Origin: http://evil.example\r\n", "403"),
        ("Content-Encoding: gzip\r\n", "415"),
    ] {
        let request = post(&format!("{STREAM}{headers}Connection: close\r\n"), "");
        let answer = last(&address, &request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_ends_the_handler() {
    for is_in_a_chunk in [false, true] {
        for name in ["silence", "total"] {
            let calc = Calc::default();
            let mut io = piped(calc.clone());
            let began = Instant::now();
            let sent = [hello(), request(name, 9, &[])].concat();
            io.write_all(&[head(), chunk(&sent)].concat())
                .await
                .unwrap();
            if is_in_a_chunk {
                io.write_all(b"20\r\nhalf").await.unwrap();
            }
            answered(&mut io).await;
            calc.started.notified().await;
            drop(io);
            calc.dropped.notified().await;
            assert!(began.elapsed() < Duration::from_secs(2), "{name}");
        }
    }
}

fn count(channel: &Channel, to: u64) -> StreamCall<'_, (u64,), u64> {
    channel.stream(method("count"), (to,))
}

/// A server that reads the head of each request, says this and closes.
async fn saying(answer: &'static str) -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut io, _) = listener.accept().await.unwrap();
            message(&mut io).await;
            io.write_all(answer.as_bytes()).await.unwrap();
            // Until the client has read it.
            let _ = io.read_to_end(&mut Vec::new()).await;
        }
    });
    connect(&format!("bincode+http://{address}/"))
        .await
        .unwrap()
}

#[tokio::test]
async fn who_refuses_a_stream_is_quoted() {
    for (answer, expected) in [
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nno such",
            "HTTP 404 Not Found: no such",
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbad\r\n0\r\n\r\n",
            "HTTP 502 Bad Gateway: bad",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "it said: hello",
        ),
        ("SSH-2.0-OpenSSH\r\n\r\n", "no HTTP"),
    ] {
        let channel = saying(answer).await;
        let error = count(&channel, 3).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{answer}: {error}");
    }
}

#[tokio::test]
async fn a_stream_that_is_held_back_on_its_way_fails_in_words() {
    let mut limits = Limits::default();
    limits.call_time = Duration::from_millis(50);
    // It listens, and nobody accepts: what is sent is read by nobody.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let channel = farcall_transport::connect::connect_with(&address.parse().unwrap(), limits)
        .await
        .unwrap();
    let opening = count(&channel, 3).await.unwrap_err();
    let total = channel.call::<_, i64, Infallible>(method("total"), ());
    let sending = total.upload(stream::iter([1_i64])).await.unwrap_err();
    for error in [opening, sending] {
        assert!(error.is_timeout() && error.was_sent());
        let words = error.to_string();
        assert!(words.contains("proxy_request_buffering"), "{words}");
    }
}

#[tokio::test]
async fn metadata_of_a_stream_travels_as_headers_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let channel = connect(&format!("http://{address}/rpc")).await.unwrap();
    let seen = tokio::spawn(async move {
        let (mut io, _) = listener.accept().await.unwrap();
        message(&mut io).await.0
    });
    let counting = count(&channel, 3).metadata("authorization", "Bearer 7f");
    assert!(counting.await.is_err(), "it was closed");
    let head = seen.await.unwrap();
    assert!(head.starts_with("post /rpc http/1.1\r\nhost: "), "{head}");
    assert!(head.contains("\r\nauthorization: bearer 7f\r\n"), "{head}");
    let unfit = count(&channel, 3).metadata("Content-Length", "0").await;
    assert!(unfit.unwrap_err().to_string().contains("Content-Length"));
}

#[tokio::test]
async fn a_mounted_service_gives_streams() {
    use http_body_util::{BodyExt, Full};
    use tower_service::Service as _;

    let calc = Calc::default();
    let mut service = Server::new()
        .service(calc.clone())
        .into_http_service()
        .unwrap();
    let ask = |sent: Vec<u8>| {
        http::Request::post("/")
            .header("content-type", "application/vnd.farcall.stream")
            .body(Full::<bytes::Bytes>::from(sent))
            .unwrap()
    };
    let sent = [hello(), request("count", 9, &3_u64.to_le_bytes())].concat();
    let response = service.call(ask(sent)).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(frames(&body).len(), 5);
    let sent = [hello(), request("silence", 9, &[])].concat();
    let response = service.call(ask(sent)).await.unwrap();
    calc.started.notified().await;
    drop(response);
    calc.dropped.notified().await;
}
