//! Names, ids and words of strangers are text and stay it: they write no line and no header of their own,
//! turn nothing around, and fill no log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use farcall::types::DateTime;
use farcall::{Context, Encoding, Fault, Limits, Server, Stream};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    age: u8,
}

#[derive(Serialize, Deserialize)]
enum Shape {
    Point,
    Circle(f64),
}

#[farcall::service]
trait Desk {
    async fn number(&self, n: i64) -> i64;
    async fn person(&self, person: Person) -> u8;
    async fn shape(&self, shape: Shape);
    async fn ages(&self, ages: BTreeMap<u32, bool>);
    async fn when(&self, when: DateTime);
    #[rpc(idempotent)]
    fn ticks(&self, count: u8) -> impl Stream<Item = u8>;
    /// Says it back, in metadata and in what a log would have of the call.
    async fn tell(&self, cx: &Context, name: String, value: String) -> String;
    async fn fail(&self, words: String) -> Result<(), Fault>;
}

/// Counts what it was asked.
#[derive(Clone, Default)]
struct Clerk(Arc<AtomicUsize>);

impl Clerk {
    fn count(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Desk for Clerk {
    async fn number(&self, n: i64) -> i64 {
        self.count();
        n
    }
    async fn person(&self, person: Person) -> u8 {
        self.count();
        person.age
    }
    async fn shape(&self, _: Shape) {
        self.count();
    }
    async fn ages(&self, _: BTreeMap<u32, bool>) {
        self.count();
    }
    async fn when(&self, _: DateTime) {
        self.count();
    }
    fn ticks(&self, count: u8) -> impl Stream<Item = u8> {
        self.count();
        stream::iter(0..count)
    }
    async fn tell(&self, cx: &Context, name: String, value: String) -> String {
        cx.reply_metadata(name, value);
        cx.request_id().map(|id| id.to_string()).unwrap_or_default()
    }
    async fn fail(&self, words: String) -> Result<(), Fault> {
        Err(Fault::new(7, words))
    }
}

/// What a stranger would have shown: a line and a header of its own, a screen that is cleared, text that
/// runs backwards; and much of it. It is told by its hearts, which nobody else uses.
fn nasty() -> [String; 2] {
    let short = "♥\r\nX-Forged: yes\r\n\r\n\u{1b}[2J\u{202e}♥\u{85}\u{2028}".to_owned();
    let long = short.clone() + &"♥".repeat(64 * 1024 / 3);
    [short, long]
}

/// Asserts that `words` show no more than a little of a stranger's text, and that harmlessly.
#[track_caller]
fn assert_harmless(words: &str, what: &str) {
    let hearts = words.matches('♥').count() * '♥'.len_utf8();
    assert!(hearts <= 256 + 3, "{what}: {hearts} bytes of hearts");
    assert!(words.len() < 1000, "{what}: {} bytes", words.len());
    assert_one_line(words, what);
}

#[track_caller]
fn assert_one_line(words: &str, what: &str) {
    let bad = |c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{2028}');
    assert!(!words.contains(bad), "{what}: {words:?}");
}

/// What a server answers to these bytes, and how many handlers have run.
async fn answered(request: &[u8]) -> (String, usize) {
    let (mut mine, theirs) = tokio::io::duplex(8 * 1024 * 1024);
    let clerk = Clerk::default();
    let server = Server::new().service(DeskServer::new(clerk.clone()));
    let serving = tokio::spawn(server.serve_stream(theirs));
    mine.write_all(request).await.unwrap();
    mine.shutdown().await.unwrap();
    let mut answer = Vec::new();
    mine.read_to_end(&mut answer).await.unwrap();
    serving.await.unwrap().unwrap();
    let ran = clerk.0.load(Ordering::SeqCst);
    (String::from_utf8_lossy(&answer).into_owned(), ran)
}

async fn posted(content_type: &str, body: &str) -> (String, usize) {
    let head = format!(
        "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let (answer, ran) = answered((head + body).as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    assert!(lines.next().unwrap().starts_with("HTTP/1.1 200"), "{head}");
    for header in lines {
        let (name, value) = header.split_once(": ").unwrap();
        let known = ["content-type", "content-length", "date", "connection"];
        assert!(known.contains(&name), "{head}");
        assert!(
            !value.contains(|c: char| c.is_control() || c == '♥'),
            "{head}"
        );
    }
    (body.to_owned(), ran)
}

/// Requests in JSON-RPC that say `nasty` somewhere.
fn json_requests(nasty: &str) -> Vec<String> {
    let nasty = serde_json::to_string(nasty).unwrap();
    let call = |method: &str, params: &str| {
        format!(r#"{{"jsonrpc":"2.0","method":{method},"params":{params},"id":1}}"#)
    };
    vec![
        call(&nasty, "[]"),
        call(&nasty, &format!("{{{nasty}:1}}")),
        call(r#""number""#, &format!("[{nasty}]")),
        call(r#""number""#, &format!("{{{nasty}:1}}")),
        call(r#""number""#, &format!(r#"{{"n":1,{nasty}:1}}"#)),
        call(r#""person""#, &format!(r#"[{{"age":1,{nasty}:1}}]"#)),
        call(r#""person""#, &format!(r#"[{{"age":{nasty}}}]"#)),
        call(r#""person""#, &nasty),
        call(r#""shape""#, &format!("[{nasty}]")),
        call(r#""shape""#, &format!("[{{{nasty}:1}}]")),
        call(r#""shape""#, &format!(r#"[{{"Circle":{nasty}}}]"#)),
        call(r#""ages""#, &format!("[{{{nasty}:true}}]")),
        call(r#""ages""#, &format!(r#"[{{"1":{nasty}}}]"#)),
        call(r#""when""#, &format!("[{nasty}]")),
        call(r#""rpc.discover""#, &format!("[{nasty}]")),
        call(r#""system.methodSignature""#, &format!("[{nasty}]")),
        call(
            r#""system.multicall""#,
            &format!("[[{{\"methodName\":{nasty}}}]]"),
        ),
        format!(r#"{{"jsonrpc":{nasty},"method":"number","params":[1],"id":1}}"#),
        format!(r#"{{"jsonrpc":"2.0","method":"number","params":[{nasty},"id":1}}"#),
        format!(r#"{{"jsonrpc":"2.0","method":"nothing","id":{nasty}}}"#),
        format!(r#"{{"jsonrpc":"2.0","method":["number"],"params":[1],{nasty}:1,"id":1}}"#),
    ]
}

#[track_caller]
fn assert_json_fault(answer: &str, request: &str) {
    let request = request.get(..90).unwrap_or(request);
    let mut lines = answer.trim_end_matches('\n').split(['\n', '\r']);
    let line = lines.next().unwrap();
    assert_eq!(lines.next(), None, "a line of its own: {request}");
    let answer: serde_json::Value = serde_json::from_str(line).unwrap();
    // A multicall has the faults of its members in its result.
    let faults = [
        &answer["error"]["message"],
        &answer["result"][0]["faultString"],
    ];
    let words = faults.into_iter().find_map(|words| words.as_str());
    let words = words.expect(request);
    assert_harmless(words, request);
}

#[tokio::test]
async fn faults_of_json_rpc_show_little_of_it_and_that_escaped() {
    for nasty in nasty() {
        for request in json_requests(&nasty) {
            let (answer, ran) = answered(format!("{request}\n").as_bytes()).await;
            assert_json_fault(&answer, &request);
            assert_eq!(ran, 0, "{request}");
            let (answer, ran) = posted("application/json", &request).await;
            assert_json_fault(&answer, &request);
            assert_eq!(ran, 0, "{request}");
        }
    }
}

#[tokio::test]
async fn a_name_of_a_mebibyte_is_cut() {
    let name = "♥".repeat(1024 * 1024 / 3);
    let request = format!(r#"{{"jsonrpc":"2.0","method":"{name}","params":[],"id":1}}"#);
    let (answer, _) = answered(format!("{request}\n").as_bytes()).await;
    assert_json_fault(&answer, &request);
    let (answer, _) = posted("application/json", &request).await;
    assert_json_fault(&answer, &request);
    let call = format!("<methodCall><methodName>{name}</methodName></methodCall>");
    let (answer, _) = posted("text/xml", &call).await;
    let (_, words) = answer.split_once("<string>").unwrap();
    assert_harmless(words.split_once("</string>").unwrap().0, "XML-RPC");
}

#[tokio::test]
async fn faults_of_xml_rpc_show_little_of_it_and_that_escaped() {
    for nasty in nasty() {
        // XML has no escape character.
        let nasty = nasty.replace('\u{1b}', "").replace('\r', "&#13;");
        let call = |name: &str, value: &str| {
            format!(
                "<?xml version=\"1.0\"?>\n<methodCall><methodName>{name}</methodName><params><param>\
                 <value>{value}</value></param></params></methodCall>"
            )
        };
        let of = |inside: &str| format!("<struct><member><name>{inside}</value></member></struct>");
        for request in [
            call(&nasty, ""),
            call("number", &nasty),
            call("number", &format!("<i8>{nasty}</i8>")),
            call("number", &format!("<{nasty}>1</{nasty}>")),
            call(
                "number",
                &format!("<♥{}>1</i4>", "♥".repeat(nasty.len() / 3)),
            ),
            call("person", &of(&format!("{nasty}</name><value><int>1</int>"))),
            call("person", &of(&format!("age</name><value>{nasty}"))),
            call("shape", &nasty),
            call("shape", &of(&format!("{nasty}</name><value>1"))),
            call(
                "ages",
                &of(&format!("{nasty}</name><value><boolean>1</boolean>")),
            ),
            call("when", &nasty),
            call(
                "when",
                &format!("<dateTime.iso8601>{nasty}</dateTime.iso8601>"),
            ),
            call("number", &format!("<base64>{nasty}</base64>")),
            call("number", &format!("<boolean>{nasty}</boolean>")),
            call("number", &format!("<double>{nasty}</double>")),
            call("system.methodHelp", &nasty),
        ] {
            let what = request.get(..200).unwrap_or(&request);
            let (answer, ran) = posted("text/xml", &request).await;
            assert_eq!(ran, 0, "{what}");
            let (_, fault) = answer.split_once("<fault>").expect(what);
            let (_, words) = fault.split_once("<string>").unwrap();
            let (words, _) = words.split_once("</string>").unwrap();
            assert_harmless(words, what);
        }
    }
}

#[tokio::test]
async fn what_http_refuses_shows_little_of_it() {
    let hearts = "♥".repeat(9000);
    let body = r#"{"jsonrpc":"2.0","method":"number","params":[1],"id":1}"#;
    for (start, header) in [
        ("POST /", format!("Content-Type: {hearts}")),
        (
            "POST /",
            format!("Content-Type: application/json\r\nContent-Encoding: {hearts}"),
        ),
        (
            "POST /",
            format!("Content-Type: application/json\r\nOrigin: {hearts}"),
        ),
        (
            "POST /",
            format!("Content-Type: application/json\r\nHost: {hearts}"),
        ),
        (
            "POST /",
            format!("Content-Type: application/json\r\nTransfer-Encoding: {hearts}"),
        ),
        (
            "POST /",
            format!("Content-Type: application/json; charset={hearts}"),
        ),
        (
            "POST /",
            format!("Content-Type: application/json\r\nfarcall-timeout-ms: {hearts}\r\nOrigin: x"),
        ),
        ("POST /♥\u{202e}♥", String::from("Content-Type: text/plain")),
        ("GET /%0d%0aX-Forged:%20yes", String::from("X: y")),
        (
            "GET /?method=%0d%0aX-Forged:%20yes",
            String::from("Accept: text/event-stream"),
        ),
        (
            "GET /?method=ticks&params=%5B%22%0a%0adata:%20forged%22",
            String::from("Accept: text/event-stream"),
        ),
        (
            "GET /?method=ticks&count=%0d%0adata:%20forged%0a%0a",
            String::from("Accept: text/event-stream"),
        ),
        (
            "GET /?method=ticks&%0d%0adata:%20forged%0a%0a=1",
            String::from("Accept: text/event-stream"),
        ),
        (
            "GET /rpc",
            format!(
                "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {hearts}"
            ),
        ),
    ] {
        let what = format!("{start} {}", header.get(..60).unwrap_or(&header));
        let request = format!(
            "{start} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let (answer, ran) = answered(request.as_bytes()).await;
        assert_eq!(ran, 0, "{what}");
        let (head, body) = answer.split_once("\r\n\r\n").expect(&what);
        assert!(
            !head.contains("orged") && !head.contains('♥'),
            "{what}: {head}"
        );
        if head.starts_with("HTTP/1.1 101") {
            // What follows are frames.
            continue;
        }
        let lines: Vec<_> = body.lines().collect();
        assert!(
            !lines.iter().any(|line| line.starts_with("data: forged")),
            "{what}: {body}"
        );
        assert!(
            !lines.iter().any(|line| line.starts_with("X-Forged")),
            "{what}: {body}"
        );
        assert_harmless(&lines.concat(), &what);
    }
}

/// The same service by somebody who has another idea of it.
#[farcall::service]
trait Strange {
    #[rpc(name = "\u{202e}nothing\u{1b}")]
    async fn nothing(&self);
    async fn number(&self, n: String) -> i64;
    async fn shape(&self, shape: String);
    async fn when(&self, when: String);
    async fn tell(&self, name: String, value: String) -> String;
    async fn fail(&self, words: String);
}

fn strange(encoding: Encoding) -> (StrangeClient, Clerk) {
    let (mine, theirs) = tokio::io::duplex(8 * 1024 * 1024);
    let clerk = Clerk::default();
    let server = Server::new().service(DeskServer::new(clerk.clone()));
    tokio::spawn(server.serve_stream(theirs));
    let channel = farcall::over(mine, encoding, Limits::default());
    (StrangeClient::new(channel), clerk)
}

#[tokio::test]
async fn what_a_caller_is_told_shows_it_escaped() {
    for encoding in Encoding::ALL {
        for nasty in nasty() {
            let (client, clerk) = strange(encoding);
            for error in [
                client.nothing().await.unwrap_err(),
                client.number(nasty.clone()).await.unwrap_err(),
                client.shape(nasty.clone()).await.unwrap_err(),
                client.when(nasty.clone()).await.unwrap_err(),
                client.tell(nasty.clone(), "x".into()).await.unwrap_err(),
                client.tell("name".into(), nasty.clone()).await.unwrap_err(),
            ] {
                assert_harmless(&error.to_string(), &encoding.to_string());
            }
            assert_eq!(clerk.0.load(Ordering::SeqCst), 0);
            // To a client what its server says is a stranger's: all of it is the fault's words.
            let fault = client.fail(nasty.clone()).await.unwrap_err().to_string();
            assert_one_line(&fault, &encoding.to_string());
            assert!(fault.len() < 1100, "{encoding}: {} bytes", fault.len());
        }
    }
}

#[tokio::test]
async fn an_id_that_is_shown_is_shown_escaped() {
    for nasty in nasty() {
        let id = serde_json::to_string(&nasty).unwrap();
        let request =
            format!(r#"{{"jsonrpc":"2.0","method":"tell","params":["a","b"],"id":{id}}}"#);
        let (answer, _) = answered(request.as_bytes()).await;
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["id"], nasty, "it comes back as it is");
        assert_harmless(answer["result"].as_str().unwrap(), "the id");

        let (client, _) = strange(Encoding::Bincode);
        let call = client.tell("a".into(), "b".into());
        let given: String = nasty.chars().take(2000).collect();
        let shown = call.metadata("x-request-id", given).await;
        match shown {
            Ok(shown) => assert_harmless(&shown, "x-request-id"),
            Err(error) => assert_harmless(&error.to_string(), "x-request-id"),
        }
    }
}
