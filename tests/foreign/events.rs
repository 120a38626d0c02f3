//! Streams read as server-sent events: by curl, Python and Node, and by a browser.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use farcall::{Server, Stream};
use futures_util::{StreamExt, stream};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::{Notify, mpsc};

use crate::service::{PATIENCE, printed, run, script_at, spawn, start};

#[farcall::service]
trait Ticker {
    /// 0, 1, 2… below `to`.
    #[rpc(idempotent)]
    fn count(&self, to: u64) -> impl Stream<Item = u64>;
    /// One item, and then a fault.
    fn fails(&self) -> impl Stream<Item = Result<String, TickerError>>;
    /// One item, and then nothing.
    fn silence(&self) -> impl Stream<Item = u64>;
    /// What a page found out.
    async fn verdict(&self, words: String);
}

#[derive(Debug, thiserror::Error, farcall::Fault)]
enum TickerError {
    #[error("the end of the world")]
    #[fault(code = 2)]
    End,
}

#[derive(Clone)]
struct Real {
    counted: Arc<AtomicU64>,
    dropped: Arc<Notify>,
    verdicts: mpsc::UnboundedSender<String>,
}

impl Real {
    fn new() -> (Self, mpsc::UnboundedReceiver<String>) {
        let (verdicts, said) = mpsc::unbounded_channel();
        let real = Self {
            counted: Arc::default(),
            dropped: Arc::default(),
            verdicts,
        };
        (real, said)
    }
}

/// Tells when it is dropped.
struct Told(Arc<Notify>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Ticker for Real {
    fn count(&self, to: u64) -> impl Stream<Item = u64> {
        self.counted.fetch_add(1, Ordering::SeqCst);
        stream::iter(0..to)
    }
    fn fails(&self) -> impl Stream<Item = Result<String, TickerError>> {
        stream::iter([Ok("a\nb \u{2028} ü".to_owned()), Err(TickerError::End)])
    }
    fn silence(&self) -> impl Stream<Item = u64> {
        let told = Told(Arc::clone(&self.dropped));
        let items = stream::iter([7]).chain(stream::pending());
        items.inspect(move |_| {
            let _ = &told;
        })
    }
    async fn verdict(&self, words: String) {
        let _ = self.verdicts.send(words);
    }
}

async fn serve() -> (u16, Real) {
    let (real, _) = Real::new();
    let port = start(Server::new().service(TickerServer::new(real.clone()))).await;
    (port, real)
}

const COUNTED: &str = "data: 0\n\ndata: 1\n\ndata: 2\n\nevent: end\nid: end\ndata: null\n\n";

#[tokio::test]
async fn curl_reads_events() {
    let (port, real) = serve().await;
    let accept = "accept: text/event-stream";
    let body = r#"{"jsonrpc":"2.0","method":"count","params":[3],"id":1}"#;
    let url = format!("http://127.0.0.1:{port}/");
    let get = format!("{url}?method=count&params=[3]");
    for version in ["--http1.1", "--http1.0", "--http2-prior-knowledge"] {
        let json = "content-type: application/json";
        let post = ["-sSN", version, "-H", accept, "-H", json, "-d", body, &url];
        let get = ["-gsSN", version, "-H", accept, &get];
        for curl in [&post[..], &get] {
            let curl = curl.iter().map(|&argument| argument.to_owned()).collect();
            let Some(output) = run("curl", curl).await else {
                return;
            };
            assert_eq!(printed(&output), COUNTED, "{version}");
        }
        // One that gives up reaches the handler.
        let body = r#"{"jsonrpc":"2.0","method":"silence","id":1}"#;
        let post = [
            "-sSN", version, "-m", "1", "-H", accept, "-H", json, "-d", body, &url,
        ];
        let curl = post.iter().map(|&argument| argument.to_owned()).collect();
        let output = run("curl", curl).await.unwrap();
        assert_eq!(output.stdout, b"data: 7\n\n", "{version}");
        real.dropped.notified().await;
    }
}

#[tokio::test]
async fn python_reads_events() {
    let (port, real) = serve().await;
    let text = r#"
import http.client, json, sys
def events(method, params=[]):
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
    body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": 1})
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    connection.request("POST", "/", body, headers)
    response = connection.getresponse()
    assert response.getheader("Content-Type") == "text/event-stream", response.read()
    kind = "message"
    while line := response.readline().decode().rstrip("\n"):
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)
            kind = "message"
            response.readline()
    connection.close()
assert list(events("count", [2])) == [("message", 0), ("message", 1), ("end", None)]
(_, text), (kind, fault) = events("fails")
assert text == "a\nb \u2028 ü" and kind == "fault", (text, kind)
assert fault == {"code": 2, "message": "the end of the world"}, fault
for kind, item in events("silence"):
    assert item == 7
    break
print("all is well")
"#;
    script_at(port, "python3", "-c", text).await;
    if run("python3", vec!["--version".into()]).await.is_some() {
        real.dropped.notified().await;
    }
}

