//! The service that every client calls, and how a client is run.

use std::io::Write;
use std::process::{Output, Stdio};
use std::time::Duration;

use farcall::Server;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

/// Arithmetic for strangers, and one value of each kind.
#[farcall::service]
trait Calc {
    /// Returns `x + y`.
    async fn add(&self, x: i64, y: i64) -> i64;
    /// Returns `x / y`.
    async fn divide(&self, x: i64, y: i64) -> Result<i64, DivideError>;
    /// Returns half of `x`.
    async fn half(&self, x: f64) -> f64;
    /// Greets.
    async fn greet(&self, #[rpc(default = "world")] name: &str) -> String;
    /// Returns `text`.
    async fn echo(&self, text: String) -> String;
    /// Counts bytes.
    async fn size(&self, data: &[u8]) -> usize;
    /// Returns `person` a year later.
    async fn birthday(&self, person: Person) -> Person;
    /// Returns the names of `people`.
    async fn names(&self, people: Vec<Person>) -> Vec<String>;
    /// Says what it was given.
    async fn search(
        &self,
        number: Option<i64>,
        last_name: Option<String>,
        first_name: Option<String>,
    ) -> Vec<String>;
    /// Returns nothing.
    async fn nothing(&self);
}

#[derive(Debug, Serialize, Deserialize)]
struct Person {
    name: String,
    age: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    scores: Vec<f64>,
}

#[derive(Debug, thiserror::Error, farcall::Fault)]
enum DivideError {
    #[error("division by zero")]
    #[fault(code = 1)]
    ByZero,
}

struct Pocket;

impl Calc for Pocket {
    async fn add(&self, x: i64, y: i64) -> i64 {
        x.wrapping_add(y)
    }
    async fn divide(&self, x: i64, y: i64) -> Result<i64, DivideError> {
        x.checked_div(y).ok_or(DivideError::ByZero)
    }
    async fn half(&self, x: f64) -> f64 {
        x / 2.0
    }
    async fn greet(&self, name: &str) -> String {
        format!("Hello, {name}!")
    }
    async fn echo(&self, text: String) -> String {
        text
    }
    async fn size(&self, data: &[u8]) -> usize {
        data.len()
    }
    async fn birthday(&self, person: Person) -> Person {
        let age = person.age + 1;
        Person { age, ..person }
    }
    async fn names(&self, people: Vec<Person>) -> Vec<String> {
        people.into_iter().map(|person| person.name).collect()
    }
    async fn search(
        &self,
        number: Option<i64>,
        last_name: Option<String>,
        first_name: Option<String>,
    ) -> Vec<String> {
        let number = number.map(|number| number.to_string());
        [number, last_name, first_name]
            .into_iter()
            .map(|given| given.unwrap_or_else(|| "none".into()))
            .collect()
    }
    async fn nothing(&self) {}
}

/// A server at a free port.
pub(crate) async fn serve() -> u16 {
    start(calc()).await
}

/// The server that is called, not started.
pub(crate) fn calc() -> Server {
    Server::new().service(CalcServer::new(Pocket))
}

/// Starts `server` at a free port.
pub(crate) async fn start(server: Server) -> u16 {
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let port = listening.local_addr().unwrap().port();
    tokio::spawn(listening.run());
    port
}

/// How long a client may take, on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Below it `scripts/test` installs what Debian does not have.
pub(crate) const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools");

/// Runs `program` with a script, which finds the port of a new server in its arguments, and must
/// say that all is well.
pub(crate) async fn script(program: &str, flag: &str, script: &str) {
    script_at(serve().await, program, flag, script).await;
}

/// The same at a server that is there.
pub(crate) async fn script_at(port: u16, program: &str, flag: &str, script: &str) {
    let arguments = vec![flag.into(), script.into(), port.to_string()];
    if let Some(output) = run(program, arguments).await {
        let said = printed(&output);
        assert!(said.ends_with("all is well\n"), "{said}");
    }
}

/// What `program` printed; `None`, and a word about it, if it is not there. Under `CI=true`
/// nothing may be left out.
pub(crate) async fn run(program: &str, arguments: Vec<String>) -> Option<Output> {
    let mut child = spawn(Command::new(program).args(arguments))?;
    let mut pipes = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    // What a client that hangs has printed shows where.
    let ended = async {
        if let Ok(status) = tokio::time::timeout(PATIENCE, child.wait()).await {
            return status.unwrap();
        }
        child.kill().await.unwrap();
        child.wait().await.unwrap()
    };
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (status, out, err) = tokio::join!(
        ended,
        pipes.0.read_to_end(&mut stdout),
        pipes.1.read_to_end(&mut stderr)
    );
    out.and(err).unwrap();
    Some(Output {
        status,
        stdout,
        stderr,
    })
}

/// Starts a program whose output is read; `None`, and a word about it, if it is not there.
pub(crate) fn spawn(command: &mut Command) -> Option<Child> {
    let child = command
        .env("LC_ALL", "C.UTF-8")
        .env("NODE_PATH", format!("{TOOLS}/node/node_modules"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    match child {
        Ok(child) => Some(child),
        Err(error) => {
            let program = command.as_std().get_program().display();
            left_out(&format!("{program}: {error}"));
            None
        }
    }
}

/// Names what is not there; fails under `CI=true`.
pub(crate) fn left_out(what: &str) {
    assert!(std::env::var("CI").is_err(), "{what}");
    // Past the test harness, which keeps what passing tests print.
    let words = format!("left out: {what} (scripts/test installs it)\n");
    std::io::stderr().write_all(words.as_bytes()).unwrap();
}

/// Whether a package of Node is there; else a word is said about it.
pub(crate) fn node_has(package: &str) -> bool {
    let there = std::path::Path::new(&format!("{TOOLS}/node/node_modules/{package}")).exists();
    if !there {
        left_out(&format!("the Node package {package}"));
    }
    there
}

/// What a client printed, if it ended well; else the test fails with all that it printed.
#[track_caller]
pub(crate) fn printed(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success(),
        "{}\n{stdout}\n{stderr}",
        output.status
    );
    stdout
}
