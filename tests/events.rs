//! Streams as server-sent events: in answer to a JSON-RPC POST, and to the GET of an `EventSource`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use farcall::{Fault, Server, Stream};
use futures_util::{StreamExt, stream};
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::Notify;
use tokio::time::Instant;

#[derive(Debug, PartialEq, thiserror::Error, Fault)]
enum Trouble {
    #[error("nothing is called `{name}`")]
    #[fault(code = 1)]
    Unknown { name: String },
}

#[farcall::service]
trait Numbers {
    /// 0, 1, 2… below `to`.
    #[rpc(idempotent, alias = "counting")]
    fn count(&self, to: u64) -> impl Stream<Item = u64>;
    /// 0, 1, 2… below `to`, and then trouble.
    fn until_trouble(&self, to: u64) -> impl Stream<Item = Result<u64, Trouble>>;
    #[rpc(idempotent)]
    async fn open(&self, name: &str) -> Result<impl Stream<Item = char>, Trouble>;
    /// Never an item.
    fn silence(&self) -> impl Stream<Item = u64>;
    /// JSON as somebody wrote it.
    fn raw(&self) -> impl Stream<Item = Box<RawValue>>;
    fn too_large(&self) -> impl Stream<Item = String>;
    async fn total(&self, numbers: impl Stream<Item = i64>) -> i64;
    fn louder(&self, said: impl Stream<Item = String>) -> impl Stream<Item = String>;
    #[rpc(idempotent)]
    async fn add(&self, x: i64, y: i64) -> i64;
}

#[derive(Clone, Default)]
struct Real {
    made: Arc<AtomicU64>,
    dropped: Arc<Notify>,
}

