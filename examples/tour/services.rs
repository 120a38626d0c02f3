//! What the tour offers, but for the phone book.

use std::time::Duration;

use farcall::Stream;
use futures_util::stream;

/// Arithmetic in 64 bits, as every RPC tutorial begins.
#[farcall::service]
pub(crate) trait Arithmetic {
    /// Returns `x + y`.
    async fn add(&self, x: i64, y: i64) -> Result<i64, ArithmeticError>;
    /// Returns `x - y`.
    async fn subtract(&self, x: i64, y: i64) -> Result<i64, ArithmeticError>;
    /// Returns `x * y`.
    async fn multiply(&self, x: i64, y: i64) -> Result<i64, ArithmeticError>;
    /// Returns `x / y`, rounded toward zero.
    async fn divide(&self, x: i64, y: i64) -> Result<i64, ArithmeticError>;
}

#[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
pub(crate) enum ArithmeticError {
    #[error("division by zero")]
    #[fault(code = 1)]
    DivisionByZero,
    #[error("the result does not fit into 64 bits")]
    #[fault(code = 2)]
    Overflow,
}

pub(crate) struct Pocket;

impl Arithmetic for Pocket {
    async fn add(&self, x: i64, y: i64) -> Result<i64, ArithmeticError> {
        x.checked_add(y).ok_or(ArithmeticError::Overflow)
    }

    async fn subtract(&self, x: i64, y: i64) -> Result<i64, ArithmeticError> {
        x.checked_sub(y).ok_or(ArithmeticError::Overflow)
    }

    async fn multiply(&self, x: i64, y: i64) -> Result<i64, ArithmeticError> {
        x.checked_mul(y).ok_or(ArithmeticError::Overflow)
    }

    async fn divide(&self, x: i64, y: i64) -> Result<i64, ArithmeticError> {
        if y == 0 {
            return Err(ArithmeticError::DivisionByZero);
        }
        x.checked_div(y).ok_or(ArithmeticError::Overflow)
    }
}

/// Text, and parameters that may be left out.
#[farcall::service]
pub(crate) trait Greeting {
    /// Returns `s`.
    async fn echo(&self, s: &str) -> String;
    /// Greets; `name` may be left out.
    async fn woca(&self, #[rpc(default = "world")] name: &str) -> Result<String, GreetingError>;
}

#[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
pub(crate) enum GreetingError {
    #[error("the empty name cannot be greeted")]
    #[fault(code = 3)]
    NoName,
}

pub(crate) struct Polite;

impl Greeting for Polite {
    async fn echo(&self, s: &str) -> String {
        s.to_owned()
    }

    async fn woca(&self, name: &str) -> Result<String, GreetingError> {
        if name.is_empty() {
            return Err(GreetingError::NoName);
        }
        Ok(format!("Hello, {name}!"))
    }
}

/// Waiting, bytes, and accidents.
#[farcall::service]
pub(crate) trait Odds {
    /// Answers `ms` after as many milliseconds, and holds no thread meanwhile.
    async fn sleep(&self, ms: u64) -> Result<u64, OddsError>;
    /// Returns the CRC-32 of `data`.
    async fn checksum(&self, data: &[u8]) -> u32;
    /// Counts down to 1, from 1,000 at the most.
    #[rpc(idempotent)]
    fn countdown(&self, from: u32) -> impl Stream<Item = Result<u32, OddsError>>;
    /// Panics, to show what that costs: nothing.
    async fn panic(&self);
    /// 0, 1, 2… every `ms` milliseconds, for as long as somebody listens.
    fn ticks(&self, ms: u64) -> impl Stream<Item = u64>;
}

#[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
pub(crate) enum OddsError {
    #[error("{ms} ms is longer than {most} ms")]
    #[fault(code = 4)]
    TooLong { ms: u64, most: u64 },
    #[error("{from} is too far to count")]
    #[fault(code = 5)]
    TooFar { from: u32 },
}

pub(crate) struct Ends;

impl Odds for Ends {
    async fn sleep(&self, ms: u64) -> Result<u64, OddsError> {
        const MOST: u64 = 60_000;
        if ms > MOST {
            return Err(OddsError::TooLong { ms, most: MOST });
        }
        tokio::time::sleep(Duration::from_millis(ms)).await;
        Ok(ms)
    }

    async fn checksum(&self, data: &[u8]) -> u32 {
        crc32fast::hash(data)
    }

    fn countdown(&self, from: u32) -> impl Stream<Item = Result<u32, OddsError>> {
        let far = (from > 1000).then_some(Err(OddsError::TooFar { from }));
        let numbers = (1..=from.min(1000)).rev().map(Ok);
        stream::iter(numbers.chain(far))
    }

    async fn panic(&self) {
        panic!("as asked for");
    }

    fn ticks(&self, ms: u64) -> impl Stream<Item = u64> {
        let every = tokio::time::interval(Duration::from_millis(ms.max(1)));
        stream::unfold((every, 0), |(mut every, tick)| async move {
            every.tick().await;
            Some((tick, (every, tick + 1)))
        })
    }
}

/// What every server answers; here for its client.
#[farcall::service(namespace = "system", rename_all = "camelCase")]
pub(crate) trait System {
    /// Lists the names of all methods.
    async fn list_methods(&self) -> Vec<String>;
    /// Describes a method.
    async fn method_help(&self, name: &str) -> Result<String, farcall::Fault>;
    /// Lists the signatures of a method.
    async fn method_signature(&self, name: &str) -> Vec<Vec<String>>;
}
