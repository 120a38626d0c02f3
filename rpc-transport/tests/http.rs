//! HTTP as strangers speak it: literal requests against a server, literal answers to a client.

use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use farcall_core::channel::Channel;
use farcall_core::error::Error;
use farcall_core::fault::code;
use farcall_core::limits::Limits;
use farcall_core::method::{Method, Param};
use farcall_core::params::required;
use farcall_core::service::{Reply, Request, Service};
use farcall_transport::connect::connect;
use farcall_transport::server::Server;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

#[derive(Clone, Default)]
struct Calc {
    started: Arc<Notify>,
    dropped: Arc<Notify>,
}

impl Service for Calc {
    const METHODS: &'static [Method] = &[
        Method::new("add", "")
            .takes(&[Param::required::<i64>("x"), Param::required::<i64>("y")])
            .returns::<i64>(),
        Method::new("wait", "Waits for ever."),
        Method::new("trace", "What came as `trace-id`.").returns::<String>(),
        Method::new("echo", "")
            .takes(&[Param::required::<String>("text")])
            .returns::<String>(),
    ];

    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<> {
        let Self { started, dropped } = self.clone();
        async move {
            match request.index() {
                0 => {
                    let (x, y) = request.params::<(i64, i64)>((required, required))?;
                    request.reply(&(x + y))
                }
                1 => {
                    let _tell = OnDrop(dropped);
                    started.notify_one();
                    std::future::pending().await
                }
                2 => {
                    let trace = request.context().metadata().get("trace-id");
                    let trace = trace.unwrap_or("none").to_owned();
                    request.reply(&trace)
                }
                3 => {
                    let (text,) = request.params::<(String,)>((required,))?;
                    request.reply(&text)
                }
                _ => Err(request.unknown_method()),
            }
        }
    }
}

struct OnDrop(Arc<Notify>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

fn method(name: &str) -> &'static Method {
    let mut methods = Calc::METHODS.iter();
    methods.find(|method| method.name == name).unwrap()
}

async fn add(channel: &Channel, x: i64, y: i64) -> Result<i64, Error> {
    channel.call(method("add"), (x, y)).await
}

async fn serve(server: Server) -> String {
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let address = listening.local_addr().unwrap().to_string();
    tokio::spawn(listening.run());
    address
}

async fn calc() -> String {
    serve(Server::new().service(Calc::default())).await
}

const ADD: &str = r#"{"jsonrpc":"2.0","method":"add","params":[7,3],"id":1}"#;
const TEN: &str = r#"{"jsonrpc":"2.0","result":10,"id":1}"#;
const ADD_XML: &str = "<?xml version='1.0'?>\n<methodCall>\n<methodName>add</methodName>\n<params>\n\
    <param>\n<value><int>7</int></value>\n</param>\n<param>\n<value><int>3</int></value>\n</param>\n\
    </params>\n</methodCall>\n";

