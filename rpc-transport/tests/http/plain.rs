//! Plain requests are answered without hyper, and nobody can tell.

use tokio::io::{DuplexStream, duplex, split};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;

/// Asks for something that leaves the connection to plain requests, or gives it to hyper: a GET.
pub(super) async fn begin<IO: AsyncRead + AsyncWrite + Unpin>(io: &mut IO, by_hyper: bool) {
    let get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    match by_hyper {
        true => assert_eq!(ask(io, get).await.1, "ok\n"),
        false => assert_eq!(ask(io, &post(JSON, ADD)).await.1, TEN),
    }
}

/// A connection that was used once, through a pipe that holds `step` bytes, so that the server
/// reads no more at once.
pub(super) async fn begun(
    calc: Calc,
    step: usize,
    by_hyper: bool,
) -> (DuplexStream, JoinHandle<()>) {
    begun_on(Server::new().service(calc), step, by_hyper).await
}

async fn begun_on(server: Server, step: usize, by_hyper: bool) -> (DuplexStream, JoinHandle<()>) {
    let (mut here, there) = duplex(step);
    let serving = tokio::spawn(async move { server.serve_stream(there).await.unwrap() });
    begin(&mut here, by_hyper).await;
    (here, serving)
}

/// What `server` answers to `request` in pieces of `step` bytes until it closes, and after how many
/// seconds.
async fn answered(
    server: Server,
    request: &[u8],
    step: usize,
    closes: bool,
    by_hyper: bool,
) -> (String, u64) {
    let (io, serving) = begun_on(server, step, by_hyper).await;
    let began = Instant::now();
    let (mut read, mut write) = split(io);
    let mut answer = Vec::new();
    let writing = async {
        // What is refused may be closed before it is all there.
        let _ = write.write_all(request).await;
        if closes {
            let _ = write.shutdown().await;
        }
    };
    let (_, all) = tokio::join!(writing, read.read_to_end(&mut answer));
    all.unwrap();
    let waited = began.elapsed().as_secs();
    serving.await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    let lines = answer
        .split("\r\n")
        .map(|line| match line.starts_with("date: ") {
            true => "date: now",
            false => line,
        });
    let mut lines = lines.collect::<Vec<_>>().join("\n");
    // hyper does not tell whether it holds half a head that came with the request before it, so nothing is
    // said of that one.
    if let Some(late) = lines.rfind("HTTP/1.1 408 ")
        && late > 0
        && lines.ends_with("(`Limits::head_time`)\n")
    {
        lines.truncate(late);
    }
    (lines, waited)
}

pub(super) const JSON: &str = "Content-Type: application/json\r\n";
const XML: &str = "Content-Type: text/xml\r\n";
const TRACE: &str = r#"{"jsonrpc":"2.0","method":"trace","id":1}"#;

/// A call with this request line, and these headers instead of a usual length.
fn call(line: &str, headers: &str) -> String {
    format!("{line}\r\nHost: localhost\r\n{JSON}{headers}\r\n{ADD}")
}

/// In one piece, in small ones and byte by byte.
pub(super) const STEPS: [usize; 3] = [1 << 20, 7, 1];

/// Asserts that each request, and a good one behind it, is answered as hyper does, however it is
/// cut.
async fn assert_alike(requests: impl IntoIterator<Item = impl Into<Vec<u8>>>, steps: [usize; 3]) {
    let server = Server::new().service(Calc::default());
    assert_alike_on(&server, requests, steps).await;
}

