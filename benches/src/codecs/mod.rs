//! Values to bytes and back, with no connection: request and reply with their envelopes, as one
//! call has them on both sides. In a file each.

mod alone;
mod events;
mod farcall;
mod raw_value;
#[cfg(feature = "peers")]
mod tree;

use std::hint::black_box;
use std::time::Instant;

use self::farcall::Order;
use crate::load::Op;
use crate::peer::Problem;
use crate::usage::Usage;
use crate::window::{Extent, Figures, counted};

/// Does all that one call needs, and fails if a value did not come back.
type Round = Box<dyn FnMut() -> Result<(), Problem>>;

/// A codec under measurement.
struct Codec {
    name: &'static str,
    /// That of farcall in the same encoding.
    beside: &'static str,
    prepare: fn(Op) -> Result<Round, Problem>,
}

const ALL: &[Codec] = &[
    Codec {
        name: "farcall bincode",
        beside: "farcall bincode",
        prepare: |op| farcall::stream("bincode", op),
    },
    Codec {
        name: "farcall json",
        beside: "farcall json",
        prepare: |op| farcall::stream("json", op),
    },
    Codec {
        name: "farcall json as over HTTP",
        beside: "farcall json",
        prepare: |op| farcall::messages("json", op, Order::Usual),
    },
    Codec {
        name: "farcall json in another order",
        beside: "farcall json as over HTTP",
        prepare: |op| farcall::messages("json", op, Order::IdFirst),
    },
    Codec {
        name: "farcall json alone",
        beside: "farcall json alone",
        prepare: |op| alone::prepare("json", op),
    },
    Codec {
        name: "farcall xml",
        beside: "farcall xml",
        prepare: |op| farcall::messages("xml", op, Order::Usual),
    },
    Codec {
        name: "farcall xml alone",
        beside: "farcall xml alone",
        prepare: |op| alone::prepare("xml", op),
    },
    Codec {
        name: "farcall xml in frames",
        beside: "farcall xml",
        prepare: |op| farcall::stream("xml", op),
    },
    Codec {
        name: "json by RawValue",
        beside: "farcall json alone",
        prepare: raw_value::prepare,
    },
    Codec {
        name: "xml by events",
        beside: "farcall xml alone",
        prepare: events::prepare,
    },
    #[cfg(feature = "peers")]
    Codec {
        name: "xml by a tree (dxr)",
        beside: "farcall xml alone",
        prepare: tree::prepare,
    },
];

/// Whose codecs there are.
pub(crate) fn names() -> Vec<&'static str> {
    ALL.iter().map(|codec| codec.name).collect()
}

/// The codec of farcall that does the same.
pub(crate) fn beside(name: &str) -> &str {
    let known = ALL.iter().find(|codec| codec.name == name);
    known.map_or("", |codec| codec.beside)
}

/// Measures one.
pub(crate) fn run(name: &str, op: Op, extent: Extent) -> Result<Figures, Problem> {
    let known = ALL.iter().find(|codec| codec.name == name);
    let codec = known.ok_or_else(|| format!("no codec is called `{name}`"))?;
    let mut round = (codec.prepare)(op)?;
    if let Some(quota) = extent.quota {
        for _ in 0..quota {
            black_box(&mut round)()?;
        }
        let allocations = Usage::now()?.allocations.unwrap_or(0.0);
        return Ok(counted(quota as f64, allocations));
    }
    let warm = Instant::now();
    while warm.elapsed() < extent.warm {
        round()?;
    }
    let (before, begun, mut calls) = (Usage::now()?, Instant::now(), 0.0);
    while begun.elapsed() < extent.window {
        for _ in 0..16 {
            black_box(&mut round)()?;
        }
        calls += 16.0;
    }
    let used = Usage::now()?.since(&before);
    let mut figures = vec![("cpu us/call".into(), used.cpu_us / calls)];
    let counted = [
        ("allocations/call", used.allocations),
        ("bytes allocated/call", used.bytes),
    ];
    for (metric, value) in counted {
        figures.extend(value.map(|value| (metric.into(), value / calls)));
    }
    Ok(figures)
}
