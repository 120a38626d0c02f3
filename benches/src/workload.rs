//! What is measured, by name.

use std::time::Duration;

use crate::load::{Load, Op};

/// A kind of work.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Calls in a loop, for a while.
    Steady(Load),
    /// Calls in a loop as well, whose records are not sent back.
    Inward(Load),
    /// So many calls that sleep for 5 s, all at once.
    Blocked(usize),
    /// So many connections that were used once.
    Idle(usize),
    /// Small calls beside large replies.
    Mixed(Large),
    /// From nothing to the first reply, again and again.
    Startup,
    /// Values to bytes and back, with no connection.
    Codec(Op),
}

/// Large replies, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Large {
    /// How long each is.
    pub(crate) bytes: u32,
    /// When the next is asked for, if not as soon as one is there.
    pub(crate) every: Option<Duration>,
}

/// A named kind of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

const fn steady(name: &'static str, op: Op, connections: usize, in_flight: usize) -> Workload {
    Workload {
        name,
        kind: Kind::Steady(Load {
            op,
            connections,
            in_flight,
        }),
    }
}

const fn of(name: &'static str, kind: Kind) -> Workload {
    Workload { name, kind }
}

/// All of it. An argument `pipelined` stands for each name that begins with it.
pub(crate) const ALL: &[Workload] = &[
    steady("latency", Op::Add, 1, 1),
    steady("pipelined-64", Op::Add, 1, 64),
    steady("pipelined-512", Op::Add, 1, 512),
    steady("connections", Op::Add, 256, 1),
    steady("records", Op::Records, 1, 64),
    of(
        "records-in",
        Kind::Inward(Load {
            op: Op::Records,
            connections: 1,
            in_flight: 64,
        }),
    ),
    steady("blob", Op::Blob, 1, 1),
    steady("blob-4", Op::Blob, 4, 1),
    of("startup", Kind::Startup),
    of(
        "mixed",
        Kind::Mixed(Large {
            bytes: 10 * 1024 * 1024,
            every: Some(Duration::from_millis(100)),
        }),
    ),
    of(
        "mixed-100",
        Kind::Mixed(Large {
            bytes: 100_000_000,
            every: None,
        }),
    ),
    of("idle", Kind::Idle(5_000)),
    of("blocked-1000", Kind::Blocked(1_000)),
    of("blocked-10000", Kind::Blocked(10_000)),
    of("blocked-50000", Kind::Blocked(50_000)),
    of("codec-add", Kind::Codec(Op::Add)),
    of("codec-records", Kind::Codec(Op::Records)),
];

/// Those that these arguments name; all if there are none.
pub(crate) fn named(names: &[String]) -> Result<Vec<Workload>, String> {
    if names.is_empty() {
        return Ok(ALL.to_vec());
    }
    for name in names {
        if !ALL
            .iter()
            .any(|workload| workload.name.starts_with(name.as_str()))
        {
            let all: Vec<_> = ALL.iter().map(|workload| workload.name).collect();
            return Err(format!(
                "no workload is called `{name}`; there are {}",
                all.join(", ")
            ));
        }
    }
    let asked = |workload: &&Workload| names.iter().any(|name| workload.name.starts_with(name));
    Ok(ALL.iter().filter(asked).copied().collect())
}

/// The one of this name.
pub(crate) fn exactly(name: &str) -> Result<Workload, String> {
    let found = ALL.iter().find(|workload| workload.name == name);
    found
        .copied()
        .ok_or_else(|| format!("no workload is called `{name}`"))
}