/// Tells when it is dropped.
struct Told(Arc<Notify>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Numbers for Real {
    fn count(&self, to: u64) -> impl Stream<Item = u64> {
        let told = Told(Arc::clone(&self.dropped));
        stream::iter(0..to).inspect(move |_| {
            let _ = &told;
            self.made.fetch_add(1, Ordering::SeqCst);
        })
    }

    fn until_trouble(&self, to: u64) -> impl Stream<Item = Result<u64, Trouble>> {
        let name = "the end".to_owned();
        let trouble = stream::once(async { Err(Trouble::Unknown { name }) });
        stream::iter(0..to).map(Ok).chain(trouble)
    }

    async fn open(&self, name: &str) -> Result<impl Stream<Item = char>, Trouble> {
        if name == "nobody" {
            return Err(Trouble::Unknown { name: name.into() });
        }
        Ok(stream::iter(name.chars().collect::<Vec<_>>()))
    }

    fn silence(&self) -> impl Stream<Item = u64> {
        let told = Told(Arc::clone(&self.dropped));
        stream::pending().inspect(move |_: &u64| drop(Told(Arc::clone(&told.0))))
    }

    fn raw(&self) -> impl Stream<Item = Box<RawValue>> {
        let text = "{\n\"a\":\r\n1}".to_owned();
        stream::iter([RawValue::from_string(text).unwrap()])
    }

    fn too_large(&self) -> impl Stream<Item = String> {
        stream::iter(["x".to_owned(), "x".repeat(5_000_000)])
    }

    async fn total(&self, numbers: impl Stream<Item = i64>) -> i64 {
        numbers.fold(0, |sum, n| async move { sum + n }).await
    }

    fn louder(&self, said: impl Stream<Item = String> + Send) -> impl Stream<Item = String> {
        said.map(|said| said.to_uppercase())
    }

    async fn add(&self, x: i64, y: i64) -> i64 {
        x + y
    }
}

/// A connection to a server, over a pipe: hours pass in no time.
fn connection(real: &Real) -> DuplexStream {
    let (here, there) = tokio::io::duplex(1024);
    let server = Server::new().service(NumbersServer::new(real.clone()));
    tokio::spawn(async move { server.serve_stream(there).await.unwrap() });
    here
}

/// The whole answer to a request. In HTTP/1.0 its body ends with the connection.
async fn answer(request: &str) -> (String, String) {
    let mut io = connection(&Real::default());
    io.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

fn post(headers: &str, method: &str, params: &str) -> String {
    let body = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params},"id":7}}"#);
    let length = body.len();
    format!(
        "POST / HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

fn get(headers: &str, query: &str) -> String {
    format!("GET /?{query} HTTP/1.0\r\nHost: localhost\r\n{ACCEPT}{headers}\r\n")
}

const ACCEPT: &str = "Accept: text/event-stream\r\n";
const END: &str = "event: end\nid: end\ndata: null\n\n";

#[tokio::test]
async fn each_item_is_an_event_and_the_end_is_told_from_a_fault() {
    let counted = format!("data: 0\n\ndata: 1\n\ndata: 2\n\n{END}");
    let fault = "event: fault\nid: end\ndata: {\"code\":1,\"message\":\"nothing is called `the end`\",\
                 \"data\":{\"name\":\"the end\"}}\n\n";
    for (method, params, expected) in [
        ("count", "[3]", counted.clone()),
        ("count", r#"{"to":3}"#, counted.clone()),
        ("count", "[0]", END.to_owned()),
        ("counting", "[3]", counted),
        ("until_trouble", "[1]", format!("data: 0\n\n{fault}")),
        (
            "open",
            r#"["aß"]"#,
            format!("data: \"a\"\n\ndata: \"ß\"\n\n{END}"),
        ),
        ("raw", "[]", format!("data: {{ \"a\":  1}}\n\n{END}")),
    ] {
        for accept in [
            ACCEPT,
            "Accept: application/json, Text/Event-Stream;q=0.5\r\n",
        ] {
            let (head, body) = answer(&post(accept, method, params)).await;
            assert!(head.starts_with("http/1.0 200"), "{method}: {head}");
            assert!(head.contains("content-type: text/event-stream"), "{head}");
            assert!(head.contains("cache-control: no-store"), "{head}");
            assert_eq!(body, expected, "{method}");
        }
    }
}

#[tokio::test]
async fn what_opens_no_stream_is_answered_as_ever() {
    let json = |rest: &str| format!(r#"{{"jsonrpc":"2.0",{rest},"id":7}}"#);
    for (method, params, expected) in [
        ("add", "[7,3]", json(r#""result":10"#)),
        (
            "open",
            r#"["nobody"]"#,
            json(
                r#""error":{"code":1,"message":"nothing is called `nobody`","data":{"name":"nobody"}}"#,
            ),
        ),
        (
            "nothing",
            "[]",
            json(r#""error":{"code":-32601,"message":"there is no method `nothing`"}"#),
        ),
    ] {
        let (head, body) = answer(&post(ACCEPT, method, params)).await;
        assert!(head.contains("content-type: application/json"), "{head}");
        assert_eq!(body, expected, "{method}");
    }
    for (method, code) in [
        ("count", "-32602"),
        ("total", "-32600"),
        ("louder", "-32600"),
    ] {
        let (head, body) = answer(&post(ACCEPT, method, r#"["x"]"#)).await;
        assert!(head.contains("content-type: application/json"), "{head}");
        assert!(body.contains(code), "{method}: {body}");
    }
}

#[tokio::test]
async fn an_item_that_is_too_large_ends_its_stream() {
    let (_, body) = answer(&post(ACCEPT, "too_large", "[]")).await;
    let fault = body.strip_prefix("data: \"x\"\n\nevent: fault\nid: end\ndata: ");
    assert!(fault.unwrap().contains("Limits::message_bytes"), "{body}");
}

#[tokio::test]
async fn who_does_not_read_events_is_told_how_to_get_a_stream() {
    for method in ["silence", "raw"] {
        let (_, body) = answer(&post("", method, "[]")).await;
        assert!(body.contains("-32600"), "{body}");
        assert!(body.contains("text/event-stream"), "{body}");
    }
}

#[tokio::test]
async fn an_event_source_calls_with_the_address() {
    for query in [
        "method=count&params=[2]",
        "method=count&params=%5B2%5D&x=y",
        "params=%7B%22to%22%3A+2%7D&method=counting",
    ] {
        let (head, body) = answer(&get("", query)).await;
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        assert_eq!(body, format!("data: 0\n\ndata: 1\n\n{END}"), "{query}");
    }
    // It always connects again, until it is told to stop.
    let (head, body) = answer(&get("Last-Event-ID: end\r\n", "method=count&params=[2]")).await;
    assert!(
        head.starts_with("http/1.0 204") && body.is_empty(),
        "{head}"
    );
}

#[tokio::test]
async fn only_what_may_run_twice_can_be_called_with_get() {
    for (query, status, said) in [
        ("method=silence", "405", "idempotent"),
        ("method=add&params=[1,2]", "405", "idempotent"),
        ("method=nothing", "404", "no method `nothing`"),
        ("method=count&params=[2],\"id\":5", "200", "-32700"),
        ("method=count&params=", "200", "-32700"),
        ("method=count&params=2", "200", "-32600"),
        ("method=count", "200", "-32602"),
        ("method=louder", "405", "idempotent"),
        ("method=open&params=[\"nobody\"]", "200", "nobody"),
    ] {
        let query = query.replace('"', "%22");
        let (head, body) = answer(&get("", &query)).await;
        assert!(head.starts_with(&format!("http/1.0 {status}")), "{head}");
        assert!(!head.contains("event-stream"), "{query}: {head}");
        assert!(body.contains(said), "{query}: {body}");
    }
    // Without a method it is a page.
    let (head, body) = answer(&get("", "params=[2]")).await;
    assert!(
        head.starts_with("http/1.0 200") && body.contains("count"),
        "{body}"
    );
}

#[tokio::test]
async fn a_page_of_another_site_cannot_call_with_get() {
    let mozilla = "User-Agent: Mozilla/5.0 (X11; Linux) Gecko/20100101 Firefox/140.0\r\n";
    for (headers, is_taken) in [
        ("User-Agent: curl/8.14.1\r\n", true),
        ("Sec-Fetch-Site: same-origin\r\n", true),
        ("Sec-Fetch-Site: none\r\n", true),
        ("Sec-Fetch-Site: same-site\r\n", false),
        ("Sec-Fetch-Site: cross-site\r\n", false),
        ("Origin: http://localhost\r\n", true),
        ("Origin: http://evil.example\r\n", false),
        ("Origin: null\r\n", false),
        (mozilla, false),
        (
            &format!("{mozilla}Referer: http://localhost/page?x\r\n"),
            true,
        ),
        (&format!("{mozilla}Referer: http://localhost\r\n"), true),
        (
            &format!("{mozilla}Referer: http://evil.example/\r\n"),
            false,
        ),
        (
            &format!("{mozilla}Referer: http://localhost.evil.example/localhost\r\n"),
            false,
        ),
        (
            "Sec-Fetch-Site: cross-site\r\nReferer: http://localhost/\r\n",
            false,
        ),
    ] {
        let (head, _) = answer(&get(headers, "method=count&params=[2]")).await;
        let status = if is_taken {
            "http/1.0 200"
        } else {
            "http/1.0 403"
        };
        assert!(head.starts_with(status), "{headers}{head}");
    }
}

/// Asks for a stream and reads the head of the answer.
async fn asked(real: &Real, request: &str) -> DuplexStream {
    let mut io = connection(real);
    io.write_all(request.replace("HTTP/1.0", "HTTP/1.1").as_bytes())
        .await
        .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 200"));
    io
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_kept_alive_and_ends_with_its_reader() {
    let real = Real::default();
    let mut io = asked(&real, &post(ACCEPT, "silence", "[]")).await;
    let began = Instant::now();
    for _ in 0..3 {
        let mut comment = [0; 8];
        io.read_exact(&mut comment).await.unwrap();
        assert_eq!(&comment, b"3\r\n:\n\n\r\n");
    }
    assert_eq!(began.elapsed().as_secs(), 45);
    drop(io);
    real.dropped.notified().await;
    assert!(began.elapsed() < Duration::from_secs(47));
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stops_holds_up_the_handler_and_is_not_waited_for_for_ever() {
    let real = Real::default();
    let _io = asked(&real, &get("", "method=count&params=[9000000000000]")).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let made = real.made.load(Ordering::SeqCst);
    // What a few buffers hold, of ten bytes and more each.
    assert!(made < 100_000, "{made}");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(real.made.load(Ordering::SeqCst), made);
    real.dropped.notified().await;
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_stream_of_events() {
    let real = Real::default();
    let headers = format!("{ACCEPT}farcall-timeout-ms: 5000\r\n");
    let began = Instant::now();
    let mut io = asked(&real, &post(&headers, "silence", "[]")).await;
    let mut rest = vec![0; 100];
    let count = io.read(&mut rest).await.unwrap();
    let rest = String::from_utf8_lossy(&rest[..count]);
    assert!(
        rest.contains("event: fault") && rest.contains("-32001"),
        "{rest}"
    );
    assert_eq!(began.elapsed().as_secs(), 5);
    real.dropped.notified().await;
}
