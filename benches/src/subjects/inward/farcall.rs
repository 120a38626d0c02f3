//! farcall, with a handler that owns the records and one that borrows them.

use std::sync::LazyLock;

use farcall::Server;
use serde::{Deserialize, Serialize};

use super::{SAMPLE, Sender, checksum, total};
use crate::peer::{Problem, Record};

/// A [`Record`] whose texts are where the call has them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Borrowing<'a> {
    id: u64,
    name: &'a str,
    address: &'a str,
    score: f64,
    #[serde(borrow)]
    tags: Vec<&'a str>,
}

impl<'a> Borrowing<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            id: record.id,
            name: &record.name,
            address: &record.address,
            score: record.score,
            tags: record.tags.iter().map(String::as_str).collect(),
        }
    }
}

static BORROWING: LazyLock<Vec<Borrowing<'static>>> =
    LazyLock::new(|| SAMPLE.iter().map(Borrowing::from).collect());

/// What is measured.
#[farcall::service]
trait Inward {
    async fn owned(&self, records: &[Record]) -> u64;
    async fn borrowed(&self, records: &[Borrowing<'_>]) -> u64;
}

struct Handlers;

impl Inward for Handlers {
    async fn owned(&self, records: &[Record]) -> u64 {
        total(records)
    }

    async fn borrowed(&self, records: &[Borrowing<'_>]) -> u64 {
        let each = records.iter().map(|record| {
            let tags = record.tags.iter().copied();
            checksum(record.id, record.score, record.name, record.address, tags)
        });
        each.fold(0, u64::wrapping_add)
    }
}

/// Starts the server.
pub(crate) async fn serve() -> Result<u16, Problem> {
    let server = Server::new().service(InwardServer::new(Handlers));
    let listening = server.listen("tcp://127.0.0.1:0").await?;
    let port = listening.local_addr().ok_or("no port")?.port();
    tokio::spawn(listening.run());
    Ok(port)
}

async fn connect(port: u16) -> Result<InwardClient, Problem> {
    let channel = farcall::connect(&format!("bincode+tcp://127.0.0.1:{port}")).await?;
    Ok(InwardClient::new(channel))
}

/// A client of the handler that owns the records.
#[derive(Clone)]
pub(crate) struct Owned(InwardClient);

impl Sender for Owned {
    async fn connect(port: u16) -> Result<Self, Problem> {
        connect(port).await.map(Self)
    }

    async fn total(&self) -> Result<u64, Problem> {
        Ok(self.0.owned(&SAMPLE).await?)
    }
}

/// A client of the handler that borrows the records.
#[derive(Clone)]
pub(crate) struct Borrowed(InwardClient);

impl Sender for Borrowed {
    async fn connect(port: u16) -> Result<Self, Problem> {
        connect(port).await.map(Self)
    }

    async fn total(&self) -> Result<u64, Problem> {
        Ok(self.0.borrowed(&BORROWING).await?)
    }
}
