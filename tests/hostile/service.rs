//! What is attacked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use farcall::{Gauges, Limits, Server, Stream};
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[farcall::service]
pub(crate) trait Target {
    async fn add(&self, x: i64, y: i64) -> i64;
    /// Waits until its caller gives up.
    async fn wait(&self);
    async fn echo(&self, text: String) -> String;
    /// What nobody may have run.
    async fn hidden(&self);
    #[rpc(idempotent)]
    fn ticks(&self) -> impl Stream<Item = u64>;
}

/// Counts who waits, who began to, and what ran that was hidden.
#[derive(Clone, Default)]
pub(crate) struct Counting {
    pub(crate) waiting: Arc<AtomicUsize>,
    pub(crate) begun: Arc<AtomicUsize>,
    pub(crate) hidden: Arc<AtomicUsize>,
}

struct Waits(Arc<AtomicUsize>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Target for Counting {
    async fn add(&self, x: i64, y: i64) -> i64 {
        x + y
    }
    async fn wait(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waits = Waits(Arc::clone(&self.waiting));
        std::future::pending().await
    }
    async fn echo(&self, text: String) -> String {
        text
    }
    async fn hidden(&self) {
        self.hidden.fetch_add(1, Ordering::SeqCst);
    }
    fn ticks(&self) -> impl Stream<Item = u64> {
        stream::pending()
    }
}

/// A server that is attacked.
pub(crate) struct Attacked {
    pub(crate) address: SocketAddr,
    pub(crate) gauges: Gauges,
    pub(crate) service: Counting,
}

impl Attacked {
    pub(crate) async fn with(limits: Limits) -> Self {
        Self::of(Server::new().limits(limits), "tcp").await
    }

    pub(crate) async fn of(server: Server, transport: &str) -> Self {
        let service = Counting::default();
        let server = server.service(TargetServer::new(service.clone()));
        let listening = server.listen(&format!("{transport}://127.0.0.1:0")).await;
        let listening = listening.unwrap();
        let address = listening.local_addr().unwrap();
        let gauges = listening.gauges();
        tokio::spawn(listening.run());
        Self {
            address,
            gauges,
            service,
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A client over one of the ways, as in `json+http`.
    pub(crate) async fn client(&self, way: &str) -> TargetClient {
        let address = format!("{way}://{}", self.address);
        TargetClient::connect(&address).await.unwrap()
    }

    /// Sends bytes, and reads all that comes until the server closes, or breaks off.
    pub(crate) async fn ask(&self, bytes: &[u8]) -> String {
        let mut io = self.connect().await;
        let _ = io.write_all(bytes).await;
        rest(&mut io).await
    }
}

/// All that comes until the server closes, or breaks off. It must do so within a minute.
pub(crate) async fn rest(io: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let reading = async { while matches!(io.read_buf(&mut all).await, Ok(count) if count > 0) {} };
    let closed = tokio::time::timeout(Duration::from_secs(60), reading).await;
    assert!(closed.is_ok(), "it is open still");
    String::from_utf8_lossy(&all).into_owned()
}

/// Waits until something is so, a minute at most.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

pub(crate) fn post(headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

/// The hello of a client that speaks bincode: version 1, no features, 4 MiB, 1,024 calls.
pub(crate) const HELLO: [u8; 16] = [
    0xfc, 0x66, 0x61, 0x72, 1, 1, 1, 0, 0, 0, 0x40, 0, 0, 4, 0, 0,
];

pub(crate) const ADD: &str = r#"{"jsonrpc":"2.0","method":"add","params":[7,3],"id":1}"#;
pub(crate) const WAIT: &str = r#"{"jsonrpc":"2.0","method":"wait","id":1}"#;
pub(crate) const HIDDEN: &str = r#"{"jsonrpc":"2.0","method":"hidden","id":1}"#;
pub(crate) const TEN: &str = r#"{"jsonrpc":"2.0","result":10,"id":1}"#;

/// A native request without parameters.
pub(crate) fn native_request(id: u64, method: &str) -> Vec<u8> {
    let mut frame = vec![8, 0, 0, 0, 1, 0, 0, 0];
    frame.extend(id.to_le_bytes());
    frame.extend(hash(method).to_le_bytes());
    frame.extend([0; 4]);
    frame
}

/// 32-bit FNV-1a.
fn hash(name: &str) -> u32 {
    let step = |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    name.bytes().fold(0x811c_9dc5, step)
}
