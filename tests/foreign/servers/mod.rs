//! The other way round: servers of other languages, called by a Rust client.

mod node;
mod python;
mod ruby;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farcall::params::Bytes;
use farcall::types::{DateTime, Value};
use farcall::{Error, Fault};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::service::{PATIENCE, spawn};

/// What all of those servers offer.
#[farcall::service]
pub(crate) trait Strange {
    async fn add(&self, x: i64, y: i64) -> Result<i64, Fault>;
    async fn half(&self, x: f64) -> Result<f64, Fault>;
    async fn divide(&self, x: i64, y: i64) -> Result<i64, Fault>;
    async fn echo(&self, text: &str) -> Result<String, Fault>;
    /// Returns `person` a year later, and members that nobody here has heard of.
    async fn birthday(&self, person: &Person) -> Result<Person, Fault>;
    async fn names(&self, people: Vec<Person>) -> Result<Vec<String>, Fault>;
    async fn nothing(&self) -> Result<(), Fault>;
    #[rpc(name = "math.sum")]
    async fn sum(&self, numbers: Vec<i64>) -> Result<i64, Fault>;
    /// It is in no server.
    async fn nobody(&self) -> Result<i64, Fault>;
    async fn bytes(&self, bytes: &[u8]) -> Result<Bytes, Fault>;
    async fn moment(&self, moment: DateTime) -> Result<DateTime, Fault>;
    async fn value(&self, value: Value) -> Result<Value, Fault>;
    /// A number as text.
    async fn text(&self, number: i64) -> Result<String, Fault>;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Person {
    name: String,
    age: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    scores: Vec<f64>,
}

/// What a server may say about itself.
#[farcall::service(namespace = "system", rename_all = "camelCase")]
pub(crate) trait Introspection {
    async fn list_methods(&self) -> Result<Vec<String>, Fault>;
    async fn method_help(&self, name: &str) -> Result<String, Fault>;
    /// Text where there are no signatures.
    async fn method_signature(&self, name: &str) -> Result<Value, Fault>;
    async fn multicall(&self, calls: Vec<Inner>) -> Result<Vec<Value>, Fault>;
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Inner {
    method_name: String,
    params: Vec<Value>,
}

/// A call inside a multicall.
fn inner(name: &str, params: &[i64]) -> Inner {
    Inner {
        method_name: name.into(),
        params: params.iter().copied().map(Value::Integer).collect(),
    }
}

/// A server that runs until this is dropped. What it said is printed if the test fails.
pub(crate) struct Running {
    pub(crate) ports: Vec<u16>,
    said: Arc<Mutex<String>>,
    _child: Child,
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the server said:\n{}", self.said.lock().unwrap());
        }
    }
}

/// Starts a server by a script, which prints its ports in one line when it listens; `None`, and a
/// word about it, if the program is not there.
pub(crate) async fn start(
    program: &str,
    flag: &str,
    script: &str,
    rest: &[&str],
) -> Option<Running> {
    let mut child = spawn(Command::new(program).args([flag, script]).args(rest))?;
    let said = Arc::new(Mutex::new(String::new()));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let errors = keep(child.stderr.take().unwrap(), Arc::clone(&said));
    let mut running = Running {
        ports: Vec::new(),
        said,
        _child: child,
    };
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    let Some(line) = line.expect("the server listens in time").unwrap() else {
        errors.await.unwrap();
        panic!("the server ended before it listened");
    };
    running.ports = line
        .split(' ')
        .map(|port| port.parse().expect(&line))
        .collect();
    keep(lines.into_inner(), Arc::clone(&running.said));
    Some(running)
}

/// Reads what a server says, so that it can go on.
fn keep(pipe: impl AsyncRead + Unpin + Send + 'static, said: Arc<Mutex<String>>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut lines = BufReader::new(pipe).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut said = said.lock().unwrap();
            said.push_str(&line);
            said.push('\n');
        }
    })
}