pub(super) async fn assert_alike_on(
    server: &Server,
    requests: impl IntoIterator<Item = impl Into<Vec<u8>>>,
    steps: [usize; 3],
) {
    let behind = post(&format!("{JSON}Connection: close\r\n"), ADD);
    for request in requests {
        let request: Vec<u8> = request.into();
        let followed = [&request, behind.as_bytes()].concat();
        for (request, closes) in [(followed, false), (request.clone(), true), (request, false)] {
            for step in steps {
                let of = |by_hyper| answered(server.clone(), &request, step, closes, by_hyper);
                let (expected, answer) = (of(true).await, of(false).await);
                let request = String::from_utf8_lossy(&request[..request.len().min(500)]);
                assert_eq!(answer, expected, "{step} {closes}: {request}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn good_requests_are_answered_alike() {
    assert_alike(
        [
            post(JSON, ADD),
            post(XML, ADD_XML),
            post("CONTENT-TYPE:application/json\r\nTrace-Id: 7f\r\n", TRACE),
            post(&format!("{JSON}trace-id: a\r\nTrace-Id:  b \r\n"), TRACE),
            post(&format!("{JSON}trace-id: \u{fc}\r\n"), TRACE),
            post(&format!("{JSON}Connection: Keep-Alive\r\n"), ADD),
            post(&format!("{JSON}Connection: close\r\n"), ADD),
            post(&format!("{JSON}Connection: x, close\r\n"), ADD),
            post(&format!("{JSON}Accept-Encoding: gzip\r\n"), ADD),
            post(&format!("{JSON}Expect: 100-continue\r\n"), ADD),
            post(JSON, r#"{"jsonrpc":"2.0","method":"add","params":[7,3]}"#),
            post(JSON, ""),
            post(JSON, "{"),
            post(JSON, ADD) + &post(XML, ADD_XML) + &post(JSON, TRACE),
            post(JSON, ADD) + "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + &post(JSON, ADD),
            post(JSON, ADD).replace("1.1", "1.0"),
            post(JSON, ADD).replace("/RPC2", "/a%20b?c=d&e#f"),
            post(JSON, ADD).replace("/RPC2", "//a/../b"),
            post(JSON, ADD).replace("/RPC2", "http://localhost/"),
        ],
        STEPS,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn large_requests_and_many_are_answered_alike() {
    let echo = format!(
        r#"{{"jsonrpc":"2.0","method":"echo","params":["{}"],"id":1}}"#,
        "long ".repeat(10_000)
    );
    assert_alike(
        [
            post(JSON, &echo),
            post(&format!("Long: {}\r\n", "x".repeat(100_000)), ADD),
            post(&format!("{JSON}Accept-Encoding: gzip\r\n"), &echo),
            post(JSON, &echo[..20_000].replace("echo", "none")).repeat(9),
            post(JSON, &echo.replace(&"long ".repeat(9_000), "")).repeat(30),
        ],
        [1 << 20, 50_000, 100],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn refused_requests_are_answered_alike() {
    let many = |count| {
        (0..count)
            .map(|i| format!("H{i}: x\r\n"))
            .collect::<String>()
    };
    assert_alike(
        [
            post("Content-Type: text/plain\r\n", ADD),
            post("", "x=7"),
            post(&format!("{JSON}Origin: http://evil.example\r\n"), ADD),
            post(&format!("{JSON}Content-Encoding: br\r\n"), ADD),
            post(&format!("{JSON}Host: localhost\r\n"), ADD),
            post(JSON, ADD).replace("Host: localhost\r\n", ""),
            post(JSON, ADD).replace("POST", "PUT"),
            post(JSON, ADD).replace("POST", "post"),
            post(JSON, ADD).replace("POST", "\r\nPOST"),
            post(JSON, ADD).replace("/RPC2", "*"),
            post(JSON, ADD).replace("/RPC2", "/a b"),
            post(JSON, ADD).replace("/RPC2", "/<a>"),
            post(JSON, ADD).replace("/RPC2", "/{a}`^|\\\""),
            post(JSON, ADD).replace("/RPC2", "/ü"),
            post(JSON, ADD).replace("/RPC2", &"/a".repeat(1000)),
            post(JSON, ADD).replace("HTTP/1.1", "HTTP/1.2"),
            post(JSON, ADD) + "\r\n" + &post(JSON, ADD),
            post(JSON, ADD) + "JUNK\r\n\r\n",
            post(&many(29), ADD),
            post(&many(30), ADD),
            post(&many(200), ADD),
        ],
        STEPS,
    )
    .await;
}

/// Two servers in a row that see two different requests are an attack ("request smuggling").
#[tokio::test(start_paused = true)]
async fn requests_in_doubt_are_answered_alike() {
    let length = ADD.len();
    let one = |headers: &str| call("POST / HTTP/1.1", headers);
    let chunked = format!("{length:x}\r\n{ADD}\r\n0\r\n\r\n");
    let in_chunks = |headers: &str| one(headers).replace(ADD, &chunked);
    let lengths = [
        "5\r\nContent-Length: 54",
        &format!("{length}\r\nContent-Length: {length}"),
        &format!("{length}, {length}"),
        &format!("+{length}"),
        &format!("-{length}"),
        &format!("{length} 1"),
        &format!("\t{length} "),
        &format!("0{length}"),
        "0x36",
        "",
        "5_4",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999",
    ]
    .map(|length| one(&format!("Content-Length: {length}\r\n")));
    assert_alike(lengths, STEPS).await;
    assert_alike(
        [
            one(&format!("Content-Length : {length}\r\n")),
            one(&format!(" Content-Length: {length}\r\n")),
            one(&format!("X: a\r\n b\r\nContent-Length: {length}\r\n")),
            one(&format!("X: a\nContent-Length: {length}\r\n")),
            one(&format!("X: a\rContent-Length: {length}\r\n")),
            one(&format!("X\0: a\r\nContent-Length: {length}\r\n")),
            one(&format!("X: \0\r\nContent-Length: {length}\r\n")),
            one(&format!(": a\r\nContent-Length: {length}\r\n")),
            one(&format!("X\r\nContent-Length: {length}\r\n")),
            one(&format!("Content-Length: {length}\r\n")).replace("\r\n", "\n"),
            one(&format!("Host: localhost\r\nContent-Length: {length}\r\n")),
            one(&format!(
                "Transfer-Encoding: identity\r\nContent-Length: {length}\r\n"
            )),
            in_chunks("Transfer-Encoding: chunked\r\n"),
            in_chunks("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
            in_chunks("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
            in_chunks("Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n"),
            in_chunks("Transfer-Encoding: chunked, identity\r\n"),
            in_chunks("Transfer-Encoding : chunked\r\nContent-Length: 3\r\n"),
            in_chunks("Transfer-Encoding:\x0bchunked\r\nContent-Length: 3\r\n"),
            post(JSON, ADD) + &in_chunks("Transfer-Encoding: chunked\r\n"),
        ],
        STEPS,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn requests_that_break_off_are_answered_alike() {
    let whole = post(JSON, ADD);
    let head = whole.len() - ADD.len();
    let cuts = [0, 3, 9, 30, head - 1, head, head + 9, whole.len() - 1];
    assert_alike(cuts.map(|cut| &whole[..cut]), STEPS).await;
    assert_alike(cuts.map(|cut| whole.clone() + &whole[..cut]), STEPS).await;
}
