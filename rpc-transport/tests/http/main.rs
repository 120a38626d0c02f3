//! HTTP as strangers speak it: literal requests against a server, literal answers to a client.

mod client;
mod cors;
mod gzip;
mod life;
mod mounted;
mod plain;
mod server;
mod streams;

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
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

#[derive(Clone, Default)]
struct Calc {
    started: Arc<Notify>,
    dropped: Arc<Notify>,
    open: Arc<Notify>,
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
        Method::new("held", "Waits until it is let go.").returns::<i64>(),
        Method::new("long", "Much for little.").returns::<String>(),
        Method::new("count", "")
            .takes(&[Param::required::<u64>("to")])
            .returns::<u64>()
            .gives_stream(),
        Method::new("total", "")
            .takes_stream::<i64>("numbers")
            .returns::<i64>(),
        Method::new("silence", "")
            .returns::<String>()
            .gives_stream(),
        Method::new("told", "Says more than its result.").returns::<i64>(),
    ];

    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<> {
        let Self {
            started,
            dropped,
            open,
        } = self.clone();
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
                4 => {
                    started.notify_one();
                    open.notified().await;
                    request.reply(&4)
                }
                5 => request.reply(&"x".repeat(15_000)),
                6 => {
                    let (to,) = request.params::<(u64,)>((required,))?;
                    request.stream(stream::iter(0..to)).await
                }
                7 => {
                    let _tell = OnDrop(dropped);
                    started.notify_one();
                    let numbers = request.items::<i64>();
                    let total = numbers.fold(0, |sum, n| async move { sum + n }).await;
                    request.reply(&total)
                }
                8 => {
                    let tell = OnDrop(dropped);
                    started.notify_one();
                    let items = stream::pending::<String>().inspect(move |_| {
                        let _ = &tell;
                    });
                    request.stream(items).await
                }
                9 => {
                    request.context().reply_metadata("pages", "7");
                    request.context().reply_metadata("cost", "1");
                    request.reply(&1)
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
    let (head, body) = message(io).await;
    (head, String::from_utf8(body).unwrap())
}

/// The head, in lower case, and the body of one request or response.
async fn message<IO: AsyncRead + Unpin>(io: &mut IO) -> (String, Vec<u8>) {
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
    (head, body)
}

async fn ask<IO: AsyncRead + AsyncWrite + Unpin>(io: &mut IO, request: &str) -> (String, String) {
    io.write_all(request.as_bytes()).await.unwrap();
    response(io).await
}

fn small() -> Limits {
    let mut limits = Limits::default();
    limits.message_bytes = 1000;
    limits
}
