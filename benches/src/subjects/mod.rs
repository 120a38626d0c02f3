//! Who is measured, in a file each.

#[cfg(feature = "peers")]
mod capnp;
#[cfg(feature = "peers")]
pub(crate) mod dxr;
pub(crate) mod farcall;
mod frames;
mod hyper;
mod inward;
#[cfg(feature = "peers")]
mod jsonrpsee;
#[cfg(feature = "peers")]
mod tarpc;
#[cfg(feature = "peers")]
mod tonic;
#[cfg(feature = "peers")]
mod volo;

use std::pin::Pin;

use crate::peer::Problem;
use crate::window::{Figures, Job, measure};
use crate::workload::Kind;
use farcall::Farcall;

type Boxed<T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send>>;

/// Where a server runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Host {
    /// In this program, started by this, which gives its port.
    Here(fn() -> Boxed<u16>),
    /// In Python.
    Python(&'static str),
}

/// A server and a client, measured together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    /// The way of farcall that does the same.
    pub(crate) beside: &'static str,
    pub(crate) host: Host,
    pub(crate) measure: fn(Job) -> Boxed<Figures>,
    /// The beginnings of the names of workloads that are not for it.
    pub(crate) skips: &'static [&'static str],
    /// Its calls stay on one thread: the multi-thread runtime would say nothing about it.
    pub(crate) one_thread: bool,
}

impl Subject {
    /// Whether `workload` says anything about it.
    pub(crate) fn takes(&self, workload: &str) -> bool {
        let inward = INWARD.contains(&self.name);
        let mut skips = self.skips.iter();
        inward == (workload == "records-in") && !skips.any(|skipped| workload.starts_with(skipped))
    }
}

/// A connection for each call in flight: not for thousands.
const HTTP1: &[&str] = &[
    "pipelined-512",
    "blocked-10000",
    "blocked-5",
    "blob-4",
    "mixed-100",
];
/// Large replies are texts, which cannot leave in pieces.
const TEXTS: &[&str] = &["mixed-100"];
/// All that `records-in` measures, and they do nothing else.
const INWARD: &[&str] = &[
    "farcall bincode/tcp owned",
    "farcall bincode/tcp borrowed",
    "tarpc bincode owned",
];
/// No calls, only bytes.
const LIMIT: &[&str] = &["startup", "mixed", "idle", "blocked", "blob-4"];
const HTTP1_LIMIT: &[&str] = &[
    "pipelined-512",
    "startup",
    "mixed",
    "idle",
    "blocked",
    "blob-4",
];
/// Its schema has small calls and bytes.
#[cfg(feature = "peers")]
const VOLO: &[&str] = &["records", "startup", "mixed", "idle", "blocked"];
/// Where what a deadline costs is seen best: in small calls.
const DEADLINES: &[&str] = &[
    "pipelined-512",
    "connections",
    "records",
    "blob",
    "startup",
    "mixed",
    "idle",
    "blocked",
];
/// A thread for each connection.
const PYTHON: &[&str] = &[
    "pipelined-512",
    "connections",
    "idle",
    "blocked-10000",
    "blocked-5",
    "blob-4",
    "mixed-100",
];

macro_rules! subject {
    ($name:literal, $beside:literal, $serve:path, $client:ty, $skips:expr) => {
        subject!($name, $beside, $serve, measure::<$client>; $skips)
    };
    ($name:literal, $beside:literal, $serve:path, $measure:expr; $skips:expr) => {
        Subject {
            name: $name,
            beside: $beside,
            host: Host::Here(|| Box::pin($serve())),
            measure: |job| Box::pin($measure(job)),
            skips: $skips,
            one_thread: false,
        }
    };
}

