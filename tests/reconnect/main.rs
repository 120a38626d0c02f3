//! Clients that outlive their connections, and their servers.

mod waiting;
mod ways;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use farcall::{Report, Server, Stream};
use futures_util::{StreamExt, stream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

#[farcall::service]
trait Counter {
    /// Counts, and gives how often it ran.
    async fn count(&self) -> u32;
    #[rpc(notify)]
    async fn note(&self);
    fn numbers(&self, to: u32) -> impl Stream<Item = u32>;
    async fn total(&self, numbers: impl Stream<Item = u32>) -> u32;
}

#[derive(Clone, Default)]
struct Runs(Arc<AtomicU32>);

impl Counter for Runs {
    async fn count(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
    async fn note(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
    fn numbers(&self, to: u32) -> impl Stream<Item = u32> {
        stream::iter(0..to)
    }
    async fn total(&self, numbers: impl Stream<Item = u32>) -> u32 {
        numbers
            .fold(0, |total, number| async move { total + number })
            .await
    }
}

/// A server that can be ended.
struct Host {
    end: oneshot::Sender<()>,
    running: JoinHandle<Report>,
}

impl Host {
    /// Serves at `address`, and gives the port if it has one.
    async fn start(address: &str, runs: &Runs) -> (Self, u16) {
        let server = Server::new().service(CounterServer::new(runs.clone()));
        let listening = server.listen(address).await.unwrap();
        let port = listening.local_addr().map_or(0, |address| address.port());
        let (end, ended) = oneshot::channel();
        let running = tokio::spawn(listening.run_until(async {
            let _ = ended.await;
        }));
        (Self { end, running }, port)
    }

    async fn end(self) {
        drop(self.end);
        assert!(!self.running.await.unwrap().forced);
    }
}
