//! Calls over byte streams, with a service written by hand: everything between a `Channel` and a
//! `Service`, without the macro.

use std::future::IntoFuture;
use std::time::Duration;

use farcall_core::channel::Channel;
use farcall_core::encoding::Encoding;
use farcall_core::error::Error;
use farcall_core::fault::code;
use farcall_core::limits::Limits;
use farcall_core::method::{Method, Param};
use farcall_core::params::{Blob, required};
use farcall_core::protocol::native::{Hello, MAGIC};
use farcall_core::service::{Reply, Request, Service};
use farcall_transport::connect::{connect, over};
use farcall_transport::server::{Protocol, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

#[derive(Clone, Default)]
struct Calc {
    gate: std::sync::Arc<Notify>,
}

impl Service for Calc {
    const METHODS: &'static [Method] = &[
        Method::new("add", "")
            .takes(&[Param::required::<i64>("x"), Param::required::<i64>("y")])
            .returns::<i64>(),
        Method::new("wait", "Waits until `open` is called.").returns::<String>(),
        Method::new("open", ""),
        Method::new("size", "")
            .takes(&[Param::required::<String>("data")])
            .returns::<u64>(),
        Method::new("panic", ""),
        Method::new("long", "")
            .takes(&[Param::required::<usize>("length")])
            .returns::<String>(),
    ];

    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<> {
        let gate = std::sync::Arc::clone(&self.gate);
        async move {
            match request.index() {
                0 => {
                    let (x, y) = request.params::<(i64, i64)>((required, required))?;
                    request.reply(&(x + y))
                }
                1 => {
                    let () = request.params(())?;
                    gate.notified().await;
                    request.reply("open")
                }
                2 => {
                    gate.notify_one();
                    request.reply(&())
                }
                3 => {
                    let (data,) = request.params::<(Blob<'_>,)>((required,))?;
                    let size = data.len() as u64;
                    request.reply(&size)
                }
                4 => panic!("as it was told"),
                5 => {
                    let (length,) = request.params::<(usize,)>((required,))?;
                    request.reply(&"x".repeat(length))
                }
                _ => Err(request.unknown_method()),
            }
        }
    }
}

fn method(name: &str) -> &'static Method {
    Calc::METHODS
        .iter()
        .find(|method| method.name == name)
        .unwrap()
}

async fn add(channel: &Channel, x: i64, y: i64) -> Result<i64, Error> {
    channel.call(method("add"), (x, y)).await
}

/// A server at a free port, and the address without its scheme.
async fn serve(server: Server) -> String {
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let address = listening.local_addr().unwrap().to_string();
    tokio::spawn(listening.run());
    address
}

#[tokio::test]
async fn every_encoding_adds_over_one_port() {
    let address = serve(Server::new().service(Calc::default())).await;
    for encoding in Encoding::ALL {
        let channel = connect(&format!("{encoding}+tcp://{address}"))
            .await
            .unwrap();
        assert_eq!(add(&channel, 7, 3).await.unwrap(), 10, "{encoding}");
    }
}

#[tokio::test]
async fn a_slow_call_holds_up_no_other() {
    let address = serve(Server::new().service(Calc::default())).await;
    for encoding in Encoding::ALL {
        let channel = connect(&format!("{encoding}+tcp://{address}"))
            .await
            .unwrap();
        let slow = tokio::spawn({
            let channel = channel.clone();
            async move {
                channel
                    .call::<_, String, std::convert::Infallible>(method("wait"), ())
                    .await
            }
        });
        for n in 0..100 {
            assert_eq!(add(&channel, n, 1).await.unwrap(), n + 1);
        }
        channel
            .call::<_, (), std::convert::Infallible>(method("open"), ())
            .await
            .unwrap();
        assert_eq!(slow.await.unwrap().unwrap(), "open");
    }
}