/// All of them.
pub(crate) const ALL: &[Subject] = &[
    Subject {
        name: "raw frames",
        beside: "farcall bincode/tcp",
        host: Host::Here(|| Box::pin(frames::serve())),
        measure: |mut job| {
            Box::pin(async move {
                match job.kind {
                    Kind::Steady(load) => job.steady(load, frames::drive).await,
                    _ => Err("bare frames are no calls".into()),
                }
            })
        },
        skips: LIMIT,
        one_thread: false,
    },
    subject!(
        "farcall bincode/tcp",
        "farcall bincode/tcp",
        farcall::serve,
        Farcall<farcall::BincodeTcp>,
        &[]
    ),
    subject!(
        "farcall bincode/tcp without deadlines",
        "farcall bincode/tcp",
        farcall::serve,
        Farcall<farcall::Endless>,
        DEADLINES
    ),
    subject!(
        "farcall json/tcp",
        "farcall json/tcp",
        farcall::serve,
        Farcall<farcall::JsonTcp>,
        TEXTS
    ),
    subject!(
        "farcall json/http",
        "farcall json/http",
        farcall::serve,
        Farcall<farcall::JsonHttp>,
        HTTP1
    ),
    subject!(
        "farcall xml/http",
        "farcall xml/http",
        farcall::serve,
        Farcall<farcall::XmlHttp>,
        HTTP1
    ),
    subject!(
        "farcall bincode/http2",
        "farcall bincode/http2",
        farcall::serve,
        Farcall<farcall::BincodeHttp2>,
        &["blocked-5"]
    ),
    subject!(
        "bare hyper",
        "farcall json/http",
        hyper::serve,
        hyper::Client,
        HTTP1_LIMIT
    ),
    #[cfg(feature = "peers")]
    subject!(
        "tarpc bincode",
        "farcall bincode/tcp",
        tarpc::bincode::serve,
        tarpc::bincode::Client,
        &[]
    ),
    #[cfg(feature = "peers")]
    subject!(
        "tarpc json",
        "farcall json/tcp",
        tarpc::json::serve,
        tarpc::json::Client,
        &["blocked", "mixed-100"]
    ),
    #[cfg(feature = "peers")]
    subject!(
        "tonic",
        "farcall bincode/http2",
        tonic::serve,
        tonic::Client,
        &[]
    ),
    #[cfg(feature = "peers")]
    subject!(
        "jsonrpsee ws",
        "farcall json/tcp",
        jsonrpsee::serve,
        jsonrpsee::Client<jsonrpsee_ws_client::WsClient>,
        TEXTS
    ),
    #[cfg(feature = "peers")]
    subject!(
        "jsonrpsee http",
        "farcall json/http",
        jsonrpsee::serve,
        jsonrpsee::Client<jsonrpsee_http_client::HttpClient>,
        HTTP1
    ),
    #[cfg(feature = "peers")]
    subject!("dxr", "farcall xml/http", dxr::serve, dxr::Dxr, HTTP1),
    #[cfg(feature = "peers")]
    Subject {
        name: "capnp",
        beside: "farcall bincode/tcp",
        host: Host::Here(|| Box::pin(capnp::serve())),
        measure: |mut job| {
            Box::pin(async move {
                match job.kind {
                    Kind::Steady(load) => job.steady(load, capnp::drive).await,
                    _ => Err("calls in a loop are all it makes".into()),
                }
            })
        },
        skips: LIMIT,
        one_thread: true,
    },
    #[cfg(feature = "peers")]
    Subject {
        name: "volo-thrift",
        beside: "farcall bincode/tcp",
        host: Host::Here(|| Box::pin(volo::serve())),
        measure: |mut job| {
            Box::pin(async move {
                match job.kind {
                    Kind::Steady(load) => job.steady(load, volo::drive).await,
                    _ => Err("calls in a loop are all it makes".into()),
                }
            })
        },
        skips: VOLO,
        one_thread: false,
    },
    subject!(
        "farcall bincode/tcp owned",
        "farcall bincode/tcp owned",
        inward::serve,
        inward::measure::<inward::Owned>; &[]
    ),
    subject!(
        "farcall bincode/tcp borrowed",
        "farcall bincode/tcp owned",
        inward::serve,
        inward::measure::<inward::Borrowed>; &[]
    ),
    #[cfg(feature = "peers")]
    subject!(
        "tarpc bincode owned",
        "farcall bincode/tcp owned",
        inward::serve_tarpc,
        inward::measure::<inward::Tarpc>; &[]
    ),
    // Its client is farcall's: Python's own would be the slower half.
    Subject {
        name: "python",
        beside: "farcall xml/http",
        host: Host::Python(include_str!("python.py")),
        measure: |job| Box::pin(measure::<Farcall<farcall::XmlHttp>>(job)),
        skips: PYTHON,
        one_thread: false,
    },
];

/// Whether the subject of this name has nothing to do on several threads.
pub(crate) fn stays_on_one_thread(name: &str) -> bool {
    ALL.iter()
        .any(|subject| subject.name == name && subject.one_thread)
}

/// The one of this name.
pub(crate) fn named(name: &str) -> Result<Subject, String> {
    let all = || {
        ALL.iter()
            .map(|subject| subject.name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let found = ALL.iter().find(|subject| subject.name == name);
    found
        .copied()
        .ok_or_else(|| format!("no subject is called `{name}`; there are {}", all()))
}