/// A request with these header lines, and the length of its body.
fn post(headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// Sends `request` and reads all that comes until the server closes.
async fn last(address: &str, request: &str) -> String {
    let mut io = TcpStream::connect(address).await.unwrap();
    io.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    io.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// One response with a length.
async fn response<IO: AsyncRead + Unpin>(io: &mut IO) -> (String, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.split("content-length: ").nth(1).map_or(0, |rest| {
        let digits = rest.split("\r\n").next().unwrap();
        digits.parse().unwrap()
    });
    let mut body = vec![0; length];
    io.read_exact(&mut body).await.unwrap();
    (head, String::from_utf8(body).unwrap())
}

async fn ask<IO: AsyncRead + AsyncWrite + Unpin>(io: &mut IO, request: &str) -> (String, String) {
    io.write_all(request.as_bytes()).await.unwrap();
    response(io).await
}

#[tokio::test]
async fn the_content_type_tells_the_protocol() {
    let address = calc().await;
    let mut io = TcpStream::connect(&address).await.unwrap();
    for (headers, body, status, expected) in [
        ("Content-Type: application/json\r\n", ADD, "200", TEN),
        (
            "content-type:application/json;charset=utf-8\r\n",
            ADD,
            "200",
            TEN,
        ),
        ("Content-Type: application/json-rpc\r\n", ADD, "200", TEN),
        ("Content-Type: text/xml\r\n", ADD_XML, "200", ">10</"),
        ("Content-Type: application/xml\r\n", ADD_XML, "200", ">10</"),
        ("", ADD, "200", TEN),
        ("", "\u{feff} [{}]", "200", "-32600"),
        ("", ADD_XML, "200", ">10</"),
        ("", "x=7&y=3", "415", "Content-Type"),
        (
            "Content-Type: text/plain\r\n",
            ADD,
            "415",
            "application/json",
        ),
        (
            "Content-Type: application/x-www-form-urlencoded\r\n",
            ADD,
            "415",
            "curl",
        ),
        (
            "Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
            ADD,
            "415",
            "compressed",
        ),
        (
            "Content-Type: application/json\r\nContent-Encoding: identity\r\n",
            ADD,
            "200",
            TEN,
        ),
        ("Content-Type: application/json\r\n", "", "200", "-32700"),
        ("Content-Type: application/json\r\n", "{", "200", "-32700"),
    ] {
        let (head, reply) = ask(&mut io, &post(headers, body)).await;
        assert!(head.contains(status), "{headers}{body}: {head}");
        assert!(reply.contains(expected), "{headers}{body}: {reply}");
    }
}

#[tokio::test]
async fn answers_have_a_type_and_a_length() {
    let address = calc().await;
    let mut io = TcpStream::connect(&address).await.unwrap();
    let (head, _) = ask(&mut io, &post("", ADD)).await;
    assert!(
        head.contains("content-type: application/json\r\n"),
        "{head}"
    );
    assert!(
        head.contains(&format!("content-length: {}\r\n", TEN.len())),
        "{head}"
    );
    let (head, _) = ask(&mut io, &post("", ADD_XML)).await;
    assert!(head.contains("content-type: text/xml\r\n"), "{head}");
    let notification = r#"{"jsonrpc":"2.0","method":"add","params":[7,3]}"#;
    let (head, body) = ask(&mut io, &post("", notification)).await;
    assert!(
        head.starts_with("http/1.1 200") && head.contains("content-length: 0"),
        "{head}"
    );
    assert_eq!(body, "");
}

#[tokio::test]
async fn another_sites_page_is_turned_away() {
    let address = serve(Server::new().service(Calc::default()).host("calc.example")).await;
    let request = |headers: &str| {
        format!(
            "POST / HTTP/1.1\r\n{headers}Content-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{ADD}",
            ADD.len()
        )
    };
    for (headers, status) in [
        ("Host: localhost\r\n", "200"),
        ("Host: 127.0.0.1:8000\r\n", "200"),
        ("Host: [::1]:8000\r\n", "200"),
        ("Host: calc.example\r\n", "200"),
        ("Host: evil.example\r\n", "421"),
        ("", "200"),
        ("Host: localhost\r\nOrigin: http://localhost\r\n", "200"),
        ("Host: localhost\r\nOrigin: http://evil.example\r\n", "403"),
        ("Host: localhost\r\nOrigin: null\r\n", "403"),
        ("Host: localhost\r\nHost: evil.example\r\n", "400"),
    ] {
        let answer = last(&address, &request(headers)).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(line.contains(status), "{headers}: {line}");
    }
    let blob = post("Origin: http://localhost\r\nConnection: close\r\n", ADD);
    assert!(
        last(&address, &blob).await.contains("415"),
        "a page's body without a type"
    );
}

#[tokio::test]
async fn what_is_no_call_has_a_page_or_a_reason() {
    let address = calc().await;
    let mut io = TcpStream::connect(&address).await.unwrap();
    for (line, status, expected) in [
        ("GET /", "200", "add"),
        ("GET /healthz", "200", "ok\n"),
        ("GET /other", "404", "POST"),
        ("PUT /", "405", "POST"),
        ("OPTIONS /", "405", "POST"),
    ] {
        let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let (head, body) = ask(&mut io, &request).await;
        assert!(
            head.contains(status) && body.contains(expected),
            "{line}: {head}{body}"
        );
        assert_eq!(
            head.contains("allow: get, head, post"),
            status == "405",
            "{head}"
        );
    }
    let head = "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = last(&address, head).await.to_lowercase();
    assert!(
        answer.contains("content-length: 3\r\n") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn http_1_0_works_without_a_host() {
    let request = format!(
        "POST /RPC2 HTTP/1.0\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{ADD_XML}",
        ADD_XML.len()
    );
    let answer = last(&calc().await, &request).await.to_lowercase();
    assert!(answer.starts_with("http/1.0 200"), "{answer}");
    assert!(
        answer.contains("content-length") && !answer.contains("chunked"),
        "{answer}"
    );
    assert!(answer.contains(">10</"), "{answer}");
}

#[tokio::test]
async fn requests_may_be_sent_ahead() {
    let mut io = TcpStream::connect(calc().await).await.unwrap();
    let requests = post("", ADD) + &post("", ADD_XML) + &post("", ADD);
    io.write_all(requests.as_bytes()).await.unwrap();
    assert_eq!(response(&mut io).await.1, TEN);
    assert!(response(&mut io).await.1.contains(">10</"));
    assert_eq!(response(&mut io).await.1, TEN);
}

#[tokio::test]
async fn a_body_may_come_in_chunks_of_any_size() {
    let mut io = TcpStream::connect(calc().await).await.unwrap();
    let mut request = String::from(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
    );
    for piece in ADD.as_bytes().chunks(7) {
        let piece = std::str::from_utf8(piece).unwrap();
        request += &format!("{:x}\r\n{piece}\r\n", piece.len());
    }
    request += "0\r\n\r\n";
    for byte in request.bytes() {
        io.write_all(&[byte]).await.unwrap();
    }
    assert_eq!(response(&mut io).await.1, TEN);
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on() {
    let mut io = TcpStream::connect(calc().await).await.unwrap();
    let request = post(
        "Content-Type: application/json\r\nExpect: 100-continue\r\n",
        ADD,
    );
    let (head, body) = request.split_at(request.len() - ADD.len());
    let (go_on, _) = ask(&mut io, head).await;
    assert!(go_on.starts_with("http/1.1 100"), "{go_on}");
    assert_eq!(ask(&mut io, body).await.1, TEN);
}

fn small() -> Limits {
    let mut limits = Limits::default();
    limits.message_bytes = 1000;
    limits
}

#[tokio::test]
async fn a_body_too_large_is_refused_by_name() {
    let address = serve(Server::new().service(Calc::default()).limits(small())).await;
    let long = format!(r#"["{}"]"#, "x".repeat(3_000_000));
    let chunked = format!("{:x}\r\n{long}\r\n0\r\n\r\n", long.len());
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\n";
    for (request, expected) in [
        (post("Content-Type: application/json\r\n", &long), "-32004"),
        (post("Content-Type: text/xml\r\n", &long), "-32004"),
        (post("", &long), "HTTP/1.1 413"),
        (
            format!(
                "{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"
            ),
            "-32004",
        ),
        (
            // Nothing of this one is sent, as it is not asked for.
            format!(
                "{head}Content-Type: application/json\r\nExpect: 100-continue\r\n\
                 Content-Length: 2000\r\n\r\n"
            ),
            "-32004",
        ),
    ] {
        // Both ways at once, so that an answer that comes early is seen.
        let io = TcpStream::connect(&address).await.unwrap();
        let (mut read, mut write) = io.into_split();
        let sending = tokio::spawn(async move { write.write_all(request.as_bytes()).await });
        let mut answer = String::new();
        read.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains(expected), "{answer}");
        assert!(
            answer.contains("1000") && answer.contains("Limits::message_bytes"),
            "{answer}"
        );
        let _ = sending.await;
    }
}

#[tokio::test]
async fn a_head_too_large_ends_the_connection() {
    let address = calc().await;
    let long = format!("Long: {}\r\n", "x".repeat(64 * 1024));
    let many: String = (0..200).map(|i| format!("H{i}: x\r\n")).collect();
    for headers in [long, many] {
        let mut io = TcpStream::connect(&address).await.unwrap();
        let _ = io.write_all(post(&headers, ADD).as_bytes()).await;
        let mut answer = Vec::new();
        let _ = io.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.contains(" 431 "), "{answer}");
    }
}

#[tokio::test]
async fn a_deadline_ends_the_call_and_not_the_connection() {
    let calc = Calc::default();
    let mut io = TcpStream::connect(serve(Server::new().service(calc.clone())).await)
        .await
        .unwrap();
    let wait = ADD.replace("add", "wait").replace("[7,3]", "[]");
    for ms in ["0", "20"] {
        let (head, body) = ask(
            &mut io,
            &post(&format!("farcall-timeout-ms: {ms}\r\n"), &wait),
        )
        .await;
        assert!(
            head.starts_with("http/1.1 200") && body.contains("-32001"),
            "{head}{body}"
        );
    }
    calc.dropped.notified().await;
    let long = post("farcall-timeout-ms: 99999999999999999999999\r\n", ADD);
    assert_eq!(ask(&mut io, &long).await.1, TEN);
}

/// A server at the other end of a pipe, where hours pass in no time.
fn pipe(room: usize) -> (tokio::io::DuplexStream, tokio::task::JoinHandle<()>) {
    let (here, there) = tokio::io::duplex(room);
    let server = Server::new().service(Calc::default());
    let serving = tokio::spawn(async move { server.serve_stream(there).await.unwrap() });
    (here, serving)
}

#[tokio::test(start_paused = true)]
async fn whoever_stalls_is_not_waited_for() {
    let limits = Limits::default();
    for (start, time) in [
        ("POST / HT", limits.head_time),
        ("POST / HTTP/1.1\r\nHost: a\r\n", limits.head_time),
        ("PRI * HT", limits.head_time),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", limits.head_time),
        (
            "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n[",
            limits.body_time,
        ),
    ] {
        let begun = tokio::time::Instant::now();
        let (mut io, serving) = pipe(1024);
        io.write_all(start.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        io.read_to_end(&mut answer).await.unwrap();
        serving.await.unwrap();
        let waited = begun.elapsed();
        assert!(waited >= time && waited < time * 2, "{start}: {waited:?}");
        let answer = String::from_utf8_lossy(&answer);
        assert_eq!(
            answer.contains(" 408 "),
            start.ends_with('['),
            "{start}: {answer}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_read_is_not_waited_for() {
    let begun = tokio::time::Instant::now();
    let (mut io, serving) = pipe(1024);
    let text = "x".repeat(100_000);
    let echo = format!(r#"{{"jsonrpc":"2.0","method":"echo","params":["{text}"],"id":1}}"#);
    io.write_all(post("", &echo).as_bytes()).await.unwrap();
    serving.await.unwrap();
    let (waited, time) = (begun.elapsed(), Limits::default().write_time);
    assert!(waited >= time && waited < time * 2, "{waited:?}");
}

#[tokio::test]
async fn a_client_calls_in_every_encoding_and_version() {
    let address = calc().await;
    for encoding in ["bincode", "json", "xml"] {
        for version in ["1", "2"] {
            let way = format!("{encoding}+http://{address}/?version={version}");
            let channel = connect(&way).await.unwrap();
            assert_eq!(add(&channel, 7, 3).await.unwrap(), 10, "{way}");
            let mut many = tokio::task::JoinSet::new();
            for x in 0..50 {
                let channel = channel.clone();
                many.spawn(async move { (x, add(&channel, x, 1).await.unwrap()) });
            }
            for (x, sum) in many.join_all().await {
                assert_eq!(sum, x + 1, "{way}");
            }
            let notified =
                channel.call::<_, i64, std::convert::Infallible>(method("add"), (1_i64, 2_i64));
            notified.notify().await.unwrap();
        }
    }
}

#[tokio::test]
async fn dropping_a_call_drops_its_handler() {
    let mut ways = tokio::task::JoinSet::new();
    for encoding in ["bincode", "json", "xml"] {
        for version in ["1", "2"] {
            ways.spawn(drop_a_call(encoding, version));
        }
    }
    ways.join_all().await;
}

async fn drop_a_call(encoding: &str, version: &str) {
    let calc = Calc::default();
    let address = serve(Server::new().service(calc.clone())).await;
    let way = format!("{encoding}+http://{address}/?version={version}");
    let channel = connect(&way).await.unwrap();
    let wait = channel.call::<_, (), std::convert::Infallible>(method("wait"), ());
    let call = wait.timeout(Duration::from_secs(3600));
    tokio::select! {
        ended = call.into_future() => panic!("{ended:?}"),
        () = calc.started.notified() => {}
    }
    calc.dropped.notified().await;
    assert_eq!(add(&channel, 7, 3).await.unwrap(), 10, "{way}");
}

#[tokio::test]
async fn metadata_travels_as_headers() {
    let address = calc().await;
    for encoding in ["bincode", "json", "xml"] {
        let channel = connect(&format!("{encoding}+http://{address}/"))
            .await
            .unwrap();
        let trace = || channel.call::<_, String, std::convert::Infallible>(method("trace"), ());
        assert_eq!(trace().await.unwrap(), "none");
        assert_eq!(
            trace().metadata("Trace-Id", "grüß 7f").await.unwrap(),
            "grüß 7f"
        );
        let refused = trace().metadata("Content-Length", "0").await.unwrap_err();
        assert!(
            refused.to_string().contains("Content-Length") && !refused.was_sent(),
            "{refused}"
        );
    }
}

/// A server of one's own making: gives each connection's answers in turn, then closes it. Counts
/// the connections.
async fn stub(answers: &'static [&'static str]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (mut io, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                for answer in answers {
                    let _request = response(&mut io).await;
                    io.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (address, count)
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 36\r\n\r\n\
                  {\"jsonrpc\":\"2.0\",\"result\":10,\"id\":1}";

#[tokio::test]
async fn a_connection_is_used_again_until_it_is_closed() {
    let (address, connections) = stub(&[OK, OK, OK]).await;
    let channel = connect(&format!("http://{address}/")).await.unwrap();
    for call in 1..=7 {
        assert_eq!(add(&channel, 7, 3).await.unwrap(), 10, "call {call}");
        // The close of the third comes whenever it comes; the next call must not fail by it.
    }
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn what_is_no_answer_is_told_in_words() {
    for (answer, expected) in [
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\n<h1>no</h1",
            "HTTP 404 Not Found: <h1>no</h1",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
            "HTTP 302",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            "no JSON-RPC",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n",
            "Limits::message_bytes",
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", "no HTTP"),
        ("", "before the reply came"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
            "before the reply came",
        ),
    ] {
        let answers: &'static [&'static str] = vec![answer].leak();
        let (address, _) = stub(answers).await;
        let channel = connect(&format!("http://{address}/")).await.unwrap();
        let error = add(&channel, 7, 3).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{answer}: {error}");
        assert!(error.was_sent() && !error.is_retryable(), "{error}");
    }
}

#[tokio::test]
async fn a_fault_is_a_fault_whatever_its_status() {
    let (address, _) = stub(&[
        "HTTP/1.1 500 Oh\r\nContent-Type: application/json\r\nContent-Length: 53\r\n\r\n\
         {\"error\":{\"code\":-32601,\"message\":\"no `add`\"},\"id\":1}",
    ])
    .await;
    let channel = connect(&format!("http://{address}/")).await.unwrap();
    let error = add(&channel, 7, 3).await.unwrap_err();
    assert_eq!(error.fault().unwrap().code, code::METHOD_NOT_FOUND);
}

#[tokio::test]
async fn a_notification_is_done_with_any_success() {
    let (address, _) = stub(&["HTTP/1.1 204 No Content\r\n\r\n"]).await;
    let channel = connect(&format!("http://{address}/")).await.unwrap();
    let call = channel.call::<_, i64, std::convert::Infallible>(method("add"), (7_i64, 3_i64));
    call.notify().await.unwrap();
}

#[tokio::test]
async fn time_runs_out_before_and_after_a_call_was_sent() {
    let calc = Calc::default();
    let address = serve(Server::new().service(calc.clone())).await;
    for version in ["1", "2"] {
        let channel = connect(&format!("http://{address}/?version={version}"))
            .await
            .unwrap();
        let wait = || channel.call::<_, (), std::convert::Infallible>(method("wait"), ());
        let late = wait().timeout(Duration::from_millis(30)).await.unwrap_err();
        assert!(late.is_timeout() && late.was_sent(), "{late}");
        let late = wait().timeout(Duration::ZERO).await.unwrap_err();
        assert!(late.is_timeout() && !late.was_sent(), "{late}");
        assert_eq!(add(&channel, 7, 3).await.unwrap(), 10);
    }
}

#[tokio::test]
async fn nobody_there_is_told_before_anything_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for version in ["1", "2"] {
        let channel = connect(&format!("http://{address}/?version={version}"))
            .await
            .unwrap();
        let error = add(&channel, 7, 3).await.unwrap_err();
        assert!(error.is_retryable() && !error.was_sent(), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_comes_although_the_client_has_closed_its_half() {
    let address = calc().await;
    for blanks in [0, 300_000] {
        let request = post("", &(" ".repeat(blanks) + ADD));
        for _ in 0..20 {
            let mut io = TcpStream::connect(&address).await.unwrap();
            io.write_all(request.as_bytes()).await.unwrap();
            io.shutdown().await.unwrap();
            assert_eq!(response(&mut io).await.1, TEN);
        }
    }
}

#[tokio::test]
async fn a_server_with_smaller_limits_says_so() {
    let address = serve(Server::new().service(Calc::default()).limits(small())).await;
    for encoding in ["bincode", "json", "xml"] {
        for version in ["1", "2"] {
            let way = format!("{encoding}+http://{address}/?version={version}");
            let channel = connect(&way).await.unwrap();
            let long = ("x".repeat(2000),);
            let echo: Result<String, Error> = channel.call(method("echo"), long).await;
            let error = echo.unwrap_err();
            assert_eq!(
                error.fault().unwrap().code,
                code::TOO_LARGE,
                "{way}: {error}"
            );
            assert_eq!(add(&channel, 7, 3).await.unwrap(), 10, "{way}");
        }
    }
}

#[tokio::test]
async fn a_client_outlives_its_server() {
    for version in ["1", "2"] {
        let mut address = "127.0.0.1:0".to_owned();
        let mut channel = None;
        for _ in 0..3 {
            let server = Server::new().service(Calc::default());
            let listening = server.listen(&format!("tcp://{address}")).await.unwrap();
            address = listening.local_addr().unwrap().to_string();
            let (end, ended) = tokio::sync::oneshot::channel::<()>();
            let running = tokio::spawn(listening.run_until(async move { ended.await.unwrap() }));
            if channel.is_none() {
                let way = format!("http://{address}/?version={version}");
                channel = Some(connect(&way).await.unwrap());
            }
            let channel = channel.as_ref().unwrap();
            assert_eq!(add(channel, 7, 3).await.unwrap(), 10, "HTTP/{version}");
            end.send(()).unwrap();
            assert!(!running.await.unwrap().forced);
        }
    }
}
