//! One service over every encoding and transport, from one list.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use farcall::types::Bytes;
use farcall::{
    Address, Channel, Context, Encoding, Error, Limits, Server, ServerTls, Stream, code,
};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// Values of many types, and everything that can go wrong.
#[farcall::service]
trait Sampler {
    async fn add(&self, x: i64, y: i64) -> i64;
    async fn numbers(&self, a: i8, b: u16, c: i32, d: i64, e: f32, f: f64) -> Numbers;
    async fn text(&self, text: &str) -> String;
    async fn bytes(&self, bytes: &[u8]) -> usize;
    async fn files(&self, first: Bytes, rest: Vec<File>) -> (Bytes, Vec<File>);
    async fn options(&self, first: Option<i32>, second: Option<String>) -> (bool, bool);
    async fn record(&self, record: &Record) -> Record;
    async fn shapes(&self, shapes: Vec<Shape>) -> Vec<Shape>;
    async fn map(&self, map: BTreeMap<u32, String>) -> BTreeMap<u32, String>;
    async fn nothing(&self);
    async fn divide(&self, x: i64, y: i64) -> Result<i64, DivideError>;
    async fn panic(&self);
    async fn wait(&self);
    async fn open(&self);
    async fn whoami(&self, cx: &Context) -> String;
    #[rpc(name = "renamed.method", alias = "old-name")]
    async fn renamed(&self, #[rpc(default = 5)] n: i32) -> i32;
    /// Each of them, doubled.
    fn doubled(&self, numbers: impl Stream<Item = i64>) -> impl Stream<Item = i64>;
}

type Numbers = (i8, u16, i32, i64, f32, f64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    id: u64,
    name: String,
    #[serde(default)]
    nickname: Option<String>,
    scores: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct File {
    name: String,
    content: Option<Bytes>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Point,
    Circle(f64),
    Line(i32, i32),
    Box { width: u8, height: u8 },
}

#[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
enum DivideError {
    #[error("division by zero")]
    #[fault(code = 1)]
    ByZero,
    #[error("{x} is odd")]
    #[fault(code = 2)]
    Odd { x: i64 },
}

#[derive(Default)]
struct Sample {
    gate: Notify,
}

impl Sampler for Sample {
    async fn add(&self, x: i64, y: i64) -> i64 {
        x.wrapping_add(y)
    }
    async fn numbers(&self, a: i8, b: u16, c: i32, d: i64, e: f32, f: f64) -> Numbers {
        (a, b, c, d, e, f)
    }
    async fn text(&self, text: &str) -> String {
        text.to_owned()
    }
    async fn bytes(&self, bytes: &[u8]) -> usize {
        bytes.len()
    }
    async fn files(&self, first: Bytes, rest: Vec<File>) -> (Bytes, Vec<File>) {
        (first, rest)
    }
    async fn options(&self, first: Option<i32>, second: Option<String>) -> (bool, bool) {
        (first.is_some(), second.is_some())
    }
    async fn record(&self, record: &Record) -> Record {
        record.clone()
    }
    async fn shapes(&self, shapes: Vec<Shape>) -> Vec<Shape> {
        shapes
    }
    async fn map(&self, map: BTreeMap<u32, String>) -> BTreeMap<u32, String> {
        map
    }
    async fn nothing(&self) {}
    async fn divide(&self, x: i64, y: i64) -> Result<i64, DivideError> {
        match (x, y) {
            (_, 0) => Err(DivideError::ByZero),
            (x, 2) if x % 2 != 0 => Err(DivideError::Odd { x }),
            (x, y) => Ok(x / y),
        }
    }
    async fn panic(&self) {
        panic!("a secret");
    }
    async fn wait(&self) {
        self.gate.notified().await;
    }
    async fn open(&self) {
        self.gate.notify_one();
    }
    async fn whoami(&self, cx: &Context) -> String {
        let token = cx.metadata().get("x-token").unwrap_or("nobody");
        format!(
            "{} {} {} {token}",
            cx.method(),
            cx.encoding(),
            cx.deadline().is_some()
        )
    }
    async fn renamed(&self, n: i32) -> i32 {
        n
    }
    fn doubled(&self, numbers: impl Stream<Item = i64> + Send) -> impl Stream<Item = i64> {
        numbers.map(|number| 2 * number)
    }
}

/// A running server, and every way to it.
struct Everywhere {
    addresses: Vec<Address>,
    /// The file with the certificate of its TLS.
    ca: String,
    /// Dropped to end the server, which drains meanwhile.
    _end: tokio::sync::oneshot::Sender<()>,
}

async fn everywhere(test: &str, limits: Limits) -> Everywhere {
    let socket = std::env::temp_dir().join(format!("farcall-{test}-{}", std::process::id()));
    let socket = socket.to_str().unwrap();
    let own = rcgen::generate_simple_self_signed(["localhost".into(), "127.0.0.1".into()]).unwrap();
    let tls = ServerTls::from_pem(own.cert.pem(), own.signing_key.serialize_pem()).unwrap();
    let ca = format!("{socket}.pem");
    std::fs::write(&ca, own.cert.pem()).unwrap();
    let server = Server::new()
        .service(SamplerServer::new(Sample::default()))
        .tls(tls)
        .tls_beside_plain()
        .limits(limits);
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let listening = listening.listen(&format!("unix://{socket}")).await.unwrap();
    let listening = listening.listen(&format!("mem://{test}")).await.unwrap();
    let port = listening.local_addr().unwrap().port();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(listening.run_until(async {
        let _ = ended.await;
    }));
    let places = [
        format!("tcp://127.0.0.1:{port}"),
        format!("unix://{socket}"),
        format!("mem://{test}"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/RPC2?gzip=1"),
        format!("http://127.0.0.1:{port}/?version=2"),
        format!("tls://localhost:{port}?ca={ca}"),
        format!("https://127.0.0.1:{port}/?ca={ca}"),
        format!("https://localhost:{port}/?version=1&ca={ca}"),
        format!("ws://127.0.0.1:{port}/rpc"),
        format!("wss://localhost:{port}/rpc?ca={ca}"),
    ];
    let addresses = places
        .iter()
        .flat_map(|place| Encoding::ALL.map(|encoding| format!("{encoding}+{place}")))
        .map(|address| address.parse().unwrap())
        .collect();
    Everywhere {
        addresses,
        ca,
        _end: end,
    }
}

impl Drop for Everywhere {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.ca);
    }
}

/// Runs `check` over every address.
async fn over_all<F>(test: &str, limits: Limits, check: impl Fn(SamplerClient, Address) -> F)
where
    F: Future<Output = ()>,
{
    let everywhere = everywhere(test, limits).await;
    for address in &everywhere.addresses {
        eprintln!("over {address}");
        let client = SamplerClient::connect(&address.to_string()).await.unwrap();
        check(client, address.clone()).await;
    }
}

fn record() -> Record {
    Record {
        id: u64::MAX >> 1,
        name: " a<b>&\r\n".into(),
        nickname: None,
        scores: vec![0.1, -1e300],
    }
}

#[tokio::test]
async fn values_survive() {
    over_all("values", Limits::default(), |client, _| async move {
        assert_eq!(client.add(7, 3).await.unwrap(), 10);
        assert_eq!(client.add(i64::MAX, 0).await.unwrap(), i64::MAX);
        let numbers = (-128, 65535, i32::MIN, i64::MIN, 0.1, -2.5e-7);
        let (a, b, c, d, e, f) = numbers;
        assert_eq!(client.numbers(a, b, c, d, e, f).await.unwrap(), numbers);
        for text in ["", "  blanks  ", "]]>&amp;<x/>", "\r\n\r\t", "🦀 ünï"] {
            assert_eq!(client.text(text).await.unwrap(), text);
        }
        assert_eq!(client.bytes(&[0, 255, 10]).await.unwrap(), 3);
        assert_eq!(client.options(None, None).await.unwrap(), (false, false));
        assert_eq!(
            client.options(None, Some("x".into())).await.unwrap(),
            (false, true)
        );
        assert_eq!(client.options(Some(1), None).await.unwrap(), (true, false));
        assert_eq!(client.record(&record()).await.unwrap(), record());
        let nicknamed = Record {
            nickname: Some("n".into()),
            ..record()
        };
        assert_eq!(client.record(&nicknamed).await.unwrap(), nicknamed);
        let shapes = vec![
            Shape::Point,
            Shape::Circle(1.5),
            Shape::Line(-1, 2),
            Shape::Box {
                width: 3,
                height: 4,
            },
        ];
        assert_eq!(client.shapes(shapes.clone()).await.unwrap(), shapes);
        let map = BTreeMap::from([(7, "seven".to_owned()), (0, String::new())]);
        assert_eq!(client.map(map.clone()).await.unwrap(), map);
        client.nothing().await.unwrap();
        assert_eq!(client.renamed(9).await.unwrap(), 9);
    })
    .await;
}

fn file(name: &str, length: usize) -> File {
    let content: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
    File {
        name: name.to_owned(),
        content: Some(Bytes::from(content)),
    }
}

#[tokio::test]
async fn large_bytes_survive_in_any_place() {
    over_all("bytes", Limits::default(), |client, _| async move {
        let files = vec![
            file("small", 3),
            file("large", 300_000),
            file("empty", 0),
            File {
                name: "none".into(),
                content: None,
            },
            file("as long as a piece", 65_536),
            file("one more", 65_537),
        ];
        for first in files.iter().filter_map(|file| file.content.clone()) {
            let sent = (first, files.clone());
            // Asked twice: of a peer that said hello, more is known.
            for _ in 0..2 {
                let back = client.files(sent.0.clone(), sent.1.clone()).await;
                assert!(back.unwrap() == sent);
            }
        }
        let large = files[1].content.clone().unwrap();
        let call = || client.files(large.clone(), files.clone());
        let back = client.batch((call(), client.add(1, 2), call())).await;
        let (one, sum, two) = back.unwrap();
        assert!(one.unwrap() == (large.clone(), files.clone()));
        assert!(two.unwrap() == (large.clone(), files.clone()));
        assert_eq!(sum.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn faults_come_back_as_the_same_enum() {
    over_all("faults", Limits::default(), |client, _| async move {
        assert_eq!(
            client.divide(7, 2).await.map_err(unwrap_fault),
            Err(DivideError::Odd { x: 7 })
        );
        assert_eq!(
            client.divide(7, 0).await.map_err(unwrap_fault),
            Err(DivideError::ByZero)
        );
        assert_eq!(client.divide(8, 2).await.map_err(unwrap_fault), Ok(4));
    })
    .await;
}

fn unwrap_fault<E>(error: Error<E>) -> E
where
    E: std::fmt::Debug,
{
    match error {
        Error::Fault(fault) => fault,
        Error::Failed(failure) => panic!("{failure:?}"),
    }
}

#[tokio::test]
async fn a_panic_costs_its_own_call_and_no_other() {
    over_all("panics", Limits::default(), |client, _| async move {
        let other = client.clone();
        let waiting = tokio::spawn(async move { other.wait().await });
        let error = client.panic().await.unwrap_err();
        assert_eq!(error.fault().unwrap().code, code::INTERNAL_ERROR);
        assert!(
            !error.to_string().contains("secret"),
            "its words stay on the server"
        );
        assert_eq!(client.add(1, 2).await.unwrap(), 3);
        client.open().await.unwrap();
        waiting.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_deadline_ends_the_call_and_no_other() {
    over_all("deadlines", Limits::default(), |client, _| async move {
        let error = client
            .wait()
            .timeout(Duration::from_millis(20))
            .await
            .unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert_eq!(client.add(1, 2).await.unwrap(), 3);
        assert_eq!(client.add(1, 2).timeout(Duration::MAX).await.unwrap(), 3);
        let error = client.add(1, 2).timeout(Duration::ZERO).await.unwrap_err();
        assert!(error.is_timeout());
    })
    .await;
}

#[tokio::test]
async fn a_message_too_large_is_a_fault_that_names_the_limit() {
    let limits = |bytes| {
        let mut limits = Limits::default();
        limits.message_bytes = bytes;
        limits
    };
    let everywhere = everywhere("large", limits(64 * 1024)).await;
    for address in &everywhere.addresses {
        eprintln!("over {address}");
        let channel = farcall::connect_with(address, limits(64 * 1024 * 1024))
            .await
            .unwrap();
        let client = SamplerClient::new(channel);
        let other = client.clone();
        let waiting = tokio::spawn(async move { other.wait().await });
        client.nothing().await.unwrap();
        let error = client.bytes(&vec![7; 128 * 1024]).await.unwrap_err();
        let words = error.to_string();
        assert!(
            words.contains("65536") && words.contains("Limits::message_bytes"),
            "{words}"
        );
        assert_eq!(client.add(1, 2).await.unwrap(), 3);
        client.open().await.unwrap();
        waiting.await.unwrap().unwrap();
    }
}

/// A trait that has what the server has not, and less of what it has.
#[farcall::service]
trait Stranger {
    async fn missing(&self) -> i64;
    async fn add(&self, x: String) -> i64;
}

#[tokio::test]
async fn an_unknown_method_and_a_misfit_get_their_faults() {
    over_all("strangers", Limits::default(), |client, _| async move {
        let channel: Channel = client.channel().clone();
        let stranger = StrangerClient::new(channel);
        let error = stranger.missing().await.unwrap_err();
        assert_eq!(error.fault().unwrap().code, code::METHOD_NOT_FOUND);
        let error = stranger.add("x".into()).await.unwrap_err();
        let fault = error.fault().unwrap();
        assert_eq!(fault.code, code::INVALID_PARAMS, "{fault}");
        assert!(
            fault.message.contains('`'),
            "it names the parameter: {fault}"
        );
        assert_eq!(client.add(1, 2).await.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn the_context_tells_who_calls() {
    over_all(
        "contexts",
        Limits::default(),
        |client, address| async move {
            let call = client.whoami().metadata("x-token", "t0");
            let encoding = address.encoding();
            let told = call.timeout(Duration::from_secs(5)).await.unwrap();
            // JSON-RPC on a stream has no place for a deadline or metadata.
            let expected = match (encoding, address.transport().name()) {
                (Encoding::Json, "tcp" | "tls" | "unix" | "mem" | "ws" | "wss") => {
                    "whoami json false nobody".to_owned()
                }
                _ => format!("whoami {encoding} true t0"),
            };
            assert_eq!(told, expected);
        },
    )
    .await;
}

#[tokio::test]
async fn streams_go_both_ways() {
    over_all("streams", Limits::default(), |client, _| async move {
        let doubled = client.doubled(stream::iter(1..=3)).await;
        let doubled: Vec<_> = doubled.unwrap().map(Result::unwrap).collect().await;
        assert_eq!(doubled, [2, 4, 6]);
    })
    .await;
}

#[tokio::test]
async fn a_notification_runs_and_nobody_waits() {
    over_all("notifications", Limits::default(), |client, _| async move {
        let other = client.clone();
        let waiting = tokio::spawn(async move { other.wait().await });
        client.open().notify().await.unwrap();
        waiting.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn many_callers_share_a_client() {
    over_all("callers", Limits::default(), |client, _| async move {
        let client = Arc::new(client);
        let calls: Vec<_> = (0..200)
            .map(|n| {
                let client = Arc::clone(&client);
                tokio::spawn(async move { client.add(n, 1).await.unwrap() })
            })
            .collect();
        for (n, call) in (0..).zip(calls) {
            assert_eq!(call.await.unwrap(), n + 1_i64);
        }
    })
    .await;
}

#[tokio::test]
async fn dropping_a_call_drops_its_handler() {
    /// Tells when it is dropped.
    struct Bell(Arc<Notify>);
    impl Drop for Bell {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }

    #[farcall::service]
    trait Sleeper {
        async fn sleep(&self);
    }
    struct Tells(Arc<Notify>, Arc<Notify>);
    impl Sleeper for Tells {
        async fn sleep(&self) {
            let _bell = Bell(Arc::clone(&self.1));
            self.0.notify_one();
            std::future::pending::<()>().await;
        }
    }

    for encoding in Encoding::ALL {
        let (started, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let service = Tells(Arc::clone(&started), Arc::clone(&dropped));
        let client = SleeperClient::in_memory(SleeperServer::new(service), encoding);
        let held = client.clone();
        let call = tokio::spawn(async move { held.sleep().await });
        started.notified().await;
        call.abort();
        dropped.notified().await;
        // And so does its deadline, which JSON-RPC does not tell the server.
        let time = Duration::from_millis(20);
        assert!(client.sleep().timeout(time).await.unwrap_err().is_timeout());
        dropped.notified().await;
    }
}
