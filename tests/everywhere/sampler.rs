//! A service with values of many types, and everything that can go wrong.

use std::collections::BTreeMap;

use farcall::types::Bytes;
use farcall::{Context, Stream};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// Values of many types, and everything that can go wrong.
#[farcall::service]
pub(crate) trait Sampler {
    async fn add(&self, x: i64, y: i64) -> i64;
    async fn numbers(&self, a: i8, b: u16, c: i32, d: i64, e: f32, f: f64) -> Numbers;
    async fn text(&self, text: &str) -> String;
    async fn bytes(&self, bytes: &[u8]) -> usize;
    async fn files(&self, first: Bytes, rest: Vec<File>) -> (Bytes, Vec<File>);
    async fn options(&self, first: Option<i32>, second: Option<String>) -> (bool, bool);
    async fn record(&self, record: &Record) -> Record;
    async fn shapes(&self, shapes: Vec<Shape>) -> Vec<Shape>;
    async fn map(&self, map: BTreeMap<u32, String>) -> BTreeMap<u32, String>;
    async fn nothing(&self);
    async fn divide(&self, x: i64, y: i64) -> Result<i64, DivideError>;
    async fn panic(&self);
    async fn wait(&self);
    async fn open(&self);
    async fn whoami(&self, cx: &Context) -> String;
    #[rpc(name = "renamed.method", alias = "old-name")]
    async fn renamed(&self, #[rpc(default = 5)] n: i32) -> i32;
    /// Each of them, doubled.
    fn doubled(&self, numbers: impl Stream<Item = i64>) -> impl Stream<Item = i64>;
}

pub(crate) type Numbers = (i8, u16, i32, i64, f32, f64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: u64,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) nickname: Option<String>,
    pub(crate) scores: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) content: Option<Bytes>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Shape {
    Point,
    Circle(f64),
    Line(i32, i32),
    Box { width: u8, height: u8 },
}

#[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
pub(crate) enum DivideError {
    #[error("division by zero")]
    #[fault(code = 1)]
    ByZero,
    #[error("{x} is odd")]
    #[fault(code = 2)]
    Odd { x: i64 },
}

#[derive(Default)]
pub(crate) struct Sample {
    gate: Notify,
}

impl Sampler for Sample {
    async fn add(&self, x: i64, y: i64) -> i64 {
        x.wrapping_add(y)
    }
    async fn numbers(&self, a: i8, b: u16, c: i32, d: i64, e: f32, f: f64) -> Numbers {
        (a, b, c, d, e, f)
    }
    async fn text(&self, text: &str) -> String {
        text.to_owned()
    }
    async fn bytes(&self, bytes: &[u8]) -> usize {
        bytes.len()
    }
    async fn files(&self, first: Bytes, rest: Vec<File>) -> (Bytes, Vec<File>) {
        (first, rest)
    }
    async fn options(&self, first: Option<i32>, second: Option<String>) -> (bool, bool) {
        (first.is_some(), second.is_some())
    }
    async fn record(&self, record: &Record) -> Record {
        record.clone()
    }
    async fn shapes(&self, shapes: Vec<Shape>) -> Vec<Shape> {
        shapes
    }
    async fn map(&self, map: BTreeMap<u32, String>) -> BTreeMap<u32, String> {
        map
    }
    async fn nothing(&self) {}
    async fn divide(&self, x: i64, y: i64) -> Result<i64, DivideError> {
        match (x, y) {
            (_, 0) => Err(DivideError::ByZero),
            (x, 2) if x % 2 != 0 => Err(DivideError::Odd { x }),
            (x, y) => Ok(x / y),
        }
    }
    async fn panic(&self) {
        panic!("a secret");
    }
    async fn wait(&self) {
        self.gate.notified().await;
    }
    async fn open(&self) {
        self.gate.notify_one();
    }
    async fn whoami(&self, cx: &Context) -> String {
        let token = cx.metadata().get("x-token").unwrap_or("nobody");
        format!(
            "{} {} {} {token}",
            cx.method(),
            cx.encoding(),
            cx.deadline().is_some()
        )
    }
    async fn renamed(&self, n: i32) -> i32 {
        n
    }
    fn doubled(&self, numbers: impl Stream<Item = i64> + Send) -> impl Stream<Item = i64> {
        numbers.map(|number| 2 * number)
    }
}