#[tokio::test]
async fn node_reads_events() {
    let (port, real) = serve().await;
    let text = r#"
const assert = require("node:assert");
const url = `http://127.0.0.1:${process.argv[1]}/`;
async function open(method, params, signal) {
  const headers = { "content-type": "application/json", accept: "text/event-stream" };
  const body = JSON.stringify({ jsonrpc: "2.0", method, params, id: 1 });
  const response = await fetch(url, { method: "POST", headers, body, signal });
  return response.body.pipeThrough(new TextDecoderStream());
}
(async () => {
  let text = "";
  for await (const piece of await open("count", [3])) text += piece;
  assert.strictEqual(text, `data: 0\n\ndata: 1\n\ndata: 2\n\nevent: end\nid: end\ndata: null\n\n`);
  const leave = new AbortController();
  const reader = (await open("silence", [], leave.signal)).getReader();
  assert.strictEqual((await reader.read()).value, "data: 7\n\n");
  leave.abort();
  console.log("all is well");
})();
"#;
    script_at(port, "node", "-e", text).await;
    if run("node", vec!["--version".into()]).await.is_some() {
        real.dropped.notified().await;
    }
}

/// What the browser is given to run. Reports by calling `verdict`.
const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><title>events</title><script type="module">
const json = { "content-type": "application/json" };
function call(method, params, headers = {}, more = {}) {
  const body = JSON.stringify({ jsonrpc: "2.0", method, params, id: 1 });
  return fetch("/", { method: "POST", headers: { ...json, ...headers }, body, ...more });
}
const events = { accept: "text/event-stream" };
// All that an EventSource gets, until the browser gives it up.
function source(url) {
  return new Promise((done) => {
    const seen = [];
    const source = new EventSource(url);
    source.onmessage = (event) => seen.push(JSON.parse(event.data));
    source.addEventListener("end", () => seen.push("end"));
    source.onerror = () => source.readyState === EventSource.CLOSED && done(seen);
  });
}
async function all() {
  const own = await source("/?method=count&params=[3]");
  const response = await call("fails", [], events);
  const fetched = await response.text();
  const leave = new AbortController();
  const reader = (await call("silence", [], events, { signal: leave.signal })).body.getReader();
  const first = new TextDecoder().decode((await reader.read()).value);
  leave.abort();
  // The same server by another name is another site.
  const other = `http://localhost:${location.port}/?method=count&params=[3]`;
  const foreign = await source(other);
  await fetch(other, { mode: "no-cors", headers: events });
  return [own, fetched, first, foreign];
}
const verdict = await all().catch((error) => String(error));
await call("verdict", [JSON.stringify(verdict)]);
</script>"#;

/// Serves the page at `/page`, and all else by farcall, at one port.
async fn serve_page(real: Real) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((io, _)) = listener.accept().await {
            tokio::spawn(answer(io, real.clone()));
        }
    });
    port
}

async fn answer(mut io: TcpStream, real: Real) {
    let mut start = [0; 5];
    // A browser sends its head in one piece; connections that it only keeps ready end here.
    if io.peek(&mut start).await.unwrap_or_default() < start.len() {
        return;
    }
    let mut line = [0; 10];
    if io.peek(&mut line).await.is_ok() && line == *b"GET /page " {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
        let page = format!("{head}Content-Length: {}\r\n\r\n{PAGE}", PAGE.len());
        let _ = io.write_all(page.as_bytes()).await;
        let _ = io.shutdown().await;
        // What was sent is read, or the close would be a reset.
        let _ = tokio::io::copy(&mut io, &mut tokio::io::sink()).await;
        return;
    }
    let server = Server::new().service(TickerServer::new(real));
    server.serve_stream(io).await.unwrap();
}

#[tokio::test]
async fn a_browser_reads_events_and_pages_of_other_sites_do_not() {
    let (real, mut verdicts) = Real::new();
    let port = serve_page(real.clone()).await;
    let profile = std::env::temp_dir().join(format!("farcall-chromium-{}", std::process::id()));
    let mut chromium = Command::new("chromium");
    chromium.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--remote-debugging-port=0",
    ]);
    chromium.arg(format!("--user-data-dir={}", profile.display()));
    chromium.arg(format!("http://127.0.0.1:{port}/page"));
    let Some(mut browser) = spawn(&mut chromium) else {
        return;
    };
    let verdict = tokio::time::timeout(2 * PATIENCE, verdicts.recv()).await;
    browser.kill().await.unwrap();
    let _ = std::fs::remove_dir_all(&profile);
    let verdict = verdict.expect("the browser said nothing").unwrap();
    let fetched = "data: \"a\\nb \u{2028} ü\"\n\nevent: fault\nid: end\n\
                   data: {\"code\":2,\"message\":\"the end of the world\"}\n\n";
    let expected = serde_json::json!([[0, 1, 2, "end"], fetched, "data: 7\n\n", []]);
    let found: serde_json::Value = serde_json::from_str(&verdict).unwrap_or_default();
    assert_eq!(found, expected, "{verdict}");
    // Neither of the other site's two calls ran, and the end was not mistaken for a loss.
    assert_eq!(real.counted.load(Ordering::SeqCst), 1);
    real.dropped.notified().await;
}