#[tokio::test]
async fn many_calls_are_in_flight_at_once() {
    let address = serve(Server::new().service(Calc::default())).await;
    for encoding in Encoding::ALL {
        let channel = connect(&format!("{encoding}+tcp://{address}"))
            .await
            .unwrap();
        let calls: Vec<_> = (0..5000_i64)
            .map(|n| {
                let channel = channel.clone();
                tokio::spawn(async move { add(&channel, n, n).await })
            })
            .collect();
        for (n, call) in calls.into_iter().enumerate() {
            assert_eq!(call.await.unwrap().unwrap(), 2 * n as i64);
        }
    }
}

#[tokio::test]
async fn a_panic_is_that_calls_fault_alone() {
    let address = serve(Server::new().service(Calc::default())).await;
    for encoding in Encoding::ALL {
        let channel = connect(&format!("{encoding}+tcp://{address}"))
            .await
            .unwrap();
        let error = channel
            .call::<_, (), std::convert::Infallible>(method("panic"), ())
            .await
            .unwrap_err();
        assert_eq!(error.fault().unwrap().code, code::INTERNAL_ERROR);
        assert!(!error.to_string().contains("told"), "its text stays here");
        assert_eq!(add(&channel, 1, 1).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn a_message_too_large_is_refused_while_others_go_on() {
    let mut limits = Limits::default();
    limits.message_bytes = 8 * 1024 * 1024;
    let address = serve(Server::new().service(Calc::default()).limits(limits)).await;
    let mut mine = Limits::default();
    mine.message_bytes = 64 * 1024 * 1024;
    let io = TcpStream::connect(&address).await.unwrap();
    let channel = over(io, Encoding::Bincode, mine);
    let slow = tokio::spawn({
        let channel = channel.clone();
        async move {
            channel
                .call::<_, String, std::convert::Infallible>(method("wait"), ())
                .await
        }
    });
    let large = vec![7; 9 * 1024 * 1024];
    // The first call goes out before the server's hello has told its limit.
    for _ in 0..2 {
        let error = channel
            .call::<_, u64, std::convert::Infallible>(method("size"), (Blob::from(&large[..]),))
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("8388608") && text.contains("Limits::message_bytes"),
            "{text}"
        );
    }
    channel
        .call::<_, (), std::convert::Infallible>(method("open"), ())
        .await
        .unwrap();
    assert_eq!(slow.await.unwrap().unwrap(), "open");
}

#[tokio::test]
async fn a_frame_with_the_longest_deadline_is_answered() {
    let address = serve(Server::new().service(Calc::default())).await;
    let mut io = TcpStream::connect(&address).await.unwrap();
    let mut bytes = Hello::new(Encoding::Bincode, &Limits::default())
        .to_bytes()
        .to_vec();
    bytes.extend_from_slice(&[24, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend_from_slice(&method("add").hash.to_le_bytes());
    bytes.extend_from_slice(&u32::MAX.to_le_bytes());
    bytes.extend_from_slice(&7_i64.to_le_bytes());
    bytes.extend_from_slice(&3_i64.to_le_bytes());
    // One byte at a time: however the bytes are cut, the frame is the same.
    for byte in bytes {
        io.write_all(&[byte]).await.unwrap();
    }
    let mut answer = [0; 16 + 16 + 8];
    io.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer[..4], MAGIC);
    assert_eq!(answer[32..], 10_i64.to_le_bytes());
}

/// What a port says to `bytes`, until it closes.
async fn said(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut io = TcpStream::connect(address).await.unwrap();
    io.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    io.read_to_end(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn what_is_not_spoken_is_refused_in_words() {
    let server = Server::new()
        .service(Calc::default())
        .protocols([Protocol::Native]);
    let address = serve(server).await;
    let junk = said(&address, b"\x01\x02\x03\x04").await;
    assert!(String::from_utf8_lossy(&junk).contains("not spoken here"));
    let http = said(&address, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let http = String::from_utf8_lossy(&http);
    assert!(
        http.starts_with("HTTP/1.1 400") && http.contains("native protocol"),
        "{http}"
    );
    let tls = said(&address, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await;
    assert_eq!(tls.first(), Some(&0x15), "a TLS alert");
    let json = said(&address, b"{\"jsonrpc\":\"2.0\",\"method\":\"add\"}\n").await;
    assert!(String::from_utf8_lossy(&json).contains("-32600"));
}

#[tokio::test]
async fn a_raw_json_socket_is_answered_line_by_line() {
    let address = serve(Server::new().service(Calc::default())).await;
    let mut io = TcpStream::connect(&address).await.unwrap();
    // Back to back, pretty-printed, broken, by name; then the socket is half closed.
    io.write_all(
        b"{\"jsonrpc\":\"2.0\",\"method\":\"add\",\"params\":[7,3],\"id\":1}\
          {\n \"jsonrpc\": \"2.0\",\n \"method\": \"add\",\n \"params\": {\"y\": 1, \"x\": 2},\n \"id\": \"a\"}\n\
          {broken\n\
          [{\"jsonrpc\":\"2.0\",\"method\":\"add\",\"params\":[1,1],\"id\":2},1]\n",
    )
    .await
    .unwrap();
    io.shutdown().await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    let lines: Vec<_> = answer.lines().collect();
    assert_eq!(lines.len(), 4, "{answer}");
    assert_eq!(lines[0], r#"{"jsonrpc":"2.0","result":10,"id":1}"#);
    assert_eq!(lines[1], r#"{"jsonrpc":"2.0","result":3,"id":"a"}"#);
    assert!(lines[2].contains("-32700"), "{}", lines[2]);
    assert!(
        lines[3].starts_with('[') && lines[3].contains("-32600"),
        "{}",
        lines[3]
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_deadline_and_the_connection_goes_on() {
    let channel = farcall_transport::connect::in_memory(Calc::default(), Encoding::Bincode);
    let error = channel
        .call::<_, String, std::convert::Infallible>(method("wait"), ())
        .timeout(Duration::from_millis(50))
        .await
        .unwrap_err();
    assert!(error.is_timeout() && error.was_sent());
    assert_eq!(add(&channel, 2, 2).await.unwrap(), 4);
}

#[tokio::test]
async fn a_server_that_drains_answers_what_it_took() {
    let listening = Server::new()
        .service(Calc::default())
        .listen("mem://drains")
        .await
        .unwrap();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(listening.run_until(async {
        let _ = ended.await;
    }));
    let channel = connect("mem://drains").await.unwrap();
    let slow = channel.call::<_, String, std::convert::Infallible>(method("wait"), ());
    let slow = slow.into_future();
    tokio::pin!(slow);
    assert!(
        std::future::poll_fn(|cx| std::task::Poll::Ready(slow.as_mut().poll(cx).is_pending()))
            .await
    );
    assert_eq!(add(&channel, 1, 2).await.unwrap(), 3);
    let opener = connect("mem://drains").await.unwrap();
    assert_eq!(add(&opener, 1, 2).await.unwrap(), 3);
    opener
        .call::<_, (), std::convert::Infallible>(method("open"), ())
        .await
        .unwrap();
    end.send(()).unwrap();
    assert_eq!(slow.await.unwrap(), "open");
    assert_eq!(server.await.unwrap().connections, 2);
    assert!(
        connect("mem://drains").await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn after_a_reply_beyond_the_limit_of_unsent_bytes_the_server_reads_on() {
    let mut limits = Limits::default();
    limits.unsent_bytes = 500;
    for encoding in Encoding::ALL {
        // The reply leaves in two writes, and before the second it is beyond the limit still.
        let (here, there) = tokio::io::duplex(2_000);
        let server = Server::new()
            .service(Calc::default())
            .limits(limits.clone());
        tokio::spawn(server.serve_stream(there));
        let channel = over(here, encoding, Limits::default());
        let long: Result<String, Error> = channel.call(method("long"), (3_000_usize,)).await;
        assert_eq!(long.unwrap().len(), 3_000, "{encoding}");
        let sum = add(&channel, 7, 3).await;
        assert_eq!(sum.unwrap(), 10, "{encoding}");
    }
}

#[tokio::test]
async fn two_services_with_one_name_are_refused() {
    let twice = Server::new()
        .service(Calc::default())
        .service(Calc::default());
    let error = twice.listen("mem://twice").await.unwrap_err().to_string();
    assert!(
        error.contains("`add`") && error.contains("namespace"),
        "{error}"
    );
}
