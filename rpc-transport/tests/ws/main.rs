//! WebSockets as strangers speak them: literal frames to a server, and from one to a client.
#![cfg(feature = "ws")]

mod client;
mod life;
mod opening;
mod rules;
mod server;

use std::sync::Arc;

use farcall_core::method::{Method, Param};
use farcall_core::params::required;
use farcall_core::service::{Reply, Request, Service};
use farcall_transport::server::Server;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

#[derive(Clone, Default)]
struct Calc {
    started: Arc<Notify>,
    dropped: Arc<Notify>,
    open: Arc<Notify>,
    done: Arc<Notify>,
}

impl Service for Calc {
    const METHODS: &'static [Method] = &[
        Method::new("add", "")
            .takes(&[Param::required::<i64>("x"), Param::required::<i64>("y")])
            .returns::<i64>(),
        Method::new("wait", "Waits for ever."),
        Method::new("held", "Waits until it is let go.").returns::<i64>(),
        Method::new("open", "Lets one go."),
        Method::new("transport", "").returns::<String>(),
        Method::new("long", "Much for little.").returns::<String>(),
    ];

    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<> {
        let Self {
            started,
            dropped,
            open,
            done,
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
                    started.notify_one();
                    open.notified().await;
                    done.notify_one();
                    request.reply(&4)
                }
                3 => {
                    open.notify_one();
                    request.reply(&())
                }
                4 => {
                    let transport = request.context().transport();
                    request.reply(transport)
                }
                5 => request.reply(&"x".repeat(300_000)),
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

async fn serve(server: Server) -> String {
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let address = listening.local_addr().unwrap().to_string();
    tokio::spawn(listening.run());
    address
}

async fn calc() -> String {
    serve(Server::new().service(Calc::default())).await
}

/// A request for a WebSocket, with these further header lines.
fn upgrade(headers: &str) -> String {
    format!(
        "GET /rpc HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
}

const ADD: &str = r#"{"jsonrpc":"2.0","method":"add","params":[7,3],"id":1}"#;
const TEN: &str = r#"{"jsonrpc":"2.0","result":10,"id":1}"#;

fn call(name: &str, id: u32) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"{name}","id":{id}}}"#)
}

/// One end of an open WebSocket, that does only what it is told.
struct Raw<IO> {
    io: IO,
    masks: bool,
}

/// What the first byte of a frame says: the last of its message, and of which kind.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

impl Raw<TcpStream> {
    async fn connect(address: &str) -> Self {
        Self::open(TcpStream::connect(address).await.unwrap(), "").await
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Raw<IO> {
    /// A client's end, opened with these further header lines.
    async fn open(mut io: IO, headers: &str) -> Self {
        io.write_all(upgrade(headers).as_bytes()).await.unwrap();
        let head = head(&mut io).await;
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="));
        Self { io, masks: true }
    }

    async fn send(&mut self, first: u8, payload: impl AsRef<[u8]>) {
        let frame = frame(self.masks, first, payload.as_ref());
        self.io.write_all(&frame).await.unwrap();
    }

    /// The first byte and the payload of the next frame; nothing at the end.
    async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.io.read_u8().await.ok()?;
        let second = self.io.read_u8().await.unwrap();
        let length = match second & 0x7f {
            126 => u64::from(self.io.read_u16().await.unwrap()),
            127 => self.io.read_u64().await.unwrap(),
            short => u64::from(short),
        };
        let mut mask = [0; 4];
        assert_eq!(
            second & 0x80 != 0,
            !self.masks,
            "clients mask, servers do not"
        );
        if !self.masks {
            self.io.read_exact(&mut mask).await.unwrap();
        }
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.io.read_exact(&mut payload).await.unwrap();
        for (byte, mask) in payload.iter_mut().zip(mask.into_iter().cycle()) {
            *byte ^= mask;
        }
        Some((first, payload))
    }

    /// The next message, which is text, from however many fragments.
    async fn text(&mut self) -> String {
        let mut message = Vec::new();
        loop {
            let (first, payload) = self.next().await.expect("a message");
            let kind = if message.is_empty() { 1 } else { 0 };
            assert_eq!(first & 0x7f, kind, "{payload:?}");
            message.extend_from_slice(&payload);
            if first & 0x80 != 0 {
                return String::from_utf8(message).unwrap();
            }
        }
    }

    async fn ask(&mut self, text: &str) -> String {
        self.send(TEXT, text).await;
        self.text().await
    }

    /// The code and the words of the goodbye that comes next, behind the server's last word.
    async fn goodbye(&mut self) -> (u16, String) {
        let (mut first, mut payload) = self.next().await.expect("a goodbye");
        if payload == br#"{"jsonrpc":"2.0","method":"rpc.goingAway"}"# {
            (first, payload) = self.next().await.expect("a goodbye");
        }
        assert_eq!(first, CLOSE);
        let (code, words) = payload.split_first_chunk().unwrap();
        let words = String::from_utf8(words.to_vec()).unwrap();
        (u16::from_be_bytes(*code), words)
    }
}

fn frame(masks: bool, first: u8, payload: &[u8]) -> Vec<u8> {
    let bit = if masks { 0x80 } else { 0 };
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(bit | u8::try_from(short).unwrap()),
        length @ 126..0x1_0000 => {
            frame.push(bit | 126);
            frame.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            frame.push(bit | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    let key = [7, 0, 255, 1];
    if masks {
        frame.extend(key);
        let masked = payload.iter().zip(key.into_iter().cycle());
        frame.extend(masked.map(|(byte, key)| byte ^ key));
    } else {
        frame.extend(payload);
    }
    frame
}

/// The head of a request or response, in lower case.
async fn head<IO: AsyncRead + Unpin>(io: &mut IO) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_lowercase()
}