/// The fault that a call has to end with.
#[track_caller]
pub(crate) fn fault<T: std::fmt::Debug>(result: Result<T, Error<Fault>>) -> Fault {
    match result {
        Err(Error::Fault(fault)) => fault,
        Err(Error::Failed(failure)) if failure.fault().is_some() => {
            failure.fault().unwrap().clone()
        }
        other => panic!("no fault but {other:?}"),
    }
}

/// The words of a failure that is no fault.
#[track_caller]
pub(crate) fn failure<T: std::fmt::Debug>(result: Result<T, Error<Fault>>) -> String {
    match result {
        Err(Error::Failed(failure)) if failure.fault().is_none() => failure.to_string(),
        other => panic!("no failure but {other:?}"),
    }
}

pub(crate) const TEXTS: [&str; 7] = [
    "",
    "<&>",
    "]]>",
    "&amp;",
    "é ß 中 😀",
    "  a \n\t b  ",
    "\"'\\",
];

fn ada() -> Person {
    Person {
        name: "Ada <&> Łukasz".into(),
        age: 36,
        email: None,
        scores: vec![1.0, 2.5, -1e300],
    }
}

/// Calls what every one of the servers can answer.
pub(crate) async fn call_everything(client: &StrangeClient) {
    assert_eq!(client.add(7, 3).await.unwrap(), 10);
    assert_eq!(client.add(-5, 3).await.unwrap(), -2);
    assert_eq!(client.half(3.0).await.unwrap(), 1.5);
    assert_eq!(client.half(-1e300).await.unwrap(), -5e299);
    for text in TEXTS {
        assert_eq!(client.echo(text).await.unwrap(), text);
    }
    let long = "<&> é ".repeat(20_000);
    // Ruby's own parser takes some ten seconds to find its way through so many entities.
    let echo = client.echo(&long).timeout(Duration::from_secs(60));
    assert_eq!(echo.await.unwrap(), long);
    let older = Person { age: 37, ..ada() };
    assert_eq!(client.birthday(&ada()).await.unwrap(), older);
    let names = client.names(vec![ada(), older]).await.unwrap();
    assert_eq!(names, [ada().name, ada().name]);
    assert!(client.names(vec![]).await.unwrap().is_empty());
    assert_eq!(client.sum(vec![1, 2, 4]).await.unwrap(), 7);
    // One connection or many: the calls do not disturb each other.
    let calls = (0..20).map(|n| {
        let client = client.clone();
        tokio::spawn(async move { client.add(n, n).await })
    });
    for (n, call) in calls.enumerate() {
        assert_eq!(call.await.unwrap().unwrap(), 2 * n as i64);
    }
}

/// Sends several calls at once, one of which fails.
pub(crate) async fn call_in_batches(client: &StrangeClient) {
    let calls = (client.add(1, 2), client.divide(1, 0), client.echo("<&>"));
    let (sum, division, text) = client.batch(calls).await.unwrap();
    assert_eq!((sum.unwrap(), &*text.unwrap()), (3, "<&>"));
    fault(division);
    let calls: Vec<_> = (0..20).map(|n| client.add(n, n)).collect();
    let sums = client.batch(calls).await.unwrap();
    for (n, sum) in sums.into_iter().enumerate() {
        assert_eq!(sum.unwrap(), 2 * n as i64);
    }
}

/// A nested value of every type but nil, which is not for everybody.
pub(crate) fn nested() -> Value {
    let scalars = vec![
        Value::Boolean(true),
        Value::Integer(-7),
        Value::Double(2.5),
        Value::String("19980717T14:08:55".into()),
        Value::DateTime("19980717T14:08:55".parse().unwrap()),
        Value::Bytes(vec![0, 255, 1].into()),
    ];
    Value::Struct(BTreeMap::from([
        ("".to_owned(), Value::Array(vec![])),
        (" <&> ".to_owned(), Value::Struct(BTreeMap::new())),
        ("scalars".to_owned(), Value::Array(scalars)),
    ]))
}
