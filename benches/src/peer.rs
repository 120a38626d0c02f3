//! What every subject can be asked, so that one driver measures all of them.

use serde::{Deserialize, Serialize};

/// What goes wrong in a benchmark ends it; nobody asks what it was but a reader.
pub(crate) type Problem = Box<dyn std::error::Error + Send + Sync>;

/// A client of one subject, connected. Clones share the connection.
///
/// The values of `records` and `blob` are of the subject's own types, and each reply is the next
/// call's argument: nobody pays for a copy that its users would not make.
pub(crate) trait Peer: Clone + Send + Sync + 'static {
    /// Whether calls side by side share one connection of a `Self`, be it one or a pool. Where they
    /// do not, each call in flight gets a `Self` of its own.
    const SHARED: bool = true;
    /// The payload of the `records` workload.
    type Records: Send + 'static;
    /// The payload of the `blob` workload.
    type Blob: Send + 'static;

    /// A hundred records.
    fn sample_records() -> Self::Records;
    /// How many records these are.
    fn count(records: &Self::Records) -> usize;
    /// So many bytes.
    fn sample_blob(len: usize) -> Self::Blob;
    /// How many bytes these are.
    fn len(blob: &Self::Blob) -> usize;

    /// Connects to the server on this port of the loopback interface.
    fn connect(port: u16) -> impl Future<Output = Result<Self, Problem>> + Send;
    /// The smallest useful call.
    fn add(&self, x: i32, y: i32) -> impl Future<Output = Result<i32, Problem>> + Send;
    /// An echo.
    fn records(
        &self,
        records: Self::Records,
    ) -> impl Future<Output = Result<Self::Records, Problem>> + Send;
    /// An echo.
    fn blob(&self, blob: Self::Blob) -> impl Future<Output = Result<Self::Blob, Problem>> + Send;
    /// Answers after so many milliseconds.
    fn sleep(&self, ms: u32) -> impl Future<Output = Result<(), Problem>> + Send;
    /// Answers with so many bytes; gives how many came.
    fn fetch(&self, len: u32) -> impl Future<Output = Result<usize, Problem>> + Send;
}

/// A row as many services send it: a number, short texts, a measure, a few tags. 117 bytes in
/// bincode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) score: f64,
    pub(crate) tags: Vec<String>,
}

impl Record {
    /// The `n`th of the sample.
    pub(crate) fn sample(n: usize) -> Self {
        Self {
            id: 1_000_000 + n as u64,
            name: format!("customer{n:04}"),
            address: format!("{n:04} Long Acre, Covent G."),
            score: n as f64 + 0.25,
            tags: vec!["green".into(), "annual".into(), "silver".into()],
        }
    }

    /// How many a call carries.
    pub(crate) const EACH_CALL: usize = 100;

    /// All of the sample.
    pub(crate) fn samples() -> Vec<Self> {
        (0..Self::EACH_CALL).map(Self::sample).collect()
    }
}
