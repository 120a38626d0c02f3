//! Records that go one way: a hundred of them to the server, a checksum back. What decoding them
//! costs shows here, as a handler that borrows what it reads makes no `String`.

mod farcall;
#[cfg(feature = "peers")]
mod tarpc;

use std::sync::{Arc, LazyLock};

use tokio::task::JoinSet;

use crate::load::{Caller, Load, Meter};
use crate::peer::{Problem, Record};
use crate::window::{Figures, Job};
use crate::workload::Kind;

pub(crate) use farcall::{Borrowed, Owned, serve};
#[cfg(feature = "peers")]
pub(crate) use tarpc::{Client as Tarpc, serve as serve_tarpc};

/// What every call sends. No client pays for a copy.
static SAMPLE: LazyLock<Vec<Record>> = LazyLock::new(Record::samples);

/// A client, connected.
pub(crate) trait Sender: Clone + Send + Sync + 'static {
    /// Connects to the server on this port of the loopback interface.
    fn connect(port: u16) -> impl Future<Output = Result<Self, Problem>> + Send;
    /// Sends the sample, and gives the checksum that came back.
    fn total(&self) -> impl Future<Output = Result<u64, Problem>> + Send;
}

/// Reads all that a record has.
fn checksum<'a>(
    id: u64,
    score: f64,
    name: &str,
    address: &str,
    tags: impl Iterator<Item = &'a str>,
) -> u64 {
    let last = |text: &str| u64::from(text.bytes().next_back().unwrap_or(0));
    let texts = last(name) + last(address) + tags.map(last).sum::<u64>();
    id.wrapping_add(score.to_bits()).wrapping_add(texts)
}

/// That of records whose handler owns them.
fn total(records: &[Record]) -> u64 {
    let each = records.iter().map(|record| {
        let tags = record.tags.iter().map(String::as_str);
        checksum(record.id, record.score, &record.name, &record.address, tags)
    });
    each.fold(0, u64::wrapping_add)
}

/// Measures a subject whose client is an `S`.
pub(crate) async fn measure<S: Sender>(mut job: Job) -> Result<Figures, Problem> {
    match job.kind {
        Kind::Inward(load) => job.steady(load, drive::<S>).await,
        _ => Err("records that go one way are all it sends".into()),
    }
}

async fn drive<S: Sender>(port: u16, load: Load, meter: Arc<Meter>) -> Result<(), Problem> {
    let mut callers = JoinSet::new();
    for _ in 0..load.connections {
        let sender = S::connect(port).await?;
        for _ in 0..load.in_flight {
            callers.spawn(call(sender.clone(), meter.enter()));
        }
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    Ok(())
}

async fn call<S: Sender>(sender: S, caller: Caller) -> Result<(), Problem> {
    let expected = total(&SAMPLE);
    while let Some(since) = caller.next() {
        if sender.total().await? != expected {
            return Err("some records were lost".into());
        }
        caller.answered(1, since);
    }
    Ok(())
}
