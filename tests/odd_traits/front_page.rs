//! What the front page shows, as one table.

use std::time::Duration;

use farcall::{Context, Encoding, Fault, TypedFault};
use serde::{Deserialize, Serialize};

use crate::{methods, names, param_names};

#[derive(Serialize, Deserialize)]
pub struct Person {
    pub name: String,
}

#[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
pub enum CalcError {
    #[error("division by zero")]
    #[fault(code = 1)]
    DivisionByZero,
    #[error("{x} is too large, the limit is {limit}")]
    #[fault(code = 2)]
    TooLarge { x: i64, limit: i64 },
    #[error("odd: {0} {1}")]
    #[fault(code = -3)]
    Odd(String, u8),
}

/// Integer arithmetic.
#[farcall::service]
pub trait Calc {
    /// Returns `x + y`.
    async fn add(&self, x: i64, y: i64) -> i64;
    /// Returns `x / y`, rounded toward zero.
    async fn divide(&self, x: i64, y: i64) -> Result<i64, CalcError>;
    /// Greets; foreign callers may leave `name` out.
    async fn greet(&self, #[rpc(default = "world")] name: &str) -> String;
    /// Finds people.
    async fn search(&self, number: Option<String>, last_name: Option<String>) -> Vec<Person>;
    /// Who am I to you?
    async fn whoami(&self, cx: &Context) -> String;
}

struct Pocket;

impl Calc for Pocket {
    async fn add(&self, x: i64, y: i64) -> i64 {
        x + y
    }
    async fn divide(&self, x: i64, y: i64) -> Result<i64, CalcError> {
        x.checked_div(y).ok_or(CalcError::DivisionByZero)
    }
    async fn greet(&self, name: &str) -> String {
        format!("hello, {name}")
    }
    async fn search(&self, _: Option<String>, last_name: Option<String>) -> Vec<Person> {
        last_name.into_iter().map(|name| Person { name }).collect()
    }
    async fn whoami(&self, cx: &Context) -> String {
        cx.transport().to_owned()
    }
}

#[test]
fn the_front_page_is_one_table() {
    let server = CalcServer::new(Pocket);
    let table = methods(&server);
    assert_eq!(names(table), ["add", "divide", "greet", "search", "whoami"]);
    assert_eq!(table[0].doc, "Returns `x + y`.");
    assert_eq!(param_names(&table[0]), ["x", "y"]);
    assert!(table[0].params[0].required);
    assert!(!table[2].params[0].required);
    assert_eq!(param_names(&table[3]), ["number", "last_name"]);
    assert!(!table[3].params[0].required);
    assert!(param_names(&table[4]).is_empty());
    assert_eq!(format!("{:?}", server.clone()), "CalcServer");
}

#[tokio::test]
async fn calls_borrow_what_they_are_given() {
    let calc = CalcClient::in_memory(CalcServer::new(Pocket), Encoding::Xml);
    let name = String::from("Ada");
    let call = calc.greet(&name);
    assert_eq!(format!("{call:?}"), "Call(greet)");
    drop(call);
    assert_eq!(format!("{calc:?}"), "CalcClient { channel: Channel(xml) }");
}

#[tokio::test]
async fn calls_can_be_made_from_any_task() {
    fn takes_a_task<T>(_: impl Future<Output = T> + Send + 'static) {}
    let calc = CalcClient::in_memory(CalcServer::new(Pocket), Encoding::Json);
    takes_a_task(async move {
        let name = String::from("Ada");
        let greeting: String = calc.greet(&name).timeout(Duration::from_secs(1)).await?;
        match calc.divide(7, 0).await {
            Err(farcall::Error::Fault(CalcError::DivisionByZero)) => {}
            other => drop(other),
        }
        calc.add(1, 2).notify().await?;
        Ok::<_, farcall::Error>(greeting)
    });
}

#[test]
fn errors_are_recognised_by_their_code() {
    for error in [
        CalcError::DivisionByZero,
        CalcError::TooLarge { x: 7, limit: 5 },
        CalcError::Odd("x".to_owned(), 3),
    ] {
        let fault = error.to_fault(Encoding::Json);
        assert_eq!(fault.message, error.to_string());
        assert_eq!(CalcError::from_fault(&fault), Some(error));
    }
    assert_eq!(CalcError::from_fault(&Fault::new(4, "?")), None);
}
