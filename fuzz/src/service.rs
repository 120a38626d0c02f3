//! A service with parameters of every shape, for strange messages to call.

use std::collections::BTreeMap;
use std::future::pending;

use farcall::Stream;
use farcall::types::{DateTime, Value};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

/// A struct with a field of nearly every kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Integers of several widths.
    pub numbers: (u8, i16, u32, i64, u64, i128),
    /// A float.
    pub weight: f64,
    /// Text.
    pub name: String,
    /// One character.
    pub initial: char,
    /// What may be missing.
    pub nickname: Option<String>,
    /// Bytes.
    #[serde(with = "serde_bytes")]
    pub photo: Vec<u8>,
    /// A list.
    pub tags: Vec<String>,
    /// A map whose keys are no text.
    pub marks: BTreeMap<u16, bool>,
    /// An enum.
    pub shape: Shape,
}

/// An enum with variants of each kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Shape {
    /// Without anything.
    Point,
    /// With one value.
    Circle(f32),
    /// With two.
    Line(i32, i32),
    /// With names.
    Box {
        /// One side.
        width: u16,
        /// The other.
        height: u16,
    },
}

/// A type that nests in itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// Further ones.
    pub branches: Vec<Tree>,
    /// One more.
    pub top: Option<Box<Tree>>,
}

/// What the fuzzer calls.
#[farcall::service]
pub trait Everything {
    /// Returns `x + y`.
    async fn add(&self, x: i64, y: i64) -> i64;
    /// Gives a record back.
    async fn echo(&self, record: Record) -> Record;
    /// Gives any value back.
    async fn any(&self, value: Value) -> Value;
    /// Counts what borrows from the message.
    async fn borrow(&self, text: &str, bytes: &[u8]) -> u64;
    /// Counts values that take no bytes.
    async fn units(&self, units: Vec<()>) -> u64;
    /// Gives a tree back.
    async fn tree(&self, tree: Tree) -> Tree;
    /// Gives a date back.
    async fn date(&self, date: DateTime) -> DateTime;
    /// Has parameters that may be left out.
    async fn greet(&self, #[rpc(default = "world")] name: &str, loud: Option<bool>) -> String;
    /// Wants no reply.
    #[rpc(notify)]
    async fn forget(&self, what: String);
    /// Is never done.
    async fn never(&self);
    /// Gives a stream.
    #[rpc(idempotent)]
    fn count(&self, to: u32) -> impl Stream<Item = u32>;
    /// Takes a stream.
    async fn total(&self, numbers: impl Stream<Item = i64>) -> i64;
    /// Takes one and gives one.
    fn twice(&self, texts: impl Stream<Item = String>) -> impl Stream<Item = String>;
}

/// Does as the trait says.
pub struct Plain;

impl Everything for Plain {
    async fn add(&self, x: i64, y: i64) -> i64 {
        x.wrapping_add(y)
    }

    async fn echo(&self, record: Record) -> Record {
        record
    }

    async fn any(&self, value: Value) -> Value {
        value
    }

    async fn borrow(&self, text: &str, bytes: &[u8]) -> u64 {
        (text.len() + bytes.len()) as u64
    }

    async fn units(&self, units: Vec<()>) -> u64 {
        units.len() as u64
    }

    async fn tree(&self, tree: Tree) -> Tree {
        tree
    }

    async fn date(&self, date: DateTime) -> DateTime {
        date
    }

    async fn greet(&self, name: &str, loud: Option<bool>) -> String {
        format!("Hello, {name}{}", if loud == Some(true) { "!" } else { "" })
    }

    async fn forget(&self, what: String) {
        drop(what);
    }

    async fn never(&self) {
        pending().await
    }

    fn count(&self, to: u32) -> impl Stream<Item = u32> {
        stream::iter(0..to.min(1000))
    }

    async fn total(&self, numbers: impl Stream<Item = i64>) -> i64 {
        numbers
            .fold(
                0,
                |total: i64, number| async move { total.wrapping_add(number) },
            )
            .await
    }

    fn twice(&self, texts: impl Stream<Item = String>) -> impl Stream<Item = String> {
        texts.map(|text| text.repeat(2))
    }
}
