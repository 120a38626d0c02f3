//! farcall itself, in five of its ways.

use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use farcall::types::Bytes;
use farcall::{Address, Limits, Server};

use crate::peer::{Peer, Problem, Record};

/// What is measured.
#[farcall::service]
pub(crate) trait Bench {
    async fn add(&self, x: i32, y: i32) -> i32;
    async fn records(&self, records: Vec<Record>) -> Vec<Record>;
    async fn blob(&self, blob: Bytes) -> Bytes;
    async fn sleep(&self, ms: u32);
    async fn fetch(&self, len: u32) -> Bytes;
}

/// The handlers.
#[derive(Debug, Default)]
pub(crate) struct Handlers {
    /// What is fetched, made once for its length: the connection is measured, not the allocator.
    prepared: Mutex<Bytes>,
}

impl Bench for Handlers {
    async fn add(&self, x: i32, y: i32) -> i32 {
        x.wrapping_add(y)
    }

    async fn records(&self, records: Vec<Record>) -> Vec<Record> {
        records
    }

    async fn blob(&self, blob: Bytes) -> Bytes {
        blob
    }

    async fn sleep(&self, ms: u32) {
        tokio::time::sleep(Duration::from_millis(ms.into())).await;
    }

    async fn fetch(&self, len: u32) -> Bytes {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if prepared.len() != len as usize {
            *prepared = Bytes::from(vec![7; len as usize]);
        }
        prepared.clone()
    }
}

/// Room for the largest workloads: 12,500 blocked calls on a connection, replies of 100 MB that wait
/// to be read, and more connections than the default.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.message_bytes = 128 * 1024 * 1024;
    limits.unsent_bytes = 128 * 1024 * 1024;
    limits.items = 128 * 1024 * 1024;
    limits.calls_per_connection = 65_536;
    limits.connections = 65_536;
    limits.call_time = Duration::from_secs(120);
    limits
}

/// Starts the server, which speaks all of the ways.
pub(crate) async fn serve() -> Result<u16, Problem> {
    let server = Server::new()
        .limits(limits())
        .service(BenchServer::new(Handlers::default()));
    let listening = server.listen("tcp://127.0.0.1:0").await?;
    let port = listening.local_addr().ok_or("no port")?.port();
    tokio::spawn(listening.run());
    Ok(port)
}

/// The part of an address that says how to talk.
pub(crate) trait Way: Send + Sync + 'static {
    /// The beginning of the address.
    const SCHEME: &'static str;
    /// The end of the address.
    const QUERY: &'static str = "";
    /// How long a call waits, if not for as long as `Limits::call_time` says.
    const TIMEOUT: Option<Duration> = None;
}

/// As [`BincodeTcp`], but nobody ends a call.
#[derive(Debug)]
pub(crate) struct Endless;

impl Way for Endless {
    const SCHEME: &'static str = BincodeTcp::SCHEME;
    const TIMEOUT: Option<Duration> = Some(Duration::MAX);
}

macro_rules! ways {
    ($($name:ident: $scheme:literal $query:literal)*) => {$(
        #[derive(Debug)]
        pub(crate) struct $name;

        impl Way for $name {
            const SCHEME: &'static str = $scheme;
            const QUERY: &'static str = $query;
        }
    )*};
}

ways! {
    BincodeTcp: "bincode+tcp" ""
    JsonTcp: "json+tcp" ""
    JsonHttp: "json+http" "/"
    XmlHttp: "xml+http" "/RPC2"
    BincodeHttp2: "bincode+http" "/?version=2"
}

/// A client of one way.
pub(crate) struct Farcall<W> {
    client: BenchClient,
    way: PhantomData<W>,
}

impl<W> Clone for Farcall<W> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            way: PhantomData,
        }
    }
}

impl<W: Way> Peer for Farcall<W> {
    type Records = Vec<Record>;
    type Blob = Bytes;

    fn sample_records() -> Vec<Record> {
        Record::samples()
    }

    fn count(records: &Vec<Record>) -> usize {
        records.len()
    }

    fn sample_blob(len: usize) -> Bytes {
        Bytes::from(vec![7; len])
    }

    fn len(blob: &Bytes) -> usize {
        blob.len()
    }

    async fn connect(port: u16) -> Result<Self, Problem> {
        let address: Address = format!("{}://127.0.0.1:{port}{}", W::SCHEME, W::QUERY).parse()?;
        let mut channel = farcall::connect_with(&address, limits()).await?;
        if let Some(timeout) = W::TIMEOUT {
            channel = channel.with_timeout(timeout);
        }
        Ok(Self {
            client: BenchClient::new(channel),
            way: PhantomData,
        })
    }

    async fn add(&self, x: i32, y: i32) -> Result<i32, Problem> {
        Ok(self.client.add(x, y).await?)
    }

    async fn records(&self, records: Vec<Record>) -> Result<Vec<Record>, Problem> {
        Ok(self.client.records(records).await?)
    }

    async fn blob(&self, blob: Bytes) -> Result<Bytes, Problem> {
        Ok(self.client.blob(blob).await?)
    }

    async fn sleep(&self, ms: u32) -> Result<(), Problem> {
        Ok(self.client.sleep(ms).await?)
    }

    async fn fetch(&self, len: u32) -> Result<usize, Problem> {
        Ok(self.client.fetch(len).await?.len())
    }
}
