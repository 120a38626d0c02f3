//! Who may come in by address: lists that change while a server asks them.
//!
//! On Linux all of 127.0.0.0/8 is this machine, so that clients can have different addresses.

mod connections;
mod reload;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use farcall::{AllowList, Encoding, Limits, Listening, Report, Server, Stream};
use futures_util::stream;
use tokio::net::TcpSocket;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

#[farcall::service]
trait Door {
    /// Counts those who knock.
    async fn knock(&self) -> usize;
    /// Answers once it may.
    async fn wait(&self) -> u8;
    /// Goes on for ever.
    fn talk(&self) -> impl Stream<Item = u8>;
}

#[derive(Clone, Default)]
struct Porter {
    knocks: Arc<AtomicUsize>,
    waits: Arc<Notify>,
    may_answer: Arc<Notify>,
    given_up: Arc<Notify>,
}

struct GivenUp(Arc<Notify>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Door for Porter {
    async fn knock(&self) -> usize {
        self.knocks.fetch_add(1, Ordering::Relaxed) + 1
    }

    async fn wait(&self) -> u8 {
        let _given_up = GivenUp(Arc::clone(&self.given_up));
        self.waits.notify_one();
        self.may_answer.notified().await;
        7
    }

    fn talk(&self) -> impl Stream<Item = u8> {
        stream::repeat(7)
    }
}

/// A server at work.
struct House {
    address: SocketAddr,
    porter: Porter,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Report>,
}

impl House {
    async fn open(list: &AllowList) -> Self {
        let porter = Porter::default();
        let server = Server::new().service(DoorServer::new(porter.clone()));
        let server = server.allow(list.clone());
        let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
        Self::run(listening, porter)
    }

    fn run(listening: Listening, porter: Porter) -> Self {
        let address = listening.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(listening.run_until(async { drop(stopped.await) }));
        Self {
            address,
            porter,
            stop,
            running,
        }
    }

    async fn connect(&self, way: &str) -> DoorClient {
        let (codec, query) = way.split_once('?').unwrap_or((way, ""));
        let address = format!("{codec}://{}/?{query}", self.address);
        let address = address.trim_end_matches("/?");
        DoorClient::connect(address).await.unwrap()
    }

    /// A client in bincode that has this address.
    async fn connect_from(&self, ip: &str) -> DoorClient {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{ip}:0").parse().unwrap()).unwrap();
        let io = socket.connect(self.address).await.unwrap();
        DoorClient::new(farcall::over(io, Encoding::Bincode, Limits::default()))
    }

    fn knocks(&self) -> usize {
        self.porter.knocks.load(Ordering::Relaxed)
    }

    async fn close(self) -> Report {
        drop(self.stop);
        self.running.await.unwrap()
    }
}

/// A folder of a test's own, for its list.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("farcall-{test}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn list(&self) -> PathBuf {
        self.0.join("allow")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Writes a list whole under another name, and moves it.
fn write(list: &Path, entries: &str) {
    let beside = list.with_extension("new");
    std::fs::write(&beside, entries).unwrap();
    std::fs::rename(beside, list).unwrap();
}
